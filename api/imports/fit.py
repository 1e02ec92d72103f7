"""A file's rows fitted to the city they come into: its streets, stations, addresses and version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, select

from api.imports.column import Objects, as_objects, with_columns
from api.imports.incoming import ROW, Incoming
from api.imports.option import ImportOptions
from api.imports.stored import EXTERNAL_ID, GEOM
from api.imports.street import live_segments, match_streets
from api.imports.venue import place_venues
from api.store.tables import STATIONS, STREET_ALIASES, STREETS, WITHDRAWN
from geo.boundary import check_nesting, version_of
from geo.errors import LayerMissing
from geo.frames import Col
from geo.incident import snap_to_segments
from geo.io import Reading, Refusal
from geo.privacy.shown import shown

TOO_FAR: Final = "refusal.street.far"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the fitting of a layer looks at.

    Attributes
    ----------
    connection : Connection
    options : ImportOptions
    epsg : int
        The city's metric CRS.
    source : str
        Name of the file, as messages say it.
    """

    connection: Connection
    options: ImportOptions
    epsg: int
    source: str


def fit(layer: str, reading: Reading, incoming: Incoming, setting: Setting) -> Incoming:
    """Return a file's rows as they will stand in their layer's table."""
    fitting = _FITTINGS.get(layer)
    return incoming if fitting is None else fitting(reading, incoming, setting)


def known_stations(connection: Connection) -> pd.DataFrame:
    """Return stations by their external id: station_id, name; for the reader of units."""
    columns = (STATIONS.c.external_id, STATIONS.c[Col.NAME])
    found = connection.execute(select(*columns).where(STATIONS.c.status != WITHDRAWN)).all()
    names = (Col.STATION_ID, Col.NAME)
    values = zip(*found, strict=True) if found else ((), ())
    return pd.DataFrame({n: pd.Series(v, dtype="str") for n, v in zip(names, values, strict=True)})


def _fit_boundaries(reading: Reading, incoming: Incoming, setting: Setting) -> Incoming:
    """Give every unit the id of its version and code, and a geometry of one type."""
    version = version_of(reading.frame, source=setting.source)
    check_nesting(reading.frame, source=setting.source)
    frame = incoming.frame
    ids = [f"{version}/{code}" for code in frame[Col.CODE]]
    shapes = frame[GEOM].to_numpy(dtype=object).copy()
    single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    shapes[single] = [shapely.MultiPolygon([shape]) for shape in shapes[single]]
    return replace(
        incoming,
        frame=with_columns(frame, {EXTERNAL_ID: as_objects(ids), GEOM: shapes}),
        facts=incoming.facts | {Col.BOUNDARY_VERSION: version},
    )


def _fit_streets(_reading: Reading, incoming: Incoming, setting: Setting) -> Incoming:
    return match_streets(setting.connection, incoming, epsg=setting.epsg)


def _fit_closures(_reading: Reading, incoming: Incoming, setting: Setting) -> Incoming:
    """Turn ids of segments, as any extract has them, into ours; unknown ones are refused."""
    external = (STREETS.c.external_id, STREETS.c[Col.SEGMENT_ID])
    aliases = select(STREET_ALIASES.c.alias_id, STREET_ALIASES.c[Col.SEGMENT_ID])
    by_share = aliases.order_by(STREET_ALIASES.c.share)  # the longest part comes last and stays
    ours = dict(setting.connection.execute(by_share).all())
    ours |= dict(setting.connection.execute(select(*external)).all())
    ours |= {own: own for own in ours.values()} | {"": ""}
    frame = incoming.frame
    segments = as_objects([ours.get(segment) for segment in frame[Col.SEGMENT_ID]])
    lost = segments == np.array(None)
    refusals = [
        Refusal(
            source=setting.source,
            row=int(row),
            column=Col.SEGMENT_ID,
            code="refusal.segment",
            params={"value": shown(segment, code=True)},
            key=key,
        )
        for row, segment, key in frame.loc[lost, [ROW, Col.SEGMENT_ID, EXTERNAL_ID]].itertuples(
            index=False, name=None
        )
    ]
    fitted = replace(incoming, frame=with_columns(frame, {Col.SEGMENT_ID: segments}))
    return fitted.refuse(lost, refusals)


def _fit_units(_reading: Reading, incoming: Incoming, setting: Setting) -> Incoming:
    """Turn the stations' external ids into ours."""
    columns = (STATIONS.c.external_id, STATIONS.c[Col.STATION_ID])
    found = setting.connection.execute(select(*columns).where(STATIONS.c.status != WITHDRAWN))
    ours = dict(found.all())
    stations = [ours[external] for external in incoming.frame[Col.STATION_ID]]
    frame = with_columns(incoming.frame, {Col.STATION_ID: as_objects(stations)})
    return replace(incoming, frame=frame)


def _fit_incidents(reading: Reading, incoming: Incoming, setting: Setting) -> Incoming:
    """Put reports on their street segments, at the hour begun; their points go no further."""
    streets = live_segments(setting.connection)
    if not len(streets):
        raise LayerMissing(layer="streets")
    snapped = snap_to_segments(
        reading.frame, streets, epsg=setting.epsg, reach=setting.options.reach
    )
    ids = as_objects([*streets[Col.SEGMENT_ID], None])
    columns: dict[str, Objects] = {Col.SEGMENT_ID: ids[snapped.row]}
    if setting.options.channel and Col.CHANNEL in incoming.unstated:
        columns[Col.CHANNEL] = as_objects([setting.options.channel] * len(incoming.frame))
    frame = with_columns(incoming.frame, columns)
    far = snapped.row < 0
    refusals = [
        Refusal(
            source=setting.source,
            row=int(row),
            column=Col.GEOMETRY,
            code=TOO_FAR,
            params={"limit_m": f"{setting.options.reach:g}"},
            key=key,
        )
        for row, key in zip(frame[ROW][far], frame[EXTERNAL_ID][far], strict=True)
    ]
    kept = [name for name in incoming.unstated if name not in columns]
    return replace(incoming, frame=frame, unstated=tuple(kept)).refuse(far, refusals)


def _fit_venues(reading: Reading, incoming: Incoming, setting: Setting) -> Incoming:
    return place_venues(setting.connection, reading, incoming, epsg=setting.epsg)


_FITTINGS: Final[Mapping[str, Callable[[Reading, Incoming, Setting], Incoming]]] = {
    "boundaries": _fit_boundaries,
    "streets": _fit_streets,
    "closures": _fit_closures,
    "units": _fit_units,
    "incidents": _fit_incidents,
    "venues": _fit_venues,
}
