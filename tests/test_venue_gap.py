"""What the register lacks: hand-made streets, and planted holes with everyday slips."""

import runpy
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.frames import GAPS, require
from geo.units import LIAOCHENG_EPSG
from geo.venue import count_gaps, find_gaps
from geo.venue.names import name_key, name_tokens, similarities

planted = runpy.run_path(str(Path(__file__).with_name("planted_register.py")))
ORIGIN = (407_000.0, 4_035_000.0)


def frame(key, rows):
    """Rows of name, kind and metres east and north of the town's corner (None: no position)."""
    n = len(rows)
    points = [
        None if row[2] is None else shapely.Point(ORIGIN[0] + row[2], ORIGIN[1] + row[3])
        for row in rows
    ]
    return gpd.GeoDataFrame(
        {
            key: pd.Series([f"{key[0]}{k}" for k in range(n)], dtype="str"),
            "name": pd.Series([row[0] for row in rows], dtype="str"),
            "kind": pd.Series([row[1] for row in rows], dtype="str"),
            "source": pd.Series(["test"] * n, dtype="str"),
        },
        geometry=gpd.GeoSeries(points, crs=LIAOCHENG_EPSG).to_crs(4326).to_numpy(),
        crs=4326,
    )


def audit(pois, records):
    done = find_gaps(
        frame("poi_id", pois),
        frame("venue_id", [*records, *CITY]),
        epsg=LIAOCHENG_EPSG,
        data_date=date(2026, 11, 20),
        boundary_version="2023-06",
    )
    require(done.gaps, GAPS, source="gaps", allow_empty=True)
    return done


# A street of five records, fifty metres apart; v5 has no position.
#   v0 鑫源隆超市   v1 老街羊汤馆   v2 美佳理发店   v3 KTV 88   v4 鑫源隆超市(二店)   v5 福来宾馆
RECORDS = [
    ("鑫源隆超市", "shop", 0, 0),
    ("聊城市老街羊汤馆", "food", 50, 0),
    ("美佳理发店", "beauty_bath", 100, 0),
    ("KTV 88", "entertainment", 150, 0),
    ("鑫源隆超市（二店）", "shop", 400, 0),
    ("福来宾馆", "hotel", None, None),
]
CITY = [
    (f"{place}{core}{trade}{company}", "shop", 30_000, 200 * k)
    for k, (core, place, trade, company) in enumerate(
        zip(
            "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥" * 2,
            ["聊城市", ""] * 22,
            ["超市", "理发店", "羊汤馆", "宾馆", "烧烤", "网吧"] * 8,
            ["有限公司", "", "店", ""] * 11,
            strict=False,
        )
    )
]
"""The rest of the city, thirty kilometres off: what names share, they share there."""


@pytest.mark.parametrize(
    ("poi", "venue"),
    [
        (("鑫源隆超市", "shop", 3, 2), "v0"),
        (("鑫原隆超市", "shop", 3, 2), "v0"),  # misspelt
        (("鑫源隆超市", "shop", 28, 10), "v0"),  # moved 30 m
        (("老街羊汤馆", "food", 50, 5), "v1"),  # short form
        (("老街羊肉汤馆有限公司", "food", 50, 5), "v1"),  # long form
        (("ＫＴＶ０８８", "entertainment", 150, 0), "v3"),  # full width, leading zero
        (("美佳理发店", "shop", 100, 0), "v2"),  # sorted under another kind
        (("福来宾馆", "hotel", 800, 0), "v5"),  # the record has no position
    ],
)
def test_a_record_stands_for_it(poi, venue):
    found = audit([poi], RECORDS).gaps
    assert found.is_recorded.tolist() == [True]
    assert found.venue_id.tolist() == [venue]


@pytest.mark.parametrize(
    "poi",
    [
        ("金鼎网吧", "net_cafe", 50, 5),  # nothing like it
        ("KTV 89", "entertainment", 150, 0),  # another number is another venue
        ("老街羊汤馆", "food", 900, 0),  # of that name, but far away
        ("福来招待所", "hotel", 800, 0),  # only like a record without a position
    ],
)
def test_no_record_stands_for_it(poi):
    done = audit([poi], RECORDS)
    assert done.gaps.is_recorded.tolist() == [False]
    assert str(done.missing) == "1/1 (100.0 %)"


def test_the_likest_record_is_offered_never_applied():
    found = audit([("南门拉面馆", "food", 60, 0)], RECORDS).gaps
    assert found.is_recorded.tolist() == [False]
    assert found.venue_id.tolist() == ["v1"]
    assert found["distance"].tolist() == pytest.approx([10.0], abs=0.1)
    assert 0 < found.similarity[0] < 0.5


def test_one_record_stands_for_one_of_two_shops_of_a_chain():
    done = audit(
        [("正香鸡排", "food", 0, 0), ("正香鸡排", "food", 90, 0)], [("正香鸡排", "food", 5, 0)]
    )
    assert done.gaps.is_recorded.tolist() == [True, False]
    at_door = audit(
        [("正香鸡排", "food", 0, 0), ("正香鸡排", "food", 12, 0)], [("正香鸡排", "food", 5, 0)]
    )
    assert at_door.gaps.is_recorded.all()


