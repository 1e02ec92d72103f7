"""Commands of the venue register: rules, tiers, due inspections, gaps, show streets."""

from datetime import date
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
from api.cli.venue_text import for_people, say_absent_facts, say_future, title_of
from api.i18n import both, text
from geo.errors import FarFromStreets, OptionInvalid
from geo.units import UNSTATED

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.io import Reading, Refusal
    from geo.venue import VenueRules

commands = typer.Typer()

SHOWN: Final = 10
"""Lines of one kind that are printed; the files hold all."""

REFUSED_ROWS: Final = "rows-refused"
REFUSED_BESIDE: Final = "rows.csv"
"""Where `venues-due` lists the rows it did not take."""

File = Annotated[Path, typer.Argument(help=both("cli.venue.option.file"))]
Rules = Annotated[Path | None, typer.Option("--rules", help=both("cli.venue.option.rules"))]
OutFile = Annotated[Path, typer.Option("--out", help=both("cli.venue.option.out"))]
OutTable = Annotated[Path, typer.Option("--out", help=both("cli.venue.option.table"))]
OutFolder = Annotated[Path, typer.Option("--out", help=both("cli.venue.option.folder"))]
Version = Annotated[str, typer.Option("--boundary-version", help=both("cli.venue.option.version"))]
ForWhom = Annotated[str, typer.Option("--audience", help=both("cli.venue.option.audience"))]
AsOf = Annotated[str | None, typer.Option("--date", help=both("cli.option.data_date"))]
Epsg = Annotated[int | None, typer.Option(help=both("cli.option.epsg"))]


@commands.command("venue-rules", help=both("cli.venue.rules"))
def venue_rules(
    rules: Rules = None,
    tasks: Annotated[Path | None, typer.Option(help=both("cli.venue.option.tasks"))] = None,
    lang: Lang = None,
) -> None:
    """Show rules and check them."""
    with open_session(lang) as session:
        from geo.io.rules import read_task_rules, shipped_task_rules  # noqa: PLC0415  heavy

        _say_rules(session, _rules(rules))
        types = shipped_task_rules() if tasks is None else read_task_rules(tasks)
        shown = [
            text(
                "cli.venue.rules.task",
                session.lang,
                title=title_of(session, one),
                minutes=one.minutes,
            )
            for one in types.types
        ]
        session.say("cli.venue.rules.tasks", version=types.version, types=shown)


@commands.command("grade-venues", help=both("cli.venue.grade"))
def grade(
    file: File,
    out: OutTable,
    rules: Rules = None,
    day: AsOf = None,
    audience: ForWhom = "command",
    datum: Datum = "WGS-84",
    drop: Drop = "",
    boundary_version: Version = UNSTATED,
    lang: Lang = None,
) -> None:
    """Grade every venue of a register."""
    with open_session(lang) as session:
        from api.cli.venue_grade import graded, say_grades  # noqa: PLC0415  heavy
        from geo.io.export import TABLES, write_file  # noqa: PLC0415
        from geo.venue import grade_venues, sizes  # noqa: PLC0415

        require_outputs({"--out": out}, suffixes=TABLES, inputs=(file, rules))
        chosen, as_of, refused = _rules(rules), read_day(day), _Refused()
        venues = _ledger(session, file, chosen, refused, audience, datum=datum, drop=drop)
        say_refused(session, refused, beside=out)
        say_absent_facts(session, venues, chosen)
        say_future(session, venues, as_of)
        done = grade_venues(venues, chosen, as_of=as_of, boundary_version=boundary_version)
        size = sizes(venues, chosen)
        written = write_file(graded(session, venues, size, done, chosen), out, layer="grades")
        _say_counted(session, as_of, boundary_version, chosen)
        say_grades(session, size, done, chosen)
        say_paths(session, written)


