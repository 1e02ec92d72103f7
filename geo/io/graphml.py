"""Street graphs in GraphML, as osmnx and others write them."""

import re
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.errors import ColumnMissing, FileUnreadable, NetworkEmpty
from geo.io.hints import Hint
from geo.io.limits import check_xml
from geo.io.position import round_lonlat
from geo.io.report import Note
from geo.io.segments import Lines, limit_note, read_limits
from geo.street import lane_counts, street_class
from geo.units import LONLAT_EPSG

OSM_ATTRIBUTION: Final = "© OpenStreetMap contributors (ODbL)"

_TYPE: Final = re.compile(rb"attr\.type\s*=\s*(?:\"\w+\"|'\w+')")
"""Types of attributes; osmnx reads every one from text, networkx writes double and long too."""

_AS_TEXT: Final = dict.fromkeys(
    ("osmid", "oneway", "reversed", "length", "speed_kph", "travel_time"), str
)
"""Edge attributes kept as text: an osmid like ``1,2`` or a blank length stops osmnx's own types."""


def read_graphml(path: Path) -> tuple[Lines, list[Note]]:
    """Read a directed street graph through osmnx; each edge is one one-way line.

    The two directions of a street are two edges with one course; `geo.io.segments.clean_segments`
    merges them.

    Raises
    ------
    FileUnreadable
        Not a GraphML file that osmnx reads, nodes without x and y, or none that are degrees.
    ColumnMissing
        Edges without a street class.
    NetworkEmpty
        No edge.
    """
    check_xml(path, expected="GraphML")
    graph = _load(path)
    edges = list(graph.edges(keys=True, data=True))
    if not edges:
        raise NetworkEmpty(source=path.name, hint=Hint.NO_EDGE)
    if not any("highway" in data for *_, data in edges):
        found = ", ".join(sorted({key for *_, data in edges for key in data}))
        raise ColumnMissing(source=path.name, column="highway", found=found)
    xy = {node: (data["x"], data["y"]) for node, data in graph.nodes(data=True)}
    with np.errstate(invalid="ignore"):  # lines that are not finite are left out below
        geometry = np.array([_course(xy, u, v, data) for u, v, _, data in edges], dtype=object)
    shapes = _to_degrees(geometry, graph.graph.get("crs"), path.name)
    finite = _require_degrees(shapes, path.name)
    limits, n_unread = read_limits(_texts(edges, "maxspeed"))
    lines = replace(_lines(edges, shapes, path.name), max_speed=limits)
    is_street = lines.street_class != ""
    counts = (
        ("note.street.position", ~finite),
        ("note.street.contraflow", (_texts(edges, "oneway:bicycle") == "no").to_numpy()),
        ("note.street.other", finite & ~is_street),
    )
    notes = limit_note(n_unread, "maxspeed", source=path.name)
    notes += [
        Note(source=path.name, code=code, params={"n": int(rows.sum())})
        for code, rows in counts
        if rows.any()
    ]
    return lines.take(finite & is_street), notes


def _lines(edges: list[Any], shapes: np.ndarray, source: str) -> Lines:
    """Return each edge as a one-way line; limits are not known yet."""
    classes = [_street_class(data.get("highway")) for *_, data in edges]
    return Lines(
        geometry=round_lonlat(shapes),
        segment_id=np.array([f"{u}-{v}-{k}" for u, v, k, _ in edges], dtype=object),
        name=np.array([_first(data.get("name")) for *_, data in edges], dtype=object),
        street_class=np.array(classes, dtype=object),
        source=np.full(len(edges), source, dtype=object),
        oneway=np.ones(len(edges), dtype=bool),
        bridge=np.array([_is_bridge(data.get("bridge")) for *_, data in edges], dtype=bool),
        lanes=lane_counts(_texts(edges, "lanes")),
        max_speed=np.zeros(len(edges)),
    )


def _load(path: Path) -> Any:
    """Load the graph with osmnx; Any because neither osmnx nor the attributes are typed."""
    import osmnx  # noqa: PLC0415 - takes two seconds; only GraphML needs it

    try:
        with (
            tempfile.TemporaryDirectory(prefix="patrolgrid-") as folder,
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            plain = Path(folder) / "streets.graphml"
            plain.write_bytes(_TYPE.sub(b'attr.type="string"', path.read_bytes()))
            graph = osmnx.load_graphml(
                plain,
                node_dtypes={"osmid": str},
                edge_dtypes=_AS_TEXT,
                graph_dtypes={"simplified": str, "consolidated": str},
            )
        for _, data in graph.nodes(data=True):
            data["x"], data["y"] = float(data["x"]), float(data["y"])
    except (KeyError, ValueError, TypeError, AttributeError, shapely.errors.ShapelyError) as error:
        raise FileUnreadable(source=path.name, expected="GraphML", hint=Hint.GRAPH_PARTS) from error
    return graph


def _course(xy: dict[Any, Any], u: Any, v: Any, data: dict[str, Any]) -> shapely.LineString:
    """Return the line of an edge, with the exact coordinates of its nodes at the ends."""
    line = data.get("geometry")
    if not isinstance(line, shapely.LineString):
        return shapely.LineString([xy[u], xy[v]])
    inner = shapely.get_coordinates(line)[1:-1]
    return shapely.LineString(np.vstack([[xy[u]], inner, [xy[v]]]))


def _to_degrees(geometry: np.ndarray, crs: Any, source: str) -> np.ndarray:
    """Reproject a projected graph."""
    try:
        system = pyproj.CRS.from_user_input(crs or LONLAT_EPSG)
    except pyproj.exceptions.CRSError as error:
        raise FileUnreadable(source=source, expected="GraphML", hint=Hint.UNKNOWN_CRS) from error
    if system.to_epsg() == LONLAT_EPSG:
        return geometry
    transformer = pyproj.Transformer.from_crs(system, LONLAT_EPSG, always_xy=True)
    projected: np.ndarray = shapely.transform(
        geometry, lambda c: np.column_stack(transformer.transform(c[:, 0], c[:, 1]))
    )
    return projected


def _require_degrees(geometry: np.ndarray, source: str) -> np.ndarray:
    """Return which lines have only finite coordinates; all others must be degrees.

    Raises
    ------
    FileUnreadable
        A coordinate outside ±180 and ±90.
    """
    xy, line = shapely.get_coordinates(geometry, return_index=True)
    lost = ~np.isfinite(xy).all(axis=1)
    finite: np.ndarray = np.bincount(line[lost], minlength=len(geometry)) == 0
    inside = (np.abs(xy[:, 0]) <= 180.0) & (np.abs(xy[:, 1]) <= 90.0)
    if not (inside | lost).all():
        raise FileUnreadable(source=source, expected="GraphML", hint=Hint.NOT_DEGREES)
    return finite


def _street_class(value: object) -> str:
    found = street_class(str(value)) if value is not None else None
    return found.value if found is not None else ""


def _first(value: object) -> str:
    """Return a name; the first of a list, as osmnx writes for merged ways."""
    if isinstance(value, list):
        return str(value[0]) if value else ""
    return "" if value is None or str(value) == "nan" else str(value)


def _texts(edges: list[Any], key: str) -> pd.Series:
    """Return an attribute of every edge as text; of a list, as osmnx reads it, its items."""
    return pd.Series(["" if (v := data.get(key)) is None else str(v) for *_, data in edges])


def _is_bridge(value: object) -> bool:
    return value is not None and str(value).lower() not in {"", "no", "false", "nan", "none"}
