"""Data that comes in again and again: previewed, applied in one piece, and taken back."""

from api.imports.account import (
    Import,
    RowChange,
    changes_page,
    imports_page,
    read_import,
)
from api.imports.apply import apply_import
from api.imports.column import IN_ORDER
from api.imports.option import ImportOptions
from api.imports.preview import preview
from api.imports.undo import undo_import

__all__ = [
    "IN_ORDER",
    "Import",
    "ImportOptions",
    "RowChange",
    "apply_import",
    "changes_page",
    "imports_page",
    "preview",
    "read_import",
    "undo_import",
]