@commands.command("venues-due", help=both("cli.venue.due"))
def due(
    file: File,
    out: OutFolder,
    visits: Annotated[Path | None, typer.Option(help=both("cli.venue.option.visits"))] = None,
    exemptions: Annotated[
        Path | None, typer.Option(help=both("cli.venue.option.exemptions"))
    ] = None,
    rules: Rules = None,
    day: AsOf = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    boundary_version: Version = UNSTATED,
    lang: Lang = None,
) -> None:
    """List what is due on the working calendar, and how the never inspected are caught up with."""
    with open_session(lang) as session:
        from api.cli.venue_due import TABLE_NAMES, due_tables, say_due  # noqa: PLC0415  heavy
        from geo.io.export import TABLES, write_file  # noqa: PLC0415
        from geo.io.venues import read_exemptions, read_venue_visits  # noqa: PLC0415

        for name in (*TABLE_NAMES, REFUSED_ROWS):
            inputs = (file, visits, exemptions, rules)
            require_outputs({"--out": out / f"{name}.csv"}, suffixes=TABLES, inputs=inputs)
        chosen, as_of, left_out = _rules(rules), read_day(day), _names(drop)
        refused = _Refused()
        venues = _ledger(session, file, chosen, refused, datum=datum, drop=drop, needs_tier=True)
        seen = None if visits is None else read_venue_visits(visits, drop=left_out)
        free = None
        if exemptions is not None:
            free = read_exemptions(exemptions, chosen, as_of=as_of, drop=left_out)
        for reading in filter(None, (seen, free)):
            _say_reading(session, reading, refused)
        tables = due_tables(
            venues,
            chosen,
            as_of=as_of,
            visits=None if seen is None else seen.frame,
            exemptions=None if free is None else free.frame,
        )
        out.mkdir(parents=True, exist_ok=True)
        say_refused(session, refused, beside=out / REFUSED_BESIDE)
        say_future(session, venues, as_of)
        _say_counted(session, as_of, boundary_version, chosen)
        say_due(session, tables, as_of=as_of, boundary_version=boundary_version)
        written = [
            path
            for name, frame in tables.files().items()
            for path in write_file(
                for_people(session, frame, chosen, suffix=".csv"), out / f"{name}.csv", layer=name
            )
        ]
        say_paths(session, written)


@commands.command("register-gap", help=both("cli.venue.gap"))
def register_gap(
    file: File,
    poi: Annotated[Path, typer.Option("--poi", help=both("cli.venue.option.poi"))],
    out: OutFile,
    grids: Annotated[Path | None, typer.Option(help=both("cli.venue.option.grids"))] = None,
    rules: Rules = None,
    day: AsOf = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    poi_datum: Annotated[str, typer.Option(help=both("cli.option.datum"))] = "WGS-84",
    drop: Drop = "",
    boundary_version: Version = UNSTATED,
    lang: Lang = None,
) -> None:
    """List points of interest that the register has no record of; exit status 1 when there are."""
    with open_session(lang) as session:
        from geo.io.export import SUFFIXES, write_file  # noqa: PLC0415  heavy
        from geo.io.venues import read_areas, read_pois  # noqa: PLC0415
        from geo.venue import find_gaps  # noqa: PLC0415

        require_outputs({"--out": out}, suffixes=SUFFIXES, inputs=(file, poi, grids, rules))
        chosen, as_of, refused = _rules(rules), read_day(day), _Refused()
        venues = _ledger(session, file, chosen, refused, datum=datum, drop=drop)
        points = read_pois(poi, chosen, datum=poi_datum, drop=_names(drop))
        _say_reading(session, points, refused)
        areas = None if grids is None else read_areas(grids)
        if areas is not None:
            _say_reading(session, areas, refused)
        say_refused(session, refused, beside=out)
        metric = _metric(venues, epsg)
        audit = find_gaps(
            points.frame, venues, epsg=metric, data_date=as_of, boundary_version=boundary_version
        )
        _say_counted(session, as_of, boundary_version, chosen)
        session.say("cli.venue.scope", rate=audit.in_scope)
        session.say("cli.venue.missing", rate=audit.missing)
        gaps = audit.gaps
        if areas is not None:
            gaps = _by_grid(session, gaps, areas.frame, as_of, boundary_version, epsg=metric)
        people = for_people(session, gaps, chosen, suffix=out.suffix)
        say_paths(session, write_file(people, out, layer="gaps"))
        if audit.missing.n:
            raise typer.Exit(EXIT_REFUSED)


