"""Compile the kernels behind travel times into their cache, by driving round a made-up triangle."""

from typing import Final

import numpy as np

from routing import hierarchy
from routing.model import Mode, Place
from routing.network import NIGHT, Network
from routing.travel.corridor import find_corridor
from routing.travel.times import Travel

CORNER: Final = np.array([500_000.0, 4_000_000.0])
"""Where EPSG:32650 has 117 E, 36.1424 N, metres."""


def warm_up() -> None:
    """Compile every kernel that a user's first request would wait for."""
    hierarchy.warm_up()
    network = _triangle()
    places = [
        Place(place_id=str(i), name="", lon=float(lon), lat=float(lat))
        for i, (lon, lat) in enumerate(network.lonlat[::2])
    ]
    for turns in (False, True):
        travel = Travel(network, (Mode.CAR,), turns=turns)
        snaps = travel.snap_places(places)
        travel.matrix(snaps, (Mode.CAR,))
        travel.lengths(snaps, snaps, Mode.CAR)
        travel.route(places, Mode.CAR)
    find_corridor(travel, places[0], places[1])


def _triangle() -> Network:
    """Return three streets between three junctions, nowhere."""
    xy = np.array([[0.0, 0.0], [90.0, 0.0], [45.0, 111.0]]) + CORNER
    lonlat = np.array([[117.0, 36.1424], [117.001, 36.1424], [117.0005, 36.1434]])
    tail, head = np.array([[0, 1, 2], [1, 2, 0]], dtype=np.int32)
    row = np.stack([tail, head], axis=1).ravel()
    length = np.hypot(*(xy[head] - xy[tail]).T)
    return Network(
        epsg=32650,
        profile=NIGHT,
        node_xy=xy,
        tail=tail,
        head=head,
        length=length,
        street_class=np.ones(3, dtype=np.int8),
        lanes=np.zeros(3, dtype=np.int8),
        max_speed=np.zeros(3, dtype=np.float32),
        name=np.zeros(3, dtype=np.int32),
        names=("",),
        segment_id=np.array(["a", "b", "c"], dtype=object),
        usable=np.ones((len(Mode), 6), dtype=bool),
        junction=np.ones(3, dtype=bool),
        offsets=np.arange(0, 8, 2, dtype=np.int64),
        lonlat=lonlat[row],
        xy=xy[row],
        measure=np.stack([np.zeros(3), length], axis=1).ravel(),
    )
