"""Routes through places in order, and their turn lists."""

from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from api.i18n import LANGUAGES, phrase
from geo.errors import OptionInvalid
from geo.frames import Col, StreetClass
from geo.units import LIAOCHENG_EPSG
from routing.model import Mode, Place
from routing.network import build_network
from routing.travel import Heading, Move, Step, Travel
from routing.travel.frame import ROUTE_LEGS, ROUTE_STEPS, route_frame, steps_frame

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
            step = line_of(move, street)
            for lang in LANGUAGES:
                line = phrase(step.code, lang, step.params)
                assert street in line
                assert "1,234" in line or move is Move.ARRIVE


def line_of(move: Move, street: str, *, n: int = 2, place: str = "") -> Step:
    return Step(
        move=move,
        street=street,
        street_class=ART,
        heading=Heading.SOUTH_EAST,
        n_junctions=n,
        length=1234.4,
        lonlat=(116.0, 36.0),
        place=place,
    )


def test_lines_tell_where_to_and_what_to_look_for() -> None:
    # Issue 6: read aloud, a list lacked the way to set off and the place reached, and where streets
    # have no names every line was the same.
    start = line_of(Move.DEPART, "人民路")
    assert phrase(start.code, "zh", start.params) == "向东南出发，沿人民路行 1,234 米"
    unnamed = line_of(Move.RIGHT, "")
    said = phrase(unnamed.code, "zh", unnamed.params)
    assert said == "右转进入无名主干路，向东南行 1,234 米，途经 2 个路口"
    for n, passing in ((0, "no junction on the way"), (1, "past 1 junction")):
        one = line_of(Move.LEFT, "", n=n)
        said = phrase(one.code, "en", one.params)
        assert said == f"Left into an unnamed arterial, south-east, 1,234 m, {passing}"
    for street, told_as in (("人民路", "到达柳园所（人民路）"), ("", "到达柳园所")):
        end = line_of(Move.ARRIVE, street, place="柳园所")
        assert phrase(end.code, "zh", end.params) == told_as
    every = [line_of(Move.LEFT, "", n=n) for n in (0, 1, 2)]
    for heading in Heading:
        for of_class in StreetClass:
            for one in every:
                step = replace(one, heading=heading, street_class=of_class)
                assert {len(phrase(step.code, lang, step.params)) > 0 for lang in LANGUAGES}


def test_headings_and_junctions_by_hand(travel: Travel) -> None:
    north, south, east, back = travel.route([W, N, S, E, W], Mode.CAR).steps
    assert [(step.heading.value, step.n_junctions) for step in north[:-1]] == [
        ("east", 0),  # the joint at 250 m is no junction
        ("north", 0),
    ]
    assert [step.heading for step in south] == [Heading.SOUTH] * 3
    assert [step.heading.value for step in east[:-1]] == ["north", "east", "east"]
    # back along 建设路 to the south first, and past X on 人民路
    assert [(step.heading.value, step.n_junctions) for step in back[:-1]] == [
        ("south", 0),
        ("west", 1),
    ]
    assert [steps[-1].place for steps in (north, south, east, back)] == [
        "地点N",
        "地点S",
        "地点E",
        "地点W",
    ]


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


def test_a_turn_list_as_a_frame(travel: Travel) -> None:
    route = travel.route([W, N, E], Mode.CAR)
    frame = steps_frame(route)
    assert list(frame.columns) == [*ROUTE_STEPS.columns, "geometry"]
    assert frame[Col.STEP].tolist() == list(range(1, 8))
    assert frame[Col.ORDER].tolist() == [1, 1, 1, 2, 2, 2, 2]
    assert frame[Col.PLACE_ID].tolist() == ["N"] * 3 + ["E"] * 4
    assert frame[Col.MOVE].tolist()[:3] == ["depart", "left", "arrive"]
    assert frame[Col.LENGTH].sum() == pytest.approx(route.length, abs=0.4)
