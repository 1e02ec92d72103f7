"""Commands on streets by grid, place layers and night zones."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.cli.basis import (
    Basis,
    Boundaries,
    Cells,
    DataDay,
    Epsg,
    Rules,
    To,
    finish,
    open_basis,
    read_areas,
    require_inside,
    with_shapes,
)
from api.cli.output import require_outputs
from api.cli.session import Datum, Drop, Lang, Session, open_session
from api.i18n import both, text
from geo.errors import OptionInvalid, ValueInvalid
from geo.frames import STREETS, Col, JunctionKind, Level

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo.io import Reading
    from geo.street.audit import StreetAudit

commands = typer.Typer()

LEVELS: Final = (Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE)


@commands.command("street-audit", help=both("cli.street_audit"))
def street_audit(
    roads: Annotated[Path, typer.Argument(help=both("cli.street_audit.roads"))],
    boundaries: Boundaries,
    out: To,
    cells: Cells = None,
    junctions: Annotated[Path | None, typer.Option(help=both("cli.street_audit.junctions"))] = None,
    water: Annotated[Path | None, typer.Option(help=both("cli.street_audit.water"))] = None,
    rail: Annotated[Path | None, typer.Option(help=both("cli.street_audit.rail"))] = None,
    crossings: Annotated[Path | None, typer.Option(help=both("cli.street_audit.crossings"))] = None,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Count unnamed streets and doubtful junctions by grid."""
    with open_session(lang) as session:
        from geo.io import read_streets  # noqa: PLC0415  heavy: loaded by its command only
        from geo.io.export import SUFFIXES  # noqa: PLC0415
        from geo.street.audit import audit_streets  # noqa: PLC0415

        outs = {"--out": out, "--junctions": junctions, "--crossings": crossings}
        read = (roads, boundaries, cells, water, rail)
        require_outputs(outs, suffixes=SUFFIXES, inputs=read)
        _refuse_streets(water)
        basis = open_basis(session, boundaries, out, day=day, epsg=epsg, drop=drop)
        streets = basis.read(read_streets, roads, datum=datum)
        areas = read_areas(basis, cells)
        if cells is not None:
            require_inside(streets, areas, source=roads.name, boundary=cells.name)
        found = audit_streets(streets, areas, epsg=basis.epsg, **basis.of_rates)
        _say_audit(session, found, roads.name, has_names=bool((streets[Col.NAME] != "").any()))
        layers = [(with_shapes(found.by_cell, areas, out), out, "street_audit")]
        if junctions is not None:
            layers.append((found.junctions, junctions, "junctions"))
        if water is not None or rail is not None:
            met = _cross(session, basis, streets, water, rail)
            layers += [] if crossings is None else [(met, crossings, "crossings")]
        finish(session, basis, layers)


