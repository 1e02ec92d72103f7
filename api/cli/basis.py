"""What the commands on places share: boundaries, metric CRS, day, and how a file is read."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.cli.output import say_refused
from api.cli.session import (
    Session,
    as_findings,
    read_day,
    require_folder,
    say_notes,
    say_paths,
)
from api.i18n import both, listed, text
from geo.errors import OptionInvalid, OutsideBoundary
from geo.frames import Col, Level
from geo.units import UNSTATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd
    import pandas as pd

    from geo.io import Reading, Refusal

Boundaries = Annotated[Path, typer.Option(help=both("cli.place.boundaries"))]
To = Annotated[Path, typer.Option("--out", help=both("cli.place.out"))]
DataDay = Annotated[str | None, typer.Option("--date", help=both("cli.place.date"))]
Epsg = Annotated[int | None, typer.Option(help=both("cli.option.epsg"))]
Rules = Annotated[Path | None, typer.Option(help=both("cli.place.rules"))]
Cells = Annotated[Path | None, typer.Option(help=both("cli.place.cells"))]


INDEXES: Final = (".qix", ".sbn", ".sbx")
"""What describes a Shapefile that was replaced."""

CHUNK: Final = 1000
"""Rows looked at together when asking whether any of a layer lies inside."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What every figure rests on: the boundaries, the metric CRS, the day, how files are read.

    Attributes
    ----------
    open : callable
        (reader, path, **options) -> Reading: notes said, refused rows remembered, a layer of which
        nothing lies inside the boundaries refused.
    out : Path
        Result beside which the refused rows are listed.
    is_day_stated : bool
        False where today was taken.
    refused : list of Refusal
        Rows of all files read so far.
    credits : list of str
        Lines that everything made of these files prints: map number, notice of OpenStreetMap.
    """

    boundaries: "gpd.GeoDataFrame"
    epsg: int
    day: date
    version: str
    open: "Callable[..., Reading]"
    out: Path
    is_day_stated: bool = True
    refused: "list[Refusal]" = field(default_factory=list)
    credits: "list[str]" = field(default_factory=list)

    def read(self, reader: "Callable[..., Reading]", path: Path, **options: Any) -> Any:
        """Return the frame of a file."""
        return self.open(reader, path, **options).frame

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
    refused: list[Refusal] = []
    lines: list[str] = []
    units: Any = None

    def open_file(reader: "Callable[..., Reading]", path: Path, **options: Any) -> "Reading":
        reading = reader(path, drop=names, **options)
        say_notes(session, as_findings(reading.notes))
        refused.extend(reading.refused)
        lines.extend(line for line in reading.attribution if line not in lines)
        if units is not None:
            require_inside(reading.frame, units, source=path.name, boundary=boundaries.name)
        return reading

    units = open_file(read_boundaries, boundaries, version=UNSTATED).frame
    metric = int(units.estimate_utm_crs().to_epsg()) if epsg is None else epsg
    if not is_metric_for(metric, shapely.box(*units.total_bounds)):
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.METRIC_CRS)
    return Basis(
        units,
        metric,
        data_day,
        version_of(units),
        open=open_file,
        out=out,
        is_day_stated=day is not None,
        refused=refused,
        credits=lines,
    )


def require_inside(frame: Any, units: "gpd.GeoDataFrame", *, source: str, boundary: str) -> None:
    """Refuse a layer of which nothing lies where the units are.

    Parameters
    ----------
    frame : GeoDataFrame, or DataFrame that lies nowhere
    units : GeoDataFrame
        Areas in EPSG:4326.
    source, boundary : str
        Names of the two files.

    Raises
    ------
    OutsideBoundary
    """
    import geopandas as gpd  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    if not isinstance(frame, gpd.GeoDataFrame):
        return
    placed = frame.geometry.to_numpy()
    placed = placed[~shapely.is_missing(placed)]
    tree = shapely.STRtree(units.geometry.to_numpy())
    for begin in range(0, len(placed), CHUNK):
        if tree.query(placed[begin : begin + CHUNK], predicate="intersects").size:
            return
    if len(placed):
        raise OutsideBoundary(source=source, n=f"{len(placed):,}", boundary=boundary)


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
    say_basis(session, basis)
    lines = (audience_word(session, audience),) if audience else ()
    for line in lines:
        session.say("place.audience", audience=line)
    paths = _write_all(layers, (*lines, *basis.credits))
    say_refused(session, basis.refused, beside=basis.out)
    say_paths(session, paths)


def say_basis(session: Session, basis: Basis) -> None:
    """Print the day of the data and the version of the boundaries; what is not stated is said."""
    stated = basis.is_day_stated
    day = basis.day if stated else text("cli.place.today", session.lang, day=basis.day)
    session.say("cli.place.basis", day=day, version=version_word(session, basis.version))


def _write_all(layers: "Iterable[tuple[Any, Path, str]]", lines: tuple[str, ...]) -> list[Path]:
    """Write every layer beside its place first: a fault in one leaves all places as they were."""
    from geo.io.export import write_file  # noqa: PLC0415
    from geo.io.write import staging  # noqa: PLC0415

    paths: list[Path] = []
    with ExitStack() as stack:
        for frame, path, layer in layers:
            path.absolute().parent.mkdir(parents=True, exist_ok=True)
            stage = stack.enter_context(staging(path.absolute().parent))
            made = write_file(frame, stage / path.name, layer=layer, attribution=lines)
            paths += [path.parent / file.name for file in made]
    for path in paths:
        if path.suffix == ".shp":
            for index in INDEXES:
                path.with_suffix(index).unlink(missing_ok=True)
    return paths


def audience_word(session: Session, audience: str) -> str:
    """Return an audience in the reader's language."""
    return text(f"export.audience.{audience}", session.lang)


def level_word(session: Session, level: Level | str) -> str:
    """Return a level in the reader's language."""
    return text(f"street.level.{level}", session.lang)


def version_word(session: Session, *versions: str) -> str:
    """Return versions of boundaries as they are printed: one that is not stated is said to be so.

    Parameters
    ----------
    *versions : str
        `UNSTATED` where a layer names none.
    """
    words = (text("cli.place.unstated", session.lang) if v == UNSTATED else v for v in versions)
    return str(listed(tuple(words), session.lang))
