"""Boundary versions side by side, where codes went, and who holds a point."""

from datetime import date, datetime

import numpy as np
import pytest
import shapely
from sqlalchemy import insert, update

from api.store import EVERYWHERE, Scope
from api.store.boundaries import (
    Merge,
    add_merges,
    add_version,
    anchors,
    boundary_versions,
    read_merges,
    read_version,
    switch_version,
    unit_of_point,
    units_of_points,
    where_went,
)
from api.store.city import CityRow, city_row, set_city_row
from api.store.layers import read_frame
from api.store.tables import BOUNDARIES, INCIDENTS, STATIONS, STREETS, UNITS, VENUES
from geo.errors import NotFound, ValueInvalid
from geo.frames import Col
from geo.units import CITY_ZONE

# The old version, and the new one in which V1 and V2 are one village and V3 has an enclave:
#
#   36.1 ┌──── V1 ────┬──── V2 ────┬──── V3 ────┐        ┌───────── V2 ────────┬──── V3 ────┐
#        │            │            │            │        │                     │    ┌E─┐    │
#   36.0 └────────────┴────────────┴────────────┘        └─────────────────────┴────└──┘────┘
#       116.0       116.1        116.2        116.3     116.0               116.2         116.3
OLD, NEW = "2023-06", "2026-01"
V1, V2, V3, E = "371599101201", "371599101202", "371599101203", "371599101901"
UNITS_OF = {
    OLD: {
        "371599": ("county", "", (116.0, 36.0, 116.3, 36.1)),
        "371599101": ("township", "371599", (116.0, 36.0, 116.3, 36.1)),
        V1: ("village", "371599101", (116.0, 36.0, 116.1, 36.1)),
        V2: ("village", "371599101", (116.1, 36.0, 116.2, 36.1)),
        V3: ("village", "371599101", (116.2, 36.0, 116.3, 36.1)),
    },
    NEW: {
        "371599": ("county", "", (116.0, 36.0, 116.3, 36.1)),
        "371599101": ("township", "371599", (116.0, 36.0, 116.3, 36.1)),
        V2: ("village", "371599101", (116.0, 36.0, 116.2, 36.1)),
        V3: ("village", "371599101", (116.2, 36.0, 116.3, 36.1)),
        E: ("village", V3, (116.24, 36.03, 116.26, 36.06)),
    },
}


def _boundary(version, code, level, parent, box):
    return {
        "boundary_version": version,
        "code": code,
        "name": "样例",
        "level": level,
        "admin_parent": parent,
        "grid_role": "none",
        "geom": shapely.MultiPolygon([shapely.box(*box)]),
        "external_id": f"{version}/{code}",
        "unit_code": code,
        "source": "synthetic",
    }


@pytest.fixture
def city(store):
    """Both versions in the store; the old one counts."""

    def put(connection):
        set_city_row(
            connection, CityRow(epsg=32650, data_date=date(2026, 1, 1), boundary_version=OLD)
        )
        for version, units in UNITS_OF.items():
            add_version(connection, version, source="synthetic", valid_from=date(2023, 6, 1))
            rows = [_boundary(version, code, *rest) for code, rest in units.items()]
            connection.execute(insert(BOUNDARIES), rows)

    store.write(put)
    return store


def _read(store, read, *args, **options):
    with store.read() as connection:
        return read(connection, *args, **options)


def test_versions_stand_side_by_side_and_one_counts(city):
    versions = _read(city, boundary_versions)
    assert [(one.boundary_version, one.n_units, one.is_current) for one in versions] == [
        (OLD, 5, True),
        (NEW, 5, False),
    ]
    city.write(lambda connection: add_version(connection, OLD, source="again"))
    assert _read(city, boundary_versions) == versions
    for version, units in UNITS_OF.items():
        assert set(_read(city, read_version, version)[Col.CODE]) == set(units)
    assert set(_read(city, read_frame, "boundaries")[Col.CODE]) == set(UNITS_OF[OLD])


def _smallest(version, x, y):
    """The rule for boxes: west and south borders are a unit's own; on the outer border, where no
    unit is so, the deepest that touches, the western one at the corner of two in the north."""
    depth = {"county": 1, "township": 2, "village": 3}
    own, touching = [], []
    for code, (level, parent, (west, south, east, north)) in UNITS_OF[version].items():
        key = (-(depth[level] + (parent == V3)), west, code)
        if west <= x < east and south <= y < north:
            own.append(key)
        if west <= x <= east and south <= y <= north:
            touching.append(key)
    return min(own or touching or [(0, 0, "")])[-1]


@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_point_belongs_to_the_smallest_unit_that_holds_it(city, version):
    city.write(lambda connection: switch_version(connection, version))
    rng = np.random.default_rng(4)
    lonlat = np.round(rng.uniform((115.99, 35.99), (116.31, 36.11), (400, 2)), 7)
    lonlat[::10, 0] = 116.2  # on a border
    lonlat[5::10] = np.round(lonlat[5::10], 2)  # corners and borders of the enclave
    found = _read(city, units_of_points, lonlat)
    assert found.tolist() == [_smallest(version, *point) for point in lonlat]
    with city.read() as connection:
        alone = [unit_of_point(connection, *point) for point in lonlat[:60]]
    assert alone == found[:60].tolist()
    assert set(found) >= {V2, V3, ""} | ({E} if version == NEW else {V1})


def test_no_boundaries_hold_no_point(store):
    assert _read(store, units_of_points, np.array([[116.0, 36.0]])).tolist() == [""]
    assert _read(store, units_of_points, np.zeros((0, 2))).tolist() == []
    assert _read(store, unit_of_point, 116.0, 36.0) == ""


