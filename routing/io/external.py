"""Times of another routing engine, an OSRM or Valhalla server, beside our own.

Its address comes from the settings of an installation, never from a request. What is sent are
coordinates, and nothing else. Two engines on one set of speeds agree to the second; what moves
results is the speed model (-11 % to +40 % where it was measured, docs/travel.md). So everything
that comes from here names the speeds it rests on.

References
----------
Project OSRM, HTTP API v1, service ``table``. Valhalla, API ``sources_to_targets`` and ``status``.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote, urlsplit

import numpy as np
from numpy.typing import NDArray

from geo.errors import OptionInvalid, ServiceUnavailable
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.units import LONLAT_DECIMALS
from routing.model import UNREACHABLE, Mode, Place, TravelTimes

AT_ONCE: Final = 50
"""Origins, and destinations, of one question: 50 x 50 is what a server takes unless it is told
otherwise (OSRM ``--max-table-size 100``, Valhalla ``max_matrix_location_pairs`` 2,500)."""

TIMEOUT: Final = 60.0
"""Seconds one answer may take."""

LARGEST: Final = 16 << 20
"""Bytes of one answer; 50 x 50 pairs have about 0.2 MB."""

LONGEST: Final = 120
"""Characters that are shown of what a server says of itself."""

Floats = NDArray[np.float64]


class Engine(StrEnum):
    """Servers that are understood."""

    OSRM = "osrm"
    VALHALLA = "valhalla"

    @property
    def label(self) -> str:
        """Its name as its makers write it."""
        return {"osrm": "OSRM", "valhalla": "Valhalla"}[self.value]


class Hint(StrEnum):
    """What to do about a server that does not answer; the catalogue has both languages."""

    START = "Start the server, or correct PATROLGRID_ENGINE and PATROLGRID_ENGINE_URL."
    ADDRESS = "http:// or https:// and a host, such as http://127.0.0.1:5000"

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return f"engine.hint.{self.name.lower()}"


_PROFILES: Final[Mapping[Engine, Mapping[Mode, str]]] = {
    Engine.OSRM: {
        Mode.FOOT: "foot",
        Mode.EBIKE: "bike",
        Mode.MOTORBIKE: "car",
        Mode.CAR: "car",
    },
    Engine.VALHALLA: {
        Mode.FOOT: "pedestrian",
        Mode.EBIKE: "bicycle",
        Mode.MOTORBIKE: "motorcycle",
        Mode.CAR: "auto",
    },
}
"""Nearest to each mode among the profiles that come with OSRM, and the costings of Valhalla."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """What the times of a server rest on, as far as it says.

    Attributes
    ----------
    engine : Engine
    profile : str
        Profile or costing that was asked for. An OSRM server holds one profile, chosen when its
        data were prepared, and answers with that one whatever is asked.
    release : str
        Of the server; "" where it does not say.
    data : str
        Version or day of its streets; "" where it does not say.
    """

    engine: Engine
    profile: str
    release: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalTimes:
    """What a server says of the ways between places.

    Attributes
    ----------
    seconds : ndarray of int32, shape (n_origins, n_destinations)
        Rounded up; UNREACHABLE where it finds no way.
    metres : ndarray of float64, same shape
        nan where it finds no way or tells no length.
    """

    seconds: NDArray[np.int32]
    metres: Floats


class ExternalEngine:
    """A server of times.

    Parameters
    ----------
    engine : Engine
    url : str
        Address without the service, from the settings of this installation.
    timeout : float
        Seconds one answer may take.

    Raises
    ------
    OptionInvalid
        No address of http or https.
    """

    def __init__(self, engine: Engine, url: str, *, timeout: float = TIMEOUT) -> None:
        parts = _parts(url)
        self.engine, self._timeout = engine, timeout
        self._url = url.rstrip("/")
        self.host = parts.rpartition("@")[2]
        self._data = ""

    @property
    def name(self) -> str:
        """Engine and host, without a password there may be in the address."""
        return f"{self.engine.label} ({self.host})"

    def speeds(self, mode: Mode) -> Speeds:
        """Return what the times of a mode rest on: ask after times, OSRM tells its data with them.

        Raises
        ------
        ServiceUnavailable
        """
        profile = _PROFILES[self.engine][mode]
        if self.engine is Engine.OSRM:
            return Speeds(engine=self.engine, profile=profile, data=self._data)
        status = self._ask("/status")
        return Speeds(
            engine=self.engine,
            profile=profile,
            release=_short(status.get("version")),
            data=_day(status.get("tileset_last_modified")),
        )

    def many_to_many(
        self,
        origins: Floats,
        destinations: Floats,
        mode: Mode,
        *,
        progress: Progress = silent,
        stop: StopToken = NEVER,
    ) -> ExternalTimes:
        """Return seconds and metres from every origin to every destination.

        Parameters
        ----------
        origins, destinations : ndarray of float64, shape (n, 2)
            Longitude, latitude; WGS-84.
        mode : Mode
        progress, stop
            Counted in questions.

        Raises
        ------
        ServiceUnavailable
            No answer, or one that is none.
        Stopped
        """
        shape = len(origins), len(destinations)
        seconds, metres = np.empty(shape, dtype=np.int32), np.empty(shape)
        blocks = list(_blocks(*shape))
        for done, (rows, columns) in enumerate(blocks):
            stop_if_asked(stop, "engine")
            found = self._table(origins[rows], destinations[columns], mode)
            seconds[rows, columns], metres[rows, columns] = _rounded(found[0]), found[1]
            progress(done + 1, len(blocks))
        return ExternalTimes(seconds=seconds, metres=metres)

    def times(self, places: Sequence[Place], modes: Sequence[Mode]) -> TravelTimes:
        """Return the seconds between all places as a plan takes them."""
        lonlat = np.array([(place.lon, place.lat) for place in places]).reshape(-1, 2)
        seconds = np.stack([self.many_to_many(lonlat, lonlat, mode).seconds for mode in modes])
        diagonal = np.arange(len(places))
        seconds[:, diagonal, diagonal] = 0
        ids = tuple(place.place_id for place in places)
        return TravelTimes(place_ids=ids, modes=tuple(modes), seconds=seconds)

    def _table(self, origins: Floats, destinations: Floats, mode: Mode) -> tuple[Floats, Floats]:
        """Return seconds and metres of one question, nan where there is no way."""
        ask = self._osrm if self.engine is Engine.OSRM else self._valhalla
        shape = len(origins), len(destinations)
        try:
            seconds, metres = ask(origins, destinations, _PROFILES[self.engine][mode])
            return _table_of(seconds, shape), _table_of(metres, shape)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise self._unavailable("an answer that is none") from error

    def _osrm(self, origins: Floats, destinations: Floats, profile: str) -> tuple[Any, Any]:
        n, total = len(origins), len(origins) + len(destinations)
        places = ";".join(f"{lon},{lat}" for lon, lat in _written(origins, destinations))
        rows, columns = (";".join(map(str, range(*span))) for span in ((n,), (n, total)))
        query = f"sources={rows}&destinations={columns}&annotations=duration,distance"
        answer = self._ask(f"/table/v1/{quote(profile)}/{places}?{query}")
        self._data = _short(answer.get("data_version"))
        return answer["durations"], answer.get("distances")

    def _valhalla(self, origins: Floats, destinations: Floats, costing: str) -> tuple[Any, Any]:
        body = {
            "sources": [{"lon": lon, "lat": lat} for lon, lat in _written(origins)],
            "targets": [{"lon": lon, "lat": lat} for lon, lat in _written(destinations)],
            "costing": costing,
            "units": "kilometers",
        }
        found = self._ask("/sources_to_targets", body)["sources_to_targets"]
        if isinstance(found, dict):  # a server that leaves out the names
            return found["durations"], _in_metres(found.get("distances"))
        seconds = [[pair["time"] for pair in row] for row in found]
        return seconds, _in_metres([[pair["distance"] for pair in row] for row in found])

    def _ask(self, path: str, body: object = None) -> dict[str, Any]:
        """Return the JSON object a server answers with.

        Raises
        ------
        ServiceUnavailable
        """
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - http or https, checked at the start
            self._url + path, data=sent, headers={"Content-Type": "application/json"}
        )
        try:
            with _OPENER.open(request, timeout=self._timeout) as answer:
                said = json.loads(_limited(answer))
        except urllib.error.HTTPError as error:
            raise self._unavailable(_told(error)) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None)
            raise self._unavailable(type(reason or error).__name__) from error
        except (ValueError, RecursionError) as error:
            raise self._unavailable("an answer that is no JSON") from error
        if not isinstance(said, dict) or said.get("code", "Ok") != "Ok":
            raise self._unavailable("an answer that is none")
        return said

    def _unavailable(self, detail: str) -> ServiceUnavailable:
        return ServiceUnavailable(service=self.name, detail=detail, hint=Hint.START)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody: the settings name one server."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Return nothing: the answer is the error it is."""


