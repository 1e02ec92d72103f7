"""Commands on what lies in basic grids: points joined to them, and groups inside them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.basis import (
    Basis,
    Boundaries,
    DataDay,
    Epsg,
    To,
    finish,
    open_basis,
    read_areas,
    require_inside,
)
from api.cli.output import SHOWN, require_outputs
from api.cli.session import Datum, Drop, Lang, Session, as_findings, open_session, say_notes
from api.console import stop_on_interrupt
from api.i18n import both, text
from geo.errors import OptionInvalid
from geo.frames import Col, GridRole, JoinCase, Schema

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from geo.grid.locate import Join
    from geo.io import Note, Reading

commands = typer.Typer()

GridFile = Annotated[Path, typer.Option("--cells", help=both("cli.join.cells"))]
RoadsFile = Annotated[Path | None, typer.Option("--roads", help=both("cli.join.roads"))]
AuditFile = Annotated[Path | None, typer.Option("--audit", help=both("cli.join.audit"))]


@commands.command(help=both("cli.join"))
def join(
    file: Annotated[Path, typer.Argument(help=both("cli.join.file"))],
    layer: Annotated[str, typer.Option(help=both("cli.join.layer"))],
    cells: GridFile,
    boundaries: Boundaries,
    out: To,
    audit: AuditFile = None,
    roads: RoadsFile = None,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Give every point of a layer its basic grid, and list the doubtful ones."""
    with open_session(lang) as session:
        from geo.grid.locate import join_points  # noqa: PLC0415  heavy: loaded by its command only
        from geo.io.export import SUFFIXES  # noqa: PLC0415

        read = (file, cells, boundaries, roads)
        require_outputs({"--out": out, "--audit": audit}, suffixes=SUFFIXES, inputs=read)
        reader, schema = _layer(layer)
        basis = open_basis(session, boundaries, out, day=day, epsg=epsg, drop=drop)
        reading = basis.open(reader, file, datum=datum)
        points, areas = reading.frame, read_areas(basis, cells)
        require_inside(points, areas, source=file.name, boundary=cells.name)
        _check_datum(session, basis, reading, roads, file)
        unplaced = [one for one in reading.refused if one.code.startswith("refusal.position.")]
        joined = join_points(points, areas, key=schema.key).with_unplaced(
            [one.key or str(one.row) for one in unplaced]
        )
        _say_join(session, basis, joined, is_listed=audit is not None)
        layers: list[tuple[Any, Path, str]] = [
            (points.assign(**{Col.CELL_ID: joined.cell_id}), out, layer)
        ]
        if audit is not None:
            layers.append((joined.audit, audit, "join_audit"))
        finish(session, basis, layers)


@commands.command(help=both("cli.groups"))
def groups(
    cells: GridFile,
    buildings: Annotated[Path, typer.Option(help=both("cli.groups.buildings"))],
    boundaries: Boundaries,
    out: To,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Divide basic grids into groups of 10 to 30 households."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from geo.grid.groups import cut_groups, group_notes, measure_groups  # noqa: PLC0415
        from geo.io import read_buildings  # noqa: PLC0415
        from geo.io.export import SUFFIXES, TABLES  # noqa: PLC0415

        shapes = [suffix for suffix in SUFFIXES if suffix not in TABLES]
        require_outputs({"--out": out}, suffixes=shapes, inputs=(cells, buildings, boundaries))
        basis = open_basis(session, boundaries, out, day=day, epsg=epsg, drop=drop)
        reading = basis.open(read_buildings, buildings, datum=datum)
        homes = reading.frame
        if any(_lacks_households(note) for note in reading.notes):
            session.say("groups.no_column", source=buildings.name, n=f"{len(homes):,}")
        grids = _with_roles(read_areas(basis, cells), basis)
        with session.steps.step("groups") as progress:
            found = cut_groups(grids, homes, epsg=basis.epsg, progress=progress, stop=stop)
        _say_groups(session, found)
        for code, params in group_notes(measure_groups(found, data_date=basis.day)):
            session.say(code, **{name: _thousands(value) for name, value in params.items()})
        finish(session, basis, [(found, out, "groups")])


def _check_datum(
    session: Session, basis: Basis, reading: "Reading", roads: Path | None, file: Path
) -> None:
    """Compare the points with the streets under every datum; say so where nobody can tell."""
    from api.imports.check import check_datum  # noqa: PLC0415
    from geo.io import read_streets  # noqa: PLC0415

    if roads is None:
        session.say("join.datum.unknown", datum=reading.datum.value)
        return
    notes = check_datum(
        reading,
        streets=basis.read(read_streets, roads),
        boundaries=basis.boundaries,
        epsg=basis.epsg,
        source=file.name,
    )
    say_notes(session, as_findings(notes))


def _lacks_households(note: "Note") -> bool:
    return note.code == "note.default" and note.params.get("column") == Col.HOUSEHOLDS


def _say_groups(session: Session, groups: "gpd.GeoDataFrame") -> None:
    """Print how many groups are written, and which of them no share counts."""
    empty = int((groups[Col.HOUSEHOLDS] == 0).sum())
    session.say(
        "group.written",
        n=f"{len(groups):,}",
        cells=f"{groups[Col.CELL_ID].nunique():,}",
        empty=f"{empty:,}",
    )


def _thousands(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) else value


def _layer(name: str) -> "tuple[Callable[..., Reading], Schema]":
    """Return the reader and the schema of a layer of points.

    Reports of incidents are not among them: their points are snapped to streets, not kept.
    """
    from geo import frames, io  # noqa: PLC0415

    layers = {
        "venues": (io.read_venues, frames.VENUES),
        "stations": (io.read_stations, frames.STATIONS),
        "posts": (io.read_posts, frames.POSTS),
        "buildings": (io.read_buildings, frames.BUILDINGS),
    }
    if name not in layers:
        raise OptionInvalid(option="--layer", value=name, expected=", ".join(layers))
    return layers[name]


def _with_roles(areas: "gpd.GeoDataFrame", basis: Basis) -> "gpd.GeoDataFrame":
    """Return grids with what groups are made from: institutions tell themselves by their code."""
    from geo.boundary.code import INDEPENDENT_DIGITS  # noqa: PLC0415

    of_institution = areas[Col.CELL_ID].str.len() == INDEPENDENT_DIGITS
    role = of_institution.map({True: GridRole.INDEPENDENT.value, False: GridRole.BASIC.value})
    return areas.assign(
        **{
            Col.GRID_ROLE: role.astype("str"),
            Col.BOUNDARY_VERSION: basis.version,
            Col.SOURCE: basis.boundaries[Col.SOURCE].iloc[0],
        }
    )


def _say_join(session: Session, basis: Basis, joined: "Join", *, is_listed: bool) -> None:
    """Print how many points have a grid, how many are doubtful, and which of them have none."""
    session.say("join.matched", rate=joined.matched(**basis.of_rates))
    outside = joined.audit[joined.audit[Col.JOIN_CASE] == JoinCase.OUTSIDE]
    offered = int((outside[Col.NEAREST_ID] != "").sum())
    for case in JoinCase:
        if joined.count(case):
            session.say(
                f"join.case.{case.value}",
                n=f"{joined.count(case):,}",
                total=f"{joined.total:,}",
                offered=f"{offered:,}",
            )
    for one in outside.head(SHOWN).itertuples():
        point = one.geometry
        session.say("join.outside.row", id=one.point_id, lon=f"{point.x:.5f}", lat=f"{point.y:.5f}")
    if len(joined.audit) and not is_listed:
        session.say("join.how", n=f"{len(joined.audit):,}")
