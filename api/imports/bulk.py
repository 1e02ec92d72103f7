"""Many rows written at once: whole columns, each turned into parameters in one go.

SQLAlchemy builds a mapping for every row and turns every value by itself; a million rows of
reports take four times as long that way.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

import pandas as pd
from sqlalchemy import Connection, Table, insert

from api.imports.column import Objects

CHUNK: Final = 20_000
"""Rows handed to the database in one statement."""


def insert_columns(
    connection: Connection,
    table: Table,
    columns: Mapping[str, Sequence[Any] | Objects],
    same: Mapping[str, Any] | None = None,
    *,
    written: Sequence[str] = (),
) -> None:
    """Write rows given as columns.

    Parameters
    ----------
    connection : Connection
    table : Table
    columns : mapping of str to sequence
        Values as the columns' types take them, all of one length.
    same : mapping, optional
        Values that are equal in all rows.
    written : sequence of str
        JSON columns whose values are text already.
    """
    n = len(next(iter(columns.values())))
    for start in range(0, n, CHUNK):
        part = {
            name: _parameters(connection, table, name, values[start : start + CHUNK], written)
            for name, values in columns.items()
        }
        alike = {
            name: repeat(*_parameters(connection, table, name, [value], ()))
            for name, value in (same or {}).items()
        }
        _execute(connection, table, part, alike)


def json_texts(names: Sequence[str], columns: Sequence[Objects]) -> list[str]:
    """Return rows as JSON objects, as `api.store.column.Json` would write them."""
    order = sorted(range(len(names)), key=names.__getitem__)
    parts = [_members(names[k], columns[k]) for k in order]
    return [f"{{{','.join(members)}}}" for members in zip(*parts, strict=True)]


def _members(name: str, values: Objects) -> Iterator[str]:
    """Yield ``"name":value`` of every row; each distinct value is written once."""
    codes, distinct = pd.factorize(pd.Series(values, dtype=object), use_na_sentinel=False)
    head = json.dumps(name)
    texts = [f"{head}:{json.dumps(_plain(value), ensure_ascii=False)}" for value in distinct]
    return map(texts.__getitem__, codes.tolist())


def _plain(value: Any) -> Any:
    return None if value is None or value != value else value  # noqa: PLR0124 - a blank is NaN


def _parameters(
    connection: Connection,
    table: Table,
    name: str,
    values: Sequence[Any] | Objects,
    written: Sequence[str],
) -> list[Any]:
    if name in written:
        return list(values)
    process = table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return list(values) if process is None else [process(value) for value in values]


def _execute(
    connection: Connection,
    table: Table,
    columns: Mapping[str, list[Any]],
    same: Mapping[str, Iterator[Any]],
) -> None:
    everything: dict[str, Any] = {**columns, **same}
    compiled = (
        insert(table).inline().compile(dialect=connection.dialect, column_keys=list(everything))
    )
    if compiled.positiontup is not None:
        rows: Any = list(zip(*(everything[name] for name in compiled.positiontup), strict=False))
    else:
        names = tuple(everything)
        rows = [
            dict(zip(names, values, strict=True))
            for values in zip(*everything.values(), strict=False)
        ]
    connection.exec_driver_sql(str(compiled), rows)
