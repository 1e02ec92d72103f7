"""What the commands on places share: boundaries, metric CRS, day, and how a file is read."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.session import (
    Session,
    as_findings,
    read_day,
    require_folder,
    say_notes,
    say_paths,
)
from api.i18n import both, text
from geo.errors import OptionInvalid
from geo.frames import Col, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd
    import pandas as pd

    from geo.io import Reading

Boundaries = Annotated[Path, typer.Option(help=both("cli.place.boundaries"))]
To = Annotated[Path, typer.Option("--out", help=both("cli.place.out"))]
DataDay = Annotated[str | None, typer.Option("--date", help=both("cli.place.date"))]
Epsg = Annotated[int | None, typer.Option(help=both("cli.option.epsg"))]
Rules = Annotated[Path | None, typer.Option(help=both("cli.place.rules"))]
Cells = Annotated[Path | None, typer.Option(help=both("cli.place.cells"))]


@dataclass(frozen=True, slots=True)
class Basis:
    """What every figure rests on: the boundaries, the metric CRS, the day, how files are read."""

    boundaries: "gpd.GeoDataFrame"
    epsg: int
    day: date
    version: str
    read: "Callable[..., Any]"

    @property
    def of_rates(self) -> dict[str, Any]:
        """Keywords of every function that returns a rate."""
        return {"data_date": self.day, "boundary_version": self.version}


def open_basis(
    session: Session, boundaries: Path, out: Path, *, day: str | None, epsg: int | None, drop: str
) -> Basis:
    """Read the boundaries, and refuse a place for the results before any work is done."""
    import shapely  # noqa: PLC0415  heavy: loaded by the commands only

    from geo.boundary import version_of  # noqa: PLC0415
    from geo.crs import is_metric_for  # noqa: PLC0415
    from geo.io import read_boundaries  # noqa: PLC0415
    from geo.io.hints import Hint  # noqa: PLC0415

    require_folder(out.absolute().parent)
    data_day = read_day(day)
    names = tuple(name.strip() for name in drop.split(",") if name.strip())

    def read(reader: "Callable[..., Reading]", path: Path, **options: Any) -> Any:
        reading = reader(path, drop=names, **options)
        _say_reading(session, reading)
        return reading.frame

    units = read(read_boundaries, boundaries, version=f"{data_day:%Y-%m}")
    metric = int(units.estimate_utm_crs().to_epsg()) if epsg is None else epsg
    if not is_metric_for(metric, shapely.box(*units.total_bounds)):
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.METRIC_CRS)
    return Basis(units, metric, data_day, version_of(units), read)


def _say_reading(session: Session, reading: "Reading") -> None:
    """Print what a reader noted and refused, on standard error."""
    say_notes(session, as_findings(reading.notes))
    if reading.refused:
        first = reading.refused[0]
        reason = text(first.code, session.lang, **first.params)
        said = text(
            "cli.place.refused",
            session.lang,
            source=first.source,
            n=len(reading.refused),
            row=first.row,
            column=first.column,
            reason=reason,
        )
        session.err.print(said, markup=False)


def read_areas(basis: Basis, cells: Path | None) -> "gpd.GeoDataFrame":
    """Return the grids of a file, or the finest units of the boundaries in their place."""
    from geo.boundary import lowest_units  # noqa: PLC0415
    from geo.io.place_layers import read_cell_areas  # noqa: PLC0415

    if cells is not None:
        return basis.read(read_cell_areas, cells)
    units = lowest_units(basis.boundaries).reset_index(drop=True)
    return units[[Col.CODE, Col.GEOMETRY]].rename(columns={Col.CODE: Col.CELL_ID})


def with_shapes(table: "pd.DataFrame", areas: "gpd.GeoDataFrame", out: Path) -> Any:
    """Return a table by grid with the grids' outlines where the format has room for them."""
    from geo.io.export import TABLES  # noqa: PLC0415

    if out.suffix.lower() in TABLES:
        return table
    return areas.merge(table, on=Col.CELL_ID, how="left")


def finish(
    session: Session,
    basis: Basis,
    layers: "Iterable[tuple[Any, Path, str]]",
    *,
    audience: str = "",
) -> None:
    """Write the layers and print what the figures rest on.

    Parameters
    ----------
    layers : iterable of (frame, path, name of the layer)
    audience : str
        For whom the files are; printed, and kept inside formats that have room for it.
    """
    from geo.io.export import write_file  # noqa: PLC0415

    session.say("cli.place.basis", day=basis.day, version=basis.version)
    lines = (audience_word(session, audience),) if audience else ()
    for line in lines:
        session.say("place.audience", audience=line)
    paths: list[Path] = []
    for frame, path, layer in layers:
        paths += write_file(frame, path, layer=layer, attribution=lines)
    say_paths(session, paths)


def audience_word(session: Session, audience: str) -> str:
    """Return an audience in the reader's language."""
    return text(f"export.audience.{audience}", session.lang)


def level_word(session: Session, level: Level | str) -> str:
    """Return a level in the reader's language."""
    return text(f"street.level.{level}", session.lang)
