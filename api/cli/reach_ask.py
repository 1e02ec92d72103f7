"""What the commands on who is reached stand on: streets, hours, closures, stations, targets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from api.cli.basis import Basis
from api.cli.roads import PlaceFile, closure_figures, keep_near, rows_kept
from api.cli.session import Session, read_day
from geo.errors import OptionInvalid
from geo.frames import Col, StationKind, Target
from geo.units import SYNTHETIC

if TYPE_CHECKING:
    import geopandas as gpd

    from api.maps.theme import Said
    from routing.hierarchy import Topology
    from routing.model import Mode, Place, Shift
    from routing.network import Network, TimeBand
    from routing.travel import Travel
    from routing.travel.coverage import Departures, Targets

NETWORK_SUFFIX: Final = ".npz"
"""What the name of a network file ends in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What both commands are asked about travel.

    Attributes
    ----------
    streets : Path
        Streets, or a network file.
    stations : Path
    layers : dict of Target to Path
        What is to be reached.
    mode, band, kinds, datum : str
        As written; the band of the shift where none is.
    profile, closures : Path, optional
    span : Shift
        Hours at which closures count.
    """

    streets: Path
    stations: Path
    layers: dict[Target, Path | None]
    mode: str
    band: str
    kinds: str
    datum: str
    profile: Path | None
    closures: Path | None
    span: "Shift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What both commands stand on.

    Attributes
    ----------
    stations : GeoDataFrame
        STATIONS frame, those asked for.
    streets : GeoDataFrame, optional
        STREETS frame; None where a network file was given.
    departures : Departures
    targets : list of Targets
    is_synthetic : bool
    closures : list of (code, params)
        What is said of the closures that hold.
    """

    stations: "gpd.GeoDataFrame"
    streets: "gpd.GeoDataFrame | None"
    departures: "Departures"
    targets: "list[Targets]"
    is_synthetic: bool
    closures: "list[Said]"


def span_of(night: str | None, clock: str) -> "Shift":
    """Return the hours at which closures count."""
    from routing.pipeline import shift_from  # noqa: PLC0415  heavy: loaded by the commands only

    try:
        return shift_from(read_day(night), clock)
    except OptionInvalid as error:
        if error.params["option"] != "--date":
            raise
        raise OptionInvalid(**{**error.params, "option": "--night"}) from error


def metric_of(streets: Path, epsg: int | None) -> int | None:
    """Return the metric CRS: a network file has its own."""
    if streets.suffix.lower() != NETWORK_SUFFIX:
        return epsg
    from routing.io.network_file import read_network  # noqa: PLC0415

    own = read_network(streets)[0].epsg
    if epsg not in {None, own}:
        raise OptionInvalid(option="--epsg", value=epsg, expected=own)
    return own


def open_ground(session: Session, basis: Basis, asked: Asked) -> Ground:
    """Read everything, and make the network ready to be asked."""
    from geo.io import read_buildings, read_venues  # noqa: PLC0415
    from routing.model import Mode  # noqa: PLC0415
    from routing.network import TimeBand  # noqa: PLC0415
    from routing.travel.coverage import Departures, all_venues, homes  # noqa: PLC0415

    mode = _word(Mode, asked.mode, "--mode")
    band = _word(TimeBand, asked.band, "--band") if asked.band else None
    frame, travel = _travel(session, basis, asked, mode, band)
    stations, places = _near(session, basis, asked, travel)
    made = {Target.HOUSEHOLDS: (read_buildings, homes), Target.VENUES: (read_venues, all_venues)}
    targets, read = [], [stations, *([] if frame is None else [frame])]
    for target, path in asked.layers.items():
        if path is not None:
            reader, make = made[target]
            read.append(basis.read(reader, path, datum=asked.datum))
            targets.append(make(read[-1]))
    source = asked.stations.name
    return Ground(
        stations=stations,
        streets=frame,
        departures=Departures(travel=travel, places=places, mode=mode, source=source),
        targets=targets,
        is_synthetic=any(bool((one[Col.SOURCE] == SYNTHETIC).any()) for one in read),
        closures=closure_figures(travel.conditions),
    )


