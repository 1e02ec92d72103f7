"""Units: call-signs that stay, numbers given once, nobody alone."""

import threading

import pytest
import shapely
from sqlalchemy import insert

from api.i18n import explain, text
from api.store import new_id, open_store
from api.store.expected import Expected
from api.store.tables import STATIONS, UNITS
from api.store.units import (
    call_sign,
    new_call_signs,
    new_station_codes,
    next_numbers,
    require_headcount,
)
from geo.errors import NotFound, ValueInvalid


@pytest.fixture
def station(store):
    row = {
        "station_id": "station_1",
        "name": "样例7号所",
        "kind": "urban",
        "code": "07",
        "geom": shapely.Point(116, 36),
        "external_id": "S1",
        "source": "synthetic",
    }
    store.write(lambda connection: connection.execute(insert(STATIONS).values(row)))
    return store


def _add(connection, n=1):
    signs = new_call_signs(connection, "station_1", n)
    for number, sign in signs:
        row = {
            "unit_id": new_id("unit"),
            "station_id": "station_1",
            "number": number,
            "call_sign": sign,
            "headcount": 2,
            "mode": "car",
            "external_id": sign,
            "source": "synthetic",
        }
        connection.execute(insert(UNITS).values(row))
    return signs


def test_call_signs_are_made_of_station_and_number(station):
    assert station.write(lambda c: _add(c, 2)) == [(1, "07-01"), (2, "07-02")]
    assert station.write(_add) == [(3, "07-03")]
    with pytest.raises(NotFound, match="station"), station.read() as connection:
        new_call_signs(connection, "station_9")
    with pytest.raises(ValueInvalid, match="from 1 to 99"), station.read() as connection:
        next_numbers(connection, "station_1", 97)


def test_numbers_are_given_once_whoever_asks(station, store_setting):
    given, errors = [], []

    def work(store):
        try:
            for _ in range(8):
                given.extend(number for number, _ in store.write(_add))
        except Exception as error:  # noqa: BLE001 - shown by the assert below
            errors.append(error)

    with open_store(store_setting) as other:
        threads = [threading.Thread(target=work, args=(one,)) for one in (station, station, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert sorted(given) == list(range(1, 25))


def test_station_codes_follow_the_number_in_the_name_where_it_is_free(station):
    with station.read() as connection:
        names = ["样例1号所", "样例7号所", "城关派出所", "样例 12 号派出所", "样例1号所"]
        assert new_station_codes(connection, names) == ["01", "08", "09", "12", "13"]


@pytest.mark.parametrize(
    ("code", "number", "words"),
    [("", 1, "capital"), ("七", 1, "capital"), ("A" * 9, 1, "capital"), ("07", 0, "99")],
)
def test_a_call_sign_of_anything_else_is_refused(code, number, words):
    with pytest.raises(ValueInvalid, match=words):
        call_sign(code, number)


def test_nobody_goes_alone():
    require_headcount(2)
    for headcount in (1, 0, -3):
        with pytest.raises(ValueInvalid, match="2 or more") as caught:
            require_headcount(headcount, row=7)
        assert "2 人" in explain(caught.value, "zh")


def test_every_expectation_is_said_in_both_languages():
    for one in Expected:
        assert text(one.code, "en") == one.value
        assert text(one.code, "zh")
