"""Which column of a file is which column of ours."""

from collections.abc import Iterable

from geo.errors import ColumnMissing
from geo.io.report import Note
from geo.io.spec import CODE_HEADERS, CREDIT_HEADERS, LAT_HEADERS, LON_HEADERS, LayerSpec, field_of
from geo.io.table import Table
from geo.privacy import Trust
from geo.privacy.headers import normal_header
from geo.privacy.shown import column_shown

DBF_NAME_BYTES = 10
"""Longest field name of a Shapefile; longer ones arrive cut, possibly inside a character."""


def find_header(table: Table, names: Iterable[str]) -> str | None:
    """Return the table's header that one of the names stands for, the best name first."""
    present = {_form(str(header)): str(header) for header in reversed(table.cells.columns)}
    wanted = [_form(name) for name in names]
    if table.has_short_headers:
        wanted += [form for name in wanted for form in _short_forms(name)]
    return next((present[name] for name in wanted if name in present), None)


def is_cut(table: Table, header: str) -> bool:
    """Tell whether a header is as long as a Shapefile lets names be: it may be half a name."""
    if not table.has_short_headers:
        return False
    # a cut inside a character leaves up to three bytes less
    lengths = (len(header.encode(encoding)) for encoding in ("utf-8", "gb18030"))
    return any(DBF_NAME_BYTES - 1 <= n <= DBF_NAME_BYTES for n in lengths)


def match_headers(table: Table, spec: LayerSpec) -> dict[str, str]:
    """Return column of ours -> header of the file; no header serves two columns."""
    matched: dict[str, str] = {}
    for column in spec.schema.columns:
        names = (column, *field_of(spec, column).aliases)
        free = [name for name in names if find_header(table, [name]) not in matched.values()]
        header = find_header(table, free)
        if header is not None:
            matched[column] = header
    return matched


def require_headers(table: Table, spec: LayerSpec, matched: dict[str, str]) -> None:
    """Refuse a table without a column the layer needs.

    Raises
    ------
    ColumnMissing
        Names the first such column with the headers it may have.
    """
    for column in spec.schema.columns:
        field = field_of(spec, column)
        if field.required and column not in matched:
            wanted = "/".join((column, *field.aliases[:3]))
            raise missing(table, wanted)


def missing(table: Table, wanted: str) -> ColumnMissing:
    """Return the error for a missing column."""
    headers = map(str, table.cells.columns)
    shown = [column_shown(header, number) for number, header in enumerate(headers, start=1)]
    found = ", ".join(shown) or "–"
    return ColumnMissing(source=table.source, column=wanted, found=found)


def trust_of(table: Table, spec: LayerSpec, matched: dict[str, str]) -> dict[str, Trust]:
    """Return how each header is screened: codes as codes, coordinates not at all."""
    trust = {
        header: Trust.CODE if field_of(spec, column).is_code else Trust.TEXT
        for column, header in matched.items()
    }
    codes = {_form(name) for name in CODE_HEADERS}
    for header in map(str, table.cells.columns):
        if header not in trust and _form(header) in codes:
            trust[header] = Trust.CODE
    for names, how in (
        (CREDIT_HEADERS, Trust.CREDIT),
        (LON_HEADERS, Trust.CHECKED),
        (LAT_HEADERS, Trust.CHECKED),
    ):
        found = find_header(table, names)
        if found is not None:
            trust[found] = how
    return trust


def ignored_note(table: Table, used: Iterable[str]) -> tuple[Note, ...]:
    """Return the note that names columns nobody asked for."""
    known = set(used)
    extra = [
        column_shown(header, number)
        for number, header in enumerate(map(str, table.cells.columns), start=1)
        if header not in known
    ]
    if not extra:
        return ()
    params = {"columns": tuple(extra)}
    return (Note(source=table.source, code="note.ignored", params=params),)


def _form(header: str) -> str:
    """Return a header as it is compared; forms mark columns to fill in with a star."""
    return normal_header(header).strip("*")


def _short_forms(name: str) -> list[str]:
    """Return what a Shapefile leaves of a header, in the encodings it may be in."""
    return [
        data[:DBF_NAME_BYTES].decode(encoding, errors="ignore")
        for encoding in ("utf-8", "gb18030")
        if len(data := name.encode(encoding)) > DBF_NAME_BYTES
    ]