def _travel(
    session: Session, basis: Basis, asked: Asked, mode: "Mode", band: "TimeBand | None"
) -> "tuple[gpd.GeoDataFrame | None, Travel]":
    """Return the streets, where they are no network file, and travel on them as asked."""
    from geo.io.closures import read_closures  # noqa: PLC0415
    from routing.network import conditions_at  # noqa: PLC0415
    from routing.travel import Travel  # noqa: PLC0415

    frame, network, topology = _network(session, basis, asked)
    start, length = asked.span.start, asked.span.length
    conditions = None
    if asked.closures is not None:
        held = basis.read(read_closures, asked.closures, datum=asked.datum)
        conditions = conditions_at(network, held, start=start, length=length)
    return frame, Travel(
        network,
        (mode,),
        topology=topology,
        band=band or network.profile.band_of(start, length),
        conditions=conditions,
    )


def _network(
    session: Session, basis: Basis, asked: Asked
) -> "tuple[gpd.GeoDataFrame | None, Network, Topology | None]":
    """Return the network of a network file, or streets and the network cleaned from them."""
    from geo.io import read_streets  # noqa: PLC0415
    from routing.io.network_file import Hint, read_network  # noqa: PLC0415
    from routing.io.profiles import read_profile, shipped_profile  # noqa: PLC0415
    from routing.network import build_network  # noqa: PLC0415

    given = asked.profile
    if asked.streets.suffix.lower() == NETWORK_SUFFIX:
        if given is not None:
            raise OptionInvalid(option="--profile", value=given.name, expected=Hint.WITH_NETWORK)
        return None, *read_network(asked.streets)
    speeds = shipped_profile() if given is None else read_profile(given)
    frame = basis.read(read_streets, asked.streets, datum=asked.datum)
    with session.steps.step("network"):
        network, _ = build_network(
            frame, epsg=basis.epsg, profile=speeds, source=asked.streets.name
        )
    return frame, network, None


def _near(
    session: Session, basis: Basis, asked: Asked, travel: "Travel"
) -> "tuple[gpd.GeoDataFrame, list[Place]]":
    """Return the stations asked for that the roads reach, as frame and places."""
    from geo.io import read_stations  # noqa: PLC0415
    from routing.model import Place  # noqa: PLC0415
    from routing.travel import REACH_M  # noqa: PLC0415

    path = asked.stations
    frame = basis.read(read_stations, path, datum=asked.datum)
    rows = rows_kept(basis.refused, path.name, len(frame))
    chosen = _of_kinds(frame, asked.kinds)
    columns = zip(chosen[Col.STATION_ID], chosen[Col.NAME], chosen.geometry, strict=True)
    places = [Place(place_id=i, name=n, lon=p.x, lat=p.y) for i, n, p in columns]
    file = PlaceFile(source=path.name, datum=asked.datum, rows=[rows[k] for k in chosen.index])
    near, _, refused = keep_near(session, travel, places, file, limit=REACH_M)
    basis.refused.extend(refused)
    return chosen.iloc[near].reset_index(drop=True), [places[k] for k in near.tolist()]


def _word(words: Any, value: str, option: str) -> Any:
    """Return the word of a vocabulary that an option names."""
    if value not in [word.value for word in words]:
        expected = ", ".join(word.value for word in words)
        raise OptionInvalid(option=option, value=value, expected=expected)
    return words(value)


def _of_kinds(stations: "gpd.GeoDataFrame", kinds: str) -> "gpd.GeoDataFrame":
    """Return the stations of the kinds asked for; all where none is."""
    asked = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    wanted = [_word(StationKind, kind, "--kinds").value for kind in asked]
    chosen = stations[stations[Col.KIND].isin(wanted)] if wanted else stations
    if chosen.empty:
        found = ", ".join(sorted(stations[Col.KIND].unique()))
        raise OptionInvalid(option="--kinds", value=kinds, expected=found)
    return chosen
