"""Incidents read back: a point in the middle of the segment, at the beginning of the hour.

A city keeps a million of them, so that they are read in columns, equal texts are kept once, and
the rows of one segment share one point.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import ColumnElement, Connection, Integer, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from api.store.frame import make_frame, read_columns, read_parts
from api.store.tables import INCIDENTS, STREETS
from geo import frames
from geo.frames import Col

Objects = npt.NDArray[np.object_]

_READ: Final = (Col.INCIDENT_ID, Col.OCCURRED_AT, Col.CATEGORY, Col.CHANNEL, Col.SOURCE)
"""Columns of the frame, in the order they are read; the point comes last."""


class unix_seconds(GenericFunction[int]):  # noqa: N801 - written like the SQL function it is
    """Whole seconds of an instant since 1970, UTC."""

    type = Integer()
    inherit_cache = True
    name = "unix_seconds"


@compiles(unix_seconds, "sqlite")
def _from_text(call: unix_seconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(call.clauses, **options)}) AS INTEGER)"


@compiles(unix_seconds, "postgresql")
def _from_timestamp(call: unix_seconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(extract(epoch FROM {compiler.process(call.clauses, **options)}) AS BIGINT)"


def read_incidents(
    connection: Connection, where: ColumnElement[bool]
) -> tuple[gpd.GeoDataFrame, int]:
    """Return incidents as a frame of `geo.frames.INCIDENTS`, and how many have no known segment.

    Parameters
    ----------
    connection : Connection
    where : ColumnElement of bool
        Which rows of the incidents table.
    """
    parts, n_lost = [], 0
    for part, n in _parts(connection, where):
        parts.append(part)
        n_lost += n
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    *values, points = columns or [np.zeros(0, dtype=np.int64)] * (len(_READ) + 1)
    return make_frame(frames.INCIDENTS, dict(zip(_READ, values, strict=True)), points), n_lost


def _parts(
    connection: Connection, where: ColumnElement[bool]
) -> Iterator[tuple[list[npt.NDArray[Any]], int]]:
    """Yield columns and points of a part's rows, and how many rows have no known segment."""
    middle = _middles(connection)
    table = INCIDENTS
    once: dict[str, str] = {}
    statement = (
        select(
            table.c[Col.SEGMENT_ID],
            table.c.external_id,
            unix_seconds(table.c.hour),
            table.c[Col.CATEGORY],
            table.c[Col.CHANNEL],
            table.c[Col.SOURCE],
        )
        .where(where)
        .order_by(table.c.fid)
    )
    for segments, ids, seconds, *texts in read_parts(connection, statement):
        points = _objects([middle.get(segment) for segment in segments])
        known = np.array([point is not None for point in points])
        columns = [
            _objects(ids),
            np.array(seconds, dtype=np.int64),
            *(_objects([once.setdefault(text, text) for text in column]) for column in texts),
            points,
        ]
        yield [column[known] for column in columns], int((~known).sum())


def _objects(values: Sequence[Any]) -> Objects:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def _middles(connection: Connection) -> dict[str, shapely.Geometry]:
    """Return the middle of every segment, of withdrawn ones too: a report stays where it was."""
    known = select(STREETS.c[Col.SEGMENT_ID], STREETS.c.geom).where(STREETS.c.geom.is_not(None))
    ids, lines = read_columns(connection, known)
    middles = shapely.line_interpolate_point(_objects(lines), 0.5, normalized=True)
    return dict(zip(ids, middles, strict=True))
