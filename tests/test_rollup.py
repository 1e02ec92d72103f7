"""Sums from cells to the city.

city 371500 ─ county 371502 ─ township 371502001 ─ villages …001 (2 cells), …002 (1 cell)
            └ county 371503 (no townships: 1 cell of its own)
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.frames import Level
from geo.rollup import roll_up

UNITS = [
    ("371500", "city", ""),
    ("371502", "county", "371500"),
    ("371503", "county", "371500"),
    ("371502001", "township", "371502"),
    ("371502001001", "village", "371502001"),
    ("371502001002", "village", "371502001"),
]
CELLS = [
    ("371502001001001", "371502001001", "371502001", "371502"),
    ("371502001001002", "371502001001", "371502001", "371502"),
    ("371502001002001", "371502001002", "371502001", "371502"),
    ("371503000000001", "", "", "371503"),
]


def frames():
    boundaries = gpd.GeoDataFrame(
        {
            "code": pd.Series([u[0] for u in UNITS], dtype="str"),
            "name": pd.Series([f"名 {u[0]}" for u in UNITS], dtype="str"),
            "level": pd.Series([u[1] for u in UNITS], dtype="str"),
            "admin_parent": pd.Series([u[2] for u in UNITS], dtype="str"),
        },
        geometry=[shapely.box(0, 0, 1, 1)] * len(UNITS),
        crs=4326,
    )
    columns = ("cell_id", "village_code", "township_code", "county_code")
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
    frame = values([c[0] for c in CELLS], [1, 2, 3, 4], [10, 10, 10, 10])
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


@given(
    st.lists(
        st.tuples(st.sampled_from([c[0] for c in CELLS] + ["", "999"]), st.integers(0, 50)),
        max_size=40,
    )
)
def test_the_parts_equal_the_whole(rows):
    cells, boundaries = frames()
    frame = values([r[0] for r in rows], [r[1] for r in rows], [r[1] + 1 for r in rows])
    out = roll_up(frame, ["n", "total"], cells, boundaries)
    for _, of_level in out.groupby("level"):
        assert of_level.n.sum() == frame.n.sum()
        assert of_level.total.sum() == frame.total.sum()