_OPENER: Final = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))
"""Without redirects and without the environment's proxy: coordinates go to one place alone."""


def _parts(url: str) -> str:
    """Return the host of an address, and refuse what is none."""
    try:
        parts = urlsplit(url)
        is_fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_fine = is_fine and not (parts.query or parts.fragment) and parts.port != 0
    except ValueError:
        is_fine = False
    if not is_fine or any(character.isspace() for character in url):
        host = url.rpartition("@")[2]
        raise OptionInvalid(option="PATROLGRID_ENGINE_URL", value=host, expected=Hint.ADDRESS)
    return parts.netloc


def _limited(answer: Any) -> bytes:
    """Return an answer whole; Any because urllib's answers have no common type."""
    content: bytes = answer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(LARGEST)
    return content


def _told(error: urllib.error.HTTPError) -> str:
    """Return the status of a refusal, and the word the server gives for it."""
    try:
        said = json.loads(error.read(LARGEST))
        word = said.get("code") or said.get("error_code") or ""
    except (ValueError, AttributeError, OSError):
        word = ""
    return f"HTTP {error.code} {_short(word)}".rstrip()


def _short(value: object) -> str:
    """Return what a server says as one short line; "" for nothing."""
    if not isinstance(value, str | int):
        return ""
    return "".join(c for c in str(value)[:LONGEST] if c.isprintable())


