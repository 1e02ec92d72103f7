"""The last applied import of a layer taken back: nothing is deleted, and later work stays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, delete, exists, select, update

from api.i18n.word import Word
from api.imports.account import APPLIED, UNDONE, Import, read_import
from api.imports.apply import CITY_BEFORE, SWITCHED, changes_of
from api.imports.column import STATUS, as_objects
from api.imports.compare import Change, geometries_differ
from api.imports.put import PART, LayerRows, RowUpdate, by_fid
from api.imports.stored import CHANGED_BY, EXTERNAL_ID, FID, GEOM, GIVEN, IMPORT_ID
from api.imports.venue import IMPORTED, last_visits
from api.store import Store, chain
from api.store.boundaries import assign_units
from api.store.city import city_row, set_city_row
from api.store.geopackage import refresh_extents
from api.store.layers import LAYERS
from api.store.tables import IMPORTS, STREET_ALIASES, TO_CHECK, WITHDRAWN
from geo.errors import StateConflict
from geo.frames import Col
from geo.progress import NEVER, StopToken, stop_if_asked
from geo.units import CITY_ZONE

KEPT: Final = "kept"
"""Fact of an undone import: rows that somebody changed since, and what was left of them."""

BUILT_ON: Final[Mapping[str, tuple[str, ...]]] = {
    "streets": ("closures", "incidents"),
    "stations": ("units",),
}
"""Layers whose rows name rows of another: they are undone before it."""


def undo_import(
    store: Store, import_id: str, *, actor: str = chain.SYSTEM, stop: StopToken = NEVER
) -> Import:
    """Take back the last applied import of its layer.

    Changed values return to what they were, missing rows count again, and rows that were added
    are withdrawn, never deleted. What a visit or somebody at the map changed meanwhile stays and
    is listed among the import's facts as `KEPT`.

    Raises
    ------
    NotFound
        No such import.
    StateConflict
        It is not applied, or later ones build on it.
    """
    return store.write(lambda connection: undo_in(connection, import_id, actor=actor, stop=stop))


def undo_in(
    connection: Connection, import_id: str, *, actor: str = chain.SYSTEM, stop: StopToken = NEVER
) -> Import:
    """Undo an import in the caller's transaction; see `undo_import`."""
    chain.hold(connection)
    what = read_import(connection, import_id, locks=True)
    require_last(connection, what)
    undoing = _Undoing(connection, what)
    for change, write in (
        (Change.ADDED, undoing.withdraw),
        (Change.CHANGED, undoing.restore),
        (Change.MOVED, undoing.restore),
        (Change.MISSING, undoing.restore),
    ):
        for rows in changes_of(connection, import_id, change, size=PART):
            stop_if_asked(stop, "undo")
            write(rows)
    if what.layer == "streets":
        connection.execute(delete(STREET_ALIASES).where(STREET_ALIASES.c.import_id == import_id))
    _restore_city(connection, what)
    refresh_extents(connection)
    return _finish(connection, what, undoing.kept, actor)


class _Undoing:
    """Takes the changes of one import back; `kept` lists what somebody changed since."""

    def __init__(self, connection: Connection, what: Import) -> None:
        self.kept: list[dict[str, Any]] = []
        self._connection, self._layer = connection, what.layer
        self._table = LAYERS[what.layer].table
        today = datetime.now(CITY_ZONE).date()
        self._rows = LayerRows(connection, what.layer, import_id=what.import_id, day=today)
        self._visits = last_visits(connection) if what.layer == "venues" else {}

    def withdraw(self, changes: Sequence[RowMapping]) -> None:
        """Withdraw rows that were added; one that somebody touched since is to be checked."""
        found = [change["external_id"] for change in changes]
        table = self._table
        live = table.c.external_id.in_(found) & (table.c.status != WITHDRAWN)
        columns = (table.c.fid, table.c.external_id, table.c.changed_by)
        rows = self._connection.execute(select(*columns).where(live)).all()
        touched = [row for row in rows if row.changed_by != IMPORTED]
        self._set_status([row.fid for row in rows if row.changed_by == IMPORTED], WITHDRAWN)
        self._set_status([row.fid for row in touched], TO_CHECK)
        self.kept += [{EXTERNAL_ID: row.external_id, "columns": [STATUS]} for row in touched]

    def restore(self, changes: Sequence[RowMapping]) -> None:
        """Give rows back what they had, where it is still what the import made of it."""
        rows = self._rows.read(change["params"][FID] for change in changes)
        beside = by_fid(rows)
        updates = []
        for change in changes:
            row = beside[change["params"][FID]]
            values, kept = _restored(change, row)
            if Col.LAST_INSPECTION in values:
                recorded = self._visits.get(row[EXTERNAL_ID], "")
                values[Col.LAST_INSPECTION] = (
                    max(recorded, values[Col.LAST_INSPECTION] or "") or None
                )
            if kept:
                self.kept.append({EXTERNAL_ID: row[EXTERNAL_ID], "columns": kept})
            else:
                values[CHANGED_BY] = change["params"][CHANGED_BY]
            if Col.STATION_ID in values:
                values |= self._given(change)
            values[IMPORT_ID] = change["params"][IMPORT_ID]
            updates.append(RowUpdate(fid=row[FID], values=values))
        self._rows.update(updates, rows)

    def _given(self, change: RowMapping) -> dict[str, Any]:
        """Return the number and call-sign a team had, if none has them now."""
        given = {name: change["params"][name] for name in GIVEN[self._layer]}
        taken = exists().where(self._table.c[Col.CALL_SIGN] == given[Col.CALL_SIGN])
        return {} if self._connection.scalar(select(taken)) else given

    def _set_status(self, fids: Sequence[int], status: str) -> None:
        if fids:
            table = self._table
            values = {STATUS: status, "version": table.c.version + 1}
            statement = update(table).where(table.c.fid == bindparam("row_fid")).values(values)
            self._connection.execute(statement, [{"row_fid": fid} for fid in fids])


