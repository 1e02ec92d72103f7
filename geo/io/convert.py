"""From one file to another: any layer of places, any format, in the datum and system asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from inspect import signature
from pathlib import Path
from typing import Any, Final

import pandas as pd

from geo.crs import Datum
from geo.errors import OptionInvalid
from geo.frames import Col
from geo.io.boundary import read_boundaries
from geo.io.export import TABLES, write_file
from geo.io.hints import Hint
from geo.io.layers import (
    read_buildings,
    read_posts,
    read_stations,
    read_units,
    read_venues,
    read_water,
)
from geo.io.place_layers import (
    read_assets,
    read_camera_counts,
    read_hazards,
    read_night_zones,
    read_parking,
    read_rail,
    read_reaches,
    read_resources,
    read_service_points,
)
from geo.io.place_spec import (
    ASSET_SPEC,
    CAMERA_SPEC,
    HAZARD_SPEC,
    PARKING_SPEC,
    RAIL_SPEC,
    REACH_SPEC,
    RESOURCE_SPEC,
    SERVICE_SPEC,
    ZONE_SPEC,
)
from geo.io.report import Reading
from geo.io.spec import (
    BOUNDARY_SPEC,
    BUILDING_SPEC,
    POST_SPEC,
    STATION_SPEC,
    STREET_SPEC,
    UNIT_SPEC,
    VENUE_SPEC,
    WATER_SPEC,
    LayerSpec,
    field_of,
)
from geo.io.streets import read_streets
from geo.units import LONLAT_EPSG

Reader = Callable[..., Reading]

_OF_VALIDITY: Final = (Col.VALID_FROM, Col.VALID_TO)

LAYERS: Final[Mapping[str, tuple[Reader, LayerSpec]]] = {
    "boundaries": (read_boundaries, BOUNDARY_SPEC),
    "streets": (read_streets, STREET_SPEC),
    "water": (read_water, WATER_SPEC),
    "buildings": (read_buildings, BUILDING_SPEC),
    "venues": (read_venues, VENUE_SPEC),
    "stations": (read_stations, STATION_SPEC),
    "units": (read_units, UNIT_SPEC),
    "posts": (read_posts, POST_SPEC),
    "rail": (read_rail, RAIL_SPEC),
    "service_points": (read_service_points, SERVICE_SPEC),
    "parking": (read_parking, PARKING_SPEC),
    "hazards": (read_hazards, HAZARD_SPEC),
    "camera_counts": (read_camera_counts, CAMERA_SPEC),
    "assets": (read_assets, ASSET_SPEC),
    "reaches": (read_reaches, REACH_SPEC),
    "night_zones": (read_night_zones, ZONE_SPEC),
    "resources": (read_resources, RESOURCE_SPEC),
}
"""Layers that are converted. Reports are not: their points are snapped to a street while they are
imported, and are written to no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What was read and what was written.

    Attributes
    ----------
    reading : Reading
    files : tuple of Path
    """

    reading: Reading
    files: tuple[Path, ...]

    @property
    def n_total(self) -> int:
        """Rows read and rows refused."""
        return len(self.reading.frame) + len(self.reading.refused)


def convert_file(
    source: Path | str,
    target: Path | str,
    *,
    layer: str,
    epsg: int = LONLAT_EPSG,
    datum: Datum | str = Datum.WGS84,
    drop: Sequence[str] = (),
    in_chinese: bool = False,
) -> Conversion:
    """Read one layer from a file and write it into another.

    Parameters
    ----------
    source, target : Path or str
        The suffix says the format.
    layer : str
        One of `LAYERS`.
    epsg : int
        System of the target, see `write_file`.
    datum : Datum or str
        What the source's coordinates are in; the target's are in WGS-84 or CGCS2000.
    drop : sequence of str
        Headers to leave out before anything is looked at.
    in_chinese : bool
        Write Chinese headers, those that the readers know best, in place of our column names.

    Raises
    ------
    OptionInvalid
        No such layer, or a target that cannot hold it.
    InputError
        The source is not as it should be.
    """
    require_room(layer, Path(target))
    read, spec = LAYERS[layer]
    options: dict[str, Any] = {"datum": datum, "drop": drop}
    known = signature(read).parameters
    reading = read(Path(source), **{name: options[name] for name in options if name in known})
    files = write_file(
        reading.frame,
        target,
        layer=layer,
        epsg=epsg,
        headers=chinese_headers(spec) if in_chinese else None,
        attribution=reading.attribution,
    )
    return Conversion(reading=reading, files=files)


def require_room(layer: str, target: Path, *, option: str = "OUT") -> None:
    """Refuse a format that cannot hold a layer, by its suffix and before anything is read.

    Raises
    ------
    OptionInvalid
        No such layer, or no room for its lines and areas, or for a table without geometry.
    """
    if layer not in LAYERS:
        raise OptionInvalid(option="--layer", value=layer, expected=", ".join(LAYERS))
    kinds, is_table = set(LAYERS[layer][1].schema.geometry), target.suffix.lower() in TABLES
    if not kinds and not is_table:
        raise OptionInvalid(option=option, value=target.name, expected=Hint.TABLE_ONLY)
    if is_table and not kinds <= {"Point"}:
        raise OptionInvalid(option=option, value=target.name, expected=Hint.NO_SHAPES_IN_TABLES)


def last_day(frame: pd.DataFrame) -> date | None:
    """Return the last day that a layer's rows are of; None where they state none.

    The days from and to which boundaries hold are none: they may lie ahead.
    """
    days = [
        frame[name].max()
        for name in frame.columns
        if name not in _OF_VALIDITY and pd.api.types.is_datetime64_any_dtype(frame[name])
    ]
    known = [day.date() for day in days if not pd.isna(day)]
    return max(known, default=None)


def chinese_headers(spec: LayerSpec) -> dict[str, str]:
    """Return column -> the Chinese header it goes by; those without one keep their own name."""
    found: dict[str, str] = {}
    for column in dict.fromkeys((*spec.schema.columns, *spec.fields)):
        names = [name for name in field_of(spec, column).aliases if not name.isascii()]
        free = [name for name in names if name not in found.values()]
        if free:
            found[column] = free[0]
    return found
