"""What a sweep is asked and on which streets: files read, streets chosen, teams placed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from api.cli.output import SHOWN
from api.cli.session import Session, as_findings, say_notes
from api.i18n.word import Word
from geo.errors import NetworkEmpty, OptionInvalid, StationUnreachable
from geo.frames import Col, StreetClass
from geo.units import SYNTHETIC

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import geopandas as gpd
    import numpy as np

    from geo.io import Reading, Refusal
    from routing.model import Mode, Shift
    from routing.network import ArcTimes, Network, TimeBand
    from routing.sweep import SweepProblem
    from routing.sweep.select import Selection

REACH_M: Final = 500.0
"""Metres from a station to the nearest junction of the mode that are still fine."""

METRES_PER_KM: Final = 1000.0


class Hint(StrEnum):
    """What to do about an option that cannot be used; the catalogue has both languages."""

    GRID = "codes that the file of --cells holds, letter for letter"
    CELLS = "to go with --cells, the file of grids these codes are of"
    STREET = "at least one street of the network"
    ASSETS = "the file of rivers and shores that --reaches are of"
    STATION = "one station for each team (--teams)"

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return f"sweep.hint.{self.name.lower()}"


class Files:
    """Reads files: notes said, refused rows and lines to print remembered."""

    def __init__(self, session: Session, *, datum: str, drop: str) -> None:
        self.session = session
        self.datum = datum
        self.drop = listed(drop)
        self.refused: list[Refusal] = []
        self.credits: list[str] = []
        self.is_synthetic = False

    def read(self, reader: "Callable[..., Reading]", path: Path, **options: Any) -> Any:
        """Return the frame of a file."""
        reading = reader(path, drop=self.drop, **options)
        say_notes(self.session, as_findings(reading.notes))
        self.refused.extend(reading.refused)
        self.credits += [line for line in reading.attribution if line not in self.credits]
        if Col.SOURCE in reading.frame:
            self.is_synthetic |= bool((reading.frame[Col.SOURCE] == SYNTHETIC).any())
        return reading.frame


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options ask to be swept."""

    cells: Path | None
    grids: tuple[str, ...]
    classes: tuple[StreetClass, ...]
    names: tuple[str, ...]
    assets: Path | None
    reaches: Path | None
    beside: float


@dataclass(frozen=True, slots=True)
class City:
    """Network, stations, mode and night.

    Attributes
    ----------
    node : ndarray of int32, shape (n_stations,)
        Junction of the mode nearest to each station.
    apart : ndarray of float64, shape (n_stations,)
        Metres to it.
    day : date, optional
        Day the streets were true; a file of streets does not state it.
    stations_source : str
        What the user calls the stations.
    """

    network: "Network"
    stations: "gpd.GeoDataFrame"
    mode: "Mode"
    shift: "Shift"
    band: "TimeBand"
    times: "ArcTimes"
    day: "date | None"
    source: str
    node: "np.ndarray"
    apart: "np.ndarray"
    stations_source: str

    def teams_from(self, ids: tuple[str, ...], teams: int, is_chosen: "np.ndarray") -> list[int]:
        """Return the row of the station each team starts from.

        Raises
        ------
        OptionInvalid
            A station that is not there, or not one for each team.
        StationUnreachable
            A station too far from every street of the mode.
        """
        known = list(self.stations[Col.STATION_ID])
        for station in ids:
            if station not in known:
                raise OptionInvalid(option="--from", value=station, expected=", ".join(known[:10]))
        if ids and len(ids) != teams:
            raise OptionInvalid(
                option="--from",
                value=Word("sweep.from.given", {"n": len(ids)}),
                expected=Word("sweep.from.wanted", {"n": teams}),
            )
        rows = [known.index(station) for station in ids] or [self._nearest(is_chosen)] * teams
        if any(self.apart[row] > REACH_M for row in rows):
            raise self._unreachable()
        return rows

    def _unreachable(self) -> StationUnreachable:
        """Return the error that names every station too far from a street, how far and where."""
        import numpy as np  # noqa: PLC0415

        from routing.model import Place  # noqa: PLC0415
        from routing.travel.beyond import name_beyond  # noqa: PLC0415

        ids, names = self.stations[Col.STATION_ID], self.stations[Col.NAME]
        columns = zip(ids, names, self.stations.geometry, strict=True)
        places = [Place(place_id=i, name=n, lon=at.x, lat=at.y) for i, n, at in columns]
        far = np.flatnonzero(self.apart > REACH_M)
        return StationUnreachable(
            source=self.stations_source,
            n=len(far),
            total=len(places),
            stations=name_beyond(places, self.apart, far),
            limit_m=round(REACH_M),
        )

    def _nearest(self, is_chosen: "np.ndarray") -> int:
        """Return the station nearest to the middle of the streets chosen, as the crow flies."""
        import numpy as np  # noqa: PLC0415

        nodes = self.network.tail[is_chosen]
        middle = self.network.node_xy[nodes].mean(axis=0)
        at = self.network.node_xy[self.node]
        apart = np.where(self.apart > REACH_M, np.inf, np.hypot(*(at - middle).T))
        return int(apart.argmin())


