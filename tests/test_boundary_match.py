"""Where the units of an older register went.

older                                newer
371500 样例市                        371500 样例市
├ 371523 茌平县  ────────────────▸   371503 茌平区   (new code, new kind)
│ └ 371523101 沙镇                   └ 371503101 沙镇镇
│   ├ …201 王化村委会                  ├ …201 王化村村民委员会      same own name, same number
│   ├ …202 候庄村委会                  ├ …202 侯庄村委会            a slip of the pen
│   ├ …203 温碾村委会  ┐
│   ├ …204 雷庄村委会  ┼───────────▸   ├ …230 温雷寇新村村委会      first characters
│   ├ …205 寇庄村委会  ┘
│   ├ …206 北街村委会                  ├ …206 和谐新村村委会        the number given again
│   └ …207 无踪村委会                  └ (no trace)
└ 371502 东区                        371502 东区
  └ 371502203 韩集乡                 └ 371502115 韩集镇
    ├ …201 东李村委会                  ├ …231 东李村委会
    └ …202 西李村委会                  └ …232 西李村委会
"""

import runpy
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.cli import app
from api.store import open_store
from api.store.boundaries import read_merges
from geo.boundary import (
    Placed,
    carry_over,
    count_relations,
    match_versions,
    require_one_place,
)
from geo.boundary.name import are_alike, own_name
from geo.crs import wgs84_to_gcj02
from geo.errors import ColumnMissing, PersonalDataRefused, ValueInvalid
from geo.frames import SUCCESSION, Level, require
from geo.io import read_register, read_succession_table, read_units_of, write_geopackage

HERE = Path(__file__).resolve().parent
REGISTERS = HERE.parent / "data" / "boundaries"
merge_register = runpy.run_path(str(HERE / "merged_register.py"))["merge_register"]

OLD = [
    ("county", "371523", "茌平县"),
    ("township", "371523101", "沙镇"),
    ("village", "371523101201", "王化村委会"),
    ("village", "371523101202", "候庄村委会"),
    ("village", "371523101203", "温碾村委会"),
    ("village", "371523101204", "雷庄村委会"),
    ("village", "371523101205", "寇庄村委会"),
    ("village", "371523101206", "北街村委会"),
    ("village", "371523101207", "无踪村委会"),
    ("county", "371502", "东区"),
    ("township", "371502203", "韩集乡"),
    ("village", "371502203201", "东李村委会"),
    ("village", "371502203202", "西李村委会"),
]
NEW = [
    ("county", "371503", "茌平区"),
    ("township", "371503101", "沙镇镇"),
    ("village", "371503101201", "王化村村民委员会"),
    ("village", "371503101202", "侯庄村委会"),
    ("village", "371503101230", "温雷寇新村村委会"),
    ("village", "371503101206", "和谐新村村委会"),
    ("county", "371502", "东区"),
    ("township", "371502115", "韩集镇"),
    ("village", "371502115231", "东李村委会"),
    ("village", "371502115232", "西李村委会"),
]


def register(rows):
    columns = zip(*rows, strict=True)
    names = ("level", "code", "name")
    return pd.DataFrame(
        {n: pd.Series(list(c), dtype="str") for n, c in zip(names, columns, strict=True)}
    )


def known(*pairs):
    return pd.DataFrame(pairs, columns=["old_code", "new_code"], dtype="str")


def matched(old=None, new=None, **more):
    found = match_versions(register(old or OLD), register(new or NEW), **more)
    require(found, SUCCESSION, source="succession")
    return found.set_index("old_code")


def test_the_town_by_hand():
    found = matched()
    assert found[["new_code", "relation", "evidence"]].to_dict("index") == {
        code: dict(zip(("new_code", "relation", "evidence"), row, strict=True))
        for code, row in {
            "371523": ("371503", "renamed", "name"),
            "371523101": ("371503101", "renamed", "code_name"),
            "371523101201": ("371503101201", "renamed", "code_name"),
            "371523101202": ("371503101202", "renamed", "code_name"),
            "371523101203": ("371503101230", "merged", "compound"),
            "371523101204": ("371503101230", "merged", "compound"),
            "371523101205": ("371503101230", "merged", "compound"),
            "371523101206": ("", "unresolved", "code"),
            "371523101207": ("", "unresolved", "none"),
            "371502": ("371502", "same", "code_name"),
            "371502203": ("371502115", "renamed", "name"),
            "371502203201": ("371502115231", "renamed", "name"),
            "371502203202": ("371502115232", "renamed", "name"),
        }.items()
    }


