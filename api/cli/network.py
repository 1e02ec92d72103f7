"""The command that makes a city's network file: streets cleaned once, hierarchy ordered once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.cli.basis import DataDay, Epsg
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
from api.i18n.word import Word
from geo.errors import OptionInvalid

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.io import Reading
    from routing.io.network_file import NetworkFile

commands = typer.Typer()

NETWORK_SUFFIX: Final = ".npz"
"""What the name of a network file ends in."""


@commands.command(help=both("cli.network"))
def network(
    streets: Annotated[Path, typer.Argument(help=both("cli.network.streets"))],
    out: Annotated[Path, typer.Option(help=both("cli.network.out"))],
    profile: Annotated[Path | None, typer.Option(help=both("cli.network.profile"))] = None,
    join: Annotated[float | None, typer.Option(help=both("cli.network.join"))] = None,
    outside: Annotated[Path | None, typer.Option(help=both("cli.network.outside"))] = None,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Clean streets into one file that a plan starts from at once."""
    with open_session(lang) as session:
        from geo.io import read_streets  # noqa: PLC0415  heavy: loaded by its command only
        from geo.io.export import SHAPES, write_file  # noqa: PLC0415
        from routing.io.network_file import write_network  # noqa: PLC0415
        from routing.network import outside_streets  # noqa: PLC0415

        require_outputs(
            {"--out": out, "--outside": outside},
            suffixes={"--out": (NETWORK_SUFFIX,), "--outside": SHAPES},
            inputs=(streets, profile),
        )
        _require_join(join)
        names = tuple(name.strip() for name in drop.split(",") if name.strip())
        with session.steps.step("read"):
            reading = read_streets(streets, datum=datum, drop=names)
        say_notes(session, as_findings(reading.notes))
        file = _make(session, reading, streets.name, profile, join=join, epsg=epsg, day=day)
        left = outside_streets(reading.frame, file.network)
        _say_report(session, file, reading.frame, left)
        paths = [out]
        write_network(out, file)
        if outside is not None and len(left):
            paths += write_file(left, outside, layer="outside", attribution=reading.attribution)
        say_refused(session, reading.refused, beside=out)
        say_paths(session, paths)
        if reading.refused:
            raise typer.Exit(EXIT_REFUSED)


def _require_join(join: float | None) -> None:
    """Refuse a gap to join over before the streets are read."""
    from routing.network.join import FARTHEST  # noqa: PLC0415  heavy: loaded by its command only

    if join is not None and not 0.0 < join <= FARTHEST:
        expected = Word("network.wanted.join", {"most": f"{FARTHEST:.0f}"})
        raise OptionInvalid(option="--join", value=f"{join:g}", expected=expected)


def _make(
    session: Session,
    reading: "Reading",
    source: str,
    profile: Path | None,
    *,
    join: float | None,
    epsg: int | None,
    day: str | None,
) -> "NetworkFile":
    """Build network and hierarchy."""
    import shapely  # noqa: PLC0415

    from geo.crs import is_metric_for  # noqa: PLC0415
    from geo.io.hints import Hint  # noqa: PLC0415
    from routing.io.network_file import NetworkFile, streets_digest  # noqa: PLC0415
    from routing.io.profiles import read_profile, shipped_profile  # noqa: PLC0415
    from routing.network import build_network  # noqa: PLC0415
    from routing.travel import Travel  # noqa: PLC0415

    frame = reading.frame
    metric = int(frame.estimate_utm_crs().to_epsg()) if epsg is None else epsg
    if not is_metric_for(metric, shapely.box(*frame.total_bounds)):
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.METRIC_CRS)
    speeds = shipped_profile() if profile is None else read_profile(profile)
    with session.steps.step("network"):
        made, report = build_network(frame, epsg=metric, profile=speeds, source=source, join=join)
        topology = Travel(made).topology
    return NetworkFile(
        network=made,
        topology=topology,
        report=report,
        source=source,
        data_date=read_day(day),
        streets=streets_digest(frame),
        is_day_stated=day is not None,
    )


def _say_report(
    session: Session,
    file: "NetworkFile",
    streets: "gpd.GeoDataFrame",
    left: "gpd.GeoDataFrame",
) -> None:
    """Print what is kept, what is left out and why, and the roads without a name by class."""
    from geo.frames import Col  # noqa: PLC0415
    from geo.street import unnamed_roads  # noqa: PLC0415
    from routing.network import Outside  # noqa: PLC0415

    made, version = file.network, text("cli.place.unstated", session.lang)
    session.say(
        "network.kept",
        nodes=f"{made.n_nodes:,}",
        n=f"{made.n_segments:,}",
        total=f"{len(streets):,}",
        km=f"{made.length.sum() / 1000:,.1f}",
    )
    say_notes(session, file.report.findings())
    for reason in Outside:
        n = int((left[Col.REASON] == reason.value).sum())
        if n:
            session.say(f"network.outside.{reason}", n=f"{n:,}", total=f"{len(streets):,}")
    rates = unnamed_roads(streets, data_date=file.data_date, boundary_version=version)
    has_names = rates["all"].n < rates["all"].total
    for name, rate in rates.items() if has_names else [("all", rates["all"])]:
        word = text(f"word.street_class.{name}", session.lang)
        session.say("network.unnamed.class", word=word, rate=rate)
    stated = file.data_date
    today = stated if file.is_day_stated else text("cli.place.today", session.lang, day=stated)
    session.say("cli.place.basis", day=today, version=version)
