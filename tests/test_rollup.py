"""Sums from cells to the city.

city 371500 ─ county 371502 ─ township 371502001 ─ villages …001 (2 cells), …002 (1 cell)
            └ county 371503 (no townships: 1 cell of its own)

In village …001 lie two independent grids: a school (…01, one cell by itself) and an estate (…02,
cut into two cells). In the township lies an independent village …400 (1 cell) that is no enclave.
"""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.boundary import carry_over
from geo.errors import ColumnMissing, OptionInvalid, ValueInvalid
from geo.frames import Level
from geo.rollup import CELL, LEVELS, rates, roll_up, roll_up_roles

UNITS = [
    ("371500", "city", "", "coordination"),
    ("371502", "county", "371500", "none"),
    ("371503", "county", "371500", "none"),
    ("371502001", "township", "371502", "supervision"),
    ("371502001001", "village", "371502001", "responsibility"),
    ("371502001002", "village", "371502001", "responsibility"),
    ("371502001400", "village", "371502001", "independent"),
    ("37150200100101", "village", "371502001001", "independent"),
    ("37150200100102", "village", "371502001001", "independent"),
]
CELLS = [
    ("371502001001001", "371502001001", "371502001", "371502", "basic"),
    ("371502001001002", "371502001001", "371502001", "371502", "basic"),
    ("371502001002001", "371502001002", "371502001", "371502", "basic"),
    ("371503000000001", "", "", "371503", "basic"),
    ("371502001400001", "371502001400", "371502001", "371502", "basic"),
    ("37150200100101", "371502001001", "371502001", "371502", "independent"),
    ("37150200100102001", "371502001001", "371502001", "371502", "basic"),
    ("37150200100102002", "371502001001", "371502001", "371502", "basic"),
]


def frames():
    boundaries = gpd.GeoDataFrame(
        {
            "code": pd.Series([u[0] for u in UNITS], dtype="str"),
            "name": pd.Series([f"名 {u[0]}" for u in UNITS], dtype="str"),
            "level": pd.Series([u[1] for u in UNITS], dtype="str"),
            "admin_parent": pd.Series([u[2] for u in UNITS], dtype="str"),
            "grid_role": pd.Series([u[3] for u in UNITS], dtype="str"),
        },
        geometry=[shapely.box(0, 0, 1, 1)] * len(UNITS),
        crs=4326,
    )
    columns = ("cell_id", "village_code", "township_code", "county_code", "grid_role")
    cells = gpd.GeoDataFrame(
        {name: pd.Series([c[k] for c in CELLS], dtype="str") for k, name in enumerate(columns)},
        geometry=[shapely.box(0, 0, 1, 1)] * len(CELLS),
        crs=4326,
    )
    return cells, boundaries


def values(cell_ids, n, total):
    return pd.DataFrame(
        {
            "cell_id": pd.Series(cell_ids, dtype="str"),
            "n": np.array(n, dtype=np.int64),
            "total": np.array(total, dtype=np.int64),
        }
    )


def test_sums_by_hand():
    cells, boundaries = frames()
    frame = values([c[0] for c in CELLS[:4]], [1, 2, 3, 4], [10, 10, 10, 10])
    out = roll_up(frame, ["n", "total"], cells, boundaries).set_index(["level", "code"])
    assert out.loc[("village", "371502001001"), "n"] == 3
    assert out.loc[("village", ""), "n"] == 4
    assert out.loc[("township", "371502001"), "n"] == 6
    assert out.loc[("county", "371503"), "n"] == 4
    assert out.loc[("city", "371500"), ["n", "total"]].tolist() == [10, 40]
    assert out.loc[("county", "371502"), "name"] == "名 371502"
    assert str(out.n.dtype) == "int64"


def test_a_unit_without_rows_has_zero():
    cells, boundaries = frames()
    out = roll_up(values([CELLS[3][0]], [1], [1]), ["n"], cells, boundaries, by=[Level.TOWNSHIP])
    assert out.set_index("code").n.to_dict() == {"": 1, "371502001": 0}


ROWS = st.lists(
    st.tuples(st.sampled_from([c[0] for c in CELLS] + ["", "999"]), st.integers(0, 50)),
    max_size=40,
)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(ROWS)
def test_the_parts_equal_the_whole(rows):
    cells, boundaries = frames()
    frame = values([r[0] for r in rows], [r[1] for r in rows], [r[1] + 1 for r in rows])
    by_parent = roll_up(frame, ["n", "total"], cells, boundaries, by=[CELL, *LEVELS])
    by_role = roll_up_roles(frame, ["n", "total"], cells, boundaries)
    assert list(by_parent.level.unique()) == ["cell", "village", "township", "county", "city"]
    assert list(by_role.level.unique()) == ["cell", "village", "township", "city"]
    for out in (by_parent, by_role):
        for _, of_level in out.groupby("level"):
            assert of_level.n.sum() == frame.n.sum()
            assert of_level.total.sum() == frame.total.sum()
            assert not of_level.code.duplicated().any()


