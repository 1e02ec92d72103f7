"""Travel over HTTP: times, routes, the nearest, areas; on the streets in the store."""

import json
import runpy
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import shapely
from sqlalchemy import insert, update

from api.i18n import phrase
from api.roads import Roads
from api.store.layers import LAYERS, read_frame
from api.store.tables import STREETS
from api.travel.body import MOST_PAIRS
from geo.errors import TooMany
from geo.frames import Col
from routing.model import Mode, Place
from routing.network import TimeBand, build_network
from routing.travel import Travel

served_town = runpy.run_path(str(Path(__file__).with_name("live_service.py")))["served_town"]

AT = "2026-11-21T21:00:00+08:00"
FAR_OFF = {"lon": 110.0, "lat": 30.0}


@pytest.fixture(scope="module")
def live(tmp_path_factory, small_layers):
    with served_town(tmp_path_factory.mktemp("town"), small_layers) as service:
        yield service


@pytest.fixture(scope="module")
def travel(live):
    """The same streets, without the service."""
    with live.store.read() as connection:
        streets = read_frame(connection, "streets")
    network, _ = build_network(streets, epsg=32650)
    return Travel(network, (Mode.CAR,))


@pytest.fixture(scope="module")
def points(small_layers):
    """Places as they are sent, and as they are."""
    some = small_layers.venues.geometry.iloc[:60:3]
    return [{"lon": p.x, "lat": p.y} for p in some]


def places(points):
    return [Place(place_id=f"p{k}", name=f"p{k}", **p) for k, p in enumerate(points)]


def ask(live, route, **body):
    return live.client.post(f"/v1/travel/{route}", json={"at": AT, **body})


# ---- what is answered ----------------------------------------------------------------------------


def test_a_matrix_is_that_of_the_streets(live, travel, points):
    answer = ask(live, "matrix", origins=points[:5], destinations=points, with_metres=True)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    ends = travel.snap_places(places(points[:5])), travel.snap_places(places(points))
    seconds, metres = travel.lengths(*ends, Mode.CAR)
    assert found["seconds"] == seconds.tolist()
    np.testing.assert_allclose(found["metres"], metres, atol=0.051)
    assert found["to_street"]["origins"] == np.round(ends[0].distance, 1).tolist()
    assert len(found["to_street"]["destinations"]) == len(points)
    basis = found["basis"]
    assert (basis["mode"], basis["band"], basis["closures"]) == ("car", "night", [])
    assert basis["profile"] == travel.network.profile.version
    assert basis["at"] == AT


