"""All layers of a city together: read, compared with each other, and checked as a whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import Datum, datum_of, from_wgs84, is_metric_for, likely_datum
from geo.errors import DatumMismatch, OptionInvalid, OutsideBoundary
from geo.frames import (
    BUILDINGS,
    POSTS,
    UNITS,
    WATER,
    Col,
    Layers,
    Level,
    empty_frame,
)
from geo.io.boundary import read_boundaries
from geo.io.hints import Hint
from geo.io.layers import (
    read_buildings,
    read_incidents,
    read_posts,
    read_stations,
    read_units,
    read_venues,
    read_water,
)
from geo.io.position import lonlat_of
from geo.io.report import Note, Reading, Refusal
from geo.io.streets import read_streets
from geo.io.table import header_parts
from geo.privacy.headers import normal_header
from geo.units import CITY_ZONE, SYNTHETIC, UNITS_PER_STATION

POINT_LAYERS: Final = ("buildings", "venues", "incidents", "stations", "posts")
"""Layers that geocoders make; a datum stated once is theirs."""

CHECKED_LAYERS: Final = ("venues", "incidents", "stations")
"""Layers whose datum is compared with the streets."""

_LEVELS: Final = (Level.CITY, Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPaths:
    """The files of a city; the last four may be absent."""

    boundaries: Path
    streets: Path
    venues: Path
    incidents: Path
    stations: Path
    water: Path | None = None
    buildings: Path | None = None
    units: Path | None = None
    posts: Path | None = None


def read_layers(
    paths: LayerPaths,
    *,
    epsg: int | None,
    data_date: date,
    datum: str | Mapping[str, str] = Datum.WGS84.value,
    drop: str | Sequence[str] = (),
) -> tuple[Layers, tuple[Refusal, ...], tuple[Note, ...]]:
    """Read and check all layers of a city.

    Parameters
    ----------
    paths : LayerPaths
    epsg : int, optional
        The city's metric CRS; the UTM zone of the boundary when not given, and a note says so.
    data_date : date
        Day the data was true; names the boundary version where the file states none.
    datum : str or mapping of str to str
        One datum for the layers of points (buildings, venues, incidents, stations, posts), or one
        for each layer named, also as text: ``venues=GCJ-02,incidents=WGS-84``. Streets, water and
        boundaries are WGS-84 unless named.
    drop : str or sequence of str
        Headers to leave out of every file before anything is looked at; in one text between
        ``,``, ``，`` or ``、``.

    Returns
    -------
    layers : Layers
    refused : tuple of Refusal
    notes : tuple of Note

    Raises
    ------
    InputError
        Any of its classes; nothing is written anywhere.
    NetworkEmpty
        No usable street.
    """
    datums = _datums(datum)
    drop = (drop,) if isinstance(drop, str) else tuple(drop)
    readings = _read_all(paths, datums, drop, version=f"{data_date:%Y-%m}")
    _require_dropped(readings, drop)
    frames = {layer: reading.frame for layer, reading in readings.items()}
    _require_inside(frames, paths)
    notes = [note for reading in readings.values() for note in reading.notes]
    if epsg is None:
        epsg = int(frames["boundaries"].estimate_utm_crs().to_epsg())
        boundary_file = Path(paths.boundaries).name
        notes.append(Note(source=boundary_file, code="note.epsg", params={"epsg": epsg}))
    elif not is_metric_for(epsg, _city_area(frames["boundaries"])[0]):
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.METRIC_CRS)
    notes += _check_datums(readings, paths, epsg, datums=datums, drop=drop)
    notes += _later_note(frames["incidents"], data_date, Path(paths.incidents).name)
    if paths.units is None:
        frames["units"] = derive_units(frames["stations"])
        notes.append(
            Note(
                source=Path(paths.stations).name,
                code="note.units",
                params={"n": len(frames["units"]), "per_station": UNITS_PER_STATION},
            )
        )
    layers = Layers(
        **frames,
        epsg=epsg,
        data_date=data_date,
        boundary_version=str(frames["boundaries"][Col.BOUNDARY_VERSION].iloc[0]),
        synthetic=any((frame[Col.SOURCE] == SYNTHETIC).any() for frame in frames.values()),
        attribution=_attribution(readings),
    )
    refused = tuple(refusal for reading in readings.values() for refusal in reading.refused)
    return layers, refused, tuple(notes)


def derive_units(stations: pd.DataFrame) -> pd.DataFrame:
    """Return teams of four by car, two to a station, where a city gives no file of units."""
    rows = [
        (f"{station_id}-{k}", f"{name}{k}组", station_id)
        for station_id, name in zip(stations[Col.STATION_ID], stations[Col.NAME], strict=True)
        for k in range(1, UNITS_PER_STATION + 1)
    ]
    names = (Col.UNIT_ID, Col.CALL_SIGN, Col.STATION_ID)
    frame = pd.DataFrame(
        {
            name: pd.Series(values, dtype="str")
            for name, values in zip(names, zip(*rows, strict=True), strict=True)
        }
    )
    frame[Col.HEADCOUNT] = np.full(len(frame), 4, dtype=np.int64)
    frame[Col.MODE] = pd.Series(["car"] * len(frame), dtype="str")
    sources = stations[Col.SOURCE].repeat(UNITS_PER_STATION).reset_index(drop=True)
    frame[Col.SOURCE] = sources.astype("str")
    return frame


def _datums(datum: str | Mapping[str, str]) -> dict[str, Datum]:
    """Return the stated datum of each layer that has one."""
    if isinstance(datum, str):
        if "=" not in datum:
            return dict.fromkeys(POINT_LAYERS, datum_of(datum))
        datum = {k.strip(): v for k, _, v in (part.partition("=") for part in datum.split(","))}
    known = LayerPaths.__dataclass_fields__
    for layer in datum:
        if layer not in known:
            raise OptionInvalid(option="--datum", value=layer, expected=", ".join(known))
    return {layer: datum_of(word) for layer, word in datum.items()}


def _read_all(
    paths: LayerPaths, datums: dict[str, Datum], drop: tuple[str, ...], *, version: str
) -> dict[str, Reading]:
    """Read the files in the order in which they depend on each other."""
    readings = {
        "boundaries": read_boundaries(
            paths.boundaries,
            datum=datums.get("boundaries", Datum.WGS84),
            drop=drop,
            version=version,
        )
    }
    readers: dict[str, Callable[..., Reading]] = {
        "streets": read_streets,
        "stations": read_stations,
        "venues": read_venues,
        "incidents": read_incidents,
        "water": read_water,
        "buildings": read_buildings,
        "posts": read_posts,
    }
    empty = {"water": WATER, "buildings": BUILDINGS, "posts": POSTS}
    for layer, reader in readers.items():
        path = getattr(paths, layer)
        if path is None:
            readings[layer] = Reading(frame=empty_frame(empty[layer]))
        else:
            readings[layer] = reader(path, datum=datums.get(layer, Datum.WGS84), drop=drop)
    readings["units"] = (
        Reading(frame=empty_frame(UNITS))
        if paths.units is None
        else read_units(paths.units, drop=drop, stations=readings["stations"].frame)
    )
    return readings


def _require_dropped(readings: Mapping[str, Reading], drop: Sequence[str]) -> None:
    """Refuse a header to drop that no file has: a slip would let the column in elsewhere."""
    dropped = {
        normal_header(name)
        for reading in readings.values()
        for header in reading.dropped
        for name in (header, *header.split("/"))
    }
    for header in drop:
        whole, *parts = map(normal_header, header_parts(header))
        if whole not in dropped and not (parts and dropped.issuperset(parts)):
            raise OptionInvalid(option="--drop", value=header, expected=Hint.A_HEADER)


def _require_inside(frames: Mapping[str, Any], paths: LayerPaths) -> None:
    """Refuse a layer of which nothing lies inside the boundaries.

    Raises
    ------
    OutsideBoundary
        Names the file.
    """
    area, name = _city_area(frames["boundaries"])
    shapely.prepare(area)
    for layer in ("streets", *POINT_LAYERS):
        geometry = frames[layer].geometry.to_numpy()
        if len(geometry) and not shapely.intersects(area, geometry).any():
            source = Path(getattr(paths, layer)).name
            raise OutsideBoundary(source=source, n=len(geometry), boundary=name)


def _city_area(boundaries: gpd.GeoDataFrame) -> tuple[shapely.Geometry, str]:
    """Return the union of the units of the highest level, and their names."""
    top = next(level for level in _LEVELS if (boundaries[Col.LEVEL] == level).any())
    units = boundaries[boundaries[Col.LEVEL] == top]
    names = list(units[Col.NAME])
    shown = "、".join(names[:3]) + (" …" if len(names) > 3 else "")
    return shapely.union_all(units.geometry.to_numpy()), shown


def _later_note(incidents: pd.DataFrame, data_date: date, source: str) -> tuple[Note, ...]:
    """Note that most incidents lie after the data date: one of the two is mistaken."""
    end = pd.Timestamp(data_date, tz=CITY_ZONE) + pd.Timedelta(days=1)
    n, total = int((incidents[Col.OCCURRED_AT] >= end).sum()), len(incidents)
    if 2 * n <= total:
        return ()
    params = {"n": n, "total": total, "day": data_date.isoformat()}
    return (Note(source=source, code="note.later", params=params),)


def _check_datums(
    readings: Mapping[str, Reading],
    paths: LayerPaths,
    epsg: int,
    *,
    datums: dict[str, Datum],
    drop: Sequence[str],
) -> list[Note]:
    """Compare the point layers with the streets under every datum.

    Raises
    ------
    DatumMismatch
        A layer clearly lies like another datum than stated.
    """
    area, _ = _city_area(readings["boundaries"].frame)
    streets = readings["streets"].frame.geometry.to_numpy()
    notes = []
    for layer in CHECKED_LAYERS:
        reading, source = readings[layer], Path(getattr(paths, layer)).name
        written = from_wgs84(lonlat_of(reading.frame.geometry.to_numpy()), reading.datum)
        finding = likely_datum(
            written, streets=streets, epsg=epsg, stated=reading.datum, boundary=area
        )
        if finding.is_mismatch and finding.likely is not None:
            raise DatumMismatch(
                source=source,
                stated=finding.stated.value,
                likely=finding.likely.value,
                offset_m=finding.offset_m,
                remedy=_remedy(reading, layer, datums | {layer: finding.likely}, drop),
            )
        if finding.likely is None:
            params = {"n": finding.n, "stated": finding.stated.value}
            notes.append(Note(source=source, code="note.datum.unknown", params=params))
    return notes


def _remedy(reading: Reading, layer: str, datums: Mapping[str, Datum], drop: Sequence[str]) -> str:
    """Return the options to repeat: all datums given before, and the column that overrides them."""
    stating = [str(n.params["column"]) for n in reading.notes if n.code == "note.datum"]
    named = {k: d for k, d in datums.items() if k == layer or d is not Datum.WGS84}
    option = "--datum " + ",".join(f"{layer}={datum.value}" for layer, datum in named.items())
    return f"{option} --drop {','.join([*drop, *stating])}" if stating else option


def _attribution(readings: Mapping[str, Reading]) -> tuple[str, ...]:
    lines = (line for reading in readings.values() for line in reading.attribution)
    return tuple(dict.fromkeys(lines))
