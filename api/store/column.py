"""Column types that read the same in a GeoPackage and in PostgreSQL."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Dialect, Double, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from geo.units import CITY_ZONE


class _IsoDateTime(TypeEngine[str]):
    """DATETIME of a GeoPackage: ISO 8601 text in UTC (OGC 12-128r18, table 1)."""

    __visit_name__ = "DATETIME"


class Instant(TypeDecorator[datetime]):
    """An instant: aware in, aware in the city's zone out; milliseconds are kept."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return ISO text for a GeoPackage, timestamptz else."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_IsoDateTime())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return the parameter of an instant, cut to whole milliseconds."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone")
        utc = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
        return utc.replace(microsecond=utc.microsecond // 1000 * 1000)

    def process_result_value(self, value: Any, _: Dialect) -> datetime | None:
        """Return the instant of a stored value."""
        if value is None:
            return None
        stored = datetime.fromisoformat(value) if isinstance(value, str) else value
        return stored.astimezone(CITY_ZONE)


class Json(TypeDecorator[Any]):
    """A value kept as JSON text: no engine's own JSON type, so that GDAL reads it as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _: Dialect) -> str | None:
        """Return canonical JSON: the same value is the same text."""
        if value is None:
            return None
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, _: Dialect) -> Any:
        """Return the value of stored JSON."""
        return None if value is None else json.loads(value)


Long = BigInteger().with_variant(Integer(), "sqlite")
"""64-bit whole number; a GeoPackage calls it INTEGER."""

Real: Double[float] = Double()
"""64-bit floating point number."""


def fid() -> Column[int]:
    """Return the whole-number key every GeoPackage table has; never shown outside."""
    return Column("fid", Integer, primary_key=True, autoincrement=True)
