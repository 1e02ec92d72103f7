"""The command that cuts basic grids, says why some are as they are, and scores them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.basis import Basis, Boundaries, DataDay, Epsg, To, finish, open_basis
from api.cli.session import Datum, Drop, Lang, Session, open_session
from api.console import stop_on_interrupt
from api.i18n import both, text
from geo.errors import OptionInvalid
from geo.frames import AliasCase, Col, CrossReason, GridReason, GridRole
from geo.rate import Rate

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo.grid import Cut, GridScore

commands = typer.Typer()

Table = Path | None


@commands.command(help=both("cli.grids"))
def grids(
    boundaries: Boundaries,
    streets: Annotated[Path, typer.Option(help=both("cli.grids.streets"))],
    buildings: Annotated[Path, typer.Option(help=both("cli.grids.buildings"))],
    out: To,
    water: Annotated[Table, typer.Option(help=both("cli.grids.water"))] = None,
    rail: Annotated[Table, typer.Option(help=both("cli.grids.rail"))] = None,
    old: Annotated[Table, typer.Option("--old", help=both("cli.grids.old"))] = None,
    reasons: Annotated[Table, typer.Option(help=both("cli.grids.reasons"))] = None,
    crossings: Annotated[Table, typer.Option(help=both("cli.grids.crossings"))] = None,
    scores: Annotated[Table, typer.Option(help=both("cli.grids.scores"))] = None,
    aliases: Annotated[Table, typer.Option(help=both("cli.grids.aliases"))] = None,
    target: Annotated[float, typer.Option(help=both("cli.grids.target"))] = 100.0,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Cut basic grids and score them."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from geo.grid import cut_grids, keep_codes, score_cells  # noqa: PLC0415  heavy

        if aliases is not None and old is None:
            raise OptionInvalid(option="--aliases", value=aliases, expected="--old beside it")
        basis = open_basis(session, boundaries, out, day=day, epsg=epsg, drop=drop)
        layers = _read(basis, streets, water, buildings, rail, datum)
        before = None if old is None else _old_cells(basis, old)
        with session.steps.step("grids") as progress:
            cut = cut_grids(
                basis.boundaries,
                layers["streets"],
                layers["water"],
                layers["buildings"],
                rail=layers["rail"],
                epsg=basis.epsg,
                target=target,
                progress=progress,
                stop=stop,
            )
        score = score_cells(
            cut.cells,
            basis.boundaries,
            layers["streets"],
            layers["water"],
            rail=layers["rail"],
            epsg=basis.epsg,
            data_date=basis.day,
        )
        _say_score(session, score)
        _say_exceptions(session, cut)
        written: list[tuple[Any, Path, str]] = [(cut.cells, out, "cells")]
        if before is not None:
            kept = keep_codes(cut.cells, before)
            written = [(kept.cells, out, "cells")]
            _say_kept(session, basis, kept.aliases)
            written += [(kept.aliases, aliases, "cell_aliases")] if aliases is not None else []
            cut = cut.renamed(kept.new_code)
        tables = {
            "grid_reasons": (cut.reasons, reasons),
            "grid_crossings": (cut.crossings, crossings),
            "grid_scores": (score.by_unit, scores),
        }
        written += [(frame, path, name) for name, (frame, path) in tables.items() if path]
        finish(session, basis, written)


def _read(
    basis: Basis, streets: Path, water: Table, buildings: Path, rail: Table, datum: str
) -> dict[str, Any]:
    """Return the layers; without a file water has no row and rail is None."""
    from geo.frames import WATER, empty_frame  # noqa: PLC0415
    from geo.io import read_buildings, read_streets, read_water  # noqa: PLC0415
    from geo.io.place_layers import read_rail  # noqa: PLC0415

    return {
        "streets": basis.read(read_streets, streets, datum=datum),
        "water": empty_frame(WATER)
        if water is None
        else basis.read(read_water, water, datum=datum),
        "buildings": basis.read(read_buildings, buildings, datum=datum),
        "rail": None if rail is None else basis.read(read_rail, rail, datum=datum),
    }


def _old_cells(basis: Basis, path: Path) -> "gpd.GeoDataFrame":
    """Return the cells of an earlier cut with what their codes say of their unit."""
    from geo.boundary.code import INDEPENDENT_DIGITS  # noqa: PLC0415
    from geo.io.place_layers import read_cell_areas  # noqa: PLC0415

    cells = basis.read(read_cell_areas, path)
    code = cells[Col.CELL_ID]
    role = (code.str.len() == INDEPENDENT_DIGITS).map(
        {True: GridRole.INDEPENDENT.value, False: GridRole.BASIC.value}
    )
    return cells.assign(
        **{
            Col.VILLAGE_CODE: code.str[:12],
            Col.TOWNSHIP_CODE: code.str[:9],
            Col.COUNTY_CODE: code.str[:6],
            Col.GRID_ROLE: role.astype("str"),
        }
    )


def _say_score(session: Session, score: "GridScore") -> None:
    """Print the four demands."""
    session.say(
        "grid.score.border",
        rate=score.on_streets,
        inner=score.inner_on_streets,
        allowed=score.inner_where_streets,
    )
    session.say(
        "grid.score.size",
        aim=score.in_aim,
        bound=score.in_bound,
        band=score.in_band,
        variation=f"{score.variation:.3f}",
    )
    session.say(
        "grid.score.cover",
        gap=f"{score.gap_area:,.2f}",
        overlap=f"{score.overlap_area:,.2f}",
        straddles=score.n_straddles,
    )
    session.say(
        "grid.score.care",
        whole=score.whole,
        mean=f"{score.compactness:.3f}",
        median=f"{score.median_compactness:.3f}",
        walk=f"{score.walk[0]:,.0f}",
        longest=f"{score.walk[1]:,.0f}",
    )


def _say_exceptions(session: Session, cut: "Cut") -> None:
    """Print how many grids lie outside the aim or over a main road, by reason."""
    for reason in GridReason:
        n = int((cut.reasons[Col.REASON] == reason).sum())
        if n:
            session.say(f"grid.reason.{reason.value}", n=f"{n:,}")
    for why in CrossReason:
        rows = cut.crossings[cut.crossings[Col.REASON] == why]
        if len(rows):
            km = f"{rows[Col.LENGTH].sum() / 1000:,.1f}"
            session.say(f"grid.crossing.{why.value}", n=f"{len(rows):,}", km=km)


def _say_kept(session: Session, basis: Basis, aliases: "pd.DataFrame") -> None:
    n = int((aliases[Col.ALIAS_CASE] == AliasCase.KEPT).sum())
    session.say("grid.alias.kept", rate=Rate(n=n, total=len(aliases), **basis.of_rates))