def test_a_square_matrix_needs_one_list_and_rush_hour_is_slower(live, points):
    night = ask(live, "matrix", origins=points).json()
    assert np.diagonal(night["seconds"]).tolist() == [0] * len(points)
    assert night["metres"] is None
    noon = live.client.post(
        "/v1/travel/matrix", json={"origins": points, "at": "2026-11-21T08:00:00+08:00"}
    ).json()
    assert noon["basis"]["band"] == "peak"
    assert np.sum(noon["seconds"]) > np.sum(night["seconds"])
    same = ask(live, "matrix", origins=points, band="peak").json()
    assert same["seconds"] == noon["seconds"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_route_has_its_legs_its_line_and_its_turn_list(live, travel, points, lang):
    answer = live.client.post(
        "/v1/travel/route",
        json={"at": AT, "places": points[:6]},
        headers={"Accept-Language": lang},
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    way = travel.route(places(points[:6]), Mode.CAR)
    assert found["seconds"] == way.seconds
    assert [leg["seconds"] for leg in found["legs"]] == [leg.seconds for leg in way.legs]
    for leg, step in zip(found["legs"], way.steps, strict=True):
        assert leg["geometry"]["type"] == "LineString"
        assert [one["move"] for one in leg["steps"]] == [one.move.value for one in step]
        unplaced = [replace(one, place="") for one in step]
        assert [one["text"] for one in leg["steps"]] == [
            phrase(one.code, lang, one.params) for one in unplaced
        ]
        assert [one["heading"] for one in leg["steps"]] == [one.heading.value for one in step]
    moves = [one["move"] for one in found["legs"][0]["steps"]]
    assert (moves[0], moves[-1]) == ("depart", "arrive")


def test_the_nearest_are_stations_or_places_given(live, travel, points):
    found = ask(live, "nearest", places=points[:4], k=2).json()
    with live.store.read() as connection:
        stations = read_frame(connection, "stations")
    ids = set(stations[Col.STATION_ID])
    for row in found["places"]:
        assert [one["seconds"] for one in row] == sorted(one["seconds"] for one in row)
        assert {one["station_id"] for one in row} <= ids
        assert all(one["name"] for one in row)
    given = ask(live, "nearest", places=points[:4], candidates=points[4:9], k=3).json()
    row, seconds = travel.nearest_units(
        travel.snap_places(places(points[4:9])),
        travel.snap_places(places(points[:4])),
        Mode.CAR,
        k=3,
    )
    answered = [[(one["candidate"], one["seconds"]) for one in line] for line in given["places"]]
    assert answered == [
        list(zip(*pair, strict=True)) for pair in zip(row.tolist(), seconds.tolist(), strict=True)
    ]


def test_areas_reached_are_nested_geojson(live, points):
    answer = ask(live, "reach", origins=points[:2], minutes=[1, 3])
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["type"] == "FeatureCollection"
    told = [
        (one["properties"]["origin"], one["properties"]["minutes"]) for one in found["features"]
    ]
    assert told == [(0, 1), (0, 3), (1, 1), (1, 3)]
    shapes = [shapely.from_geojson(json.dumps(one["geometry"])) for one in found["features"]]
    assert all(shape.is_valid for shape in shapes)
    assert shapes[1].buffer(1e-6).covers(shapes[0])
    assert shapes[1].covers(shapely.Point(points[0]["lon"], points[0]["lat"]))


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["matrix", "route", "nearest", "reach"])
def test_a_place_far_from_every_street_is_named_by_its_place_in_the_request(live, points, route):
    """Issue 6: a point 3 km from any road is a clear error with the place named."""
    where = {"matrix": "origins", "reach": "origins"}.get(route, "places")
    sent = [*points[:2], {"lon": points[0]["lon"] + 0.5, "lat": points[0]["lat"]}, FAR_OFF]
    answer = ask(live, route, **{where: sent})
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["code"] == "network.station.unreachable"
    assert [one["where"] for one in problem["errors"]] == [f"body.{where}.2", f"body.{where}.3"]
    assert "nearest usable street" in problem["errors"][0]["detail"]
    assert "110" not in answer.text


@pytest.mark.parametrize(
    ("route", "body", "where"),
    [
        ("matrix", {}, "body.origins"),
        ("matrix", {"origins": []}, "body.origins"),
        ("matrix", {"origins": [{"lon": 1}]}, "body.origins.0.lat"),
        ("matrix", {"origins": [{"lon": "116", "lat": 36}]}, "body.origins.0.lon"),
        ("matrix", {"origins": [{"lon": 200, "lat": 36}]}, "body.origins.0.lon"),
        ("matrix", {"origins": [FAR_OFF], "mode": "tank"}, "body.mode"),
        ("matrix", {"origins": [FAR_OFF], "at": "2026-11-21"}, "body.at"),
        ("matrix", {"origins": [FAR_OFF], "at": "2026-11-21T21:00:00"}, "body.at"),
        ("matrix", {"origins": [FAR_OFF], "at": "0001-01-01T00:00:00+08:00"}, "body.at"),
        ("matrix", {"origins": [FAR_OFF], "band": "noon"}, "body.band"),
        ("matrix", {"origins": [FAR_OFF], "engine_url": "http://x"}, "body"),
        ("matrix", {"origins": [FAR_OFF] * 501}, "body"),
        ("matrix", {"origins": [FAR_OFF] * 2001}, "body.origins"),
        ("route", {"places": [FAR_OFF]}, "body.places"),
        ("route", {"places": [FAR_OFF] * 101}, "body.places"),
        ("nearest", {"places": [FAR_OFF], "k": 0}, "body.k"),
        ("nearest", {"places": [FAR_OFF], "k": True}, "body.k"),
        ("reach", {"origins": [FAR_OFF] * 11}, "body.origins"),
        ("reach", {"origins": [FAR_OFF], "minutes": [61]}, "body.minutes.0"),
        ("reach", {"origins": [FAR_OFF] * 3, "minutes": [5, 60]}, "body"),
        ("reach", {"origins": [FAR_OFF], "minutes": [1, 2, 3, 4, 5]}, "body.minutes"),
    ],
)
def test_what_is_not_as_documented_is_refused(live, route, body, where):
    answer = live.client.post(f"/v1/travel/{route}", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["where"] == where
    assert all(one["detail"] for one in answer.json()["errors"])


def test_too_many_pairs_say_how_many_there_may_be(live):
    answer = live.client.post("/v1/travel/matrix", json={"origins": [FAR_OFF] * 501})
    assert f"{MOST_PAIRS:,}" in answer.json()["errors"][0]["detail"]


def test_nobody_without_a_key_is_told_of_the_streets(live, points):
    answer = live.stranger.post("/v1/travel/matrix", json={"origins": points[:2]})
    assert answer.status_code == 401


# ---- closures, and the file ----------------------------------------------------------------------


def add_closure(store, shape, begin, end):
    row = {
        "closure_id": f"closure_{'0' * 25}{add_closure.n}",
        "external_id": f"c{add_closure.n}",
        "kind": "closure",
        "name": "样例封路",
        "segment_id": "",
        "valid_from": begin,
        "valid_to": end,
        "modes": "",
        "speed_share": 0.0,
        "source": "synthetic",
        "geom": shape,
    }
    add_closure.n += 1
    table = LAYERS["closures"].table
    names = set(table.c.keys())
    store.write(
        lambda connection: connection.execute(
            insert(table).values({k: v for k, v in row.items() if k in names})
        )
    )
    return row["closure_id"]


add_closure.n = 0


@pytest.fixture
def own(tmp_path, small_layers):
    """A town of its own, for what changes it."""
    with served_town(tmp_path, small_layers) as service:
        yield service


def test_a_closure_counts_from_its_beginning_to_its_end(own, points, small_layers):
    """Issue 6: a closed bridge that cuts a district off."""
    begin = datetime(2026, 11, 21, 12, tzinfo=UTC)  # 20:00 in the city
    free = ask(own, "matrix", origins=points[:6]).json()
    ring = shapely.Point(points[0]["lon"], points[0]["lat"]).buffer(0.004).exterior.buffer(0.0006)
    closure = add_closure(
        own.store, shapely.MultiPolygon([ring]), begin, begin + timedelta(hours=2)
    )
    during = ask(own, "matrix", origins=points[:6]).json()
    assert during["basis"]["closures"] == [closure]
    assert during["seconds"] != free["seconds"]
    cut = [k for k in range(6) if during["seconds"][0][k] is None]
    assert cut
    answer = ask(own, "route", places=[points[0], points[cut[0]]])
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "network.place.cut_off"
    assert answer.json()["errors"][0]["where"] == "body.places.1"
    assert answer.json()["closures"] == [closure]
    for at in ("2026-11-21T19:59:59+08:00", "2026-11-21T22:00:00+08:00"):
        before = own.client.post(
            "/v1/travel/matrix", json={"origins": points[:6], "at": at, "band": "night"}
        ).json()
        assert before["basis"]["closures"] == []
        assert before["seconds"] == free["seconds"]
    without = ask(own, "matrix", origins=points[:6], with_closures=False).json()
    assert without["seconds"] == free["seconds"]


def test_no_streets_are_a_missing_layer(tmp_path, points):
    served = runpy.run_path(str(Path(__file__).with_name("live_service.py")))
    with (
        served["open_store"](str(tmp_path / "city.gpkg"), create=True) as store,
        served["running"](store, tmp_path) as empty,
    ):
        answer = empty.client.post("/v1/travel/matrix", json={"origins": points[:2]})
        assert answer.status_code == 409
        assert answer.json()["params"] == {"layer": "streets"}


def look(roads):
    at = datetime(2026, 11, 21, 13, tzinfo=UTC)
    return roads.outlook(Mode.CAR, at=at, band=None, with_closures=True)


def test_the_network_is_made_once_and_kept_in_a_file(own, tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    first = look(Roads(own.store, folder))
    (path,) = folder.glob("network-*.npz")
    assert first.band is TimeBand.NIGHT
    monkeypatch.setattr("api.roads._make", None)  # nothing is made when the file is there
    again = look(Roads(own.store, folder)).travel
    assert again.network.segment_id.tolist() == first.travel.network.segment_id.tolist()
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:-100])
    assert look(Roads(own.store, folder)).travel.network.n_nodes == again.network.n_nodes
    roads = Roads(own.store, folder)
    assert look(roads).travel is look(roads).travel
    with own.store.read() as connection:
        segment = read_frame(connection, "streets")[Col.SEGMENT_ID].iloc[0]
    change = update(STREETS).where(STREETS.c[Col.SEGMENT_ID] == segment)
    own.store.write(
        lambda connection: connection.execute(change.values(name="样例新路", version=2))
    )
    assert "样例新路" in look(roads).travel.network.names
    (other,) = folder.glob("network-*.npz")
    assert other != path


def test_a_folder_that_cannot_be_written_does_no_harm(own, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert look(Roads(own.store, blocked)).travel.network.n_nodes > 0
    assert "cannot be kept" in caplog.text


def test_who_waits_too_long_is_told_to_come_back(own, tmp_path, monkeypatch):
    monkeypatch.setattr("api.roads.WAIT_SECONDS", 0.01)
    roads = Roads(own.store, tmp_path / "kept")
    with roads._alone(), pytest.raises(TooMany):
        look(roads)


def test_stores_filled_alike_do_not_share_a_file(tmp_path, small_layers):
    folder = tmp_path / "kept"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with served_town(tmp_path / name, small_layers) as service:
            look(Roads(service.store, folder))
            ids = {path.name for path in folder.glob("network-*.npz")}
            shutil.copy(folder / next(iter(ids)), tmp_path / f"{name}.npz")
    assert (tmp_path / "one.npz").read_bytes() != (tmp_path / "two.npz").read_bytes()
