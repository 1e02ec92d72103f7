"""What goes over the wire: bodies that are taken, and the shape of what is answered.

Request models check; answer models only document: rows become JSON directly.
"""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt
from pydantic_core import PydanticCustomError

from api.paging import LONGEST_CURSOR, MOST

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Years a day may lie in."""

LONGEST_SHIFT: Final = 40


def _day(value: object) -> object:
    """Take ISO 8601 days alone: no instants, no numbers."""
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError  # noqa: TRY301
        day = date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date_parsing", "YYYY-MM-DD") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError("date_parsing", "YYYY-MM-DD")
    return day


def _clock(value: object) -> object:
    """Take two different clock times, such as 20:00-02:00."""
    if isinstance(value, str) and value[:5] == value[6:]:
        raise PydanticCustomError("clock", "HH:MM-HH:MM")
    return value


def _identity(prefix: str) -> Any:
    return Path(pattern=f"^{prefix}_[0-9a-z]{{26}}$", examples=[f"{prefix}_{'0' * 26}"])


PlanId = Annotated[str, _identity("plan")]
JobId = Annotated[str, _identity("job")]
ImportId = Annotated[str, _identity("import")]
VenueId = Annotated[str, _identity("venue")]
Year = Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR)]

UNIT_PATTERN: Final = r"^[0-9A-Za-z_.-]{0,64}$"

Day = Annotated[date, BeforeValidator(_day)]
Limit = Annotated[
    int,
    Query(ge=1, le=1 << 31, description=f"Rows of the page; above {MOST} the page has {MOST}."),
]
After = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=LONGEST_CURSOR,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="`next` of the page before, unchanged.",
    ),
]
UnitQuery = Annotated[
    str, Query(pattern=UNIT_PATTERN, description="Code of a unit: the part under it alone.")
]
DayQuery = Annotated[
    date | None, BeforeValidator(_day), Query(description="YYYY-MM-DD", examples=["2026-11-21"])
]
Seed = Annotated[StrictInt, Field(ge=0, lt=1 << 53)]
"""Whole numbers that JSON keeps exactly in every language."""


class Body(BaseModel):
    """A body that is taken: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanRequest(Body):
    """A night to plan."""

    night: Day = Field(description="Day on which the shift begins.", examples=["2026-11-21"])
    shift: Annotated[
        str,
        BeforeValidator(_clock),
        Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"),
    ] = Field(default="20:00-02:00", examples=["20:00-02:00"])
    seed: Seed = Field(default=1, description="Same data, night and seed: same plan.")
    unit: str = Field(
        default="",
        pattern=UNIT_PATTERN,
        description="Code of the unit to plan for; all that the key may see when empty.",
    )


class CancelRequest(Body):
    """What becomes of the work done so far."""

    keep_best: StrictBool = Field(default=False, description="Keep the best plan so far.")


class PositionRequest(Body):
    """Where a venue stands on the map."""

    lon: float = Field(ge=-180, le=180, allow_inf_nan=False, strict=True, examples=[115.98])
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False, strict=True, examples=[36.45])


class VisitRequest(Body):
    """An inspection as it happened: the place, the day, how it ended; no sentence."""

    venue_id: str = Field(pattern=r"^venue_[0-9a-z]{26}$")
    day: Day = Field(examples=["2026-11-20"])
    outcome: Literal["done", "hazard", "not_found", "closed"]
    plan_id: str | None = Field(default=None, pattern=r"^plan_[0-9a-z]{26}$")


Layer = Literal[
    "boundaries",
    "streets",
    "closures",
    "water",
    "buildings",
    "stations",
    "units",
    "posts",
    "venues",
    "incidents",
]


class ImportForm(Body):
    """What is said beside a file, as fields of the form."""

    layer: Layer
    datum: Literal["WGS-84", "GCJ-02", "BD-09"] = "WGS-84"
    drop: str = Field(default="", max_length=1000, description="Headers to leave out, by comma.")
    source: str | None = Field(default=None, max_length=100)
    data_date: Day | None = Field(default=None, description="Day the data was true; today.")
    boundary_version: str | None = Field(default=None, pattern=r"^[0-9A-Za-z._-]{1,40}$")
    makes_current: bool | None = None
    is_partial: bool | None = Field(default=None, description="Rows that lack are not missing.")
    epsg: int | None = Field(default=None, ge=1024, le=32767)


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """What was looked at."""

    status: Literal["ok"]
    checks: dict[str, bool]


