"""Rows for every table of the store, made from what the tables declare: types, checks and keys."""

import re
from datetime import date, datetime, timedelta

import shapely
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    Integer,
    LargeBinary,
    UniqueConstraint,
    insert,
)
from sqlalchemy.types import BigInteger, Double

from api.store.column import Instant, Json
from api.store.geometry import Geometry
from api.store.tables import METADATA
from geo.units import CITY_ZONE

WEST, SOUTH = 115.98, 36.45
FIRST = datetime(2026, 11, 21, 1, 59, 59, 123000, tzinfo=CITY_ZONE)


def shape(kind, k):
    """Return the k-th geometry of a kind; every fifth is missing."""
    if k % 5 == 4:
        return None
    x, y = WEST + 0.01 * k, SOUTH + 0.007 * k
    square = shapely.box(x, y, x + 0.004, y + 0.003)
    match kind:
        case "POINT":
            return shapely.Point(x, y)
        case "LINESTRING":
            return shapely.LineString([(x, y), (x + 0.003, y), (x + 0.003, y + 0.002)])
        case "POLYGON":
            return square
        case "MULTIPOLYGON":
            return shapely.MultiPolygon([square, shapely.box(x + 1, y, x + 1.001, y + 0.001)])
        case _:
            return shapely.Point(x, y) if k % 2 else shapely.LineString([(x, y), (x, y + 0.01)])


def words(table):
    """Return the words that a table's checks allow, by column."""
    found = {}
    for check in table.constraints:
        if isinstance(check, CheckConstraint):
            allowed = re.fullmatch(r"(\w+) IN \((.*)\)", str(check.sqltext))
            if allowed:
                found[allowed[1]] = re.findall("'([^']*)'", allowed[2])
    return found


BY_TYPE = {
    Instant: lambda k: FIRST + timedelta(hours=k),
    Json: lambda k: {"键": [k, None, "“引号” 'quote'"], "n": 1.5},
    Date: lambda k: date(2026, 2, 28) + timedelta(days=k),
    Boolean: lambda k: bool(k % 2),
    Double: lambda k: 0.1 * k,
    BigInteger: lambda k: (1 << 62) + k,
    Integer: lambda k: 2 + k,
    LargeBinary: lambda k: bytes([0, 255, k]),
}


def value(column, k, allowed):
    """Return the k-th value of a column; every fifth that may be is missing."""
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return value(key.column, k, words(key.column.table))
    if column.name in allowed:
        choice = allowed[column.name]
        return "draft" if "draft" in choice else choice[k % len(choice)]
    if isinstance(column.type, Geometry):
        return shape(column.type.kind, k)
    if column.nullable and k % 5 == 4:
        return None
    made = next((make for kind, make in BY_TYPE.items() if isinstance(column.type, kind)), None)
    return made(k) if made else f"{column.name} {k} “聊城” ' \" % {{}}"


def rows(table, n):
    """Return n rows of a table, without their numbers."""
    allowed = words(table)
    n = 1 if table.name == "city" else n
    columns = [column for column in table.columns if column.name != "fid"]
    return [{column.name: value(column, k, allowed) for column in columns} for k in range(n)]


def fill(store, n=7):
    """Write n rows into every table."""
    made = {table.name: rows(table, n) for table in METADATA.sorted_tables}

    def change(connection):
        for table in METADATA.sorted_tables:
            connection.execute(insert(table), made[table.name])

    store.write(change)
    return made


def keys(table):
    """Return the unique keys of a table as tuples of column names."""
    return [
        tuple(column.name for column in key.columns)
        for key in table.constraints
        if isinstance(key, UniqueConstraint)
    ]
