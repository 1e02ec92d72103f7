"""OpenStreetMap files (.osm, .osm.pbf and packed .osm) through pyosmium, straight into arrays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from geo.errors import FileUnreadable, NetworkEmpty
from geo.io.hints import Hint
from geo.io.report import Note
from geo.io.segments import Lines
from geo.street import HIGHWAY_CLASS
from geo.units import LONLAT_DECIMALS

SUFFIXES: Final = (".osm", ".osm.pbf", ".pbf", ".osm.bz2", ".osm.gz")

_ALONG: Final = frozenset({"yes", "true", "1"})
_AGAINST: Final = frozenset({"-1", "reverse"})
_IMPLIED: Final = frozenset({"motorway", "motorway_link"})
_ROUND: Final = frozenset({"roundabout", "circular"})


class _Ways:
    """Columns of the highway ways of a file, filled way by way."""

    def __init__(self) -> None:
        self.xy: list[tuple[float, float]] = []
        self.line: list[int] = []
        self.ids: list[str] = []
        self.names: list[str] = []
        self.classes: list[str] = []
        self.oneway: list[int] = []
        self.bridge: list[bool] = []
        self.n_dangling = 0
        self.n_other = 0

    def add(self, way: Any) -> None:
        """Add one way, broken where a node it refers to is not in the file."""
        tags = way.tags
        street_class = HIGHWAY_CLASS.get(tags.get("highway", ""))
        if street_class is None or tags.get("area") == "yes":
            self.n_other += 1
            return
        runs = list(self._runs(way))
        for number, run in enumerate(runs):
            self.xy += run
            self.line += [len(self.ids)] * len(run)
            self.ids.append(f"{way.id}" if len(runs) == 1 else f"{way.id}/{number}")
            self.names.append(tags.get("name", "").strip())
            self.classes.append(street_class.value)
            self.oneway.append(_direction(tags))
            self.bridge.append(tags.get("bridge", "no") != "no")

    def _runs(self, way: Any) -> Iterator[list[tuple[float, float]]]:
        """Yield the stretches of a way whose nodes are all known."""
        run: list[tuple[float, float]] = []
        for node in way.nodes:
            if node.location.valid():
                run.append((node.location.lon, node.location.lat))
                continue
            self.n_dangling += 1
            if len(run) > 1:
                yield run
            run = []
        if len(run) > 1:
            yield run


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
    notes = []
    if ways.n_dangling:
        params = {"n": ways.n_dangling}
        notes.append(Note(source=path.name, code="note.street.dangling", params=params))
    if ways.n_other:
        notes.append(Note(source=path.name, code="note.street.other", params={"n": ways.n_other}))
    if not ways.ids:
        raise NetworkEmpty(source=path.name, hint=Hint.NO_STREET_WAY)
    xy = np.round(np.array(ways.xy, dtype=np.float64), LONLAT_DECIMALS)
    geometry: np.ndarray = np.asarray(shapely.linestrings(xy, indices=np.array(ways.line)))
    direction = np.array(ways.oneway)
    against = direction < 0
    geometry[against] = shapely.reverse(geometry[against])
    lines = Lines(
        geometry=geometry,
        segment_id=np.array(ways.ids, dtype=object),
        name=np.array(ways.names, dtype=object),
        street_class=np.array(ways.classes, dtype=object),
        source=np.full(len(ways.ids), "OpenStreetMap", dtype=object),
        oneway=direction != 0,
        bridge=np.array(ways.bridge, dtype=bool),
    )
    return lines, notes


def _collect(path: Path) -> _Ways:
    import osmium  # noqa: PLC0415 - only OSM files need it

    ways = _Ways()
    try:
        processor = osmium.FileProcessor(str(path)).with_locations()
        for way in processor.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(
            osmium.filter.KeyFilter("highway")
        ):
            ways.add(way)
    except (RuntimeError, ValueError, OSError) as error:
        raise FileUnreadable(source=path.name, expected="OSM", hint=Hint.NOT_OSM) from error
    return ways


def _direction(tags: Any) -> int:
    """Return 1 for one-way along the line, -1 against it, 0 for both ways."""
    oneway = tags.get("oneway", "")
    if oneway in _ALONG:
        return 1
    if oneway in _AGAINST:
        return -1
    implied = tags.get("junction") in _ROUND or tags.get("highway") in _IMPLIED
    return 1 if implied and oneway != "no" else 0
