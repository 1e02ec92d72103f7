"""Rows of a layer as the store has them, beside which a file's rows are laid."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
from sqlalchemy import ColumnElement, Connection, func, select, true

from api.imports.column import COMPARED, STATUS, as_objects, stored_scalars
from api.store.column import Instant
from api.store.frame import read_columns
from api.store.incidents import unix_seconds
from api.store.layers import LAYERS
from api.store.tables import IMPORTS
from geo.frames import Col

FID, VERSION, EXTERNAL_ID = "fid", "version", "external_id"
GEOM: Final = "geom"
CHANGED_BY: Final = "changed_by"
IMPORT_ID: Final = "import_id"

GIVEN: Final[Mapping[str, tuple[str, ...]]] = {"units": ("number", Col.CALL_SIGN)}
"""Columns that were given to a row once, and that undoing a change gives back."""

_OWN: Final = (FID, EXTERNAL_ID, STATUS, VERSION, IMPORT_ID, CHANGED_BY, Col.SOURCE)


def read_stored(
    connection: Connection,
    layer: str,
    where: ColumnElement[bool] | None = None,
    *,
    more: Sequence[str] = (),
) -> pd.DataFrame:
    """Return a layer's rows, withdrawn ones too, in the order they came.

    Parameters
    ----------
    connection : Connection
    layer : str
    where : ColumnElement of bool, optional
    more : sequence of str
        Further columns of the table, such as our own id.

    Returns
    -------
    DataFrame
        fid, external_id, status, version, import_id, changed_by, source, the compared columns as
        JSON scalars, `more`, and geom where the layer has one.
    """
    table = LAYERS[layer].table
    given = GIVEN.get(layer, ())
    names = list(dict.fromkeys((*_OWN, *COMPARED[layer], *given, *more)))
    if LAYERS[layer].has_geometry:
        names.append(GEOM)
    wanted = [
        unix_seconds(table.c[name]) if isinstance(table.c[name].type, Instant) else table.c[name]
        for name in names
    ]
    statement = select(*wanted).where(true() if where is None else where).order_by(table.c.fid)
    columns = read_columns(connection, statement)
    return pd.DataFrame(
        {
            name: pd.Series(_column(layer, name, values), dtype="int64" if name == FID else object)
            for name, values in zip(names, columns, strict=True)
        }
    )


def n_events(connection: Connection, layers: Sequence[str]) -> int:
    """Return how often imports of some layers were applied or undone: it only ever grows."""
    n = select(func.count(IMPORTS.c.applied_at) + func.count(IMPORTS.c.undone_at))
    return int(connection.scalar(n.where(IMPORTS.c.layer.in_(layers))) or 0)


def _column(layer: str, name: str, values: list[Any]) -> Any:
    if name == GEOM:
        return as_objects(values)
    return stored_scalars(LAYERS[layer].table, name, values)