@commands.command("place-coverage", help=both("cli.place_coverage"))
def place_coverage(
    layer: Annotated[str, typer.Argument(help=both("cli.place_coverage.layer"))],
    file: Annotated[Path, typer.Argument(help=both("cli.place_coverage.file"))],
    boundaries: Boundaries,
    audience: Annotated[str, typer.Option(help=both("cli.place_coverage.audience"))],
    out: To,
    level: Annotated[str, typer.Option(help=both("cli.place_coverage.level"))] = "township",
    cells: Cells = None,
    buildings: Annotated[
        Path | None, typer.Option(help=both("cli.place_coverage.buildings"))
    ] = None,
    within: Annotated[float, typer.Option(min=1, help=both("cli.place_coverage.within"))] = 1000,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Count the units and homes that a place layer covers."""
    with open_session(lang) as session:
        from geo.io.export import TABLES  # noqa: PLC0415

        read = (file, boundaries, cells, buildings)
        require_outputs({"--out": out}, suffixes=TABLES, inputs=read)
        _require_layer(layer, audience)
        wanted = _one_of("--level", level, [one.value for one in LEVELS])
        basis = open_basis(session, boundaries, out, day=day, epsg=epsg, drop=drop)
        if layer == "camera_counts":
            table = _cover_cameras(session, basis, file, cells)
        else:
            places = basis.read(_reader(layer), file, datum=datum)
            table = _cover_units(session, basis, places, Level(wanted))
            if buildings is not None:
                _cover_homes(session, basis, places, buildings, within)
        finish(session, basis, [(table, out, layer)], audience=audience)


@commands.command("night-zones", help=both("cli.night_zones"))
def night_zones(
    venues: Annotated[Path, typer.Argument(help=both("cli.night_zones.venues"))],
    boundaries: Boundaries,
    out: To,
    drawn: Annotated[Path | None, typer.Option(help=both("cli.night_zones.drawn"))] = None,
    rules: Rules = None,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Propose night-economy zones, or count the venues in those drawn by hand."""
    with open_session(lang) as session:
        from geo.io import read_venues  # noqa: PLC0415
        from geo.io.export import SUFFIXES, TABLES  # noqa: PLC0415
        from geo.io.place_layers import read_night_zones  # noqa: PLC0415
        from geo.io.resources import read_night_rules, shipped_night_rules  # noqa: PLC0415
        from geo.place import count_late_venues, late_venues, propose_zones  # noqa: PLC0415
        from geo.rate import Rate  # noqa: PLC0415

        shapes = [suffix for suffix in SUFFIXES if suffix not in TABLES]
        read = (venues, boundaries, drawn, rules)
        require_outputs({"--out": out}, suffixes=shapes, inputs=read)
        basis = open_basis(session, boundaries, out, day=day, epsg=epsg, drop=drop)
        night = shipped_night_rules() if rules is None else read_night_rules(rules)
        places = basis.read(read_venues, venues, datum=datum)
        if drawn is None:
            zones = propose_zones(places, night, epsg=basis.epsg, source="proposed")
        else:
            zones = basis.read(read_night_zones, drawn, datum=datum)
            zones = count_late_venues(zones, places, night, epsg=basis.epsg)
        is_late, is_inside = late_venues(zones, places, night, epsg=basis.epsg)
        rate = Rate(n=int((is_late & is_inside).sum()), total=int(is_late.sum()), **basis.of_rates)
        session.say("zone.summary", n=f"{len(zones):,}", rate=rate, version=night.version)
        if drawn is None:
            session.say("zone.proposed")
        finish(session, basis, [(zones, out, "night_zones")])


def _say_audit(session: Session, found: "StreetAudit", source: str, *, has_names: bool) -> None:
    """Print the figures of streets by grid, and what the file written holds."""
    sums = found.by_cell.iloc[:, 1:].sum()
    if has_names:
        session.say("street.unnamed", segments=found.unnamed, metres=found.unnamed_metres)
        session.say("street.unnamed.cells", cells=found.with_unnamed)
    else:
        session.say("street.no_names", source=source, n=f"{found.unnamed.total:,}")
    outside = found.by_cell.loc[found.by_cell[Col.CELL_ID] == "", Col.N_SEGMENTS].sum()
    session.say(
        "street.grids",
        n=f"{len(found.by_cell) - 1:,}",
        with_streets=f"{found.with_unnamed.total:,}",
        outside=f"{int(outside):,}",
        segments=f"{int(sums[Col.N_SEGMENTS]):,}",
    )
    through = (found.junctions[Col.KIND] == JunctionKind.THROUGH.value).sum()
    session.say(
        "street.junctions",
        total=f"{len(found.junctions):,}",
        ends=f"{int(sums['n_dead_ends']):,}",
        uncut=f"{int(sums['n_uncut']):,}",
        short=f"{int(sums['n_short']):,}",
        through=f"{int(through):,}",
    )


def _refuse_streets(water: Path | None) -> None:
    """Refuse streets where water is asked.

    Raises
    ------
    OptionInvalid
    """
    from geo.io.hints import Hint  # noqa: PLC0415
    from geo.io.place_layers import line_layer  # noqa: PLC0415

    if water is not None and line_layer(water) == STREETS.layer:
        raise OptionInvalid(option="--water", value=water.name, expected=Hint.NOT_STREETS)


def _cross(
    session: Session,
    basis: Basis,
    streets: "gpd.GeoDataFrame",
    water: Path | None,
    rail: Path | None,
) -> "gpd.GeoDataFrame":
    """Say how many crossings of water and rail are bridges, of all."""
    from geo.frames import RAIL, WATER, empty_frame  # noqa: PLC0415
    from geo.io import read_water  # noqa: PLC0415
    from geo.io.place_layers import read_rail  # noqa: PLC0415
    from geo.rate import Rate  # noqa: PLC0415
    from geo.street import find_crossings  # noqa: PLC0415

    streams = empty_frame(WATER) if water is None else basis.read(read_water, water)
    tracks = empty_frame(RAIL) if rail is None else basis.read(read_rail, rail)
    met = find_crossings(streets, streams, tracks)
    for crossed, path in (("water", water), ("rail", rail)):
        if path is not None:
            bridge = met.loc[met[Col.CROSSES] == crossed, Col.BRIDGE]
            rate = Rate(n=int(bridge.sum()), total=len(bridge), **basis.of_rates)
            session.say(f"street.crossings.{crossed}", rate=rate)
    return met


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise OptionInvalid(option=option, value=value, expected=", ".join(known))
    return value


def _require_layer(layer: str, audience: str) -> None:
    """Refuse an unknown layer, and an audience that may not see it."""
    from geo.place import require_audience  # noqa: PLC0415
    from geo.privacy import Audience  # noqa: PLC0415

    _one_of("LAYER", layer, ("service_points", "parking", "hazards", "camera_counts"))
    known = _one_of("--audience", audience, [one.value for one in Audience])
    require_audience(layer, Audience(known))


def _reader(layer: str) -> "Callable[..., Reading]":
    from geo.io import place_layers  # noqa: PLC0415

    return {
        "service_points": place_layers.read_service_points,
        "parking": place_layers.read_parking,
        "hazards": place_layers.read_hazards,
    }[layer]


def _cover_units(
    session: Session, basis: Basis, places: "gpd.GeoDataFrame", level: Level
) -> "pd.DataFrame":
    from geo.place import ANY, cover_units  # noqa: PLC0415

    cover = cover_units(places, basis.boundaries, level=level, epsg=basis.epsg, **basis.of_rates)
    session.say("place.covered.any", rate=cover.rates[ANY])
    for kind, rate in cover.rates.items():
        if kind != ANY:
            session.say("place.covered.kind", kind=_kind(session, kind), rate=rate)
    if cover.elsewhere:
        n, total = f"{cover.elsewhere:,}", f"{len(places):,}"
        session.say("place.elsewhere", n=n, total=total)
    return cover.units


def _cover_homes(
    session: Session, basis: Basis, places: "gpd.GeoDataFrame", buildings: Path, within: float
) -> None:
    from geo.io import read_buildings  # noqa: PLC0415
    from geo.place import cover_homes  # noqa: PLC0415

    homes = basis.read(read_buildings, buildings)
    rate = cover_homes(places, homes, within=within, epsg=basis.epsg, **basis.of_rates)
    session.say("place.homes", within=f"{within:g}", rate=rate)


def _cover_cameras(
    session: Session, basis: Basis, file: Path, cells: Path | None
) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415

    from geo.io.hints import Hint  # noqa: PLC0415
    from geo.io.place_layers import read_camera_counts  # noqa: PLC0415
    from geo.place import cover_cells, unknown_cells  # noqa: PLC0415

    counts, areas = basis.read(read_camera_counts, file), read_areas(basis, cells)
    strangers = unknown_cells(counts, areas)
    if len(strangers) == len(counts):
        raise ValueInvalid(
            source=file.name,
            row=1,
            column=Col.CELL_ID,
            value=counts[Col.CELL_ID].iloc[0],
            expected=Hint.KNOWN_CELL,
        )
    stated, covered = cover_cells(counts, areas, column=Col.N_CAMERAS, **basis.of_rates)
    session.say("place.cells.stated", stated=stated, covered=covered)
    if len(strangers):
        n, total = f"{len(strangers):,}", f"{len(counts):,}"
        session.say("place.cells.unknown", n=n, total=total)
    return pd.DataFrame(counts)


def _kind(session: Session, kind: str) -> str:
    """Return a kind of any place layer in the reader's language."""
    from geo.frames import HazardKind, ParkingKind, ServiceKind  # noqa: PLC0415

    names = {"service_kind": ServiceKind, "parking_kind": ParkingKind, "hazard_kind": HazardKind}
    for name, words in names.items():
        if kind in [word.value for word in words]:
            return text(f"word.{name}.{kind}", session.lang)
    return kind