@commands.command("street-venues", help=both("cli.venue.street"))
def street_venues(
    file: File,
    roads: Annotated[Path, typer.Option(help=both("cli.venue.option.roads"))],
    out: OutFile,
    street: Annotated[list[str] | None, typer.Option(help=both("cli.venue.option.street"))] = None,
    rules: Rules = None,
    day: AsOf = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    boundary_version: Version = UNSTATED,
    lang: Lang = None,
) -> None:
    """Count the venues of each street."""
    with open_session(lang) as session:
        from geo.io import read_streets  # noqa: PLC0415  heavy: loaded by its command only
        from geo.io.calendars import shipped_calendar  # noqa: PLC0415
        from geo.io.export import SUFFIXES, write_file  # noqa: PLC0415
        from geo.venue import due_venues, n_beside, roll_up_streets  # noqa: PLC0415
        from geo.venue.street import BESIDE  # noqa: PLC0415

        require_outputs({"--out": out}, suffixes=SUFFIXES, inputs=(file, roads, rules))
        chosen, as_of, refused = _rules(rules), read_day(day), _Refused()
        venues = _ledger(session, file, chosen, refused, datum=datum, drop=drop, needs_tier=True)
        lines = read_streets(roads, datum=datum)
        _say_reading(session, lines, refused)
        say_refused(session, refused, beside=out)
        say_future(session, venues, as_of)
        metric = _metric(venues, epsg)
        if not n_beside(venues, lines.frame, epsg=metric):
            raise FarFromStreets(
                source=file.name, n=len(venues), metres=f"{BESIDE:g}", streets=roads.name
            )
        standing = due_venues(
            venues, as_of=as_of, cadence=chosen.cadence, working=shipped_calendar()
        )
        rows = roll_up_streets(standing, lines.frame, epsg=metric, names=tuple(street or ()))
        _say_counted(session, as_of, boundary_version, chosen)
        _say_streets(session, rows, as_of, boundary_version)
        people = for_people(session, rows, chosen, suffix=out.suffix)
        say_paths(session, write_file(people, out, layer="show_streets"))


class _Refused(list["Refusal"]):
    """Rows that the readers of one command did not take, of all of its files."""


def _rules(path: Path | None) -> "VenueRules":
    from geo.io.rules import read_venue_rules, shipped_venue_rules  # noqa: PLC0415

    return shipped_venue_rules() if path is None else read_venue_rules(path)


def _names(drop: str) -> list[str]:
    return [name.strip() for name in drop.split(",") if name.strip()]


def _ledger(
    session: Session,
    file: Path,
    rules: "VenueRules",
    refused: "_Refused",
    audience: str = "command",
    *,
    datum: str,
    drop: str,
    needs_tier: bool = False,
) -> "gpd.GeoDataFrame":
    """Read a register and leave out what the audience may not see."""
    from geo.io.venues import read_venue_ledger  # noqa: PLC0415
    from geo.privacy import Audience  # noqa: PLC0415
    from geo.venue import visible_venues  # noqa: PLC0415

    if audience not in list(Audience):
        raise OptionInvalid(option="--audience", value=audience, expected=", ".join(Audience))
    reading = read_venue_ledger(file, rules, datum=datum, drop=_names(drop), needs_tier=needs_tier)
    _say_reading(session, reading, refused)
    shown = visible_venues(reading.frame, rules, audience=Audience(audience))
    n_hidden = len(reading.frame) - len(shown)
    if n_hidden:
        session.say("cli.venue.hidden", n=f"{n_hidden:,}", audience=audience)
    return shown.reset_index(drop=True)


def _metric(venues: "gpd.GeoDataFrame", epsg: int | None) -> int:
    """Return the metric CRS: the one stated, else the UTM zone of the register."""
    from geo.crs import is_metric_for  # noqa: PLC0415
    from geo.io.hints import Hint  # noqa: PLC0415

    if epsg is None:
        return int(venues.estimate_utm_crs().to_epsg())
    if not is_metric_for(epsg, venues.union_all().envelope):
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.METRIC_CRS)
    return epsg


