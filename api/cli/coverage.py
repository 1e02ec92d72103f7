"""The command that checks and repairs boundaries."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.cli.basis import version_word
from api.cli.output import require_outputs, say_refused
from api.cli.session import (
    EXIT_REFUSED,
    Datum,
    Drop,
    Lang,
    Session,
    as_findings,
    open_session,
    read_day,
    say_notes,
    say_paths,
)
from api.console import stop_on_interrupt
from api.i18n import both, phrase, text
from api.i18n.word import Word
from geo.errors import OptionInvalid
from geo.frames import Col

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from api.i18n import Language
    from api.maps import Theme
    from api.maps.theme import Said
    from geo.io import Reading
    from geo.topology import Limits, Repair

commands = typer.Typer()

SUFFIXES: Final = (".gpkg", ".geojson", ".fgb")
"""Formats that hold areas, lines and points in one layer."""

File = Annotated[Path, typer.Argument(help=both("cli.coverage.file"))]
Parents = Annotated[Path | None, typer.Option("--parents", help=both("cli.coverage.parents"))]
OutFile = Annotated[Path, typer.Option("--out", help=both("cli.coverage.out"))]
IsRepair = Annotated[bool, typer.Option("--repair", help=both("cli.coverage.repair"))]
Tolerance = Annotated[float, typer.Option("--tolerance", help=both("cli.coverage.tolerance"))]
HoleArea = Annotated[float, typer.Option("--hole-area", help=both("cli.coverage.hole"))]
Snap = Annotated[float | None, typer.Option("--snap", help=both("cli.coverage.snap"))]
Epsg = Annotated[int | None, typer.Option("--epsg", help=both("cli.option.epsg"))]
DataDay = Annotated[str | None, typer.Option("--date", help=both("cli.coverage.date"))]


@commands.command(help=both("cli.coverage"))
def coverage(
    file: File,
    out: OutFile,
    parents: Parents = None,
    repair: IsRepair = False,
    tolerance: Tolerance = 25.0,
    hole_area: HoleArea = 10_000.0,
    snap: Snap = None,
    epsg: Epsg = None,
    day: DataDay = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Check boundaries, and repair them where that is asked for."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from api.maps.themes import coverage_theme  # noqa: PLC0415  heavy: by its command only
        from geo.topology import QUESTIONS, Limits, find_nested_faults, repair_nested  # noqa: PLC0415

        _require_outputs(out, inputs=(file, parents), repair=repair)
        _require_options(tolerance=tolerance, hole_area=hole_area, snap=snap, repair=repair)
        when = text("coverage.day.unstated", session.lang) if day is None else f"{read_day(day)}"
        paths = [path for path in (parents, file) if path is not None]
        readings = [_read(session, path, datum=datum, drop=drop) for path in paths]
        n_refused = _require_all(session, readings, out, repair=repair)
        units, credit = _join(session, readings, paths)
        metric = _metric(units, epsg)
        versions = sorted(units[Col.BOUNDARY_VERSION].unique())
        session.say(
            "coverage.head",
            source=file.name,
            n=f"{len(units):,}",
            version=version_word(session, *versions),
            day=when,
            epsg=metric,
        )
        limits, done = Limits(hole_area=hole_area), None
        if repair:
            done = repair_nested(
                units, epsg=metric, tolerance=tolerance, snap=snap, limits=limits, stop=stop
            )
        faults = (
            find_nested_faults(units, epsg=metric, limits=limits) if done is None else done.faults
        )
        figures = _counts(faults, units, n_refused=n_refused)
        if done is not None:
            figures.append(_repaired(done, tolerance=tolerance))
        for code, params in figures:
            session.out.print(phrase(code, session.lang, params), markup=False)
        if done is not None:
            _say_left(session, done, tolerance=tolerance, limits=limits)
        theme = coverage_theme(
            units,
            faults,
            figures=figures,
            data_date=read_day(day) if day else None,
            attribution=credit,
        )
        written = _write(session, out, theme, faults, done, limits, tolerance, credit=credit)
        say_paths(session, written)
    still = faults if done is None else done.left
    if n_refused or (~still[Col.KIND].isin(QUESTIONS)).any():
        raise typer.Exit(EXIT_REFUSED)


def _outputs(out: Path) -> dict[str, Path]:
    """Return the files that a repair writes beside the faults and their map."""
    return {
        "repaired": out.with_name(f"{out.stem}-repaired.gpkg"),
        "changes": out.with_name(f"{out.stem}-changes.csv"),
        "left": out.with_name(f"{out.stem}-left{out.suffix}"),
    }


def _require_outputs(out: Path, *, inputs: tuple[Path | None, ...], repair: bool) -> None:
    """Refuse to write over what is read, in any of the files written.

    Raises
    ------
    OptionInvalid
    """
    require_outputs({"--out": out}, suffixes=SUFFIXES, inputs=inputs)
    beside = [out.with_suffix(".html"), out.with_name(f"{out.stem}-refused.csv")]
    for path in (*beside, *(_outputs(out).values() if repair else ())):
        require_outputs({"--out": path}, suffixes=(path.suffix.lower(),), inputs=inputs)


def _require_options(
    *, tolerance: float, hole_area: float, snap: float | None, repair: bool
) -> None:
    """Refuse options before any work is done.

    Raises
    ------
    OptionInvalid
        A number that is not positive, --snap without --repair.
    """
    numbers = {"--tolerance": tolerance, "--hole-area": hole_area, "--snap": snap}
    for option, value in numbers.items():
        if value is not None and not value > 0:
            raise OptionInvalid(option=option, value=value, expected="> 0")
    if snap is not None and not repair:
        raise OptionInvalid(option="--snap", value=snap, expected="--repair")


def _read(session: Session, path: Path, *, datum: str, drop: str) -> "Reading":
    """Return the units of a file as they were drawn; say what was assumed."""
    from geo.io.coverage import read_drawn  # noqa: PLC0415  heavy: loaded by its command only

    columns = tuple(name.strip() for name in drop.split(",") if name.strip())
    reading = read_drawn(path, datum=datum, drop=columns)
    say_notes(session, as_findings(reading.notes))
    return reading


def _require_all(session: Session, readings: "list[Reading]", out: Path, *, repair: bool) -> int:
    """Say which rows were refused, and return how many.

    Raises
    ------
    OptionInvalid
        A repair would give the ground of the refused units to their neighbours.
    """
    refused = [one for reading in readings for one in reading.refused]
    say_refused(session, refused, beside=out)
    if refused and repair:
        raise OptionInvalid(
            option="--repair",
            value=Word("coverage.refused.value", {"n": f"{len(refused):,}"}),
            expected=Word("coverage.refused.expected"),
        )
    return len(refused)


def _join(
    session: Session, readings: "list[Reading]", paths: list[Path]
) -> "tuple[gpd.GeoDataFrame, tuple[str, ...]]":
    """Return the units of the file and those above them, and the lines to print with them.

    A unit that both files have is taken from the file to be checked, and the user told.

    Raises
    ------
    DatumMismatch, OutsideBoundary
        The file and its parents lie apart.
    """
    import pandas as pd  # noqa: PLC0415

    from geo.boundary import Placed, require_one_place  # noqa: PLC0415

    placed = [
        Placed(frame=reading.frame, source=path.name, datum=reading.datum)
        for reading, path in zip(readings, paths, strict=True)
    ]
    if len(placed) > 1:
        above, below = placed
        require_one_place(below, above)
        n_known = int(above.frame[Col.CODE].isin(below.frame[Col.CODE]).sum())
        if n_known:
            total = f"{len(above.frame):,}"
            session.say(
                "coverage.parents.known", n=f"{n_known:,}", total=total, source=below.source
            )
    joined = pd.concat([reading.frame for reading in readings], ignore_index=True)
    once = joined[~joined[Col.CODE].duplicated(keep="last")].reset_index(drop=True)
    lines = [line for reading in readings for line in reading.attribution]
    return once, tuple(dict.fromkeys(lines))


def _metric(units: "gpd.GeoDataFrame", epsg: int | None) -> int:
    """Return the metric CRS.

    Raises
    ------
    OptionInvalid
        One that is not made for where the boundaries lie.
    """
    import shapely  # noqa: PLC0415

    from geo.crs import is_metric_for  # noqa: PLC0415
    from geo.io.hints import Hint  # noqa: PLC0415

    if epsg is None:
        return int(units.estimate_utm_crs().to_epsg())
    if not is_metric_for(epsg, shapely.box(*units.total_bounds)):
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.METRIC_CRS)
    return epsg


def _counts(faults: "pd.DataFrame", units: "pd.DataFrame", *, n_refused: int) -> "list[Said]":
    """Return one sentence by level and kind, n/N of units."""
    if len(faults) == 0 and n_refused:
        total = f"{len(units) + n_refused:,}"
        return [("coverage.none.read", {"n": f"{len(units):,}", "total": total})]
    if len(faults) == 0:
        return [("coverage.none", {})]
    totals = units[Col.LEVEL].value_counts()
    said: list[Said] = []
    for (level, kind), rows in faults.groupby([Col.LEVEL, Col.KIND], sort=False):
        concerned = {code for codes in rows[Col.UNIT_CODES] for code in codes.split(",") if code}
        params = {
            "level": Word(f"coverage.level.{level}"),
            "kind": Word(f"coverage.kind.{kind}"),
            "n": f"{len(rows):,}",
            "area": f"{rows[Col.AREA].sum():,.1f}",
            "units": f"{len(concerned):,}",
            "total": f"{int(totals.get(level, len(units))):,}",
        }
        said.append(("coverage.count", params))
    return said


def _repaired(done: "Repair", *, tolerance: float) -> "Said":
    """Return the sentence on what a repair changed."""
    changes = done.changes
    move = float(changes[Col.LARGEST_MOVE].max()) if len(changes) else 0.0
    return (
        "coverage.repaired",
        {
            "found": f"{len(done.faults):,}",
            "left": f"{len(done.left):,}",
            "changed": f"{len(changes):,}",
            "total": f"{len(done.frame):,}",
            "move": f"{move:.2f}",
            "tolerance": f"{tolerance:g}",
            "given": f"{changes[Col.AREA_GIVEN].sum():,.1f}",
            "taken": f"{changes[Col.AREA_TAKEN].sum():,.1f}",
        },
    )


def _reason(code: str, lang: "Language", limits: "Limits", tolerance: float) -> str:
    """Return why a fault is still there, in words."""
    params = {"hole_area": f"{limits.hole_area:,.0f}", "tolerance": f"{tolerance:g}"}
    return text(code, lang, **params) if code else ""


def _say_left(session: Session, done: "Repair", *, tolerance: float, limits: "Limits") -> None:
    from geo.topology import QUESTIONS  # noqa: PLC0415

    n_questions = int(done.left[Col.KIND].isin(QUESTIONS).sum())
    if n_questions:
        session.say("coverage.questions", n=n_questions)
    for row in done.left.itertuples():
        reason = _reason(row.reason, session.lang, limits, tolerance)
        kind = text(f"coverage.kind.{row.kind}", session.lang)
        session.out.print(f"  {row.fault_id}  {kind}  {row.unit_codes}: {reason}", markup=False)


def _write(
    session: Session,
    out: Path,
    theme: "Theme",
    faults: "gpd.GeoDataFrame",
    done: "Repair | None",
    limits: "Limits",
    tolerance: float,
    *,
    credit: tuple[str, ...],
) -> list[Path]:
    """Write the faults, their map, and what a repair gave back."""
    from api.maps import write_theme  # noqa: PLC0415
    from geo.io.export import write_file  # noqa: PLC0415
    from geo.privacy import Audience  # noqa: PLC0415

    paths = list(write_file(faults, out, layer="faults"))
    page = out.with_suffix(".html")
    write_theme(theme, page, audience=Audience.COMMAND, lang=session.lang)
    paths.append(page)
    if done is not None:
        beside = _outputs(out)
        words = done.left[Col.REASON].map(
            lambda code: _reason(code, session.lang, limits, tolerance)
        )
        left = done.left.assign(**{Col.REASON: words.astype("str")})
        paths += write_file(done.frame, beside["repaired"], layer="boundaries", attribution=credit)
        paths += write_file(done.changes, beside["changes"], layer="changes")
        paths += write_file(left, beside["left"], layer="left")
    return paths
