"""Routes through places in order, and their turn lists."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from api.i18n import LANGUAGES, text
from geo.errors import OptionInvalid
from geo.frames import Col, StreetClass
from geo.units import LIAOCHENG_EPSG
from routing.model import Mode, Place
from routing.network import build_network
from routing.travel import Move, Step, Travel
from routing.travel.frame import ROUTE_LEGS, route_frame

CORNER = np.array([400_000.0, 4_030_000.0])
TO_LONLAT = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)
ART = StreetClass.ARTERIAL


def lonlat(points: object) -> np.ndarray:
    at = TO_LONLAT.transform(*(np.array(points, dtype=float).reshape(-1, 2) + CORNER).T)
    return np.round(np.stack(at, axis=1), 7)


def place(name: str, east: float, north: float) -> Place:
    ((lon, lat),) = lonlat([(east, north)])
    return Place(place_id=name, name=f"地点{name}", lon=float(lon), lat=float(lat))


#            N               人民路 runs east; at X (500, 0) it crosses 北街 and an unnamed lane, at
#            │ 北街           Y (800, 0) 建设路 begins straight on, and bends north later.
#   W ────── X ──── Y ────╮
#     人民路  │     建设路  │
#            S             E
STREETS = [
    ("人民路", [(0, 0), (250, 0)]),
    ("人民路", [(250, 0), (500, 0)]),
    ("人民路", [(500, 0), (800, 0)]),
    ("建设路", [(800, 0), (1000, 0), (1000, 300)]),
    ("北街", [(500, 0), (500, 400)]),
    ("", [(500, 0), (500, -400)]),
]


@pytest.fixture(scope="module")
def travel() -> Travel:
    n = len(STREETS)
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(n)], dtype="str"),
            Col.NAME: pd.Series([name for name, _ in STREETS], dtype="str"),
            Col.STREET_CLASS: pd.Series([ART] * n, dtype="str"),
            Col.ONEWAY: pd.Series([False] * n),
            Col.LANES: pd.Series([0] * n),
            Col.MAX_SPEED: pd.Series([0.0] * n),
        },
        geometry=gpd.GeoSeries([shapely.LineString(lonlat(at)) for _, at in STREETS], crs=4326),
    )
    return Travel(build_network(frame, epsg=LIAOCHENG_EPSG)[0])


def told(steps: tuple[Step, ...]) -> list[tuple[str, str, int]]:
    return [(step.move.value, step.street, round(step.length)) for step in steps]


W, N, S, E = place("W", 50, 0), place("N", 500, 300), place("S", 500, -300), place("E", 1000, 250)


def test_turns_by_hand(travel: Travel) -> None:
    route = travel.route([W, N, S, E, W], Mode.CAR)
    north, south, east, back = map(told, route.steps)
    assert north == [("depart", "人民路", 450), ("left", "北街", 300), ("arrive", "北街", 0)]
    assert south == [("depart", "北街", 300), ("straight", "", 300), ("arrive", "", 0)]
    # 建设路 bends away from nothing: one goes straight on into it, and round the bend unasked.
    assert east == [
        ("depart", "", 300),
        ("right", "人民路", 300),
        ("straight", "建设路", 450),
        ("arrive", "建设路", 0),
    ]
    assert back == [
        ("depart", "建设路", 450),
        ("straight", "人民路", 750),
        ("arrive", "人民路", 0),
    ]


def test_a_route_is_its_legs(travel: Travel) -> None:
    places = [W, N, S, E]
    route = travel.route(places, Mode.CAR)
    legs = travel.legs([(a, b, Mode.CAR) for a, b in pairwise(places)])
    assert [leg.names for leg in route.legs] == [leg.names for leg in legs]
    assert route.seconds == sum(leg.seconds for leg in legs)
    assert route.length == pytest.approx(sum(leg.length for leg in legs))
    assert route.place_ids == ("W", "N", "S", "E")
    for leg, steps in zip(route.legs, route.steps, strict=True):
        assert sum(step.length for step in steps) == pytest.approx(leg.length)
        assert steps[0].lonlat == pytest.approx(tuple(leg.lonlat[0]), abs=2e-7)
        assert steps[-1].lonlat == tuple(leg.lonlat[-1])


def test_turning_round_is_told(travel: Travel) -> None:
    # A leg over given pieces: along 人民路 and back again.
    from routing.travel.leg import Pieces
    from routing.travel.step import list_steps

    row = Pieces(
        leg=np.zeros(3, dtype=np.int64),
        segment=np.array([0, 1, 1]),
        is_forward=np.array([True, True, False]),
        low=np.array([50.0, 0.0, 100.0]),
        high=np.array([250.0, 250.0, 250.0]),
    )
    (steps,) = list_steps(travel.network, row, [lonlat([(50, 0), (350, 0)])])
    assert told(steps) == [
        ("depart", "人民路", 450),
        ("u_turn", "人民路", 150),
        ("arrive", "人民路", 0),
    ]


def test_a_leg_to_where_one_is(travel: Travel) -> None:
    route = travel.route([W, W, N], Mode.FOOT)
    assert told(route.steps[0]) == [("arrive", "", 0)]
    assert route.legs[0].seconds == 0


def test_every_step_has_a_line_in_both_languages(travel: Travel) -> None:
    for move in Move:
        for street in ("人民路", ""):
            step = Step(move=move, street=street, length=1234.4, lonlat=(116.0, 36.0))
            for lang in LANGUAGES:
                line = text(step.code, lang, **step.params)
                assert street in line
                assert "1,234" in line or move is Move.ARRIVE


def test_one_place_is_no_route(travel: Travel) -> None:
    with pytest.raises(OptionInvalid, match="2 places"):
        travel.route([W], Mode.CAR)


def test_a_route_as_a_frame(travel: Travel) -> None:
    route = travel.route([W, N, E], Mode.CAR)
    frame = route_frame(route)
    assert list(frame.columns) == [*ROUTE_LEGS.columns, "geometry"]
    assert frame[Col.PLACE_ID].tolist() == ["N", "E"]
    assert frame[Col.ARRIVE].tolist()[-1] == route.seconds
    assert frame[Col.DEPART].tolist() == [0, frame[Col.ARRIVE].tolist()[0]]
    assert frame[Col.STREETS].tolist() == ["人民路 → 北街", "北街 → 人民路 → 建设路"]
