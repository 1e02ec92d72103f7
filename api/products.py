"""Everything a night is handed over as, written all at once or not at all."""

import csv
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from api.exports import write_gpx, write_venues_due
from api.i18n import Language, text
from api.maps import write_map
from geo.io import Refusal
from geo.privacy import Audience
from routing.io import write_plan, write_schedule
from routing.pipeline import Tonight

MAP, PLAN, DUE, DUE_TABLE = "tonight.html", "plan.json", "due.json", "venues_due.xlsx"
DRAFT = ".patrolgrid-"
UNMATCHED, REFUSED, ROUTES = "unmatched.csv", "refused.csv", "gpx"


def write_products(
    tonight: Tonight,
    refused: Sequence[Refusal],
    directory: Path,
    *,
    audience: Audience,
    lang: Language,
) -> tuple[Path, ...]:
    """Write map, plan, due list, table, routes and lists of what was left out.

    All of it is made in a hidden folder inside `directory` first and moved over at the end, file
    after file; a kill before that leaves the old results whole, and the next run clears up. Every
    product names its plan, so that a set mixed by a kill between two moves can be told.

    Parameters
    ----------
    tonight : Tonight
    refused : sequence of Refusal
        Rows the readers refused; written with their reasons.
    directory : Path
        Made when it does not exist; other files in it stay.
    audience : Audience
        Whom the products are for; printed on each.
    lang : "zh" or "en"
        Language the map opens in and the tables are written in.

    Returns
    -------
    tuple of Path
        What was written, the map first.
    """
    lines = tonight.layers.attribution
    with _all_or_nothing(directory) as draft:
        write_map(tonight, draft / MAP, audience=audience, lang=lang)
        write_plan(tonight.plan, draft / PLAN, audience=audience, attribution=lines)
        write_schedule(
            tonight.schedule,
            draft / DUE,
            venues=tonight.venues,
            stations=tonight.layers.stations,
            audience=audience,
            attribution=lines,
        )
        write_venues_due(tonight, draft / DUE_TABLE, audience=audience, lang=lang)
        write_gpx(tonight, draft / ROUTES, audience=audience, lang=lang)
        _write_unmatched(tonight, draft / UNMATCHED)
        _write_refused(refused, draft / REFUSED, lang=lang)
    return tuple(
        directory / name for name in (MAP, PLAN, DUE, DUE_TABLE, ROUTES, UNMATCHED, REFUSED)
    )


@contextmanager
def _all_or_nothing(directory: Path) -> Iterator[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    for left_by_a_kill in directory.glob(f"{DRAFT}*"):
        shutil.rmtree(left_by_a_kill, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=directory))
    try:
        yield draft
        for made in sorted(draft.iterdir()):
            target = directory / made.name
            if target.is_dir():
                shutil.rmtree(target)
            made.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_unmatched(tonight: Tonight, path: Path) -> None:
    tonight.unmatched.to_csv(path, index=False, encoding="utf-8-sig")


def _write_refused(refused: Sequence[Refusal], path: Path, *, lang: Language) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["source", "row", "column", "code", "reason"])
        for row in refused:
            reason = text(row.code, lang, **row.params)
            writer.writerow([row.source, row.row, row.column, row.code, reason])
