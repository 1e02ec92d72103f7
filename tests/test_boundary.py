"""Units, their parents and their codes.

3715 city
└── 371502 county ─── 371502001 township ─── 371502001001 village (with an enclave 371502001901)
                  └── 371502002 township ─── 371502002001 village

┌────────────────────── 371502001001 样例村 ──────────────────────┐
│  …01 样例第一小学   …02 样例小区 (cut itself)   …03 样例大院     │
└──────────────────────────────────────────────────────────────────┘
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
    independent_codes,
    institution_kinds,
    is_cut,
    is_enclave,
    lowest_units,
    misfit_roles,
    most_cells,
    number_cells,
    parent_rows,
    reading_order,
    select,
    unit_codes,
    valid_on,
    version_of,
)
from geo.boundary.code import are_independent, levels_of, parents_of
from geo.errors import ValueInvalid
from geo.frames import BOUNDARIES, Level, require
from geo.io import read_boundaries, write_geopackage

UNITS = [
    ("371502", "county", "371500"),
    ("371502001", "township", "371502"),
    ("371502002", "township", "371502"),
    ("371502001001", "village", "371502001"),
    ("371502001901", "village", "371502001001"),
    ("371502002001", "village", "371502002"),
]


def boundaries(units=UNITS, *, versions=None, begun=None, ended=None, names=None, roles=None):
    n = len(units)
    text = {"dtype": "str"}
    frame = gpd.GeoDataFrame(
        {
            "code": pd.Series([u[0] for u in units], **text),
            "name": pd.Series(names or [u[0] for u in units], **text),
            "level": pd.Series([u[1] for u in units], **text),
            "admin_parent": pd.Series([u[2] for u in units], **text),
            "grid_role": pd.Series(roles or ["none"] * n, **text),
            "boundary_version": pd.Series(versions or ["2023-06"] * n, **text),
            "valid_from": pd.Series(begun or [None] * n, dtype="datetime64[s]"),
            "valid_to": pd.Series(ended or [None] * n, dtype="datetime64[s]"),
            "source": pd.Series(["synthetic"] * n, **text),
        },
        geometry=[shapely.box(115 + k / 8, 36, 115 + (k + 1) / 8, 37) for k in range(n)],
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
        ([*UNITS, ("37150200190101", "village", "371502001901")], 7),
    ],
    ids=["other parent", "blank parent", "parent of the same level", "own parent", "in an enclave"],
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
    assert number_cells("371502001001", 999)[-1] == "371502001001999"
    for code, n in (("371502001001", 1000), ("371502001001001", 1), ("37150200100101001", 1)):
        with pytest.raises(ValueInvalid):
            number_cells(code, n)


def test_independent_grids_have_codes_of_14_digits():
    assert independent_codes("371502001001", 2) == ["37150200100101", "37150200100102"]
    taken = frozenset({"37150200100101"})
    assert independent_codes("371502001001", 1, taken=taken) == ["37150200100102"]
    assert len(independent_codes("371502001001", 99)) == 99
    for village, n in (("371502001001", 100), ("371502001", 1), ("村", 1)):
        with pytest.raises(ValueInvalid):
            independent_codes(village, n)
    assert number_cells("37150200100102", 2) == ["37150200100102001", "37150200100102002"]
    assert most_cells("37150200100102") == most_cells("371502001001") == 999


def test_no_code_of_an_independent_grid_has_the_length_of_an_identity_number():
    unit = independent_codes("371502101201", 1)[0]
    cell = number_cells(unit, 1)[0]
    assert not {len(unit), len(cell), len(cell) + 2} & {15, 18}


def test_digits_say_level_and_parent_of_an_independent_grid():
    codes = pd.Series(["37150200100101", "371502001001001", "37150200100100"], dtype="str")
    assert list(are_independent(codes)) == [True, False, False]
    assert list(levels_of(codes)) == ["village", "", "village"]
    assert parents_of(codes, levels_of(codes))[0] == "371502001001"


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


VILLAGE = [UNITS[0], UNITS[1], UNITS[3]]
GRIDS = [(f"371502001001{k}", "village", "371502001001") for k in ("01", "02", "03")]
ROLES = ["none", "supervision", "responsibility", *["independent"] * 3]
NAMES = ["样例县", "样例镇", "样例村", "样例第一小学", "样例小区", "样例大院"]


def enclaves(**more):
    return boundaries([*VILLAGE, *GRIDS], roles=ROLES, names=NAMES, **more)


def test_institutions_lie_in_their_village_and_only_homes_are_cut():
    frame = enclaves()
    assert list(is_enclave(frame)) == [False] * 3 + [True] * 3
    assert list(institution_kinds(frame)) == ["none"] * 3 + ["school", "residential", "other"]
    assert list(is_cut(frame)) == [False, False, True, False, True, False]
    assert list(depths(frame)) == [1, 2, 3, 4, 4, 4]
    assert list(unit_codes(frame).village_code) == ["", "", *["371502001001"] * 4]


def test_an_enclave_alone_in_a_file_still_belongs_to_its_village():
    frame = boundaries(GRIDS, roles=["independent"] * 3)
    assert is_enclave(frame).all()
    assert set(unit_codes(frame).village_code) == {"371502001001"}
    assert set(unit_codes(frame).township_code) == {"371502001"}


def test_a_stated_kind_counts_before_the_name():
    stated = pd.Series(["school"] * 3 + ["", "none", "market"], dtype="str")
    kinds = institution_kinds(enclaves().assign(institution=stated))
    assert list(kinds) == ["none"] * 3 + ["school", "residential", "market"]


def test_roles_fit_levels():
    assert not misfit_roles(enclaves()).any()
    frame = boundaries(
        roles=["supervision", "basic", "independent", "none", "responsibility", "none"]
    )
    assert list(misfit_roles(frame)) == [True, True, False, False, True, False]


def test_the_reader_derives_what_an_independent_grid_is(tmp_path):
    frame = enclaves()
    bare = frame.drop(columns=["level", "admin_parent", "grid_role"])
    write_geopackage(bare, tmp_path / "b.gpkg", layer="boundaries")
    reading = read_boundaries(tmp_path / "b.gpkg")
    assert list(reading.frame.level) == ["county", "township", *["village"] * 4]
    assert list(reading.frame.admin_parent[3:]) == ["371502001001"] * 3
    assert list(reading.frame.grid_role) == ROLES
    assert list(reading.frame.institution) == ["none"] * 3 + ["school", "residential", "other"]
    assert {"column": "institution", "origin": "name"} in [note.params for note in reading.notes]


def test_the_reader_takes_stated_kinds_and_refuses_roles_that_do_not_fit(tmp_path):
    kinds = pd.Series(["", "", "", "学校", "居民小区", "企业"], dtype="str")
    frame = enclaves().rename(columns={"grid_role": "网格类型"}).assign(机构类型=kinds)
    write_geopackage(frame, tmp_path / "b.gpkg", layer="boundaries")
    reading = read_boundaries(tmp_path / "b.gpkg")
    assert list(reading.frame.institution[3:]) == ["school", "residential", "enterprise"]
    wrong = frame.assign(网格类型=pd.Series([*ROLES[:5], "responsibility"], dtype="str"))
    write_geopackage(wrong, tmp_path / "w.gpkg", layer="boundaries")
    refused = read_boundaries(tmp_path / "w.gpkg").refused
    assert [(r.row, r.column, r.code) for r in refused] == [(6, "grid_role", "refusal.role")]


def test_the_reader_checks_nesting_by_rows_of_the_file(tmp_path):
    frame = boundaries([*UNITS[:3], ("371502003001", "village", "371502003")])
    write_geopackage(frame, tmp_path / "b.gpkg", layer="boundaries")
    with pytest.raises(ValueInvalid, match="row 4, column admin_parent"):
        read_boundaries(tmp_path / "b.gpkg")
