"""Basic grids as they were cut: kept while the layers they were cut from stay, codes for ever."""

import hashlib
import json
from datetime import datetime
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from api.store.city import city_row, moment_of
from api.store.frame import make_frame, read_columns
from api.store.geopackage import refresh_extents, tree_filled_once
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import CELL_ALIASES, CELLS
from geo import frames
from geo.frames import AliasCase, Col
from geo.grid.quality import units_of
from geo.units import CITY_ZONE

CUT_FROM: Final = ("boundaries", "streets", "water", "buildings")
"""Layers that the grids follow from."""

INPUT_HASH: Final = "input_hash"


def cells_hash(connection: Connection) -> str:
    """Return a hash of what the grids follow from: it changes when any of those layers changes."""
    row = city_row(connection)
    found = {
        "epsg": row and row.epsg,
        "boundary_version": row and row.boundary_version,
        "layers": {layer: moment_of(connection, layer, EVERYWHERE) for layer in CUT_FROM},
    }
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def read_cells(connection: Connection, scope: Scope = EVERYWHERE) -> gpd.GeoDataFrame:
    """Return the grids of a scope as they were cut last; no row before the first cut."""
    return _read(connection, scope.holds(CELLS.c.unit_code))


def fresh_cells(connection: Connection, scope: Scope = EVERYWHERE) -> gpd.GeoDataFrame | None:
    """Return the grids of a scope, or None where a layer they were cut from changed since."""
    is_fresh = CELLS.c[INPUT_HASH] == cells_hash(connection)
    found = _read(connection, and_(scope.holds(CELLS.c.unit_code), is_fresh))
    return found if len(found) else None


def read_aliases(connection: Connection) -> pd.DataFrame:
    """Return where the codes that ended lead today, as a CELL_ALIASES frame."""
    wanted = (CELL_ALIASES.c[name] for name in (Col.ALIAS_ID, Col.CELL_ID))
    alias, cell = read_columns(connection, select(*wanted).order_by(CELL_ALIASES.c[Col.ALIAS_ID]))
    case = [AliasCase.MERGED.value if code else AliasCase.GONE.value for code in cell]
    columns = {Col.ALIAS_ID: alias, Col.CELL_ID: cell, Col.ALIAS_CASE: case}
    texts = {name: pd.Series(values, dtype="str") for name, values in columns.items()}
    return pd.DataFrame({**texts, Col.SHARE: np.zeros(len(alias))})


def keep_cells(
    connection: Connection, cells: gpd.GeoDataFrame, aliases: pd.DataFrame, *, input_hash: str
) -> bool:
    """Keep new grids in place of the last ones, and where the codes that ended lead.

    Parameters
    ----------
    connection : Connection
    cells : GeoDataFrame
        CELLS frame of the whole city.
    aliases : DataFrame
        CELL_ALIASES frame of every code ever used, as `geo.grid.keep_codes` returns it.
    input_hash : str
        What `cells_hash` said when the layers were read.

    Returns
    -------
    bool
        False, and nothing is kept, where the layers changed meanwhile.
    """
    if cells_hash(connection) != input_hash:
        return False
    connection.execute(delete(CELLS))
    with tree_filled_once(connection, CELLS):
        connection.execute(insert(CELLS), _rows(cells, input_hash))
    ended = aliases[aliases[Col.ALIAS_CASE] != AliasCase.KEPT.value]
    known = connection.execute(select(CELL_ALIASES.c[Col.ALIAS_ID], CELL_ALIASES.c.since))
    since = {one.alias_id: one.since for one in known}
    today = datetime.now(CITY_ZONE).date()
    connection.execute(delete(CELL_ALIASES))
    if len(ended):
        rows = _records(ended[[Col.ALIAS_ID, Col.CELL_ID]])
        dated = [{**row, "since": since.get(row[Col.ALIAS_ID], today)} for row in rows]
        connection.execute(insert(CELL_ALIASES), dated)
    refresh_extents(connection)
    return True


def _read(connection: Connection, where: ColumnElement[bool]) -> gpd.GeoDataFrame:
    names = tuple(frames.CELLS.columns)
    wanted = select(*(CELLS.c[name] for name in names), CELLS.c.geom)
    *columns, shapes = read_columns(connection, wanted.where(where).order_by(CELLS.c[Col.CELL_ID]))
    return make_frame(frames.CELLS, dict(zip(names, columns, strict=True)), shapes)


def _rows(cells: gpd.GeoDataFrame, input_hash: str) -> list[dict[str, Any]]:
    plain = pd.DataFrame(cells[list(frames.CELLS.columns)])
    plain["unit_code"] = units_of(cells)
    plain["geom"] = cells.geometry.to_numpy()
    plain[INPUT_HASH] = input_hash
    return _records(plain)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