def test_a_code_given_to_another_village_is_offered_and_never_taken():
    north = matched().loc["371523101206"]
    assert (north.offered_code, north.confidence, north.new_name) == ("371503101206", 0.5, "")


def test_every_unit_ends_in_one_relation_of_its_level():
    counts = count_relations(matched().reset_index())
    villages = counts[counts.level == "village"].set_index("relation").n
    assert villages.to_dict() == {"same": 0, "renamed": 4, "merged": 3, "unresolved": 2}
    assert (counts.groupby("level").n.sum() == counts.groupby("level").n_total.first()).all()


def test_a_table_overrides_everything():
    table = known(
        ("371523101207", "371503101206"),
        ("371523101206", "371503101206"),
        ("371523101201", ""),
    )
    found = matched(table=table)
    assert list(found.loc[["371523101206", "371523101207"], "relation"]) == ["merged"] * 2
    assert set(found.loc[["371523101206", "371523101207"], "evidence"]) == {"table"}
    assert found.loc["371523101201", ["new_code", "relation"]].tolist() == ["", "unresolved"]


@pytest.mark.parametrize(
    ("pairs", "where"),
    [
        ([("371523101999", "371503101206")], "t.csv, row 1, column old_code"),
        ([("371523101207", "371503101999")], "t.csv, row 1, column new_code"),
        ([("371523101207", ""), ("371523101207", "371503101206")], "t.csv, row 2, column old_code"),
    ],
    ids=["unknown older", "unknown newer", "twice"],
)
def test_a_table_of_other_registers_is_refused(pairs, where):
    with pytest.raises(ValueInvalid, match=where):
        matched(table=known(*pairs), source="t.csv")


def test_names_count_only_among_the_units_of_one_parent():
    old = [*OLD[:2], ("village", "371523101201", "王庄村委会"), *OLD[9:11],
           ("village", "371502203201", "王庄村委会")]  # fmt: skip
    new = [*NEW[:2], *NEW[6:8], ("village", "371502115240", "王庄村委会")]
    found = matched(old, new)
    assert found.loc["371502203201", "new_code"] == "371502115240"
    assert found.loc["371523101201", "relation"] == "unresolved"


def test_namesakes_of_one_parent_decide_nothing():
    old = [*OLD[9:11], *(("village", f"37150220320{k}", "王庄村委会") for k in (1, 2))]
    new = [*NEW[6:8], ("village", "371502115240", "王庄村委会")]
    assert set(matched(old, new).relation[2:]) == {"unresolved"}


def test_townships_merge_where_their_villages_are_listed():
    old = [
        OLD[9],
        ("township", "371502101", "甲镇"),
        *(("village", f"37150210120{k}", f"{name}村委会") for k, name in enumerate("孔曹严华")),
        ("township", "371502102", "乙镇"),
        *(("village", f"37150210220{k}", f"{name}村委会") for k, name in enumerate("金魏陶姜")),
    ]
    new = [
        NEW[6],
        ("township", "371502101", "甲镇"),
        *(("village", f"37150210122{k}", f"{n}村委会") for k, n in enumerate("孔曹严华金魏陶姜")),
    ]
    found = matched(old, new)
    assert found.loc["371502102", ["new_code", "relation", "evidence"]].tolist() == [
        "371502101",
        "merged",
        "children",
    ]
    assert (found.relation != "unresolved").all()
    assert found.confidence.loc["371502102200":].max() <= found.confidence["371502102"]


