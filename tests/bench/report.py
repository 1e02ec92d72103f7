"""What the benches share: one line per figure, the memory it took, and the JSON lines of a run.

A script imports it as its neighbour (``from report import Line, append_json, peak_mib``): Python
puts a script's own folder first on the path.
"""

import json
import resource
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One figure of a bench: a row of its table and of the JSON lines.

    Attributes
    ----------
    subject, case, engine : str
        Ours is the engine ``patrolgrid``.
    value : float
    gap : float, optional
        What is missing to the reference, as a fraction of it; None where there is none.
    cpu_s : float
        CPU seconds of the process.
    peak_rss_mb : float
        Most memory the process had so far, MiB.
    n : int
        Size of the case.
    """

    subject: str
    case: str
    engine: str
    value: float
    gap: float | None
    cpu_s: float
    peak_rss_mb: float
    n: int


def peak_mib() -> float:
    """Return the most memory this process has had resident, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)  # bytes there, KiB elsewhere


def append_json(path: Path | None, lines: Iterable[Line]) -> None:
    """Append lines to a file, one JSON object each; nothing where no file is named."""
    if path is None:
        return
    with path.open("a", encoding="utf-8") as out:
        out.writelines(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in lines)