def test_shared_coordinates_are_told_apart_by_name():
    """Twenty shops of a mall on one point, one of them not recorded."""
    names = [f"{core}服装店" for core in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"]
    pois = [(f"{name}", "shop", 0, 0) for name in names]
    done = audit(pois, [row for k, row in enumerate(pois) if k != 7])
    assert np.flatnonzero(~done.gaps.is_recorded).tolist() == [7]


def test_points_of_no_kind_are_counted_and_left_out():
    done = audit([("人民公园", "", 0, 0), ("鑫源隆超市", "shop", 0, 0)], RECORDS)
    assert str(done.in_scope) == "1/2 (50.0 %)"
    assert done.gaps.poi_id.tolist() == ["p1"]


def test_nothing_to_compare():
    assert len(audit([], RECORDS).gaps) == 0
    alone = find_gaps(
        frame("poi_id", [("鑫源隆超市", "shop", 0, 0)]),
        frame("venue_id", []),
        epsg=LIAOCHENG_EPSG,
        data_date=date(2026, 11, 20),
        boundary_version="2023-06",
    )
    assert alone.missing.n == 1


def test_gaps_by_grid_add_up():
    gaps = audit(
        [("甲", "shop", 0, 0), ("乙", "shop", 0, 0), ("鑫源隆超市", "shop", 0, 0)], RECORDS
    ).gaps
    counts = count_gaps(gaps.assign(cell_id=["c1", "", "c1"]))
    assert counts.to_dict("list") == {"cell_id": ["", "c1"], "n_gaps": [1, 1], "n_poi": [1, 2]}


def test_the_order_of_files_does_not_matter():
    pois = [
        ("鑫源隆超市", "shop", 3, 2),
        ("老街羊汤馆", "food", 50, 5),
        ("金鼎网吧", "net_cafe", 9, 9),
    ]
    forth, back = audit(pois, RECORDS).gaps, audit(pois[::-1], RECORDS[::-1]).gaps
    assert forth.is_recorded.tolist() == back.is_recorded.tolist()[::-1]


# ---- names --------------------------------------------------------------------------------------


def test_signs_blanks_and_width_do_not_count():
    assert name_key("鑫源隆 超市（柳园路店）") == name_key("鑫源隆超市(柳园路店)")
    assert name_tokens("７天酒店") == name_tokens("07 天酒店")


def test_what_many_names_share_tells_little():
    names = [f"{c}有限公司" for c in "甲乙丙丁戊己庚辛壬癸"] + ["金鼎有限公司", "金顶有限公司"]
    rows = np.array([0, 10, 10]), np.array([1, 11, 10])
    other, misspelt, same = similarities(names, names, *rows)
    assert other < 0.25 < misspelt < same == pytest.approx(1.0)


@settings(max_examples=60)
@given(st.lists(st.text("甲乙丙12ab ()（", max_size=8), min_size=2, max_size=6))
def test_likeness_is_symmetric_and_between_0_and_1(names):
    one, other = (grid.ravel() for grid in np.indices((len(names), len(names))))
    there, back = similarities(names, names, one, other), similarities(names, names, other, one)
    assert np.allclose(there, back)
    assert ((there >= 0) & (there <= 1)).all()
    has_tokens = [bool(name_tokens(name)) for name in names]
    assert np.allclose(there[one == other], has_tokens)


# ---- planted holes ------------------------------------------------------------------------------


def clustered(rng, n=5000, n_streets=60):
    """Venues along random streets of a 5 km town, half of them on a tenth of the streets."""
    weight = 1 / np.arange(1, n_streets + 1)
    street = rng.choice(n_streets, n, p=weight / weight.sum())
    start, angle = rng.uniform(0, 5000, (n_streets, 2)), rng.uniform(0, np.pi, n_streets)
    along = rng.uniform(0, 1200, n)
    at = start[street] + along[:, None] * np.c_[np.cos(angle), np.sin(angle)][street]
    kinds = rng.choice(list(planted["TRADE"]), n)
    rows = list(zip([f"样例 {k:05d}" for k in range(n)], kinds, *at.T, strict=True))
    return frame("venue_id", rows)


@pytest.mark.parametrize(
    ("style", "is_full"),
    [("signs", False), ("signs", True), ("sample", False), ("hard", False)],
)
def test_planted_gaps_are_found(style, is_full):
    """2,000 cases, a quarter each plain, misspelt, moved 30 m, of shared coordinates.

    The town is denser than any: up to 300 venues within the 150 m in which a record is looked for.
    Names far more alike than signs (hard) find a wrong record there more often.
    """
    rng = np.random.default_rng(3)
    venues = clustered(rng)
    pois, register, truth = planted["plant"](
        venues, epsg=LIAOCHENG_EPSG, rng=rng, style=style, is_full=is_full
    )
    done = find_gaps(
        pois, register, epsg=LIAOCHENG_EPSG, data_date=date(2026, 11, 20), boundary_version="x"
    )
    missing = ~done.gaps.is_recorded.to_numpy()
    assert truth.is_gap.sum() == 500
    precision, recall = planted["judged"](truth, missing)
    assert precision >= 0.9
    assert recall >= (0.8 if style == "hard" else 0.9)
    if style == "hard":
        return
    for case in ("plain", "moved", "shared"):
        rows = (truth.case == case).to_numpy()
        assert min(planted["judged"](truth[rows], missing[rows])) >= 0.9
