"""Writers: a city's layers as the files users have, read back equal."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geo.frames import Col, Layers, Type
from geo.io.position import lonlat_of
from geo.units import CITY_ZONE, LONLAT_DECIMALS

FILES: Final = {
    "boundaries": "boundaries.gpkg",
    "streets": "streets.gpkg",
    "water": "water.gpkg",
    "buildings": "buildings.gpkg",
    "venues": "venues.csv",
    "incidents": "incidents.csv",
    "stations": "stations.csv",
    "units": "units.csv",
    "posts": "posts.csv",
}
"""File of each layer."""

ANY_TYPE: Final = "Unknown"
"""GDAL's name of a layer that may hold every type of geometry."""

SIMPLE_TYPES: Final = frozenset(
    f"{parts}{kind}" for parts in ("", "Multi") for kind in ("Point", "LineString", "Polygon")
)


def write_layers(layers: Layers, directory: Path | str) -> tuple[Path, ...]:
    """Write every layer into a directory; all files appear, or none.

    Areas and lines become GeoPackages, points and units CSV in UTF-8 with a mark, so that a
    spreadsheet opens them. `geo.io.read_layers` gives equal frames back.

    Parameters
    ----------
    layers : Layers
    directory : Path or str
        Made when it is not there; files of the same names are replaced.

    Returns
    -------
    tuple of Path
        The files, in the order of `FILES`.
    """
    directory = Path(directory)
    with staging(directory) as stage:
        for layer, name in FILES.items():
            frame = getattr(layers, layer)
            if name.endswith(".gpkg"):
                write_geopackage(frame, stage / name, layer=layer, metadata=_metadata(layers))
            else:
                write_csv(frame, stage / name)
    return tuple(directory / name for name in FILES.values())


@contextmanager
def staging(directory: Path) -> Iterator[Path]:
    """Give a folder whose files move into `directory` when all of them are complete.

    The directory is made when it is not there. Whatever ends the work, nothing half-done stays.
    """
    directory.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".patrolgrid-", dir=directory))
    try:
        yield stage
        for file in sorted(stage.iterdir()):
            file.replace(directory / file.name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def write_geopackage(
    frame: gpd.GeoDataFrame, path: Path, *, layer: str, metadata: dict[str, str] | None = None
) -> None:
    """Write one layer as a GeoPackage, geometry types as they are and declared where all agree."""
    pyogrio.write_dataframe(
        plain_frame(frame),
        path,
        layer=layer,
        driver="GPKG",
        geometry_type=declared_type(frame),
        promote_to_multi=False,
        layer_metadata=metadata or None,
    )


def declared_type(frame: pd.DataFrame) -> str:
    """Return the geometry type that a layer can declare: that of all its rows, else any.

    A desktop GIS takes the layer for what it declares; parts and wholes in one layer stay as they
    are, so that they read back equal, and are declared as any.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        return ANY_TYPE
    kinds = set(frame.geometry.dropna().geom_type)
    return kinds.pop() if len(kinds) == 1 and kinds <= SIMPLE_TYPES else ANY_TYPE


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table, its points as lon and lat with 7 decimals."""
    plain = pd.DataFrame(plain_frame(frame).drop(columns=Col.GEOMETRY, errors="ignore"))
    if isinstance(frame, gpd.GeoDataFrame):
        lonlat = lonlat_of(frame.geometry.to_numpy())
        for column, name in enumerate(("lon", "lat")):
            plain[name] = _decimals(lonlat[:, column])
    plain.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def _metadata(layers: Layers) -> dict[str, str]:
    return {"attribution": "\n".join(layers.attribution)} if layers.attribution else {}


def plain_frame(frame: Any) -> Any:
    """Return the frame with days and instants as text; Any as geopandas is untyped."""
    texts: dict[str, Callable[[pd.Series], np.ndarray]] = {
        Type.DAY.value: _day_text,
        Type.INSTANT.value: _instant_text,
    }
    changed = {
        name: pd.Series(texts[str(frame[name].dtype)](frame[name]), index=frame.index, dtype="str")
        for name in frame.columns
        if str(frame[name].dtype) in texts
    }
    return frame.assign(**changed)


def _day_text(days: pd.Series) -> np.ndarray:
    text = np.datetime_as_string(days.to_numpy(dtype="datetime64[D]"))
    blanked: np.ndarray = np.where(days.isna(), "", text)
    return blanked


def _instant_text(instants: pd.Series) -> np.ndarray:
    """Return ISO 8601 with the zone's offset; one call for all rows of one offset."""
    local = instants.dt.tz_convert(CITY_ZONE)
    wall = local.dt.tz_localize(None)
    offsets = ((wall - local.dt.tz_convert("UTC").dt.tz_localize(None)).dt.total_seconds()).round()
    text: np.ndarray = np.datetime_as_string(wall.to_numpy(dtype="datetime64[s]")).astype(object)
    for offset in offsets.unique():
        sign, minutes = ("+" if offset >= 0 else "-"), int(abs(offset)) // 60
        rows = (offsets == offset).to_numpy()
        text[rows] = text[rows] + f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    return text


def _decimals(degrees: np.ndarray) -> list[str]:
    return [f"{value:.{LONLAT_DECIMALS}f}" for value in degrees.tolist()]
