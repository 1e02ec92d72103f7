"""The command that cuts basic grids, says why some are as they are, and scores them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.basis import Basis, Boundaries, DataDay, Epsg, To, finish, open_basis
from api.cli.output import require_outputs
from api.cli.session import Datum, Drop, Lang, Session, open_session, say_paths
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
    page: Annotated[Table, typer.Option(help=both("cli.grids.page"))] = None,
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

        tables = {
            "--reasons": reasons,
            "--crossings": crossings,
            "--scores": scores,
            "--aliases": aliases,
        }
        _require_outputs(
            out, tables, page, inputs=(boundaries, streets, buildings, water, rail, old)
        )
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
        for code, params in score.figures():
            session.say(code, **params)
        _say_exceptions(session, cut)
        written: list[tuple[Any, Path, str]] = [(cut.cells, out, "cells")]
        if before is not None:
            kept = keep_codes(cut.cells, before)
            written = [(kept.cells, out, "cells")]
            _say_kept(session, basis, kept.aliases)
            written += [(kept.aliases, aliases, "cell_aliases")] if aliases is not None else []
            cut = cut.renamed(kept.new_code)
        named = {
            "grid_reasons": (cut.reasons, reasons),
            "grid_crossings": (cut.crossings, crossings),
            "grid_scores": (score.by_unit, scores),
        }
        written += [(frame, path, name) for name, (frame, path) in named.items() if path]
        finish(session, basis, written)
        if page is not None:
            _draw(session, cut, basis, score, page)


def _require_outputs(
    out: Path, tables: dict[str, Table], page: Table, *, inputs: tuple[Table, ...]
) -> None:
    from geo.io.export import SUFFIXES, TABLES  # noqa: PLC0415

    areas = [suffix for suffix in SUFFIXES if suffix not in TABLES]
    suffixes = {"--out": areas, "--page": [".html"], **dict.fromkeys(tables, TABLES)}
    require_outputs({"--out": out, **tables, "--page": page}, suffixes=suffixes, inputs=inputs)


def _draw(session: Session, cut: "Cut", basis: Basis, score: "GridScore", page: Path) -> None:
    from api.maps import write_theme  # noqa: PLC0415
    from api.maps.themes import grids_theme  # noqa: PLC0415
    from geo.privacy import Audience  # noqa: PLC0415

    theme = grids_theme(
        cut.cells,
        cut.reasons,
        basis.boundaries,
        figures=score.figures(),
        data_date=basis.day if basis.is_day_stated else None,
        attribution=basis.credits,
    )
    write_theme(theme, page, audience=Audience.COMMAND, lang=session.lang)
    say_paths(session, [page])


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