def test_each_parent_is_the_sum_of_its_children():
    cells, boundaries = frames()
    frame = values([c[0] for c in CELLS], range(8), range(10, 18))
    out = roll_up(frame, ["n", "total"], cells, boundaries, by=[CELL, *LEVELS])
    sums = out.set_index(["level", "code"])[["n", "total"]]
    of_cell = sums.loc["cell"].groupby(cells.set_index("cell_id").village_code).sum()
    assert of_cell.loc["371502001001"].tolist() == sums.loc[("village", "371502001001")].tolist()
    villages = sums.loc["village"]
    inside = villages[villages.index.str.startswith("371502001")].sum()
    assert inside.tolist() == sums.loc[("township", "371502001")].tolist()


def test_by_parent_an_independent_grid_is_its_villages_and_by_role_its_own():
    cells, boundaries = frames()
    frame = values([c[0] for c in CELLS], [1, 2, 4, 8, 16, 32, 64, 128], [200] * 8)
    parent = roll_up(frame, ["n"], cells, boundaries, by=[Level.VILLAGE]).set_index("code").n
    assert parent.to_dict() == {
        "": 8,
        "371502001001": 1 + 2 + 32 + 64 + 128,
        "371502001002": 4,
        "371502001400": 16,
    }
    role = roll_up_roles(frame, ["n"], cells, boundaries).set_index(["level", "code"])
    village = role.loc["village"]
    assert village.n.to_dict() == {
        "": 8,
        "371502001001": 1 + 2,
        "371502001002": 4,
        "371502001400": 16,
        "37150200100101": 32,
        "37150200100102": 64 + 128,
    }
    assert village.grid_role.to_dict() == {
        "": "none",
        "371502001001": "responsibility",
        "371502001002": "responsibility",
        "371502001400": "independent",
        "37150200100101": "independent",
        "37150200100102": "independent",
    }
    assert role.loc[("cell", "37150200100101"), "grid_role"] == "independent"
    assert role.loc[("township", "371502001"), ["grid_role", "n"]].tolist() == ["supervision", 247]
    assert role.loc[("city", "371500"), ["grid_role", "n"]].tolist() == ["coordination", 255]


def test_rates_come_from_sums_and_never_from_shares():
    cells, boundaries = frames()
    frame = values([c[0] for c in CELLS[:3]], [1, 2, 3], [4, 4, 4])
    out = roll_up(frame, ["n", "total"], cells, boundaries, by=[Level.CITY])
    of = {"data_date": date(2026, 11, 20), "boundary_version": "2023-06"}
    (rate,) = rates(out, n="n", total="total", **of)
    assert (str(rate), rate.boundary_version) == ("6/12 (50.0 %)", "2023-06")
    with pytest.raises(ValueInvalid, match="not their share"):
        rates(out.assign(n=out.n / out.total), n="n", total="total", **of)
    with pytest.raises(OptionInvalid, match="0 <= n <= N"):
        rates(out.assign(n=13), n="n", total="total", **of)


def test_an_unresolved_unit_is_in_no_rate():
    succession = pd.DataFrame({"old_code": ["1", "2", "3"], "new_code": ["9", "9", ""]})
    old = pd.DataFrame({"code": ["1", "2", "3"], "n": [1, 1, 5], "total": [2, 2, 5]})
    carried = carry_over(old, ["n", "total"], succession)
    of = {"data_date": date(2026, 11, 20), "boundary_version": "2023-06"}
    (rate,) = rates(carried.frame, n="n", total="total", **of)
    assert (rate.n, rate.total, len(carried.unresolved), carried.n_rows) == (2, 4, 1, 3)


@pytest.mark.parametrize("sums", [roll_up, roll_up_roles])
def test_shares_are_not_summed(sums):
    """Issue 5: percentages of two cells were summed to 105."""
    cells, boundaries = frames()
    frame = values([c[0] for c in CELLS[:2]], [1, 2], [10, 10]).assign(share=[70.0, 35.0])
    with pytest.raises(ValueInvalid, match=r"column share: .*float64.*whole counts"):
        sums(frame, ["n", "share"], cells, boundaries)


@pytest.mark.parametrize("column", ["cell_id", "n"])
def test_a_column_that_is_not_there_is_named(column):
    cells, boundaries = frames()
    frame = values([CELLS[0][0]], [1], [1]).drop(columns=column)
    with pytest.raises(ColumnMissing, match=f"column {column} is missing"):
        roll_up(frame, ["n", "total"], cells, boundaries)