def open_city(
    files: Files, roads: Path, stations: Path, mode: "Mode", night: "Shift", *, epsg: int | None
) -> City:
    """Read network and stations, and find the stations' junctions."""
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415
    from scipy.spatial import cKDTree  # noqa: PLC0415

    from geo.io import read_stations  # noqa: PLC0415
    from routing.network import arc_times  # noqa: PLC0415

    network, source, day = _network(files, roads, epsg)
    places = files.read(read_stations, stations, datum=files.datum)
    usable = network.usable_by(mode).reshape(-1, 2).any(axis=1)
    nodes = np.unique(np.concatenate([network.tail[usable], network.head[usable]]))
    if not len(nodes) or not len(places):
        raise NetworkEmpty(source=roads.name, hint=f"No street is open to {mode}.")
    xy = shapely.get_coordinates(places.geometry.to_crs(network.epsg).to_numpy())
    apart, row = cKDTree(network.node_xy[nodes]).query(xy)
    band = network.profile.band_of(night.start, night.length)
    return City(
        network,
        places,
        mode,
        night,
        band,
        arc_times(network, mode, band=band),
        day,
        source,
        node=nodes[row].astype(np.int32),
        apart=np.asarray(apart),
        stations_source=stations.name,
    )


def _network(files: Files, roads: Path, epsg: int | None) -> "tuple[Network, str, date | None]":
    """Return the network of a network file, or of streets cleaned now."""
    from geo.io import read_streets  # noqa: PLC0415
    from routing.io.network_file import open_network  # noqa: PLC0415
    from routing.network import build_network  # noqa: PLC0415

    if roads.suffix.lower() == ".npz":
        file = open_network(roads)
        return file.network, file.source, file.data_date if file.is_day_stated else None
    streets = files.read(read_streets, roads, datum=files.datum)
    metric = int(streets.estimate_utm_crs().to_epsg()) if epsg is None else epsg
    network, report = build_network(streets, epsg=metric, source=roads.name)
    say_notes(files.session, report.findings())
    return network, str(streets[Col.SOURCE].iloc[0]), None


def choose(files: Files, city: City, asked: Asked) -> "np.ndarray":
    """Return the segments asked for: in the areas, of the classes and names, and along reaches.

    Raises
    ------
    OptionInvalid
        Nothing is asked for, or nothing of it is there.
    """
    import numpy as np  # noqa: PLC0415

    from routing.sweep.select import select_classes, select_names  # noqa: PLC0415

    network, session = city.network, files.session
    if asked.grids and asked.cells is None:
        raise OptionInvalid(option="--grid", value=_some(asked.grids), expected=Hint.CELLS)
    parts = []
    if asked.cells is not None:
        parts.append(("area", _in_areas(files, city, asked.cells, asked.grids)))
    if asked.classes:
        parts.append(("class", select_classes(network, asked.classes)))
    if asked.names:
        parts.append(("name", select_names(network, asked.names)))
    for what, found in parts:
        if found.missing:
            session.say(f"sweep.missing.{what}", names=_some(found.missing))
    is_chosen = np.zeros(network.n_segments, dtype=bool)
    if parts:
        is_chosen |= np.logical_and.reduce([found.is_chosen for _, found in parts])
    if asked.reaches is not None:
        is_chosen |= _along_reaches(files, city, asked)
    if not is_chosen.any():
        raise OptionInvalid(
            option="--cells --class --street --reaches",
            value=Word("sweep.asked.none"),
            expected=Word("sweep.asked.wanted"),
        )
    n, total = int(is_chosen.sum()), network.n_segments
    km = f"{network.length[is_chosen].sum() / METRES_PER_KM:,.1f}"
    session.say("sweep.chosen", n=f"{n:,}", total=f"{total:,}", km=km)
    return is_chosen


