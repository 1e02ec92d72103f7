"""Jobs of kind ``plan``: one night of the stored city, kept as a draft with everything made of it.

The request holds ``night`` (YYYY-MM-DD), ``shift`` (HH:MM-HH:MM), and may hold ``unit_code`` (the
part of the city, else the job's own) and ``lang`` (zh or en).
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import Connection

from api.exports import write_venues_due
from api.i18n import LANGUAGES, Language
from api.jobs.cells import read_before, recut
from api.jobs.fault import plain
from api.jobs.job import Context, Facts, Job, Outcome
from api.jobs.table import hash_of
from api.maps import write_map
from api.store import EVERYWHERE, Scope, Store
from api.store.calendar import read_calendar
from api.store.cells import fresh_cells
from api.store.city import StoredCity, city_hash, read_city
from api.store.plans import Product, add_plan
from geo.errors import RequestInvalid
from geo.privacy import Audience
from geo.progress import Either, stop_if_asked
from routing.io import write_plan, write_schedule
from routing.metrics import Metric
from routing.model import Shift
from routing.pipeline import Tonight, plan_tonight, shift_from

KIND: Final = "patrol"
"""Kind of the plans made here."""

PLAN, MAP, DUE, TABLE, UNMATCHED, UNPLACED = (
    "plan.json",
    "tonight.html",
    "due.json",
    "venues_due.xlsx",
    "unmatched.csv",
    "unplaced.csv",
)
"""What is made of a night."""

MEDIA: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for."""

    night: date
    shift: Shift
    unit_code: str
    lang: Language


def run(store: Store, job: Job, context: Context) -> Outcome:
    """Plan the night that a job asks for.

    The grids are those of the last cut while the layers they follow from stay; a plan of the whole
    city cuts them anew where one changed, and keeps them.

    Raises
    ------
    PatrolgridError
        A request that cannot be met, or data that cannot be planned with; see
        `routing.pipeline.plan_tonight`.
    """
    asked = _read_request(job)
    scope = Scope(unit_code=asked.unit_code)
    with context.steps.step("read"), store.read() as connection:
        city, calendar = read_city(connection, scope), read_calendar(connection)
        cells, before = fresh_cells(connection, scope), read_before(connection)
        input_hash = hash_of(job.input_hash, city_hash(connection, scope), version("patrolgrid"))
    new = None
    if cells is None and scope == EVERYWHERE:
        stopped = Either(context.stop, context.enough)
        new = recut(city.layers, before, steps=context.steps, stop=stopped)
        cells = new.cells
    tonight = plan_tonight(
        city.layers,
        shift=asked.shift,
        seed=job.seed,
        cells=cells,
        calendar=calendar,
        closures=city.closures if len(city.closures) else None,
        steps=context.steps,
        stop=context.stop,
        enough=context.enough,
    )
    stop_if_asked(context.stop, "write")
    with context.steps.step("write"):
        made = dict(_make(tonight, city, asked.lang))
    result_hash = _hash_of(made)

    def keep(connection: Connection) -> Facts:
        if new is not None:
            new.keep(connection)
        plan_id = add_plan(
            connection,
            kind=KIND,
            unit_code=asked.unit_code,
            night=asked.night,
            document=made[PLAN],
            seed=job.seed,
            input_hash=input_hash,
            result_hash=result_hash,
            job_id=job.job_id,
            products=_products(made),
        )
        return {"plan_id": plan_id}

    return Outcome(
        result=_result(tonight, city, asked),
        result_hash=result_hash,
        keep=keep,
        input_hash=input_hash,
    )


def _read_request(job: Job) -> Asked:
    request = job.request
    try:
        night = date.fromisoformat(str(request.get("night")))
    except ValueError as error:
        raise RequestInvalid(where="night", expected="YYYY-MM-DD") from error
    lang = request.get("lang") or "zh"
    if lang not in LANGUAGES:
        raise RequestInvalid(where="lang", expected=", ".join(LANGUAGES))
    return Asked(
        night=night,
        shift=shift_from(night, str(request.get("shift"))),
        unit_code=str(request.get("unit_code") or job.unit_code),
        lang=cast("Language", lang),
    )


def _make(tonight: Tonight, city: StoredCity, lang: Language) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of everything that is made of a night."""
    lines, whom = tonight.layers.attribution, Audience.COMMAND
    with tempfile.TemporaryDirectory(prefix="patrolgrid-") as name:
        folder = Path(name)
        write_plan(tonight.plan, folder / PLAN, audience=whom, attribution=lines)
        write_schedule(
            tonight.schedule,
            folder / DUE,
            venues=tonight.venues,
            stations=tonight.layers.stations,
            audience=whom,
            attribution=lines,
        )
        write_map(tonight, folder / MAP, audience=whom, lang=lang)
        write_venues_due(tonight, folder / TABLE, audience=whom, lang=lang)
        tonight.unmatched.to_csv(folder / UNMATCHED, index=False, encoding="utf-8-sig")
        city.unplaced.to_csv(folder / UNPLACED, index=False, encoding="utf-8-sig")
        for path in sorted(folder.iterdir()):
            yield path.name, path.read_bytes()


def _products(made: Mapping[str, bytes]) -> list[Product]:
    """Return what is kept beside the plan's own document."""
    return [
        Product(
            name=name,
            audience=Audience.COMMAND,
            media_type=MEDIA[Path(name).suffix],
            body=body,
        )
        for name, body in made.items()
        if name != PLAN
    ]


def _hash_of(made: Mapping[str, bytes]) -> str:
    """Return the hash of plan and schedule: both files are the same bytes for the same night."""
    return hashlib.sha256(made[PLAN] + b"\n" + made[DUE]).hexdigest()


def _result(tonight: Tonight, city: StoredCity, asked: Asked) -> Facts:
    plan, schedule = tonight.plan, tonight.schedule
    return {
        "kind": KIND,
        "night": asked.night.isoformat(),
        "unit_code": asked.unit_code,
        "status": plan.status.value,
        "objective": plan.objective,
        "bound": plan.bound,
        "n_routes": sum(bool(route.visits) for route in plan.routes),
        "n_rounds": len(schedule.rounds),
        "n_unserved": len(plan.unserved),
        "n_unmatched": len(tonight.unmatched),
        "n_unplaced_venues": len(city.unplaced),
        "n_unplaced_incidents": city.n_unplaced_incidents,
        "metrics": [_metric(metric) for metric in tonight.metrics],
        "notes": [
            {"code": code, "params": plain(dict(params))}
            for code, params in (*city.notes, *tonight.notes)
        ],
    }


def _metric(metric: Metric) -> Mapping[str, Any]:
    rate = metric.rate
    if rate is None:
        return {"code": metric.code, "value": metric.value, "unit": metric.unit}
    return {
        "code": metric.code,
        "n": rate.n,
        "total": rate.total,
        "data_date": rate.data_date.isoformat(),
        "boundary_version": rate.boundary_version,
    }
