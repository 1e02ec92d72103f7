"""Commands on who answers for rivers and shores, and on the patrol teams of each unit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.cli.basis import (
    Basis,
    Boundaries,
    DataDay,
    Epsg,
    Rules,
    To,
    finish,
    level_word,
    open_basis,
)
from api.cli.output import require_outputs
from api.cli.session import EXIT_REFUSED, Datum, Drop, Lang, Session, open_session
from api.i18n import both, catalogue, text
from geo.errors import OptionInvalid
from geo.frames import ASSETS, STREETS, Col

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo.place import ReachCheck, ResourceReport

commands = typer.Typer()

SHOWN: Final = 8
"""Faults that are printed; all of them are in the file written."""


@commands.command(help=both("cli.reaches"))
def reaches(
    water: Annotated[Path, typer.Argument(help=both("cli.reaches.water"))],
    boundaries: Boundaries,
    out: To,
    owners: Annotated[Path | None, typer.Option(help=both("cli.reaches.owners"))] = None,
    has_assets: Annotated[bool, typer.Option("--assets", help=both("cli.reaches.assets"))] = False,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Check a table of stretches, or propose one."""
    with open_session(lang) as session:
        from geo.io.export import SUFFIXES  # noqa: PLC0415
        from geo.io.place_layers import read_reaches  # noqa: PLC0415
        from geo.place import check_reaches, propose_reaches  # noqa: PLC0415
        from geo.place.reach import LEVELS  # noqa: PLC0415

        require_outputs({"--out": out}, suffixes=SUFFIXES, inputs=(water, owners, boundaries))
        basis = open_basis(session, boundaries, out, day=day, epsg=epsg, drop=drop)
        assets = _read_assets(session, basis, water, datum, has_assets=has_assets)
        if owners is None:
            made = propose_reaches(assets, basis.boundaries, epsg=basis.epsg, source="proposed")
            stretches = made.reaches
            n, shared = f"{len(stretches):,}", f"{len(made.shared):,}"
            session.say("reach.proposed", n=n, shared=shared)
        else:
            stretches = basis.read(read_reaches, owners)
        check = check_reaches(
            stretches, assets, basis.boundaries, epsg=basis.epsg, **basis.of_rates
        )
        for of_level, rate in check.once.items():
            session.say("reach.once", level=level_word(session, of_level), rate=rate)
        for of_level in LEVELS:
            if of_level not in check.once:
                session.say("reach.level.none", level=level_word(session, of_level))
        table = _reach_table(stretches, check, assets, basis, out, is_check=owners is not None)
        _say_faults(session, check, out)
        finish(session, basis, [(table, out, "reaches")])
        if not check.is_whole:
            raise typer.Exit(EXIT_REFUSED)


@commands.command(help=both("cli.resources"))
def resources(
    file: Annotated[Path, typer.Argument(help=both("cli.resources.file"))],
    boundaries: Boundaries,
    out: To,
    rules: Rules = None,
    day: DataDay = None,
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Compare patrol teams with the rules and list what is missing."""
    with open_session(lang) as session:
        from geo.io.export import TABLES  # noqa: PLC0415
        from geo.io.place_layers import read_resources  # noqa: PLC0415
        from geo.io.resources import read_resource_rules, shipped_resource_rules  # noqa: PLC0415
        from geo.place import report_resources  # noqa: PLC0415

        require_outputs({"--out": out}, suffixes=TABLES, inputs=(file, rules, boundaries))
        basis = open_basis(session, boundaries, out, day=day, epsg=None, drop=drop)
        asked = shipped_resource_rules() if rules is None else read_resource_rules(rules)
        teams = basis.read(read_resources, file, boundaries=basis.boundaries)
        report = report_resources(teams, basis.boundaries, asked, **basis.of_rates)
        session.say("resource.version", version=report.version)
        level_of = {rule.code: rule.level for rule in asked.rules}
        for code, rate in report.met.items():
            level = level_word(session, level_of[code])
            session.say("resource.met", rule=_rule_name(session, code), level=level, rate=rate)
        _say_missing(session, report, out)
        if len(report.strangers):
            n, total = f"{len(report.strangers):,}", f"{len(teams):,}"
            session.say("resource.strangers", n=n, total=total)
        finish(session, basis, [(report.units, out, "resources")], audience="command")
        if len(report.missing):
            raise typer.Exit(EXIT_REFUSED)


def _read_assets(
    session: Session, basis: Basis, path: Path, datum: str, *, has_assets: bool
) -> "gpd.GeoDataFrame":
    """Return rivers and shores as lines, whether the file holds assets or water.

    Raises
    ------
    OptionInvalid
        The file holds streets.
    """
    from geo.io import read_water  # noqa: PLC0415
    from geo.io.place_layers import line_layer, read_assets  # noqa: PLC0415
    from geo.place import water_assets  # noqa: PLC0415

    kind = ASSETS.layer if has_assets else line_layer(path)
    if kind == STREETS.layer:
        from geo.io.hints import Hint  # noqa: PLC0415

        raise OptionInvalid(option="WATER", value=path.name, expected=Hint.NOT_STREETS)
    if kind == ASSETS.layer:
        if not has_assets:
            session.say("reach.as_assets", source=path.name)
        return basis.read(read_assets, path, datum=datum)
    return water_assets(basis.read(read_water, path, datum=datum))


def _rule_name(session: Session, code: str) -> str:
    """Return a rule in the reader's language; a rule of the user's own goes by its code."""
    name = f"resource.rule.{code}"
    return text(name, session.lang) if name in catalogue() else code


def _reach_table(
    stretches: "pd.DataFrame",
    check: "ReachCheck",
    assets: "gpd.GeoDataFrame",
    basis: Basis,
    out: Path,
    *,
    is_check: bool,
) -> Any:
    """Return what is written: the proposal, or the faults of a table that was checked."""
    from geo.io.export import TABLES  # noqa: PLC0415
    from geo.place import reach_lines  # noqa: PLC0415

    table = check.faults if is_check else stretches
    if out.suffix.lower() in TABLES:
        return table
    return reach_lines(table, assets, epsg=basis.epsg)


def _say_faults(session: Session, check: "ReachCheck", out: Path) -> None:
    faults = check.faults
    if faults.empty:
        return
    session.say("reach.faults", n=len(faults))
    for fault in faults.head(SHOWN).itertuples(index=False):
        session.say(
            f"reach.fault.{fault.kind}",
            asset=fault.asset_id,
            level=level_word(session, str(fault.level)),
            begin=f"{fault.from_m:,.1f}",
            end=f"{fault.to_m:,.1f}",
            metres=f"{fault.metres:,.1f}",
            posts=fault.posts,
        )
    _say_more(session, len(faults), out)


def _say_missing(session: Session, report: "ResourceReport", out: Path) -> None:
    missing = report.missing
    columns = (Col.NAME, Col.CODE, "rule", "fewest_at", "missing_teams", "missing_headcount")
    shown = missing.head(SHOWN)
    for name, unit, code, at, teams, heads in zip(*(shown[c] for c in columns), strict=True):
        session.say(
            "resource.missing.at" if at else "resource.missing",
            name=name,
            unit=unit,
            rule=_rule_name(session, code),
            at=at,
            teams=f"{teams:,}",
            heads=f"{heads:,}",
        )
    _say_more(session, len(missing), out)


def _say_more(session: Session, n: int, out: Path) -> None:
    if n > SHOWN:
        session.say("place.more", n=f"{n - SHOWN:,}", path=out.name)