def _restored(change: RowMapping, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what a row gets back, and the columns somebody changed since."""
    before, after = change["before"] or {}, change["after"] or {}
    values = {name: before[name] for name in before if row[name] == after[name]}
    kept = [name for name in before if row[name] != after[name]]
    if change["geom_before"] is not None or change["geom_after"] is not None:
        pair = as_objects([row[GEOM]]), as_objects([change["geom_after"]])
        if geometries_differ(*pair)[0]:
            kept.append(GEOM)
            if values.pop(Col.PRECISION, None) is not None:
                kept.append(Col.PRECISION)
        else:
            values[GEOM] = change["geom_before"]
    return values, kept


def require_last(connection: Connection, what: Import) -> None:
    """Refuse what is not applied, and what later imports build on.

    Raises
    ------
    StateConflict
    """
    if what.state != APPLIED:
        raise StateConflict(
            kind=Word("import.word"),
            state=Word(f"import.state.{what.state}"),
            wanted=Word("import.undo"),
        )
    layers = (what.layer, *BUILT_ON.get(what.layer, ()))
    mine = select(IMPORTS.c.fid).where(IMPORTS.c.import_id == what.import_id).scalar_subquery()
    later = select(IMPORTS.c.import_id).where(
        IMPORTS.c.layer.in_(layers), IMPORTS.c.state == APPLIED, IMPORTS.c.fid > mine
    )
    ids = list(connection.scalars(later.order_by(IMPORTS.c.fid.desc())))
    if ids:
        state = Word("import.built_on", {"later": ", ".join(ids)})
        raise StateConflict(kind=Word("import.word"), state=state, wanted=Word("import.undo"))


def _restore_city(connection: Connection, what: Import) -> None:
    """Give the city back what held before, as far as no later import said something of it."""
    row, before = city_row(connection), what.facts.get(CITY_BEFORE)
    if row is None:
        return
    mine = select(IMPORTS.c.fid).where(IMPORTS.c.import_id == what.import_id).scalar_subquery()
    later = exists().where(IMPORTS.c.state == APPLIED, IMPORTS.c.fid > mine)
    if before is not None and not connection.scalar(select(later)):
        day = before["data_date"]
        row = replace(
            row,
            data_date=day and date.fromisoformat(day),
            synthetic=before["synthetic"],
            attribution=tuple(before["attribution"]),
        )
    if what.facts.get(SWITCHED):
        version = None if before is None else before[Col.BOUNDARY_VERSION]
        row = replace(row, boundary_version=version)
    set_city_row(connection, row)
    match what.layer:
        case "boundaries" if what.facts.get(SWITCHED) is not None:
            assign_units(connection)
        case "streets":
            assign_units(connection, ("incidents",))
        case "stations":
            assign_units(connection, ("units",))


def _finish(
    connection: Connection, what: Import, kept: Sequence[Mapping[str, Any]], actor: str
) -> Import:
    values = {
        "state": UNDONE,
        "undone_at": datetime.now(UTC),
        "facts": {**what.facts, KEPT: list(kept)},
        "version": what.version + 1,
    }
    connection.execute(update(IMPORTS).where(IMPORTS.c.import_id == what.import_id).values(values))
    chain.record(
        connection,
        actor=actor,
        action="import.undone",
        subject=what.import_id,
        details={"layer": what.layer, "n_kept": len(kept)},
    )
    return read_import(connection, what.import_id)
