"""OpenStreetMap files (.osm, .osm.pbf and packed .osm) through pyosmium, straight into arrays."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from geo.errors import FileUnreadable, NetworkEmpty
from geo.io.hints import Hint
from geo.io.position import round_lonlat
from geo.io.report import Note
from geo.io.segments import Lines, limit_note, read_limits
from geo.street import HIGHWAY_CLASS, lane_counts

SUFFIXES: Final = (".osm", ".osm.pbf", ".pbf", ".osm.bz2", ".osm.gz")

_CLASS: Final = {word: found.value for word, found in HIGHWAY_CLASS.items()}
_ALONG: Final = frozenset({"yes", "true", "1"})
_AGAINST: Final = frozenset({"-1", "reverse"})
_IMPLIED: Final = frozenset({"motorway", "motorway_link"})
_ROUND: Final = frozenset({"roundabout", "circular"})


class _Ways:
    """Columns of the highway ways of a file, filled way by way."""

    def __init__(self) -> None:
        self.shapes: list[str] = []
        self.ids: list[str] = []
        self.names: list[str] = []
        self.classes: list[str] = []
        self.direction: list[int] = []
        self.bridge: list[bool] = []
        self.lanes: list[str] = []
        self.limits: list[str] = []
        self.n_dangling = 0
        self.n_other = 0
        self.n_zero = 0
        self.n_contraflow = 0

    def add(self, way: Any, line_of: Callable[[Any], str | None]) -> None:
        """Add one way, broken where a node it refers to is not in the file.

        Parameters
        ----------
        way : osmium.osm.Way
        line_of : callable
            Returns the WKB of a way, None of one that is not whole.
        """
        tag = way.tags.get
        highway = tag("highway")
        street_class = _CLASS.get(highway)
        if street_class is None or tag("area") == "yes":
            self.n_other += 1
            return
        whole, n_lost = line_of(way), self.n_dangling
        shapes = [whole] if whole else [_to_wkb(run) for run in self._runs(way)]
        n = len(shapes)
        self.n_zero += not shapes and self.n_dangling == n_lost
        direction = _direction(tag("oneway", ""), tag("junction"), highway)
        self.n_contraflow += n if direction and _is_contraflow(tag) else 0
        self.shapes += shapes
        self.ids += [f"{way.id}"] if n == 1 else [f"{way.id}/{k}" for k in range(n)]
        self.names += [tag("name", "").strip()] * n
        self.classes += [street_class] * n
        self.direction += [direction] * n
        self.bridge += [tag("bridge", "no") != "no"] * n
        self.lanes += [tag("lanes", "")] * n
        self.limits += [tag("maxspeed", "")] * n

    def _runs(self, way: Any) -> Iterator[list[tuple[float, float]]]:
        """Yield the stretches of a way whose nodes are all known."""
        run: list[tuple[float, float]] = []
        for node in way.nodes:
            if node.location.valid():
                at = (node.location.lon, node.location.lat)
                if not run or run[-1] != at:
                    run.append(at)
                continue
            self.n_dangling += 1
            if len(run) > 1:
                yield run
            run = []
        if len(run) > 1:
            yield run

    def lines(self) -> tuple[Lines, int]:
        """Return the ways as lines, one-way ones along their traffic, and unread limits."""
        geometry = np.asarray(shapely.from_wkb(np.array(self.shapes, dtype=object)))
        direction = np.array(self.direction)
        against = direction < 0
        geometry[against] = shapely.reverse(geometry[against])
        limits, n_unread = read_limits(pd.Series(self.limits))
        lines = Lines(
            geometry=round_lonlat(geometry),
            segment_id=np.array(self.ids, dtype=object),
            name=np.array(self.names, dtype=object),
            street_class=np.array(self.classes, dtype=object),
            source=np.full(len(self.ids), "OpenStreetMap", dtype=object),
            oneway=direction != 0,
            bridge=np.array(self.bridge, dtype=bool),
            lanes=lane_counts(pd.Series(self.lanes)),
            max_speed=limits,
        )
        return lines, n_unread


def is_osm(path: Path) -> bool:
    """Tell whether a file's name says it is OpenStreetMap data."""
    return path.name.lower().endswith(SUFFIXES)


def read_osm(path: Path) -> tuple[Lines, list[Note]]:
    """Read the streets of an OpenStreetMap file.

    Returns
    -------
    lines : Lines
        One per way or stretch of a way; one-way ones run along their line.
    notes : list of Note
        References to nodes that are not in the file, and ways that are no street.

    Raises
    ------
    FileUnreadable
        Not a file that osmium reads.
    NetworkEmpty
        No way that is a street.
    """
    ways = _collect(path)
    if not ways.ids:
        raise NetworkEmpty(source=path.name, hint=Hint.NO_STREET_WAY)
    lines, n_unread = ways.lines()
    counts = (
        ("note.street.dangling", ways.n_dangling),
        ("note.street.other", ways.n_other),
        ("note.street.zero", ways.n_zero),
        ("note.street.contraflow", ways.n_contraflow),
    )
    notes = [Note(source=path.name, code=code, params={"n": n}) for code, n in counts if n]
    return lines, notes + limit_note(n_unread, "maxspeed", source=path.name)


def _collect(path: Path) -> _Ways:
    """Read the ways of a file.

    A way's line comes as WKB out of osmium: to hold every node of a city as a Python object, as
    other readers do, takes longer than all the rest.
    """
    import osmium  # noqa: PLC0415 - only OSM files need it

    to_line = osmium.geom.WKBFactory().create_linestring

    def line_of(way: Any) -> str | None:
        if len(way.nodes) < 2 or not way.nodes[0].location.valid():
            return None  # lost nodes at the beginning osmium leaves out without a word
        try:
            return str(to_line(way))
        except (osmium.InvalidLocationError, RuntimeError):  # a node is lost, or all are one place
            return None

    ways = _Ways()
    try:
        processor = osmium.FileProcessor(str(path)).with_locations()
        for way in processor.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(
            osmium.filter.KeyFilter("highway")
        ):
            ways.add(way, line_of)
    except (RuntimeError, ValueError, OSError) as error:
        raise FileUnreadable(source=path.name, expected="OSM", hint=Hint.NOT_OSM) from error
    return ways


def _to_wkb(run: list[tuple[float, float]]) -> str:
    return str(shapely.to_wkb(shapely.LineString(run), hex=True))


def _direction(oneway: str, junction: str | None, highway: str) -> int:
    """Return 1 for one-way along the line, -1 against it, 0 for both ways."""
    if oneway in _ALONG:
        return 1
    if oneway in _AGAINST:
        return -1
    implied = junction in _ROUND or highway in _IMPLIED
    return 1 if implied and oneway != "no" else 0


def _is_contraflow(tag: Callable[..., Any]) -> bool:
    """Tell whether bicycles may ride against the traffic of a one-way street."""
    ways = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
    return tag("oneway:bicycle") == "no" or any(tag(k, "").startswith("opposite") for k in ways)
