"""New reports written inside the database: there are a million of them, and nothing to work out."""

from typing import Any

from sqlalchemy import Connection, Text, func, insert, literal, null, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from api.imports.column import COMPARED, HOUR, STATUS
from api.imports.compare import Change
from api.imports.stored import CHANGED_BY, EXTERNAL_ID, IMPORT_ID
from api.imports.venue import IMPORTED
from api.store.tables import CURRENT, IMPORT_CHANGES, INCIDENTS, STREETS
from geo.frames import Col


class json_text(GenericFunction[str]):  # noqa: N801 - written like the SQL function it is
    """A member of a JSON object as text: ``json_text(table.c.after, "hour")``."""

    type = Text()
    inherit_cache = True
    name = "json_text"


@compiles(json_text, "sqlite")
def _extract(call: json_text, compiler: SQLCompiler, **options: Any) -> str:
    value, name = (compiler.process(clause, **options) for clause in call.clauses)
    return f"json_extract({value}, '$.' || {name})"


@compiles(json_text, "postgresql")
def _arrow(call: json_text, compiler: SQLCompiler, **options: Any) -> str:
    value, name = (compiler.process(clause, **options) for clause in call.clauses)
    return f"(CAST({value} AS json) ->> {name})"


class to_instant(GenericFunction[Any]):  # noqa: N801 - written like the SQL function it is
    """An instant of ISO 8601 text, as `api.store.column.Instant` keeps it."""

    inherit_cache = True
    name = "to_instant"


@compiles(to_instant, "sqlite")
def _in_utc(call: to_instant, compiler: SQLCompiler, **options: Any) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', {compiler.process(call.clauses, **options)})"


@compiles(to_instant, "postgresql")
def _as_timestamp(call: to_instant, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(call.clauses, **options)} AS timestamptz)"


def put_new_reports(connection: Connection, import_id: str) -> None:
    """Write the reports an import adds; each lies in the unit of its street segment."""
    table = IMPORT_CHANGES
    values: dict[str, GenericFunction[Any]] = {
        name: json_text(table.c.after, literal(name, Text)) for name in _NAMES
    }
    values[HOUR] = to_instant(values[HOUR])
    columns = {
        **values,
        EXTERNAL_ID: table.c.external_id,
        "unit_code": func.coalesce(STREETS.c.unit_code, ""),
        STATUS: literal(CURRENT),
        IMPORT_ID: literal(import_id),
        CHANGED_BY: literal(IMPORTED),
    }
    rows = (
        select(*columns.values())
        .select_from(table)
        .join(STREETS, STREETS.c[Col.SEGMENT_ID] == values[Col.SEGMENT_ID], isouter=True)
        .where(
            table.c.import_id == import_id,
            table.c.change == Change.ADDED.value,
            table.c.params.is_(null()),
        )
        .order_by(table.c.fid)
    )
    connection.execute(insert(INCIDENTS).from_select(list(columns), rows))


_NAMES = (*COMPARED["incidents"], Col.SOURCE)