def _in_areas(files: Files, city: City, path: Path, grids: tuple[str, ...]) -> "Selection":
    """Choose the streets in the areas of a file, all of them or those named by their codes."""
    from geo.io.place_layers import read_cell_areas, read_drawn_areas  # noqa: PLC0415
    from routing.sweep.select import select_areas  # noqa: PLC0415

    reader = read_cell_areas if grids else read_drawn_areas
    areas = files.read(reader, path, datum=files.datum)
    unknown = tuple(code for code in grids if code not in set(areas[Col.CELL_ID]))
    if unknown:
        raise OptionInvalid(
            option="--grid",
            value=_some(unknown),
            expected=Word("sweep.grid.wanted", {"file": path.name}),
        )
    wanted = areas[areas[Col.CELL_ID].isin(grids)] if grids else areas
    return select_areas(city.network, wanted.reset_index(drop=True), key=Col.CELL_ID)


def _along_reaches(files: Files, city: City, asked: Asked) -> "np.ndarray":
    """Choose the streets along reaches, and name the reaches that have none."""
    from geo.io.place_layers import read_assets, read_reaches  # noqa: PLC0415
    from geo.place import reach_lines  # noqa: PLC0415
    from routing.sweep.select import select_shore  # noqa: PLC0415

    if asked.assets is None or asked.reaches is None:
        missing = "--assets" if asked.assets is None else "--reaches"
        raise OptionInvalid(
            option=missing, value=Word("sweep.file.none"), expected=Word("sweep.file.wanted")
        )
    assets = files.read(read_assets, asked.assets, datum=files.datum)
    table = files.read(read_reaches, asked.reaches)
    lines = reach_lines(table, assets, epsg=city.network.epsg)
    shore = select_shore(city.network, lines, within=asked.beside)
    sums = shore.reaches[[Col.FOUND, Col.LENGTH]].sum()
    session = files.session
    session.say(
        "sweep.shore",
        n=f"{int(shore.is_chosen.sum()):,}",
        found=f"{sums[Col.FOUND]:,.0f}",
        total=f"{sums[Col.LENGTH]:,.0f}",
    )
    if shore.missing:
        n, total = len(shore.missing), len(shore.reaches)
        session.say("sweep.missing.reach", n=n, total=total, names=_some(shore.missing))
    return shore.is_chosen


def pose(
    files: Files,
    city: City,
    is_chosen: "np.ndarray",
    doors: Path | None,
    seconds: int,
    *,
    is_both: bool,
) -> "SweepProblem":
    """Pose the sweep: passes, and the time at doors shared among the passes of a street."""
    import numpy as np  # noqa: PLC0415

    from geo.io import read_venues  # noqa: PLC0415
    from routing.sweep import sweep_problem  # noqa: PLC0415
    from routing.sweep.select import doors_beside  # noqa: PLC0415

    passes = np.where(is_chosen, 1 + is_both, 0).astype(np.int8)
    at_doors = np.zeros(city.network.n_segments, np.int32)
    if doors is not None:
        points = files.read(read_venues, doors, datum=files.datum)
        count, n_far = doors_beside(city.network, points)
        n = int(count[is_chosen].sum())
        files.session.say(
            "sweep.doors", n=f"{n:,}", total=f"{len(points):,}", far=f"{n_far:,}", seconds=seconds
        )
        at_doors = (count * seconds * 1000 // (1 + is_both)).astype(np.int32)
    return sweep_problem(city.network, city.times, passes=passes, doors=at_doors)


def listed(words: str) -> tuple[str, ...]:
    """Return the words of a list written with commas, of either script."""
    return tuple(word.strip() for word in words.replace("，", ",").split(",") if word.strip())


def classes(words: str) -> tuple[StreetClass, ...]:
    """Return the street classes of a list.

    Raises
    ------
    OptionInvalid
    """
    known = [one.value for one in StreetClass]
    for word in listed(words):
        if word not in known:
            raise OptionInvalid(option="--class", value=word, expected=", ".join(known))
    return tuple(StreetClass(word) for word in listed(words))


def mode_of(word: str) -> "Mode":
    """Return a mode by its word.

    Raises
    ------
    OptionInvalid
    """
    from routing.model import Mode  # noqa: PLC0415

    known = [one.value for one in Mode]
    if word not in known:
        raise OptionInvalid(option="--mode", value=word, expected=", ".join(known))
    return Mode(word)


def _some(names: Sequence[str]) -> str:
    """Return the first names of a list, and that there are more."""
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
