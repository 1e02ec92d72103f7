"""Judge a plan that somebody hands in: in a process of its own, with time and memory limited.

A plan from outside may be anything. The service itself looks at its size alone; everything else
happens in a child that can be thrown away: whatever becomes of it, the answer is a sentence.

Run as ``python -m api.judge FILE LANGUAGE``; the verdict is one JSON object on standard output.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from logging import getLogger
from pathlib import Path
from typing import Any, Final, cast

from api.i18n import Language, text
from geo.errors import InputError, LimitExceeded, PlanInvalid, StoreFull, TooMany

log = getLogger(f"patrolgrid.{__name__}")

SECONDS: Final = 30
"""Most wall seconds of one verdict."""

MEMORY_MB: Final = 1_536
"""Most megabytes of one verdict."""

AT_ONCE: Final = 2
"""Verdicts at once; others wait."""

WAIT_SECONDS: Final = 30
"""How long others wait before they are told to come back."""

MOST_VIOLATIONS: Final = 200
"""Violations that are listed; the others are only counted."""

FAMILY: Final = b"patrolgrid."
"""What the format of every file of ours begins with."""

_LONGEST: Final = 120
_RULES: Final = re.compile(
    r"(required|type|enum|const|pattern|minimum|maximum|exclusiveMinimum|minItems|maxItems"
    r"|minLength|maxLength|additionalProperties|format|uniqueItems) "
)
_KNOWN: Final = ("a key is repeated", "NaN is not a number", "Infinity is not a number")

_seats = threading.BoundedSemaphore(AT_ONCE)

Verdict = Mapping[str, Any]
"""n_violations, violations (code and text), n_routes, n_stops; what is sent as JSON."""


def judge(plan: bytes, folder: Path, *, lang: Language) -> Verdict:
    """Return what the verifier says of a plan or schedule file.

    Parameters
    ----------
    plan : bytes
        As `plan.json` or `due.json`.
    folder : Path
        Where it lies while it is judged.
    lang : "zh" or "en"

    Raises
    ------
    PlanInvalid
        No plan by the published schema; says where.
    LimitExceeded
        It needed more than a plan of a city needs.
    TooMany
        Others are being judged.
    """
    if FAMILY not in plan:  # so that a stray body costs no process
        raise PlanInvalid(source="body", where="$.format", detail="no patrolgrid file")
    if not _seats.acquire(timeout=WAIT_SECONDS):
        raise TooMany(seconds=WAIT_SECONDS)
    place = folder / secrets.token_hex(16)
    try:
        place.mkdir(parents=True, mode=0o700)
        path = place / "plan.json"
        path.write_bytes(plan)
        return _ask_child(path, lang)
    except OSError as error:
        raise StoreFull from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
        _seats.release()


def _ask_child(path: Path, lang: Language) -> Verdict:
    # -P: a folder "api" in the working directory is none of ours
    command = [sys.executable, "-P", "-m", "api.judge", str(path), lang]
    few_threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        child = subprocess.run(  # noqa: S603 - our own module, no shell
            command,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={**os.environ, **few_threads},
        )
    except subprocess.TimeoutExpired as error:
        raise _over_limit(lang) from error
    try:
        verdict = cast("dict[str, Any]", json.loads(child.stdout))
    except ValueError:
        log.warning("the judge ended with %s: %s", child.returncode, child.stderr[-2000:])
        raise _over_limit(lang) from None
    if "where" in verdict:
        raise PlanInvalid(source="body", where=verdict["where"], detail=verdict["detail"])
    return verdict


def _over_limit(lang: Language) -> LimitExceeded:
    return LimitExceeded(
        what=text("judge.what", lang),
        limit=f"{SECONDS} s / {MEMORY_MB} MB",
        hint=text("judge.hint", lang),
    )


def main(path: Path, lang: Language) -> None:
    """Write the verdict on a file to standard output."""
    _limit_memory()
    sys.stdout.write(json.dumps(_verdict(path, lang), ensure_ascii=True))


def _verdict(path: Path, lang: Language) -> Verdict:
    from routing.io import check_file  # noqa: PLC0415  heavy: in the child alone

    try:
        judged = check_file(path)
    except PlanInvalid as error:
        return _fault(str(error.params["where"]), str(error.params["detail"]))
    except InputError:
        return _fault("$", "")
    except Exception as error:  # noqa: BLE001 - whatever it is, the plan made it
        sys.stderr.write(repr(error)[:500])
        return _fault("$", "")
    return {
        "n_violations": len(judged.violations),
        "violations": [
            {"code": one.code, "text": text(one.code, lang, **_short(one.params))}
            for one in judged.violations[:MOST_VIOLATIONS]
        ],
        "n_routes": judged.n_routes,
        "n_stops": judged.n_stops,
    }


def _short(params: Mapping[str, object]) -> dict[str, object]:
    """Return parameters that come from the plan, none longer than a line."""
    return {
        name: value if isinstance(value, int | float) else str(value)[:_LONGEST]
        for name, value in params.items()
    }


def _fault(where: str, detail: str) -> Verdict:
    """Return where a file is no plan, in names of the schema alone: nothing of the file itself."""
    parts = re.findall(r"\[\d+\]|line \d+|column \d+|\.\w+", where)
    safe = "".join(part for part in parts if part[0] != "." or part[1:] in _names())
    is_ours = where.startswith(("line", "$.format")) or detail in _KNOWN or _RULES.match(detail)
    return {"where": f"${safe}", "detail": detail if is_ours else "not by the published schema"}


def _names() -> frozenset[str]:
    """Return every name of the published schemas."""
    root = Path(__file__).resolve().parents[1] / "routing"
    written = "".join((root / name).read_text("utf-8") for name in _SCHEMAS)
    return frozenset(re.findall(r'"(\w+)"\s*:', written))


_SCHEMAS: Final = ("plan.schema.json", "schedule.schema.json")


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415  absent on Windows
    except ImportError:
        return
    most = MEMORY_MB << 20
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), "en" if sys.argv[2] == "en" else "zh")
