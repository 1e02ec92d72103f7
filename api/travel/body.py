"""Bodies of the travel routes: what is asked, and the shape of what is answered."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, StrictBool, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from api.schemas import FIRST_YEAR, LAST_YEAR, Body

MOST_PLACES: Final = 2_000
"""Places in one list."""

MOST_PAIRS: Final = 250_000
"""Pairs of one request: 500 x 500 take about 0.2 s and 2 MB of JSON."""

MOST_STOPS: Final = 100
"""Places of one route."""

MOST_ORIGINS: Final = 10
"""Places that areas are drawn around in one request."""

MOST_AREAS: Final = 4
"""Areas around one place."""

LONGEST_MINUTES: Final = 60

MOST_ORIGIN_MINUTES: Final = 150
"""Origins times the longest minutes: ten of a quarter of an hour take 0.4 s, two of an hour 2 s."""

LONGEST_INSTANT: Final = 40


def _instant(value: object) -> object:
    """Take ISO 8601 with its offset alone, to the second."""
    try:
        if not isinstance(value, str) or len(value) > LONGEST_INSTANT:
            raise ValueError  # noqa: TRY301
        instant = datetime.fromisoformat(value).replace(microsecond=0)
        is_fine = instant.tzinfo is not None and FIRST_YEAR <= instant.year <= LAST_YEAR
    except ValueError:
        is_fine = False
    if not is_fine:
        raise PydanticCustomError("instant", "YYYY-MM-DDTHH:MM:SS+08:00")
    return instant


Instant = Annotated[datetime, BeforeValidator(_instant)]


class Point(Body):
    """A place: WGS-84 degrees."""

    lon: float = Field(ge=-180, le=180, allow_inf_nan=False, strict=True, examples=[115.98])
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False, strict=True, examples=[36.45])


class Asked(Body):
    """Who travels, and when."""

    mode: Literal["foot", "ebike", "motorbike", "car"] = "car"
    at: Instant | None = Field(
        default=None,
        description="When; now where it is not stated. Closures of then count.",
        examples=["2026-11-21T21:00:00+08:00"],
    )
    band: Literal["day", "peak", "evening", "night"] | None = Field(
        default=None, description="Part of the day whose speeds count; that of `at` by default."
    )
    with_closures: StrictBool = Field(default=True, description="False: every street is open.")


def _require_pairs(n: int) -> None:
    if n > MOST_PAIRS:
        expected = {"expected": f"{MOST_PAIRS:,}"}
        raise PydanticCustomError("pairs", "at most {expected} pairs", expected)


class MatrixRequest(Asked):
    """Times from every origin to every destination."""

    origins: list[Point] = Field(min_length=1, max_length=MOST_PLACES)
    destinations: list[Point] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_PLACES,
        description="The origins where not stated.",
    )
    with_metres: StrictBool = Field(default=False, description="Also the length of each way.")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        _require_pairs(len(self.origins) * len(self.destinations or self.origins))
        return self


class RouteRequest(Asked):
    """The fastest way through places in this order."""

    places: list[Point] = Field(min_length=2, max_length=MOST_STOPS)


class NearestRequest(Asked):
    """Who is soonest at each place."""

    places: list[Point] = Field(min_length=1, max_length=MOST_PLACES)
    candidates: list[Point] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_PLACES,
        description="Where teams stand; the stations this key may see where not stated.",
    )
    k: StrictInt = Field(default=3, ge=1, le=10)

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        _require_pairs(len(self.places) * len(self.candidates or ()))
        return self


class ReachRequest(Asked):
    """Areas reached from places within some minutes."""

    origins: list[Point] = Field(min_length=1, max_length=MOST_ORIGINS)
    minutes: list[Annotated[StrictInt, Field(ge=1, le=LONGEST_MINUTES)]] = Field(
        default=[5, 10, 15], min_length=1, max_length=MOST_AREAS
    )

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if len(self.origins) * max(self.minutes) > MOST_ORIGIN_MINUTES:
            expected = {"expected": f"{MOST_ORIGIN_MINUTES:,}"}
            raise PydanticCustomError("origin_minutes", "at most {expected}", expected)
        return self


class TravelBasis(BaseModel):
    """What times rest on; they are assumptions of the profile, not measurements."""

    mode: str
    at: datetime
    band: str
    profile: str = Field(description="Version of the speeds.")
    closures: list[str] = Field(description="Ids of the closures that count.")
    data_date: str
    attribution: list[str]


class MatrixView(BaseModel):
    """Whole seconds, rounded up; null where there is no way. Time from door to street is not in."""

    basis: TravelBasis
    seconds: list[list[int | None]]
    metres: list[list[float | None]] | None
    to_street: dict[str, list[float]] = Field(
        description="Metres from each origin and destination to its street."
    )


class StepView(BaseModel):
    """One line of a turn list."""

    move: Literal["depart", "straight", "left", "right", "u_turn", "arrive"]
    street: str = Field(description='The street gone along then; "" where it has no name.')
    street_class: Literal["expressway", "arterial", "collector", "lane", "rural", "path"]
    heading: Literal[
        "north",
        "north_east",
        "east",
        "south_east",
        "south",
        "south_west",
        "west",
        "north_west",
    ] = Field(description="Which way that street leads at first.")
    n_junctions: int = Field(description="Junctions passed before the next step.")
    metres: float
    lon: float
    lat: float
    text: str = Field(description="The line in the language asked for.")


class LegView(BaseModel):
    """From one place to the next."""

    seconds: int
    metres: float
    streets: list[str]
    geometry: dict[str, Any] = Field(description="GeoJSON LineString.")
    steps: list[StepView]


class RouteView(BaseModel):
    """A way through places."""

    basis: TravelBasis
    seconds: int
    metres: float
    legs: list[LegView]


class SoonView(BaseModel):
    """One of the soonest: a station, or the number of a candidate in the request."""

    seconds: int
    candidate: int | None
    station_id: str | None
    name: str | None


class NearestView(BaseModel):
    """The soonest at each place, the soonest first; fewer than k where no more can come."""

    basis: TravelBasis
    places: list[list[SoonView]]


class ReachView(BaseModel):
    """GeoJSON in EPSG:4326; `basis` is a member of its own (RFC 7946, 6.1)."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]
    basis: TravelBasis