class Problem(BaseModel):
    """RFC 9457: what went wrong; nothing that was sent is in it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    params: dict[str, Any]


class JobView(BaseModel):
    """A piece of long work."""

    job_id: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    unit: str
    attempts: int
    cancel: Literal["drop", "keep_best"] | None
    step: str | None
    step_text: str | None = Field(description="The step in the language asked for.")
    done: int
    total: int
    best: float | None
    result: dict[str, Any] | None
    result_hash: str | None
    input_hash: str
    error: dict[str, Any] | None = Field(description="Code, params, and text.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    version: int


class Accepted(BaseModel):
    """Work that was put in; its job tells how it goes."""

    job_id: str


class PlanView(BaseModel):
    """A plan, without its document."""

    plan_id: str
    kind: Literal["patrol", "inspection"]
    unit: str
    night: date
    number: int = Field(description="Version within kind, unit and night.")
    state: Literal["draft", "approved", "superseded"]
    seed: int | None = Field(description="Told once the night is over.")
    input_hash: str
    result_hash: str
    job_id: str | None
    created_at: datetime
    approved_at: datetime | None
    approved_by: str | None = Field(description="Role and key, never a person.")
    version: int


class PlanWhole(PlanView):
    """A plan with its document (docs/plan-format.md)."""

    document: dict[str, Any]


class PlanPage(BaseModel):
    """Plans, the newest first."""

    items: list[PlanView]
    next: str | None


class JobPage(BaseModel):
    """Jobs, the newest first."""

    items: list[JobView]
    next: str | None


class ViolationView(BaseModel):
    """A broken rule."""

    code: str
    text: str


class VerdictView(BaseModel):
    """What the verifier says of a plan."""

    is_sound: bool
    n_violations: int
    violations: list[ViolationView]
    n_routes: int
    n_stops: int


class VenueView(BaseModel):
    """A venue: a place, its tier, and how it stands with its cadence."""

    venue_id: str
    external_id: str
    name: str
    kind: str
    tier: str
    address: str
    last_inspection: date | None
    due: date | None
    cadence_version: str
    precision: Literal["point", "street", "village", "none"]
    state: Literal["open", "closed", "not_found", "exempt"]
    status: Literal["current", "to_check"]
    unit: str
    lon: float | None
    lat: float | None
    version: int


class RateView(BaseModel):
    """n of N, with the day of the data and the version of the boundaries it was counted on."""

    n: int
    total: int
    percent: float | None
    data_date: date
    boundary_version: str


class DueVenueView(VenueView):
    """A venue and how it stands on the day asked for."""

    due_state: Literal["overdue", "due", "later", "unknown"]


class DuePage(BaseModel):
    """Venues by due day, those never inspected first."""

    as_of: date
    counts: dict[str, RateView]
    items: list[DueVenueView]
    next: str | None


class VisitView(BaseModel):
    """A visit as it was recorded."""

    visit_id: str
    venue_id: str
    day: date
    outcome: Literal["done", "hazard", "not_found", "closed"]
    plan_id: str | None
    recorded_at: datetime


class MessageView(BaseModel):
    """A finding: its code, its parameters, and the sentence in the language asked for."""

    code: str
    params: dict[str, Any]
    text: str


class ImportView(BaseModel):
    """One file that came in, and what it changes."""

    import_id: str
    layer: Layer
    file_name: str
    file_hash: str
    options: dict[str, Any]
    state: Literal["previewed", "applied", "undone", "discarded"]
    n_rows: int
    n_added: int
    n_changed: int
    n_moved: int
    n_missing: int
    n_unchanged: int
    n_refused: int
    notes: list[MessageView]
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
    version: int


class ImportPage(BaseModel):
    """Imports, the newest first."""

    items: list[ImportView]
    next: str | None


class ChangeView(BaseModel):
    """One row of an import's account."""

    change: Literal["added", "changed", "moved", "missing", "refused"]
    row: int | None
    external_id: str
    column: str | None
    code: str | None
    params: dict[str, Any]
    text: str | None = Field(description="Why a row is refused.")
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    lonlat_before: list[float] | None
    lonlat_after: list[float] | None


class ChangePage(BaseModel):
    """An import's account, in the order of the file."""

    items: list[ChangeView]
    next: str | None


class CalendarDayView(BaseModel):
    """A day that differs from its week."""

    day: date
    name: str
    is_working: bool


class CalendarView(BaseModel):
    """A year's public holidays and the days worked to make up for them."""

    year: int
    is_published: bool
    notice: str
    published_on: date | None
    days: list[CalendarDayView]
