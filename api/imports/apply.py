"""An import carried out as it was previewed: in one transaction, and nothing is deleted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, null, select, update

from api.i18n.word import Word
from api.imports.account import APPLIED, PREVIEWED, Import, read_import
from api.imports.bulk import CHUNK
from api.imports.compare import Change
from api.imports.preview import NEEDS
from api.imports.put import Put
from api.imports.report import put_new_reports
from api.imports.stored import n_events
from api.imports.street import ALIASES, put_aliases
from api.store import Store, chain
from api.store.boundaries import add_version, assign_units, switch_version
from api.store.city import CityRow, city_row, set_city_row
from api.store.geopackage import refresh_extents, tree_filled_once
from api.store.layers import LAYERS
from api.store.tables import IMPORT_CHANGES, IMPORTS
from geo.errors import StateConflict
from geo.frames import Col
from geo.progress import NEVER, StopToken, stop_if_asked

CITY_BEFORE: Final = "city_before"
"""Fact of an applied import: what held for the whole city before it."""

SWITCHED: Final = "switched"
"""Fact of an applied import of boundaries: they became the version in force."""


def apply_import(
    store: Store, import_id: str, *, actor: str = chain.SYSTEM, stop: StopToken = NEVER
) -> Import:
    """Do what an import's preview says, all of it or nothing.

    Parameters
    ----------
    store : Store
    import_id : str
    actor : str
        Label for the audit.
    stop : StopToken

    Returns
    -------
    Import
        As it stands now.

    Raises
    ------
    NotFound
        No such import.
    StateConflict
        It was applied before, or another import came in between: preview the file again.
    """
    return store.write(lambda connection: apply_in(connection, import_id, actor=actor, stop=stop))


def apply_in(
    connection: Connection, import_id: str, *, actor: str = chain.SYSTEM, stop: StopToken = NEVER
) -> Import:
    """Apply an import in the caller's transaction; see `apply_import`."""
    chain.hold(connection)
    what = read_import(connection, import_id, locks=True)
    require_fresh(connection, what)
    facts = _begin(connection, what)
    _put(connection, what, stop)
    facts |= _end(connection, what)
    refresh_extents(connection)
    return _finish(connection, what, facts, actor)


def _put(connection: Connection, what: Import, stop: StopToken) -> None:
    """Write every row that is added, changed, moved or missing."""
    put = Put(connection, what)
    is_report = what.layer == "incidents"
    with tree_filled_once(connection, LAYERS[what.layer].table):
        if is_report:
            put_new_reports(connection, what.import_id)
        for rows in changes_of(connection, what.import_id, Change.ADDED, known=is_report):
            stop_if_asked(stop, "apply")
            put.added(rows)
    for change in (Change.CHANGED, Change.MOVED, Change.MISSING):
        for rows in changes_of(connection, what.import_id, change):
            stop_if_asked(stop, "apply")
            put.changed(rows)


def changes_of(
    connection: Connection,
    import_id: str,
    change: Change,
    *,
    size: int = CHUNK,
    known: bool = False,
) -> Iterator[Sequence[RowMapping]]:
    """Yield an import's changes of one kind, in parts; those of `known` rows alone on demand."""
    table, last = IMPORT_CHANGES, 0
    statement = select(table).where(table.c.import_id == import_id, table.c.change == change.value)
    if known:
        statement = statement.where(table.c.params.is_not(null()))
    while True:
        part = statement.where(table.c.fid > last).order_by(table.c.fid).limit(size)
        rows = connection.execute(part).mappings().all()
        if not rows:
            return
        yield rows
        last = rows[-1]["fid"]


def data_date_of(what: Import) -> date:
    """Return the day the data of an import was true."""
    return date.fromisoformat(str(what.options["data_date"]))


def require_fresh(connection: Connection, what: Import) -> None:
    """Refuse what was applied before, and a preview that another import made stale.

    Raises
    ------
    StateConflict
    """
    if what.state != PREVIEWED:
        raise StateConflict(
            kind=Word("import.word"),
            state=Word(f"import.state.{what.state}"),
            wanted=Word("import.apply"),
        )
    if n_events(connection, (what.layer, *NEEDS.get(what.layer, ()))) != what.base:
        raise StateConflict(
            kind=Word("import.preview"), state=Word("import.stale"), wanted=Word("import.apply")
        )


def _begin(connection: Connection, what: Import) -> dict[str, Any]:
    """Enter the version of new boundaries and what the file says of the city; return the facts."""
    before = city_row(connection)
    if what.layer == "boundaries":
        version = str(what.facts[Col.BOUNDARY_VERSION])
        source = str(what.options.get("source", what.file_name))
        add_version(connection, version, source=source, import_id=what.import_id)
    row = before or CityRow(epsg=int(what.facts["epsg"]))
    newest = max(filter(None, (row.data_date, data_date_of(what))))
    lines = dict.fromkeys((*row.attribution, *what.facts["attribution"]))
    after = replace(
        row,
        data_date=newest,
        synthetic=row.synthetic or bool(what.facts["synthetic"]),
        attribution=tuple(lines),
    )
    if after != before:
        set_city_row(connection, after)
    return {CITY_BEFORE: None if before is None else city_as_json(before)}


def _end(connection: Connection, what: Import) -> dict[str, Any]:
    """Bring the rows of other layers up to date; return the facts."""
    match what.layer:
        case "boundaries":
            return _switch(connection, what)
        case "streets":
            put_aliases(connection, what.import_id, what.facts.get(ALIASES, ()))
            assign_units(connection, ("incidents",))
        case "stations":
            assign_units(connection, ("units",))
    return {}


def _switch(connection: Connection, what: Import) -> dict[str, Any]:
    """Make the version current where it was asked for, or where it is the first."""
    version = str(what.facts[Col.BOUNDARY_VERSION])
    row = city_row(connection)
    current = None if row is None else row.boundary_version
    if current in {None, version} or what.options.get("makes_current"):
        switch_version(connection, version)
        return {SWITCHED: current != version}
    return {}


def _finish(connection: Connection, what: Import, facts: Mapping[str, Any], actor: str) -> Import:
    values = {
        "state": APPLIED,
        "applied_at": datetime.now(UTC),
        "facts": {**what.facts, **facts},
        "version": what.version + 1,
    }
    connection.execute(update(IMPORTS).where(IMPORTS.c.import_id == what.import_id).values(values))
    chain.record(
        connection,
        actor=actor,
        action="import.applied",
        subject=what.import_id,
        details={
            "layer": what.layer,
            "n_added": what.n_added,
            "n_changed": what.n_changed,
            "n_moved": what.n_moved,
            "n_missing": what.n_missing,
        },
    )
    return read_import(connection, what.import_id)


def city_as_json(row: CityRow) -> dict[str, Any]:
    """Return what holds for the city as JSON values."""
    return {
        "epsg": row.epsg,
        "data_date": row.data_date and row.data_date.isoformat(),
        Col.BOUNDARY_VERSION: row.boundary_version,
        "synthetic": row.synthetic,
        "attribution": list(row.attribution),
    }
