"""Streets that vehicles may use by their class and cannot reach and leave, as a layer to mend."""

from enum import StrEnum

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.frames import Col
from routing.model import Mode
from routing.network.build import SHORTEST_M, opens_to, without_twins
from routing.network.parts import nodes_of, parts
from routing.network.segment import Network


class Outside(StrEnum):
    """Why a car cannot reach and leave a street: 不相连, 单行线不通.

    No street joins it to the rest: draw the missing one, or join it. One-ways lead only to it or
    only away: check their direction.
    """

    ISLAND = "island"
    ONE_WAY = "one_way"


def outside_streets(streets: gpd.GeoDataFrame, network: Network) -> gpd.GeoDataFrame:
    """Return the streets that carry no route of a car.

    Parameters
    ----------
    streets : GeoDataFrame
        STREETS frame that the network was built of, EPSG:4326.
    network : Network

    Returns
    -------
    GeoDataFrame
        Rows of `streets` with `reason`, a word of `Outside`.
    """
    reached = network.usable_by(Mode.CAR).reshape(-1, 2).any(axis=1)
    kept, _ = without_twins(streets)
    drivable = opens_to(Mode.CAR, network.profile, streets[Col.STREET_CLASS]) & kept
    has_length = streets.geometry.to_crs(network.epsg).length.to_numpy() > SHORTEST_M
    ground = streets[drivable & has_length].reset_index(drop=True)
    is_inside = ground[Col.SEGMENT_ID].isin(network.segment_id[reached]).to_numpy()
    tail, head, n_nodes = nodes_of(ground.geometry.to_numpy())
    _, part = parts(tail, head, n_nodes, connection="weak")
    holds = np.isin(part[tail], part[tail[is_inside]])
    reason = np.where(holds, Outside.ONE_WAY.value, Outside.ISLAND.value)
    found = ground.assign(**{Col.REASON: pd.Series(reason, dtype="str")})
    return found[~is_inside].reset_index(drop=True)