def test_villages_that_moved_together_are_found_and_a_single_namesake_is_offered():
    towns = [("township", "371502101", "甲镇"), ("township", "371502102", "乙镇")]
    names = ["孔庄", "曹庄", "严庄"]
    stay = ("village", "371502102299", "华庄村委会")
    fixed = [OLD[9], *towns, stay, ("village", "371502101299", "陶庄村委会")]
    old = fixed + [("village", f"37150210120{k}", f"{n}村委会") for k, n in enumerate(names)]
    new = fixed + [("village", f"37150210220{k}", f"{n}村委会") for k, n in enumerate(names)]
    found = matched(old, new)
    moved = [f"37150210120{k}" for k in range(3)]
    assert list(found.loc[moved, "evidence"]) == ["elsewhere"] * 3
    assert list(found.loc[moved, "new_code"]) == [f"37150210220{k}" for k in range(3)]
    alone = matched(old[:-2], new[:-2]).loc[moved[0]]
    assert (alone.relation, alone.offered_code) == ("unresolved", "371502102200")


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("沙镇", "沙镇镇", Level.TOWNSHIP),
        ("候营镇", "侯营镇", Level.TOWNSHIP),
        ("广平乡", "广平镇", Level.TOWNSHIP),
        ("茌平县", "茌平区", Level.COUNTY),
        ("王化村委会", "王化村村民委员会", Level.VILLAGE),
        ("温泉社区居居民委员会", "温泉社区居民委员会", Level.VILLAGE),
    ],
)
def test_one_name_written_in_two_ways(one, other, level):
    assert own_name(one, level).folded == own_name(other, level).folded


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("岳坊东村委会", "岳东村委会", True),
        ("大桑村村委会", "大桑树村委会", True),
        ("小王庄村委会", "王庄村委会", True),
        ("前辛庄村委会", "后辛庄村委会", False),
        ("南关一村委会", "南关二村委会", False),
        ("胥庄村委会", "赵庄村村委会", False),
        ("邓官屯村委会", "李官屯新村", False),
    ],
)
def test_likeness(one, other, alike):
    names = [own_name(name, Level.VILLAGE) for name in (one, other)]
    assert are_alike(*names) is alike
    assert are_alike(*reversed(names)) is alike


# Areas, in steps of 0.01 degree:   older            newer
#                                   A A │ B B        X X X X │ Y     A and most of B in X,
#                                   C C │ D D        Z Z │ Z' Z'     C in Z, D divided Z | Z'
def areas(rows):
    n = len(rows)
    return gpd.GeoDataFrame(
        {
            "code": pd.Series([row[0] for row in rows], dtype="str"),
            "name": pd.Series([row[1] for row in rows], dtype="str"),
            "level": pd.Series(["village"] * n, dtype="str"),
            "admin_parent": pd.Series(["371502001"] * n, dtype="str"),
            "boundary_version": pd.Series(["2023-06"] * n, dtype="str"),
        },
        geometry=[shapely.box(*(115.9 + 0.01 * row[2], 36.4 + 0.01 * row[3],
                                115.9 + 0.01 * row[4], 36.4 + 0.01 * row[5]))
                  for row in rows],
        crs=4326,
    )  # fmt: skip


OLDER = [
    ("371502001001", "甲村", 0, 1, 2, 2),
    ("371502001002", "乙村", 2, 1, 4, 2),
    ("371502001003", "丙村", 0, 0, 2, 1),
    ("371502001004", "丁村", 2, 0, 4, 1),
]
NEWER = [
    ("371502001011", "团结新村", 0, 1, 3.8, 2),
    ("371502001002", "乙村", 3.8, 1, 4, 2),
    ("371502001003", "丙新村", 0, 0, 2, 1),
    ("371502001004", "丁村", 2, 0, 3.2, 1),
    ("371502001005", "戊村", 3.2, 0, 4, 1),
]


def test_areas_decide_where_both_sides_have_them():
    found = match_versions(areas(OLDER), areas(NEWER), epsg=32650).set_index("old_code")
    assert set(found.evidence) == {"area"}
    assert list(found.relation) == ["merged", "merged", "same", "unresolved"]
    assert list(found.new_code[:2]) == ["371502001011"] * 2  # not 乙村, whose code and name stand
    assert found.confidence["371502001002"] == pytest.approx(0.9, abs=0.01)
    assert found.offered_code["371502001004"] == "371502001004"
    assert found.confidence["371502001004"] == pytest.approx(0.6, abs=0.01)


