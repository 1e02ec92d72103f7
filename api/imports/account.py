"""Imports as they are shown: what came in, what it changes, whether it was applied or undone."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import shapely
from sqlalchemy import Connection, select

from api.i18n.word import Word
from api.imports.compare import Change
from api.store.expected import Expected
from api.store.page import Key, Page
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import IMPORT_CHANGES, IMPORTS
from geo.errors import NotFound, RequestInvalid

PREVIEWED, APPLIED, UNDONE, DISCARDED = "previewed", "applied", "undone", "discarded"
"""States of an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file that came in, and what it changes.

    Attributes
    ----------
    import_id, layer, file_name, file_hash : str
    options : mapping
        What differs from `api.imports.option.ImportOptions`.
    state : str
        previewed, applied, undone or discarded.
    base : int
        How often imports of the layer, and of those it is fitted to, had been applied or undone
        when the preview was made: one more, and it is stale.
    n_rows : int
        n_added + n_changed + n_moved + n_unchanged + n_refused; missing rows are not in the file.
    notes : list of mapping
        Message codes and parameters of what the reader noted.
    facts : mapping
        What applying it needs, and what undoing it kept.
    created_at, applied_at, undone_at : datetime
    version : int
        Its ETag.
    """

    import_id: str
    layer: str
    file_name: str
    file_hash: str
    options: Mapping[str, Any]
    state: str
    base: int
    n_rows: int
    n_added: int
    n_changed: int
    n_moved: int
    n_missing: int
    n_unchanged: int
    n_refused: int
    notes: list[Mapping[str, Any]]
    facts: Mapping[str, Any]
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
    version: int

    @property
    def changes_nothing(self) -> bool:
        """Whether applying it would leave the store as it is."""
        return not (self.n_added or self.n_changed or self.n_moved or self.n_missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row of an import's account.

    Attributes
    ----------
    change : str
        added, changed, moved, missing or refused.
    row : int, optional
        Row of the file, counted from 1.
    external_id : str
        "" for a refused row: it may not have one.
    column, code, params
        Of a refused row: the column at fault, the message code ``refusal.*`` and its values.
    before, after : mapping, optional
        Columns that differ; of an added row all of them.
    lonlat_before, lonlat_after : tuple of float, optional
        Where a row that moved was and goes; of lines and areas their middle.
    """

    change: str
    row: int | None
    external_id: str
    column: str | None
    code: str | None
    params: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    lonlat_before: tuple[float, float] | None
    lonlat_after: tuple[float, float] | None


_COLUMNS: Final = tuple(IMPORTS.c[field.name] for field in fields(Import))


def read_import(
    connection: Connection, import_id: str, scope: Scope = EVERYWHERE, *, locks: bool = False
) -> Import:
    """Return an import.

    Parameters
    ----------
    connection : Connection
    import_id : str
    scope : Scope
        An import is of the whole city: a narrower scope sees none.
    locks : bool
        Keep others from changing it until the transaction ends.

    Raises
    ------
    NotFound
        None of this id.
    """
    statement = select(*_COLUMNS).where(IMPORTS.c.import_id == import_id)
    if locks:
        statement = statement.with_for_update()
    found = None if scope.unit_code else connection.execute(statement).mappings().one_or_none()
    if found is None:
        raise NotFound(kind=Word("import.word"))
    return Import(**found)


def imports_page(
    connection: Connection,
    *,
    layer: str = "",
    after: Key | None = None,
    limit: int = 50,
    scope: Scope = EVERYWHERE,
) -> Page[Import]:
    """Return imports, the newest first, of one layer or of all."""
    if scope.unit_code:
        return Page(items=(), after=None)
    statement = select(IMPORTS.c.fid, *_COLUMNS).order_by(IMPORTS.c.fid.desc()).limit(limit + 1)
    if layer:
        statement = statement.where(IMPORTS.c.layer == layer)
    if after is not None:
        statement = statement.where(IMPORTS.c.fid < cursor_fid(after))
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    shown, fids = rows[:limit], [row.pop("fid") for row in rows]
    return Page(
        items=tuple(Import(**row) for row in shown),
        after=(fids[limit - 1],) if len(rows) > limit else None,
    )


def changes_page(
    connection: Connection,
    import_id: str,
    *,
    change: str | None = None,
    after: Key | None = None,
    limit: int = 100,
    scope: Scope = EVERYWHERE,
) -> Page[RowChange]:
    """Return rows of an import's account, in the order they were written down.

    Parameters
    ----------
    connection : Connection
    import_id : str
    change : str, optional
        Only those added, changed, moved, missing or refused.
    after : tuple, optional
        `Page.after` of the page before.
    limit : int
    scope : Scope

    Raises
    ------
    NotFound
        No such import.
    RequestInvalid
        `change` or `after` is none we know.
    """
    read_import(connection, import_id, scope)
    table = IMPORT_CHANGES
    statement = select(table).where(table.c.import_id == import_id).order_by(table.c.fid)
    if change is not None:
        if change not in list(Change):
            raise RequestInvalid(where="query.change", expected=", ".join(Change))
        statement = statement.where(table.c.change == change)
    if after is not None:
        statement = statement.where(table.c.fid > cursor_fid(after))
    rows = connection.execute(statement.limit(limit + 1)).mappings().all()
    return Page(
        items=tuple(_as_change(row) for row in rows[:limit]),
        after=(rows[limit - 1]["fid"],) if len(rows) > limit else None,
    )


def _as_change(row: Mapping[Any, Any]) -> RowChange:
    return RowChange(
        change=row["change"],
        row=row["row"],
        external_id=row["external_id"],
        column=row["column"],
        code=row["code"],
        # other rows keep there what undoing needs
        params=(row["params"] or {}) if row["change"] == Change.REFUSED else {},
        before=row["before"],
        after=row["after"],
        lonlat_before=_lonlat(row["geom_before"]),
        lonlat_after=_lonlat(row["geom_after"]),
    )


def _lonlat(geometry: shapely.Geometry | None) -> tuple[float, float] | None:
    if geometry is None:
        return None
    middle = shapely.centroid(geometry)
    return (round(float(shapely.get_x(middle)), 7), round(float(shapely.get_y(middle)), 7))


def cursor_fid(after: Key) -> int:
    """Return the row a page's key names.

    Raises
    ------
    RequestInvalid
        It is not from a page before.
    """
    try:
        (fid,) = after
        return int(fid or 0)
    except ValueError as error:
        raise RequestInvalid(where="query.after", expected=Expected.CURSOR) from error
