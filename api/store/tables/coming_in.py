"""Imports: what came in, what it would change, and what it changed."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, Text

from api.store.column import Instant, Json
from api.store.geometry import Geometry
from api.store.tables.meta import one_of, table, unique

IMPORTS: Final = table(
    "imports",
    Column("import_id", Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("file_hash", Text, nullable=False),
    Column("options", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("base", Integer, nullable=False),
    Column("n_rows", Integer, nullable=False, server_default="0"),
    Column("n_added", Integer, nullable=False, server_default="0"),
    Column("n_changed", Integer, nullable=False, server_default="0"),
    Column("n_moved", Integer, nullable=False, server_default="0"),
    Column("n_missing", Integer, nullable=False, server_default="0"),
    Column("n_unchanged", Integer, nullable=False, server_default="0"),
    Column("n_refused", Integer, nullable=False, server_default="0"),
    Column("notes", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("applied_at", Instant),
    Column("undone_at", Instant),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("import_id"),
    Index(None, "layer"),
    one_of("state", "previewed", "applied", "undone", "discarded"),
)
"""``base`` is how often imports of the layer, and of those it is fitted to, had been applied or
undone when this one was previewed: once more in between makes the preview stale.
"""

IMPORT_CHANGES: Final = table(
    "import_changes",
    Column("import_id", Text, ForeignKey("imports.import_id"), nullable=False),
    Column("row", Integer),
    Column("change", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("column", Text),
    Column("code", Text),
    Column("params", Json),
    Column("before", Json),
    Column("after", Json),
    Column("geom_before", Geometry("GEOMETRY", is_layer=False)),
    Column("geom_after", Geometry("GEOMETRY", is_layer=False)),
    Index(None, "import_id", "change", "fid"),
    one_of("change", "added", "changed", "moved", "missing", "refused"),
)
"""One row per difference; ``before`` holds only the columns that differ, and is the history."""