def test_between_two_layers_lines_a_name_decides():
    """Three quarters in one unit and the rest in strips of several: two layers drawn apart."""
    strips = [
        (f"37150200102{k}", f"条{k}村", 1.5 + 0.125 * k, 0, 1.625 + 0.125 * k, 1) for k in range(4)
    ]
    newer = [("371502001001", "甲村", 0, 0, 1.5, 1), *strips]
    older = [("371502001001", "甲村", 0, 0, 2, 1)]
    found = match_versions(areas(older), areas(newer), epsg=32650).iloc[0]
    assert (found.relation, found.evidence) == ("same", "code_name")
    newer = [("371502001009", "乙村", 0, 0, 1.5, 1), ("371502001001", "甲村", 1.5, 0, 1.625, 1)]
    found = match_versions(areas(older), areas([*newer, *strips[1:]]), epsg=32650).iloc[0]
    assert (found.relation, found.offered_code) == ("unresolved", "371502001009")


def test_independent_grids_are_compared_with_each_other_only():
    school = [("37150200100101", "样例小学", 0.5, 1.2, 1, 1.6)]
    old, new = areas([*OLDER[:1], *school]), areas([*OLDER[:1], *school])
    for frame in (old, new):
        frame["admin_parent"] = pd.Series(["371502001", "371502001001"], dtype="str")
    for epsg in (32650, None):
        found = match_versions(old, new, epsg=epsg)
        assert list(found.new_code) == list(old.code)
        assert list(found.relation) == ["same", "same"]


counts = st.lists(
    st.tuples(st.sampled_from([row[1] for row in OLD] + ["", "9"]), st.integers(0, 9))
)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(counts)
def test_carried_and_unresolved_make_the_whole(rows):
    frame = pd.DataFrame(
        {
            "code": pd.Series([row[0] for row in rows], dtype="str"),
            "n": np.array([row[1] for row in rows], dtype=np.int64),
        }
    )
    succession = matched().reset_index()
    out = carry_over(frame, ["n"], succession)
    assert out.frame.n.sum() + out.unresolved.n.sum() == frame.n.sum()
    assert set(out.frame.code) <= {row[1] for row in NEW}
    is_open = succession.old_code[succession.relation == "unresolved"]
    assert set(out.unresolved.code) <= {*is_open, "", "9"}
    assert out.n_rows == len(rows)


def test_merged_counts_add_up_and_the_unresolved_stay_out():
    frame = pd.DataFrame({"code": [row[1] for row in OLD if row[0] == "village"], "n": 1, "N": 2})
    out = carry_over(frame, ["n", "N"], matched().reset_index())
    sums = out.frame.set_index("code")
    assert sums.loc["371503101230"].tolist() == [3, 6]
    assert list(out.unresolved.code) == ["371523101206", "371523101207"]
    assert sums.n.sum() == 7


def test_precision_where_the_truth_is_known():
    """A county of the real register of 2019, merged by a known rule (tests/merged_register.py)."""
    old = read_register(REGISTERS / "register_371500_2019.csv")
    resolved = right = n_all = 0
    for seed, county in enumerate(("371502", "371521")):
        part = old[old.code.str.startswith(county)].reset_index(drop=True)
        made = merge_register(part, seed=seed)
        found = match_versions(part, made.register)
        taken = found[found.new_code != ""]
        true = taken.old_code.map(made.truth)
        n_all, resolved = n_all + len(found), resolved + len(taken)
        right += int((taken.new_code == true).sum())
    assert right / resolved >= 0.99
    assert right / n_all >= 0.6


def test_the_two_real_vintages():
    old = read_register(REGISTERS / "register_371500_2019.csv")
    new = read_register(REGISTERS / "register_371500_2023.csv")
    found = match_versions(old, new).set_index("old_code")
    n = Counter(zip(found.level, found.relation, strict=True))
    assert n["county", "same"] == 8
    assert (n["township", "same"], n["township", "renamed"]) == (130, 6)
    assert sum(n[key] for key in n if key[0] == "village") == 6_363
    assert n["village", "same"] > 1_200
    assert n["village", "unresolved"] < 4_700
    assert found.loc["371502202", ["new_code", "evidence"]].tolist() == ["371502116", "name"]
    compound = found[found.new_name == "温雷寇新村村民委员会"]
    assert sorted(compound.old_name) == ["寇庄村委会", "温碾村委会", "雷庄村委会"]
    assert found.loc["371502010239", "relation"] == "unresolved"  # 邓官屯村, now 李官屯新村


