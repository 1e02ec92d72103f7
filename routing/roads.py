"""The streets of a night: their travel times, what is closed, and what they do not reach."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col, Layers
from routing.basis import SpeedBasis
from routing.model import Mode, Place, Shift
from routing.network import Conditions, NetworkReport, Profile, build_network, conditions_at
from routing.travel import REACH_M, Snaps, Travel
from routing.travel.apart import apart_from_streets
from routing.travel.connect import listed

if TYPE_CHECKING:
    from routing.io.network_file import NetworkFile

Note = tuple[str, Mapping[str, object]]
"""A finding worth a line: message code and parameters."""


def travel_of(
    layers: Layers,
    shift: Shift,
    *,
    profile: Profile,
    closures: gpd.GeoDataFrame | None,
    ready: "NetworkFile | None",
) -> tuple[Travel, NetworkReport]:
    """Return the travel times of the shift, and what cleaning the streets found."""
    if ready is None:
        network, report = build_network(layers.streets, epsg=layers.epsg, profile=profile)
    else:
        network, report = ready.network, ready.report
    conditions = None
    if closures is not None:
        conditions = conditions_at(network, closures, start=shift.start, length=shift.length)
    travel = Travel(
        network,
        topology=None if ready is None else ready.topology,
        band=network.profile.band_of(shift.start, shift.length),
        conditions=conditions,
    )
    return travel, report


def speeds_of(travel: Travel) -> SpeedBasis:
    """Return what the plan records of its travel times."""
    return SpeedBasis(
        profile=travel.network.profile.version,
        band=travel.band.value,
        closures=() if travel.conditions is None else travel.conditions.closure_ids,
    )


def closures_held(held: Conditions | None) -> Iterator[Note]:
    """Yield a note on the closures that hold, and one on those of them that touch no street."""
    if held is None:
        return
    params = {"n": len(held.closure_ids), "n_segments": len(set(held.segment.tolist()))}
    yield "network.closures", params
    if held.unmatched:
        params = {"n": len(held.unmatched), "total": len(held.closure_ids)}
        yield "network.closures.unmatched", {**params, "ids": listed(held.unmatched)}


def require_near(travel: Travel, layers: Layers, sources: Mapping[str, str]) -> tuple[Note, ...]:
    """Refuse stations and posts that the roads do not reach; return notes on how far all lie."""
    notes: list[Note] = []
    for layer, frame, key in (
        ("stations", layers.stations, Col.STATION_ID),
        ("posts", layers.posts, Col.POST_ID),
    ):
        places, source = _places_of(frame, key), sources.get(layer, layer)
        snaps = travel.snap_places(places)
        travel.refuse_beyond(places, snaps, source=source)
        notes += apart_from_streets(travel, places, snaps).notes(source)
    return tuple(notes)


def within_reach(
    venues: gpd.GeoDataFrame,
    unmatched: pd.DataFrame,
    travel: Travel,
    stations: gpd.GeoDataFrame,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, tuple[Note, ...]]:
    """Return the venues a round can visit, the unmatched with those it cannot, and a note on them.

    These lie far off every street, or no car gets there from a station and back.
    """
    inside = venues[venues[Col.CELL_ID] != ""]
    lonlat = shapely.get_coordinates(inside.geometry.to_numpy())
    snaps = travel.snap(lonlat)
    starts = travel.snap(shapely.get_coordinates(stations.geometry.to_numpy()))
    is_far = snaps.distance > REACH_M
    is_cut = travel.cut_off(starts, snaps, Mode.CAR) & ~is_far
    is_out = is_far | is_cut
    out = pd.DataFrame(
        {
            "layer": "venues",
            "id": inside.loc[is_out, Col.VENUE_ID].to_numpy(),
            "lon": lonlat[is_out, 0],
            "lat": lonlat[is_out, 1],
            Col.REASON: np.where(is_far, "off_roads", "cut_off")[is_out],
        }
    )
    listed_all = pd.concat([unmatched.assign(**{Col.REASON: "outside"}), out], ignore_index=True)
    cut = snaps.take(np.flatnonzero(is_cut))
    return inside[~is_out], listed_all, _cut_off(travel, starts, cut, total=len(inside))


def _cut_off(travel: Travel, starts: Snaps, cut: Snaps, *, total: int) -> tuple[Note, ...]:
    """Return a note on the venues cut off from all stations, and what stands around them."""
    if not len(cut):
        return ()
    params = {"n": len(cut), "total": f"{total:,}"}
    around = travel.closures_around(starts, cut, Mode.CAR)
    if not around:
        return (("travel.cut_off", params),)
    return (("travel.cut_off.closures", {**params, "closures": listed(around)}),)


def _places_of(frame: gpd.GeoDataFrame, key: str) -> tuple[Place, ...]:
    return tuple(
        Place(place_id=place_id, name=name, lon=point.x, lat=point.y)
        for place_id, name, point in zip(frame[key], frame[Col.NAME], frame.geometry, strict=True)
    )