def _by_grid(
    session: Session,
    gaps: "gpd.GeoDataFrame",
    grids: "gpd.GeoDataFrame",
    as_of: date,
    version: str,
    *,
    epsg: int,
) -> "gpd.GeoDataFrame":
    """Print the grids with most gaps and return the gaps with their grid."""
    from geo.frames import Col  # noqa: PLC0415
    from geo.grid.locate import assign_cells  # noqa: PLC0415
    from geo.rate import Rate  # noqa: PLC0415
    from geo.venue import count_gaps  # noqa: PLC0415

    located = gaps.assign(**{Col.CELL_ID: assign_cells(gaps, grids, epsg=epsg)})
    counts = count_gaps(located)
    first = counts.head(SHOWN)
    rows = zip(first[Col.CELL_ID], first[Col.N_GAPS], first[Col.N_POI], strict=True)
    for cell, n, total in rows:
        rate = Rate(n=int(n), total=int(total), data_date=as_of, boundary_version=version)
        shown = cell or text("cli.venue.grid.none", session.lang)
        session.say("cli.venue.grid", cell=shown, rate=rate)
    if len(counts) > SHOWN:
        rest = counts.iloc[SHOWN:]
        n_gaps = f"{int(rest[Col.N_GAPS].sum()):,}"
        session.say("cli.venue.grid.more", n=f"{len(rest):,}", gaps=n_gaps)
    return located


def _say_reading(session: Session, reading: "Reading", refused: "_Refused") -> None:
    """Print what the reader noted and how many rows it refused; keep those for their list."""
    say_notes(session, as_findings(reading.notes))
    if reading.refused:
        refused += reading.refused
        session.say(
            "cli.venue.refused",
            source=reading.refused[0].source,
            n=f"{len(reading.refused):,}",
            total=f"{len(reading.refused) + len(reading.frame):,}",
        )


def _say_counted(session: Session, as_of: date, version: str, rules: "VenueRules") -> None:
    named = version_word(session, version)
    session.say("cli.venue.counted", day=as_of, version=named, rules=rules.version)


def _say_rules(session: Session, rules: "VenueRules") -> None:
    session.say(
        "cli.venue.rules.head",
        version=rules.version,
        day=rules.valid_from,
        kinds=len(rules.kinds),
        grades=len(rules.grades),
        facts=len(rules.facts),
        source=rules.source,
    )
    always = text("cli.venue.rules.always", session.lang)
    for kind in rules.kinds:
        limits = [
            f"{title_of(session, fact)} ≥ {limit:g}"
            for name, limit in kind.key_at.items()
            for fact in rules.facts
            if fact.fact == name
        ]
        session.say(
            "cli.venue.rules.kind",
            kind=kind.kind,
            title=title_of(session, kind),
            classes=[text(f"word.kind_class.{one}", session.lang) for one in kind.classes],
            limits=always if kind.is_always_key else limits or "–",
            basis=kind.basis,
        )
        if kind.ladder:
            steps = [
                text(
                    "cli.venue.rules.step",
                    session.lang,
                    title=title_of(session, step),
                    days=step.working_days,
                )
                for step in kind.ladder
            ]
            session.say("cli.venue.rules.ladder", steps=" → ".join(steps))
    months = {tier.value: n for tier, n in rules.cadence.months.items()}
    session.say("cli.venue.rules.cadence", ramp=rules.ramp_days, **months)


def _say_streets(session: Session, rows: "gpd.GeoDataFrame", as_of: date, version: str) -> None:
    """Print the streets with most venues, each figure with its N."""
    from geo.frames import Col  # noqa: PLC0415
    from geo.rate import Rate  # noqa: PLC0415

    def share(n: int, total: int) -> Rate:
        return Rate(n=int(n), total=int(total), data_date=as_of, boundary_version=version)

    ranked = rows.sort_values(Col.N_VENUES, ascending=False, kind="stable")
    for row in ranked.head(SHOWN).itertuples():
        session.say(
            "cli.venue.street.line",
            name=row.name or text("cli.venue.street.none", session.lang),
            n=f"{row.n_venues:,}",
            red=row.red,
            yellow=row.yellow,
            green=row.green,
            overdue=share(row.n_overdue, row.n_known),
            due=share(row.n_due, row.n_known),
        )
    if len(rows) > SHOWN:
        session.say("cli.venue.street.more", n=f"{len(rows) - SHOWN:,}")
