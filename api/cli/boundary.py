"""The command that matches two vintages of a register or of the boundaries."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

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
from api.i18n import both, text
from geo.errors import OptionInvalid
from geo.units import UNSTATED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from geo.io import Reading

commands = typer.Typer()

SHAPES: Final = (".gpkg", ".geojson", ".fgb")
"""Formats for a result on the older layer's areas."""

Old = Annotated[Path, typer.Argument(help=both("cli.match.old"))]
New = Annotated[Path, typer.Argument(help=both("cli.match.new"))]
Out = Annotated[Path, typer.Option("--out", help=both("cli.match.out"))]
Table = Annotated[Path | None, typer.Option("--table", help=both("cli.match.table"))]
Epsg = Annotated[int | None, typer.Option("--epsg", help=both("cli.match.epsg"))]
Sure = Annotated[float, typer.Option("--sure", help=both("cli.match.sure"))]
OldVersion = Annotated[str, typer.Option("--old-version", help=both("cli.match.old_version"))]
NewVersion = Annotated[str, typer.Option("--new-version", help=both("cli.match.new_version"))]
Keep = Annotated[bool, typer.Option("--keep", help=both("cli.match.keep"))]
Day = Annotated[str | None, typer.Option("--date", help=both("cli.match.date"))]


@commands.command("match-boundaries", help=both("cli.match"))
def match_boundaries(
    old: Old,
    new: New,
    out: Out,
    table: Table = None,
    epsg: Epsg = None,
    sure: Sure = 0.8,
    old_version: OldVersion = "",
    new_version: NewVersion = "",
    day: Day = None,
    keep: Keep = False,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Match the units of two versions and write where each went."""
    with open_session(lang) as session:
        from geo.boundary import match_versions  # noqa: PLC0415  heavy: loaded by its command only
        from geo.io import read_succession_table, read_units_of  # noqa: PLC0415
        from geo.io.export import TABLES  # noqa: PLC0415

        files = (old, new, table)
        require_outputs({"--out": out}, suffixes=(*TABLES, *SHAPES), inputs=files)
        if not 0.5 <= sure <= 1:
            raise OptionInvalid(option="--sure", value=sure, expected="0.5–1")
        known = None if table is None else read_succession_table(table, drop=_listed(drop))
        when = text("match.day.unstated", session.lang) if day is None else f"{read_day(day)}"
        readings = [read_units_of(path, datum=datum, drop=_listed(drop)) for path in (old, new)]
        for reading in readings:
            say_notes(session, as_findings(reading.notes))
        refused = [one for reading in readings for one in reading.refused]
        say_refused(session, refused, beside=out)
        before, after = (reading.frame for reading in readings)
        _require_areas(before, out)
        _require_one_place(readings, (old, new))
        source = "table" if table is None else table.name
        metric = _metric(before, after, epsg)
        found = match_versions(before, after, table=known, epsg=metric, sure=sure, source=source)
        versions = (_version(before, old, old_version), _version(after, new, new_version))
        session.say(
            "match.head",
            old=versions[0],
            new=versions[1],
            n_old=f"{len(before):,}",
            n_new=f"{len(after):,}",
            day=when,
        )
        _say_counts(session, found)
        if metric is None:
            session.say("match.no_area")
        if keep:
            session.say("match.kept", n=f"{_keep(session, found, versions):,}")
        say_paths(session, _write(found, before, out, versions))
    if refused:
        raise typer.Exit(EXIT_REFUSED)


def _listed(drop: str) -> tuple[str, ...]:
    return (drop,) if drop else ()


def _require_areas(old: "pd.DataFrame", out: Path) -> None:
    """Refuse a result with areas where the older file has none.

    Raises
    ------
    OptionInvalid
    """
    import geopandas as gpd  # noqa: PLC0415

    from geo.io.export import TABLES  # noqa: PLC0415

    if not isinstance(old, gpd.GeoDataFrame):
        require_outputs({"--out": out}, suffixes=TABLES)


def _require_one_place(readings: "Sequence[Reading]", paths: "Sequence[Path]") -> None:
    """Refuse two layers of areas that lie apart.

    Raises
    ------
    DatumMismatch, OutsideBoundary
    """
    import geopandas as gpd  # noqa: PLC0415

    from geo.boundary import Placed, require_one_place  # noqa: PLC0415

    placed = [
        Placed(frame=reading.frame, source=path.name, datum=reading.datum)
        for reading, path in zip(readings, paths, strict=True)
        if isinstance(reading.frame, gpd.GeoDataFrame)
    ]
    if len(placed) == len(readings):
        require_one_place(*placed)


def _metric(old: "pd.DataFrame", new: "pd.DataFrame", epsg: int | None) -> int | None:
    """Return the metric CRS for areas, None where not both sides have them.

    Raises
    ------
    OptionInvalid
        A CRS that is not made for where the boundaries lie.
    """
    import geopandas as gpd  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    from geo.crs import is_metric_for  # noqa: PLC0415
    from geo.io.hints import Hint  # noqa: PLC0415

    if not (isinstance(old, gpd.GeoDataFrame) and isinstance(new, gpd.GeoDataFrame)):
        return None
    if epsg is None:
        return int(new.estimate_utm_crs().to_epsg())
    if not is_metric_for(epsg, shapely.box(*new.total_bounds)):
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.METRIC_CRS)
    return epsg


def _version(units: "pd.DataFrame", path: Path, stated: str) -> str:
    """Return the name of a version: as stated, else as the layer states it, else the file's."""
    from geo.boundary import version_of  # noqa: PLC0415
    from geo.frames import Col  # noqa: PLC0415

    if stated or Col.BOUNDARY_VERSION not in units.columns:
        return stated or path.stem
    found = version_of(units, source=path.name)
    return path.stem if found == UNSTATED else found


def _say_counts(session: Session, found: "pd.DataFrame") -> None:
    """Print n/N per level and relation, per evidence, and what is left open."""
    from geo.boundary import count_relations  # noqa: PLC0415
    from geo.frames import Col, Evidence  # noqa: PLC0415

    for level, relation, n, total in count_relations(found).itertuples(index=False):
        session.say(
            "match.relation",
            level=text(f"unit_level.{level}", session.lang),
            relation=text(f"relation.{relation}", session.lang),
            n=f"{n:,}",
            total=f"{total:,}",
            share=f"{100 * n / total:.1f} %",
        )
    session.say("match.by")
    is_open = found[Col.NEW_CODE] == ""
    for evidence in Evidence:
        rows = found[Col.EVIDENCE] == evidence
        if rows.any() and evidence is not Evidence.NONE:
            word = text(f"evidence.{evidence}", session.lang)
            n, n_open = int((rows & ~is_open).sum()), int((rows & is_open).sum())
            session.say("match.evidence", evidence=word, n=f"{n:,}", n_open=f"{n_open:,}")
    n_offered = int((found[Col.OFFERED_CODE] != "").sum())
    session.say("match.open", n=f"{int(is_open.sum()):,}", n_offered=f"{n_offered:,}")


def _write(
    found: "pd.DataFrame", old: "pd.DataFrame", out: Path, versions: tuple[str, str]
) -> tuple[Path, ...]:
    """Write the succession with the two versions' names; on the older areas where they are."""
    import geopandas as gpd  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    from geo.frames import SUCCESSION  # noqa: PLC0415
    from geo.io.export import TABLES, write_file  # noqa: PLC0415

    named = {
        name: pd.Series([version] * len(found), dtype="str")
        for name, version in zip(("old_version", "new_version"), versions, strict=True)
    }
    frame = found.assign(**named)
    if out.suffix.lower() not in TABLES and isinstance(old, gpd.GeoDataFrame):
        frame = gpd.GeoDataFrame(frame, geometry=old.geometry.to_numpy(), crs=old.crs)
    return write_file(frame, out, layer=SUCCESSION.layer)


def _keep(session: Session, found: "pd.DataFrame", versions: tuple[str, str]) -> int:
    """Keep in the store where the units went; return how many."""
    from api.store import open_store  # noqa: PLC0415
    from api.store.boundaries import Merge, add_merges  # noqa: PLC0415
    from geo.frames import Col  # noqa: PLC0415

    names = (Col.OLD_CODE, Col.NEW_CODE, Col.RELATION, Col.EVIDENCE, Col.CONFIDENCE)
    merges = [
        Merge(
            from_version=versions[0],
            old_code=old,
            to_version=versions[1],
            new_code=new or None,
            relation=relation,
            evidence=evidence,
            confidence=confidence,
        )
        for old, new, relation, evidence, confidence in zip(
            *(found[name] for name in names), strict=True
        )
    ]
    with open_store(session.settings.store) as store:
        return int(store.write(lambda connection: add_merges(connection, merges)))
