"""The venues to inspect this month as a workbook that opens in Excel and WPS."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from api.exports.text import CREATOR, without_controls
from api.i18n import LANGUAGES, Language, text
from geo.frames import Col, DueState, Tier
from geo.privacy import Audience, Visible, allowed, suppress
from geo.rate import Rate
from geo.units import MINUTE
from routing.model import Schedule

if TYPE_CHECKING:
    from routing.pipeline import Tonight

Value = str | int | float | date | None

COLUMNS: Final[Mapping[str, float]] = {
    "venue_id": 14,
    "name": 24,
    "kind": 16,
    "tier": 9,
    "last": 12,
    "due": 12,
    "state": 13,
    "cell": 19,
    "village": 20,
    "township": 14,
    "station": 14,
    "team": 12,
    "day": 12,
    "order": 10,
    "arrive": 10,
    "source": 11,
}
"""Columns of the list and their widths in characters."""

ROTA_COLUMNS: Final = ("team", "day", "order", "arrive")
"""Who goes where and when: for command alone."""

DATES: Final = ("last", "due", "day")
NUMBERS: Final = ("order",)

PROPERTIES: Final = "docProps/core.xml"

_MODIFIED = re.compile(rb"<dcterms:modified.*?</dcterms:modified>")

HEAD_FONT: Final = Font(bold=True)
HEAD_FILL: Final = PatternFill("solid", start_color="F3F5F7")
HAIRLINE: Final = Border(bottom=Side(style="thin", color="858F9A"))


def write_venues_due(
    tonight: "Tonight", path: Path, *, audience: Audience, lang: Language = "zh"
) -> None:
    """Write the venues to inspect this month as a workbook: the list and a summary with n/N.

    The first pair of sheets is in `lang`, the second in the other language. Codes are text, days
    are days, and no cell is ever a formula, whatever a venue is called.

    Parameters
    ----------
    tonight : routing.pipeline.Tonight
    path : Path
        Ends in ``.xlsx``; written whole or not at all.
    audience : Audience
        The list is for those who may see due inspections, its rota columns for command; others
        get the summary, without counts below 5.
    lang : {'zh', 'en'}
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    rows = _due_rows(tonight)
    for language in sorted(LANGUAGES, key=lambda other: other != lang):
        if allowed(audience, Visible.DUE_INSPECTIONS):
            _write_list(book, rows, tonight, audience=audience, lang=language)
        _write_summary(book, tonight, audience=audience, lang=language)
    _save(book, path, made=tonight.layers.data_date)


def _save(book: Workbook, path: Path, *, made: date) -> None:
    """Write the workbook with the data's day in place of the clock: same input, same bytes."""
    book.properties.creator = CREATOR
    book.properties.created = datetime.combine(made, time.min)
    draft = BytesIO()
    book.save(draft)
    partial = path.with_name(path.name + ".partial")
    with ZipFile(draft) as parts, ZipFile(partial, "w", ZIP_DEFLATED) as archive:
        for part in parts.namelist():
            content = (
                _MODIFIED.sub(rb"", parts.read(part)) if part == PROPERTIES else parts.read(part)
            )
            stamp = ZipInfo(part, date_time=(made.year, made.month, made.day, 0, 0, 0))
            archive.writestr(stamp, content, compress_type=ZIP_DEFLATED)
    partial.replace(path)


