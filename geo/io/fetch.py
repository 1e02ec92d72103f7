"""Real streets from OpenStreetMap through osmnx, where there is internet."""

import warnings
from pathlib import Path
from typing import Any, Final

import shapely
from shapely import MultiPolygon, Polygon

from geo.errors import NetworkEmpty, ServiceUnavailable
from geo.io.boundary import read_boundaries
from geo.io.hints import Hint
from geo.io.write import staging

SERVICE: Final = "Overpass (overpass-api.de)"
TIMEOUT: Final = 180
"""Seconds the service may take for one answer."""

MORE_TAGS: Final = ("oneway:bicycle", "cycleway", "bicycle", "foot", "lit", "surface")
"""Tags of ways that osmnx leaves out unless asked."""


def fetch_streets(boundary: Path | str, out: Path | str, *, network_type: str = "all") -> int:
    """Fetch the streets inside a boundary and write them as GraphML.

    Parameters
    ----------
    boundary : Path or str
        Boundary file; the union of its units is asked for.
    out : Path or str
        GraphML file that `geo.io.read_streets` reads; appears only when it is complete.
    network_type : str
        What osmnx calls it: ``drive``, ``walk``, ``all`` …

    Returns
    -------
    int
        Number of directed edges written.

    Raises
    ------
    ServiceUnavailable
        No network, no answer in time, or an answer that is an error.
    NetworkEmpty
        No street inside the boundary.
    """
    area = shapely.union_all(read_boundaries(boundary).frame.geometry.to_numpy())
    assert isinstance(area, Polygon | MultiPolygon)  # noqa: S101 - boundaries are areas
    graph = _ask(area, network_type=network_type, source=Path(boundary).name)
    import osmnx  # noqa: PLC0415 - takes two seconds; only this function needs it

    out = Path(out)
    with staging(out.parent) as stage:
        osmnx.save_graphml(graph, stage / out.name)
    return int(graph.number_of_edges())


def _ask(area: Polygon | MultiPolygon, *, network_type: str, source: str) -> Any:
    """Ask Overpass for the graph; Any because osmnx is untyped."""
    import osmnx  # noqa: PLC0415
    import requests  # noqa: PLC0415 - comes with osmnx
    from osmnx._errors import InsufficientResponseError, ResponseStatusCodeError  # noqa: PLC0415

    osmnx.settings.use_cache = False
    osmnx.settings.overpass_rate_limit = False
    osmnx.settings.requests_timeout = TIMEOUT
    known = osmnx.settings.useful_tags_way
    osmnx.settings.useful_tags_way = [*known, *(tag for tag in MORE_TAGS if tag not in known)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return osmnx.graph_from_polygon(
                area, network_type=network_type, retain_all=True, truncate_by_edge=True
            )
    except InsufficientResponseError as error:
        raise NetworkEmpty(source=source, hint=Hint.NO_STREET_THERE) from error
    except (requests.RequestException, ResponseStatusCodeError, OSError) as error:
        detail = type(error).__name__
        raise ServiceUnavailable(service=SERVICE, detail=detail, hint=Hint.GO_OFFLINE) from error