def _day(changed: object) -> str:
    """Return the day of seconds since 1970; "" for what is none."""
    if not isinstance(changed, int) or not 0 < changed < 1 << 33:
        return ""
    return f"{datetime.fromtimestamp(changed, UTC):%Y-%m-%d}"


def _blocks(n_rows: int, n_columns: int) -> Iterator[tuple[slice, slice]]:
    for row in range(0, n_rows, AT_ONCE):
        for column in range(0, n_columns, AT_ONCE):
            yield (
                slice(row, min(row + AT_ONCE, n_rows)),
                slice(column, min(column + AT_ONCE, n_columns)),
            )


def _written(*lists: Floats) -> list[list[float]]:
    """Return places as they are sent: 7 decimals, 1 cm."""
    places: list[list[float]] = np.round(np.concatenate(lists), LONLAT_DECIMALS).tolist()
    return places


def _table_of(values: Any, shape: tuple[int, int]) -> Floats:
    """Return a table of numbers, nan for null; all nan where the server tells none.

    Raises
    ------
    ValueError
        Another shape, or a number that is none of a way.
    """
    if values is None:
        return np.full(shape, np.nan)
    table = np.array(values, dtype=np.float64)
    if table.shape != shape or (table < 0).any() or np.isinf(table).any():
        raise ValueError(shape)
    return table


def _in_metres(kilometres: Any) -> Any:
    if kilometres is None:
        return None
    return np.array(kilometres, dtype=np.float64) * 1000.0


def _rounded(seconds: Floats) -> NDArray[np.int32]:
    """Round up to whole seconds; no way is UNREACHABLE."""
    whole = np.where(np.isnan(seconds), UNREACHABLE, np.ceil(seconds))
    return whole.clip(max=UNREACHABLE).astype(np.int32)