def test_the_order_of_rows_decides_nothing():
    old, new = register(OLD), register(NEW)
    mixed = match_versions(
        old.iloc[::-1].reset_index(drop=True), new.sample(frac=1, random_state=1)
    )
    straight = match_versions(old, new)
    pd.testing.assert_frame_equal(
        mixed.sort_values("old_code", ignore_index=True),
        straight.sort_values("old_code", ignore_index=True),
    )


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read_by_its_chinese_headers(tmp_path):
    path = write(
        tmp_path / "t.csv", "原代码,新代码,依据\n371523101207,371503101206,文件\n371523000000,,\n"
    )
    table = read_succession_table(path)
    assert table.to_numpy().tolist() == [["371523101207", "371503101206"], ["371523", ""]]
    with pytest.raises(ColumnMissing, match="new_code/新代码"):
        read_succession_table(write(tmp_path / "u.csv", "原代码,x\n1,2\n"))


def test_a_version_is_a_register_or_a_layer(tmp_path, small_layers):
    path = tmp_path / "b.gpkg"
    write_geopackage(small_layers.boundaries, path, layer="boundaries")
    assert "geometry" in read_units_of(path).frame
    assert "geometry" not in read_units_of(REGISTERS / "register_371500_2023.csv").frame


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def vintages(tmp_path):
    paths = tmp_path / "old.csv", tmp_path / "new.csv"
    for path, rows in zip(paths, (OLD, NEW), strict=True):
        register(rows).to_csv(path, index=False)
    return paths


def test_the_command_says_n_of_n_and_writes_the_table(vintages, tmp_path):
    out = tmp_path / "out" / "m.csv"
    said = run("match-boundaries", *vintages, "--out", out, "--lang", "en", "--date", "2026-11-20")
    assert said.exit_code == 0, said.output
    assert "old (13 units) → new (10 units), data of 2026-11-20" in said.output
    assert "villages unresolved: 2/9 (22.2 %)" in said.output
    table = pd.read_csv(out, dtype=str).fillna("")
    assert list(table.old_code) == [row[1] for row in OLD]
    assert set(table.old_version) == {"old"}


def test_the_command_takes_a_table_and_names_versions(vintages, tmp_path):
    table = write(tmp_path / "t.csv", "原代码,新代码\n371523101207,371503101206\n")
    more = ("--table", table, "--old-version", "2019-10", "--new-version", "2023-06")
    said = run("match-boundaries", *vintages, "--out", tmp_path / "m.xlsx", *more)
    assert said.exit_code == 0, said.output
    assert "2019-10" in said.output
    assert "用户对照表" in said.output
    assert (tmp_path / "m.xlsx").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--sure", "0.2"), "--sure"),
        (("--table", "none.csv"), "none.csv: no such file"),
        (("--date", "yesterday"), "--date"),
    ],
)
def test_the_command_refuses_in_one_sentence(vintages, tmp_path, more, said):
    done = run("match-boundaries", *vintages, "--out", tmp_path / "m.csv", "--lang", "en", *more)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


