"""Revisions of the tables: which there are, and where a store remembers its own."""

from typing import Final

REVISIONS: Final = ("0001", "0002", "0003", "0004")
"""Every revision, oldest first; a test keeps them equal to what the folder holds."""

NEWEST: Final = REVISIONS[-1]

NONE: Final = "base"
"""What a store without any table is at, in Alembic's word."""

VERSION_TABLE: Final = "patrolgrid_revision"
"""Holds the one row that tells a store's revision; its name tells that a store is ours."""
