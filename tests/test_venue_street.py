"""示范街: venues by street, n of N, and the rest of them."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from api.i18n import explain
from geo.errors import OptionInvalid
from geo.frames import SHOW_STREETS, require
from geo.units import LIAOCHENG_EPSG
from geo.venue import roll_up_streets

ORIGIN = (407_000.0, 4_035_000.0)

# Two streets cross; a second 建设路 lies 3 km east; a lane has no name.
#
#        │ 柳园路 (x = 500)
#   ─────┼───────────── 建设路 (y = 0, two segments)                    ───── 建设路
#        │        ┆ unnamed lane (x = 800)
STREETS = [
    ("s1", "建设路", [(0, 0), (500, 0)]),
    ("s2", "建设路", [(500, 0), (1000, 0)]),
    ("s3", "柳园路", [(500, -500), (500, 500)]),
    ("s4", "", [(800, -500), (800, 0)]),
    ("s5", "建设路", [(4000, 0), (4400, 0)]),
]


def plane(geometry):
    return gpd.GeoSeries(geometry, crs=LIAOCHENG_EPSG).to_crs(4326).to_numpy()


def streets():
    lines = [shapely.LineString([(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in s[2]]) for s in STREETS]
    n = len(STREETS)
    return gpd.GeoDataFrame(
        {
            "segment_id": pd.Series([s[0] for s in STREETS], dtype="str"),
            "name": pd.Series([s[1] for s in STREETS], dtype="str"),
            "street_class": pd.Series(["collector"] * n, dtype="str"),
            "oneway": [False] * n,
            "bridge": [False] * n,
            "lanes": [0] * n,
            "max_speed": [0.0] * n,
            "source": pd.Series(["test"] * n, dtype="str"),
        },
        geometry=plane(lines),
        crs=4326,
    )


def standing(rows):
    """Venues of tier and due state at metres east and north."""
    points = [shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y) for x, y, *_ in rows]
    return gpd.GeoDataFrame(
        {
            "tier": pd.Series([row[2] for row in rows], dtype="str"),
            "due_state": pd.Series([row[3] for row in rows], dtype="str"),
        },
        geometry=plane(points),
        crs=4326,
    )


TOWN = [
    (100, 20, "red", "overdue"),
    (900, -30, "green", "later"),
    (500, 300, "yellow", "due"),
    (505, 200, "green", "unknown"),
    (4200, 10, "green", "overdue"),
    (800, -300, "red", "due"),  # on the unnamed lane alone
    (2500, 2500, "green", "unknown"),  # on none
]


def rolled(rows, **more):
    frame = roll_up_streets(standing(rows), streets(), epsg=LIAOCHENG_EPSG, **more)
    require(frame, SHOW_STREETS, source="show_streets")
    return frame.set_index("street_id")


def test_every_street_has_its_venues_and_the_rest_are_counted():
    frame = rolled(TOWN)
    assert frame.n_venues.to_dict() == {"-": 2, "建设路-1": 2, "建设路-2": 1, "柳园路-1": 2}
    assert frame.loc["建设路-1", ["red", "yellow", "green"]].tolist() == [1, 0, 1]
    assert frame.loc["建设路-1", ["n_overdue", "n_known"]].tolist() == [1, 2]
    assert frame.loc["柳园路-1", ["n_due", "n_known", "n_venues"]].tolist() == [1, 1, 2]
    assert frame.geometry["-"] is None


def test_streets_asked_for_are_there_even_without_a_venue():
    frame = rolled(TOWN[:2], names=("柳园路",))
    assert frame.n_venues.to_dict() == {"-": 2, "柳园路-1": 0}


def test_a_street_nobody_knows_is_an_error_with_near_names():
    """Issue 5: a slip of the pen gave an empty street, and looked like one without venues."""
    with pytest.raises(OptionInvalid, match="无此路") as caught:
        rolled(TOWN, names=("柳园路", "无此路"))
    assert "柳园路" in explain(caught.value, "zh")
    assert "建设路" in explain(caught.value, "zh")


def test_no_venue():
    assert rolled([]).n_venues.to_dict() == {"-": 0}


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(-100, 4500),
            st.floats(-600, 600),
            st.sampled_from(["red", "yellow", "green"]),
            st.sampled_from(["overdue", "due", "later", "unknown"]),
        ),
        max_size=15,
    )
)
def test_the_streets_sum_to_the_whole(rows):
    frame = rolled(rows)
    assert frame.n_venues.sum() == len(rows)
    assert frame[["red", "yellow", "green"]].to_numpy().sum() == len(rows)
    assert frame.n_known.sum() == sum(row[3] != "unknown" for row in rows)
    assert frame.n_overdue.sum() == sum(row[3] == "overdue" for row in rows)
    assert (frame.n_overdue + frame.n_due <= frame.n_known).all()


def test_a_venue_at_a_crossing_belongs_to_one_street():
    frame = rolled([(500, 0, "red", "due")])
    assert frame.n_venues.sum() == 1
    assert frame.n_venues.max() == pytest.approx(1)
