"""Units, their parents and their codes.

3715 city
└── 371502 county ─── 371502001 township ─── 371502001001 village (with an enclave 371502001901)
                  └── 371502002 township ─── 371502002001 village
"""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.boundary import (
    check_nesting,
    depths,
    lowest_units,
    number_cells,
    parent_rows,
    reading_order,
    select,
    unit_codes,
    valid_on,
    version_of,
)
from geo.errors import ValueInvalid
from geo.frames import BOUNDARIES, Level, require

UNITS = [
    ("371502", "county", "371500"),
    ("371502001", "township", "371502"),
    ("371502002", "township", "371502"),
    ("371502001001", "village", "371502001"),
    ("371502001901", "village", "371502001001"),
    ("371502002001", "village", "371502002"),
]


def boundaries(units=UNITS, versions=None, begun=None, ended=None):
    n = len(units)
    text = {"dtype": "str"}
    frame = gpd.GeoDataFrame(
        {
            "code": pd.Series([u[0] for u in units], **text),
            "name": pd.Series([u[0] for u in units], **text),
            "level": pd.Series([u[1] for u in units], **text),
            "admin_parent": pd.Series([u[2] for u in units], **text),
            "grid_role": pd.Series(["none"] * n, **text),
            "boundary_version": pd.Series(versions or ["2023-06"] * n, **text),
            "valid_from": pd.Series(begun or [None] * n, dtype="datetime64[s]"),
            "valid_to": pd.Series(ended or [None] * n, dtype="datetime64[s]"),
            "source": pd.Series(["synthetic"] * n, **text),
        },
        geometry=[shapely.box(k, 0, k + 1, 1) for k in range(n)],
        crs=4326,
    )
    require(frame, BOUNDARIES, source="boundaries")
    return frame


def test_lowest_units_have_no_child():
    assert list(lowest_units(boundaries()).code) == ["371502001901", "371502002001"]


def test_parents_and_depths():
    frame = boundaries()
    assert list(parent_rows(frame)) == [-1, 0, 0, 1, 3, 2]
    assert list(depths(frame)) == [1, 2, 2, 3, 4, 3]


def test_codes_come_from_the_chain_of_parents():
    codes = unit_codes(boundaries())
    assert list(codes.village_code) == ["", "", "", *["371502001001"] * 2, "371502002001"]
    assert list(codes.township_code) == [
        "",
        "371502001",
        "371502002",
        *["371502001"] * 2,
        "371502002",
    ]
    assert set(codes.county_code) == {"371502"}


def test_codes_come_from_the_code_where_parents_are_not_in_the_frame():
    codes = unit_codes(boundaries(UNITS[5:]))
    assert codes.iloc[0].to_dict() == {
        "county_code": "371502",
        "township_code": "371502002",
        "village_code": "371502002001",
    }


@pytest.mark.parametrize(
    ("units", "row"),
    [
        ([UNITS[0], ("371502001", "township", "371503")], 2),
        ([UNITS[0], ("371502001", "township", "")], 2),
        ([*UNITS, ("371502003", "township", "371502001")], 7),
        ([UNITS[0], ("371502001", "township", "371502001")], 2),
    ],
    ids=["other parent", "blank parent", "parent of the same level", "own parent"],
)
def test_broken_nesting_is_named(units, row):
    with pytest.raises(ValueInvalid, match=f"row {row}, column admin_parent"):
        check_nesting(boundaries(units))


def test_sound_nesting_passes():
    check_nesting(boundaries())
    check_nesting(boundaries(UNITS[:1]))
    check_nesting(boundaries(UNITS[5:]))


def test_cells_are_numbered_in_15_digits():
    assert number_cells("371502001001", 2) == ["371502001001001", "371502001001002"]
    assert number_cells("370102", 1) == ["370102000000001"]
    assert len(number_cells("371502001", 1500)[-1]) == 15
    with pytest.raises(ValueInvalid):
        number_cells("371502001001", 1000)


def test_one_version_or_none():
    assert version_of(boundaries()) == "2023-06"
    with pytest.raises(ValueInvalid, match="2019-10"):
        version_of(boundaries(versions=["2023-06"] * 5 + ["2019-10"]))


def test_units_in_force_on_a_day():
    begun = ["2023-07-01", None, None, None, None, None]
    ended = [None, "2023-07-01", None, None, None, None]
    frame = boundaries(begun=begun, ended=ended)
    assert list(valid_on(frame, date(2023, 6, 30)).code) == [u[0] for u in UNITS[1:]]
    assert list(valid_on(frame, date(2023, 7, 1)).code) == [UNITS[0][0], *[u[0] for u in UNITS[2:]]]


def test_reading_order_goes_west_to_east_then_north_to_south():
    #  2 0    read as  0:(0,1) 1:(1,1)
    #  3 1             2:(0,0) 3:(1,0)
    xy = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert list(reading_order(xy)) == [2, 0, 3, 1]
    assert len(reading_order(np.zeros((0, 2)))) == 0
    assert list(reading_order(np.zeros((1, 2)))) == [0]


def test_select_takes_levels():
    assert list(select(boundaries(), [Level.COUNTY]).code) == ["371502"]