def test_the_command_compares_areas_and_writes_them(tmp_path, small_layers):
    path = tmp_path / "b.gpkg"
    write_geopackage(small_layers.boundaries, path, layer="boundaries")
    out = tmp_path / "m.gpkg"
    done = run("match-boundaries", path, path, "--out", out, "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "by share of area: 4 resolved" in done.output
    written = gpd.read_file(out)
    assert list(written.relation) == ["same"] * 4


def test_the_command_keeps_the_map_in_the_store(
    vintages, tmp_path, geopackage_setting, monkeypatch
):
    monkeypatch.setenv("PATROLGRID_STORE", geopackage_setting)
    versions = ("--old-version", "2019-10", "--new-version", "2023-06")
    out = ("--out", tmp_path / "m.csv", "--lang", "en")
    for _ in range(2):  # again in place of what was known
        said = run("match-boundaries", *vintages, *out, *versions, "--keep")
        assert said.exit_code == 0, said.output
    assert "Kept in the store: where 13 older codes went." in said.output
    with open_store(geopackage_setting) as store, store.read() as connection:
        merges = read_merges(connection, from_version="2019-10", to_version="2023-06")
    assert len(merges) == 13
    assert {m.old_code for m in merges if m.new_code is None} == {"371523101206", "371523101207"}


def moved(units, shift):
    return units.set_geometry(
        gpd.GeoSeries(shapely.transform(units.geometry.array, shift), crs=4326)
    )


def test_code_and_name_decide_nothing_where_areas_do_not_meet():
    """Issue 5: two layers 60 degrees apart were "same" throughout, by code and name."""
    far = moved(areas(OLDER), lambda lonlat: lonlat - [60, 0])
    found = match_versions(areas(OLDER), far, epsg=32650)
    assert set(found.relation) == {"unresolved"}
    assert set(found.evidence) == {"code_name"}
    assert list(found.offered_code) == list(found.old_code)
    one = pd.concat([areas(OLDER)[:3], far[3:]], ignore_index=True)
    found = match_versions(areas(OLDER), one, epsg=32650)
    assert list(found.relation) == ["same"] * 3 + ["unresolved"]
    table = known((OLDER[3][0], OLDER[3][0]))
    assert set(match_versions(areas(OLDER), one, epsg=32650, table=table).relation) == {"same"}


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (lambda lonlat: lonlat - [60, 0], "old.gpkg: none of the 4 rows lies inside"),
        (wgs84_to_gcj02, "new.gpkg: the points are stated as WGS-84 but lie like GCJ-02"),
        (lambda lonlat: lonlat - [-0.0055, -0.0005], "new.gpkg: the points are stated as WGS-84"),
    ],
    ids=["elsewhere", "another datum", "moved like it"],
)
def test_the_command_refuses_layers_that_lie_apart(tmp_path, small_layers, shift, said):
    units = small_layers.boundaries
    old, new = tmp_path / "old.gpkg", tmp_path / "new.gpkg"
    write_geopackage(units, old, layer="boundaries")
    write_geopackage(moved(units, shift), new, layer="boundaries")
    done = run("match-boundaries", old, new, "--out", tmp_path / "m.csv", "--lang", "en")
    assert done.exit_code == 2
    assert said in done.output


def test_a_register_is_screened_like_every_other_file(vintages, tmp_path):
    """Issue 5: a register with a column of persons in charge was read."""
    old, new = vintages
    spoiled = write(tmp_path / "p.csv", "")
    register(OLD).assign(负责人="张三").to_csv(spoiled, index=False)
    with pytest.raises(PersonalDataRefused, match="--drop 负责人"):
        read_register(spoiled)
    out = ("--out", tmp_path / "m.csv", "--lang", "en")
    assert run("match-boundaries", spoiled, new, *out).exit_code == 2
    assert run("match-boundaries", spoiled, new, *out, "--drop", "负责人").exit_code == 0
    table = write(tmp_path / "t.csv", "原代码,新代码,联系电话\n371523101207,,13812345678\n")
    with pytest.raises(PersonalDataRefused, match="--drop 联系电话"):
        read_succession_table(table)
    assert run("match-boundaries", old, new, *out, "--table", table).exit_code == 2


def test_what_a_table_must_hold_is_said_in_the_readers_language(vintages, tmp_path):
    """Issue 5: English words in Chinese sentences."""
    table = write(tmp_path / "t.csv", "原代码,新代码\n371523101999,\n")
    out = ("--table", table, "--out", tmp_path / "m.csv")
    assert "应为 旧文件里的代码" in run("match-boundaries", *vintages, *out, "--lang", "zh").output
    assert (
        "expected a code of the older file"
        in run("match-boundaries", *vintages, *out, "--lang", "en").output
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [("m.pdf", ".csv .xlsx .gpkg .geojson .fgb"), ("m.gpkg", ".csv .xlsx."), ("old.csv", "own")],
)
def test_where_to_write_is_checked_first(vintages, tmp_path, name, said):
    before = vintages[0].read_bytes()
    done = run("match-boundaries", *vintages, "--out", tmp_path / name, "--lang", "en")
    assert done.exit_code == 2
    assert said in done.output
    assert vintages[0].read_bytes() == before


def test_layers_drawn_apart_are_no_question_of_datum(small_layers):
    units = small_layers.boundaries
    for east, north in ((0.0, 0.0), (0.0002, 0.0001), (0.0, 0.0055)):
        near = moved(units, lambda lonlat, by=(east, north): lonlat + by)
        require_one_place(Placed(frame=near, source="a"), Placed(frame=units, source="b"))