def test_a_line_belongs_by_its_middle_and_an_area_by_a_point_inside():
    bent = shapely.LineString([(0, 0), (1, 0), (1, 3)])
    ring = shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 8, 8)
    found = anchors([shapely.Point(4, 5), bent, ring])
    assert found[:2].tolist() == [[4, 5], [1, 1]]
    assert ring.covers(shapely.Point(found[2]))


def _layer(key, **values):
    return {"external_id": key, "source": "synthetic", "unit_code": V1, **values}


def test_switching_gives_every_row_its_unit_of_the_new_version(city):
    def put(connection):
        common = {"name": "样例", "kind": "shop", "tier": "red", "cadence_version": "1"}
        places = {"v1": (116.05, 36.05), "v2": (116.25, 36.04), "v3": (116.15, 36.05)}
        for k, (key, point) in enumerate(places.items()):
            row = _layer(key, venue_id=key, precision="point", geom=shapely.Point(point))
            row["unit_code"] = [V1, V3, V2][k]
            connection.execute(insert(VENUES).values({**common, **row}))
        street = {"name": "", "street_class": "lane", "oneway": False, "bridge": False}
        line = shapely.LineString([(116.01, 36.05), (116.03, 36.05)])
        connection.execute(
            insert(STREETS).values({**street, **_layer("s", segment_id="s", geom=line)})
        )
        report = {"hour": datetime(2026, 1, 1, 20, tzinfo=CITY_ZONE), "category": "x"}
        connection.execute(
            insert(INCIDENTS).values({**report, "channel": "other", **_layer("i", segment_id="s")})
        )
        station = _layer("st", station_id="st", geom=shapely.Point(116.05, 36.05), code="01")
        connection.execute(insert(STATIONS).values({"name": "所", "kind": "urban", **station}))
        unit = _layer("u", unit_id="u", station_id="st", number=1, call_sign="01-01")
        connection.execute(insert(UNITS).values({"headcount": 2, "mode": "car", **unit}))

    city.write(put)
    assert city.write(lambda connection: switch_version(connection, OLD)) == 0
    assert city.write(lambda connection: switch_version(connection, NEW)) == 6
    with city.read() as connection:
        assert city_row(connection).boundary_version == NEW
        codes = {
            row.external_id: (row.unit_code, row.version)
            for table in (VENUES, STREETS, INCIDENTS, STATIONS, UNITS)
            for row in connection.execute(
                table.select().with_only_columns(
                    table.c.external_id, table.c.unit_code, table.c.version
                )
            )
        }
        in_scope = read_frame(connection, "venues", Scope(unit_code=V2))
    assert codes == {
        "v1": (V2, 2),
        "v2": (E, 2),
        "v3": (V2, 1),
        "s": (V2, 2),
        "i": (V2, 2),
        "st": (V2, 2),
        "u": (V2, 2),
    }
    assert in_scope[Col.VENUE_ID].tolist() == ["v1", "v3"]


def test_only_a_version_with_units_can_count(city):
    def empty(connection):
        old = BOUNDARIES.c.boundary_version == NEW
        connection.execute(update(BOUNDARIES).where(old).values(status="withdrawn"))

    city.write(empty)
    for version in ("1999-01", NEW):
        with pytest.raises(NotFound, match="boundary_version"):
            city.write(lambda connection, version=version: switch_version(connection, version))
    assert _read(city, city_row).boundary_version == OLD


def _merge(old, new, *, since=OLD, to=NEW, relation="merged", confidence=1.0):
    return Merge(
        from_version=since,
        old_code=old,
        to_version=to,
        new_code=new,
        relation=relation,
        evidence="鲁民〔2025〕1号",
        confidence=confidence,
    )


def test_codes_are_followed_to_the_version_that_counts(city):
    steps = [
        _merge("a", "b", since="2019-01", to=OLD, relation="renamed"),
        _merge("b", V2),
        _merge(V1, V2),
        _merge(V2, V2, relation="same"),
        _merge(V3, None, relation="unresolved", confidence=0.2),
        _merge(V2, "a", since=NEW, to="2019-01"),
    ]
    city.write(lambda connection: add_merges(connection, steps))
    city.write(lambda connection: switch_version(connection, NEW))
    assert _read(city, where_went, "2019-01", "a") == (steps[0], steps[1])
    assert _read(city, where_went, OLD, V1) == (steps[2],)
    assert _read(city, where_went, OLD, V3) == (steps[4],)
    assert _read(city, where_went, OLD, "371599999999") == ()
    assert _read(city, where_went, NEW, V2) == ()
    assert _read(city, read_merges, from_version=OLD, to_version=NEW) == sorted(
        steps[1:5], key=lambda one: one.old_code
    )


def test_a_better_known_merge_takes_the_place_of_the_older(city):
    unknown = _merge(V1, None, relation="unresolved", confidence=0)
    for known in (unknown, _merge(V1, V2)):
        city.write(lambda connection, known=known: add_merges(connection, [known]))
        assert _read(city, read_merges, from_version=OLD, to_version=NEW) == [known]
    assert city.write(lambda connection: add_merges(connection, [])) == 0


@pytest.mark.parametrize(
    ("new", "relation", "confidence"),
    [(None, "merged", 1), (V2, "unresolved", 1), (V2, "split", 1), (V2, "merged", 1.5)],
)
def test_a_merge_that_contradicts_itself_is_refused(new, relation, confidence):
    with pytest.raises(ValueInvalid, match="boundary_merges"):
        _merge(V1, new, relation=relation, confidence=confidence)


def test_a_scope_ends_where_its_unit_does(city):
    assert len(_read(city, read_frame, "boundaries", Scope(unit_code=V1))) == 1
    assert len(_read(city, read_frame, "boundaries", Scope(unit_code="371599101"))) == 4
    assert len(_read(city, read_frame, "boundaries", EVERYWHERE)) == 5