def _due_rows(tonight: "Tonight") -> pd.DataFrame:
    """Return the list's rows as codes and days, in the order of work; words come later."""
    venues = tonight.venues
    planned = _planned(tonight.schedule)
    wanted = venues[Col.DUE_STATE] != DueState.LATER.value
    listed = venues[wanted | venues[Col.VENUE_ID].isin(planned.index)]
    cells = tonight.cells.set_index(Col.CELL_ID)
    names = tonight.layers.boundaries.set_index(Col.CODE)[Col.NAME]
    stations = tonight.layers.stations.set_index(Col.STATION_ID)[Col.NAME]
    plan = planned.reindex(listed[Col.VENUE_ID])
    village = listed[Col.CELL_ID].map(cells[Col.VILLAGE_CODE])
    township = listed[Col.CELL_ID].map(cells[Col.TOWNSHIP_CODE])
    rows = pd.DataFrame(
        {
            "venue_id": listed[Col.VENUE_ID].to_numpy(),
            "name": listed[Col.NAME].to_numpy(),
            "kind": listed[Col.KIND].to_numpy(),
            "tier": listed[Col.TIER].to_numpy(),
            "last": listed[Col.LAST_INSPECTION].to_numpy(),
            "due": listed[Col.DUE].to_numpy(),
            "state": listed[Col.DUE_STATE].to_numpy(),
            "cell": listed[Col.CELL_ID].to_numpy(),
            "village": village.map(names).to_numpy(),
            "township": township.map(names).to_numpy(),
            "station": plan["station_id"].map(stations).to_numpy(),
            "team": plan["team"].to_numpy(),
            "day": plan["day"].to_numpy(),
            "order": plan["order"].to_numpy(),
            "arrive": plan["arrive"].to_numpy(),
            "source": listed[Col.SOURCE].to_numpy(),
        }
    )
    return rows.sort_values(["day", "team", "order", "due", "venue_id"], ignore_index=True)


def _planned(schedule: Schedule) -> pd.DataFrame:
    """Return one row per planned inspection, by venue id."""
    rows = [
        {
            "venue_id": item.venue_id,
            "station_id": tour.station_id,
            "team": tour.team_id,
            "day": pd.Timestamp(tour.day),
            "order": order,
            "arrive": _hours_and_minutes(item.arrive),
        }
        for tour in schedule.rounds
        for order, item in enumerate(tour.inspections, 1)
    ]
    columns = ["venue_id", "station_id", "team", "day", "order", "arrive"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates("venue_id").set_index("venue_id")


def _hours_and_minutes(seconds: int) -> str:
    """Return seconds since the day's start as hours and minutes; the schedule knows no clock."""
    minutes = round(seconds / MINUTE)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _write_list(
    book: Workbook, rows: pd.DataFrame, tonight: "Tonight", *, audience: Audience, lang: Language
) -> None:
    columns = [
        name for name in COLUMNS if name not in ROTA_COLUMNS or allowed(audience, Visible.ROTAS)
    ]
    sheet = book.create_sheet(text("export.sheet.list", lang))
    _put_row(sheet, 1, [_facts_line(tonight, audience, lang)])
    _put_row(sheet, 2, [text(f"export.column.{name}", lang) for name in columns])
    words = _words_of(rows, lang)
    for k, row in enumerate(words[columns].itertuples(index=False), 3):
        _put_row(sheet, k, [None if pd.isna(value) else value for value in row])
    for k, name in enumerate(columns, 1):
        letter = get_column_letter(k)
        sheet.column_dimensions[letter].width = COLUMNS[name]
        if name in DATES:
            for cell in sheet[letter][2:]:
                cell.number_format = "yyyy-mm-dd"
    _dress_head(sheet, 2, len(columns))
    sheet.freeze_panes = "C3"
    sheet.auto_filter.ref = f"A2:{get_column_letter(len(columns))}{max(2, len(words) + 2)}"
    _set_print(sheet, lang, title_rows="1:2")


def _words_of(rows: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """Return the rows with codes in words and days as days."""
    words = rows.copy()
    for column in ("kind", "tier", "state"):
        words[column] = [text(f"export.{column}.{value}", lang) for value in rows[column]]
    for column in DATES:
        days = pd.to_datetime(rows[column])
        words[column] = days.dt.date.astype(object).where(days.notna(), None)
    for column in NUMBERS:
        words[column] = pd.Series(
            [None if pd.isna(n) else int(n) for n in rows[column]], dtype=object
        )
    return words


def _put_row(sheet: Worksheet, row: int, values: Iterable[Value]) -> None:
    for column, value in enumerate(values, 1):
        cell = sheet.cell(row, column)
        if isinstance(value, str):
            _put_text(cell, value)
        elif value is not None:
            cell.value = value


def _put_text(cell: Cell | MergedCell, value: str) -> None:
    """Store text as text: ``=1+1`` stays what it says and is never computed.

    The quote prefix keeps Excel and WPS from reading it as a formula when the cell is edited.
    """
    cell.value = without_controls(value)
    cell.data_type = "s"
    cell.number_format = "@"
    if value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        cell.quotePrefix = True


def _dress_head(sheet: Worksheet, row: int, n_columns: int) -> None:
    for column in range(1, n_columns + 1):
        cell = sheet.cell(row, column)
        cell.font, cell.fill, cell.border = HEAD_FONT, HEAD_FILL, HAIRLINE
        cell.alignment = Alignment(vertical="center", wrap_text=True)


def _set_print(sheet: Worksheet, lang: Language, *, title_rows: str) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = title_rows
    if sheet.oddFooter is not None:
        sheet.oddFooter.center.text = text("export.print.page", lang)
    sheet.page_margins.left = sheet.page_margins.right = 0.4


def _facts_line(tonight: "Tonight", audience: Audience, lang: Language) -> str:
    facts = [f"{name} {value}" for name, value in _facts(tonight, audience, lang)]
    return " · ".join([text("export.title.due", lang), *facts])


def _facts(tonight: "Tonight", audience: Audience, lang: Language) -> list[tuple[str, str]]:
    """Return what every product says about itself."""
    layers, schedule = tonight.layers, tonight.schedule
    period = f"{schedule.first_day.isoformat()} – {schedule.last_day.isoformat()}"
    facts = [
        ("audience", text(f"export.audience.{audience.value}", lang)),
        ("data", layers.data_date.isoformat()),
        ("boundaries", layers.boundary_version),
        ("period", period),
        ("map", " · ".join(layers.attribution)),
    ]
    named = [(text(f"export.fact.{key}", lang), value) for key, value in facts if value]
    return [*named, (text("export.fact.synthetic", lang), "")] if layers.synthetic else named


def _write_summary(
    book: Workbook, tonight: "Tonight", *, audience: Audience, lang: Language
) -> None:
    sheet = book.create_sheet(text("export.sheet.summary", lang))
    titles = ("export.figure", "export.value", "export.base", "export.percent")
    _put_row(sheet, 1, [text(code, lang) for code in titles])
    rates = _rates(tonight, lang)
    for row, (name, rate) in enumerate(rates, 2):
        n = suppress(rate.n, audience)
        hidden = n is None
        shown: list[Value] = [
            name,
            text("export.suppressed", lang) if n is None else n,
            rate.total,
            None if hidden or rate.percent is None else rate.percent / 100,
        ]
        _put_row(sheet, row, shown)
        sheet.cell(row, 4).number_format = "0.0%"
    for row, (name, value) in enumerate(_facts(tonight, audience, lang), len(rates) + 3):
        _put_row(sheet, row, [name, value])
    for letter, width in zip("ABCD", (44, 26, 12, 12), strict=True):
        sheet.column_dimensions[letter].width = width
    _dress_head(sheet, 1, 4)
    sheet.freeze_panes = "A2"
    _set_print(sheet, lang, title_rows="1:1")


def _rates(tonight: "Tonight", lang: Language) -> list[tuple[str, Rate]]:
    """Return the figures of the list, each with its denominator."""
    venues, layers = tonight.venues, tonight.layers
    state, tier = venues[Col.DUE_STATE], venues[Col.TIER]
    late, due = state == DueState.OVERDUE.value, state == DueState.DUE.value
    unknown = state == DueState.UNKNOWN.value
    planned = venues[Col.VENUE_ID].isin(_planned(tonight.schedule).index)
    listed, known = late | due | planned, int((~unknown).sum())

    def rate(n: int, total: int) -> Rate:
        return Rate(
            n=n,
            total=total,
            data_date=layers.data_date,
            boundary_version=layers.boundary_version,
        )

    figures = [
        ("listed", rate(int(listed.sum()), len(venues))),
        ("overdue", rate(int(late.sum()), known)),
        ("due", rate(int(due.sum()), known)),
        ("unknown", rate(int(unknown.sum()), len(venues))),
        ("planned", rate(int((listed & planned).sum()), int(listed.sum()))),
    ]
    named = [(text(f"export.figure.{key}", lang), value) for key, value in figures]
    for level in Tier:
        mine = tier == level.value
        word = text("export.figure.tier", lang, tier=text(f"export.tier.{level.value}", lang))
        named.append((word, rate(int((listed & mine).sum()), int(mine.sum()))))
    return named
