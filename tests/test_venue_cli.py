"""Commands of the venue register: what they write, say, and how they fail."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT, EXIT_REFUSED

HEADER = "场所编号,场所名称,类型,风险等级,上次检查,建筑面积,未整改重大隐患,未整改隐患"
LEDGER = f"""{HEADER},最近隐患日期,经度,纬度
v1,鑫源超市,小商店,绿,2026-10-01,80,0,0,,115.9700,36.4500
v2,老街羊汤馆,小餐饮场所,黄,2026-05-01,,1,0,,115.9710,36.4500
v3,美佳理发店,小美容洗浴,绿,,150,0,2,2026-09-02,115.9720,36.4500
v4,城南加油站,加油站,红,2026-11-01,,0,0,,115.9730,36.4500
v5,样例公园,公园,绿,2026-11-01,,0,0,,115.9730,36.4500
"""
VISITS = (
    "场所编号,检查日期,检查结果\nv1,2026-11-02,合格\nv2,2026-10-02,未找到\nv2,2026-11-03,未找到\n"
)
POIS = """编号,名称,类型,经度,纬度
1,鑫原超市,购物服务,115.9701,36.4500
2,金鼎网吧,网吧,115.9712,36.4501
3,人民公园,公园,115.9712,36.4501
"""


@pytest.fixture
def files(tmp_path):
    for name, text in (("ledger", LEDGER), ("visits", VISITS), ("pois", POIS)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def run(*arguments, lang="en"):
    done = CliRunner().invoke(app, [*map(str, arguments), "--lang", lang])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_rules_are_shown(lang):
    done = run("venue-rules", lang=lang)
    assert done.exit_code == 0
    assert ("九小场所" if lang == "zh" else "nine small kinds") in done.output
    assert "2024-1" in done.output


def test_rules_with_a_fault_are_refused(tmp_path):
    (tmp_path / "own.toml").write_text('version = "x"\nvalid_from = 2024-01-01\n', encoding="utf-8")
    done = run("venue-rules", "--rules", tmp_path / "own.toml")
    assert done.exit_code == EXIT_INPUT
    assert "own.toml" in done.output


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_grades_are_written_with_their_reasons(files, lang):
    out = files / "grades.csv"
    done = run(
        "grade-venues", files / "ledger.csv", "--out", out, "--date", "2026-11-20", lang=lang
    )
    assert done.exit_code == 0, done.output
    for said in (
        "1/5",
        "2024-1",
        "2026-11-20",
        "未注明" if lang == "zh" else "not stated",
        "1/4 (25.0 %)",
    ):
        assert said in done.output
    table = pd.read_csv(out, dtype=str, keep_default_na=False).set_index(
        "场所编号" if lang == "zh" else "venue_id"
    )
    tier, reasons, how = (
        ("评定等级", "理由", "转绿条件") if lang == "zh" else ("tier", "reasons", "to_green")
    )
    words = {"zh": ["绿", "红", "黄", "黄"], "en": ["green", "red", "yellow", "yellow"]}
    assert table[tier].tolist() == words[lang]
    assert "1" in table.loc["v2", reasons]
    assert "2027-03-02" in table.loc["v3", how]
    assert table.loc["v1", reasons] == ""


def test_restricted_places_are_left_out_for_a_team(files):
    out = files / "grades.csv"
    done = run("grade-venues", files / "ledger.csv", "--out", out, "--audience", "team")
    assert "Restricted venues not shown to team: 1" in done.output
    assert "v4" not in pd.read_csv(out, dtype=str)["venue_id"].tolist()
    wrong = run("grade-venues", files / "ledger.csv", "--out", out, "--audience", "press")
    assert wrong.exit_code == EXIT_INPUT


def test_due_lists_backlog_and_queue(files):
    done = run(
        "venues-due", files / "ledger.csv", "--visits", files / "visits.csv",
        "--date", "2026-11-20", "--out", files / "due",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    tables = {
        name: pd.read_csv(files / "due" / f"{name}.csv", dtype=str, keep_default_na=False)
        for name in ("due", "backlog", "states", "register_queue")
    }
    due = tables["due"].set_index("venue_id")
    assert due.last_inspection["v1"] == "2026-11-02"  # the visit is newer than the register
    assert due.due_state.to_dict() == {
        "v1": "later", "v2": "overdue", "v3": "unknown", "v4": "later",
    }  # fmt: skip
    assert tables["backlog"].venue_id.tolist() == ["v3"]
    assert tables["register_queue"].venue_id.tolist() == ["v2"]
    assert "Overdue: 1/3" in done.output
    assert "Never inspected, so due: 1/4" in done.output


def test_gaps_end_with_status_1_and_none_with_0(files):
    out = files / "gaps.geojson"
    arguments = ("register-gap", files / "ledger.csv", "--poi", files / "pois.csv", "--out", out)
    done = run(*arguments, "--date", "2026-11-20")
    assert done.exit_code == EXIT_REFUSED, done.output
    assert "2/3 (66.7 %)" in done.output
    assert "Without a record: 1/2" in done.output
    features = json.loads(out.read_text("utf-8"))["features"]
    assert [f["properties"]["is_recorded"] for f in features] == [True, False]
    text = POIS.replace("2,金鼎网吧,网吧,115.9712,36.4501\n", "")
    (files / "pois.csv").write_text(text, encoding="utf-8")
    assert run(*arguments).exit_code == 0


def test_gaps_are_counted_by_grid(files):
    ring = [[115.969, 36.449], [115.9705, 36.449], [115.9705, 36.451], [115.969, 36.451]]
    area = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    feature = {"type": "Feature", "properties": {"网格编码": "371502001001001"}, "geometry": area}
    grids = files / "grids.geojson"
    grids.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    out = files / "gaps.csv"
    done = run(
        "register-gap", files / "ledger.csv", "--poi", files / "pois.csv", "--out", out,
        "--grids", grids,
    )  # fmt: skip
    assert "grid 371502001001001: 0/1 (0.0 %)" in done.output
    assert "outside every grid: 1/1" in done.output
    assert pd.read_csv(out, dtype=str, keep_default_na=False).cell_id.tolist() == [
        "371502001001001",
        "",
    ]


def test_streets_are_rolled_up(files):
    line = {"type": "LineString", "coordinates": [[115.969, 36.4499], [115.9725, 36.4499]]}
    feature = {
        "type": "Feature",
        "properties": {"highway": "residential", "name": "柳园路"},
        "geometry": line,
    }
    roads = files / "roads.geojson"
    roads.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    done = run(
        "street-venues", files / "ledger.csv", "--roads", roads, "--out", files / "streets.geojson",
        "--date", "2026-11-20", "--street", "柳园路",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "柳园路: 4 venues" in done.output or "柳园路: 3 venues" in done.output


@pytest.mark.parametrize(
    "command",
    [
        ("grade-venues", "none.csv", "--out", "x.csv"),
        ("venues-due", "none.csv", "--out", "x"),
        ("register-gap", "none.csv", "--poi", "none.csv", "--out", "x.csv"),
        ("street-venues", "none.csv", "--roads", "none.csv", "--out", "x.csv"),
        ("venue-rules", "--rules", "none.toml"),
        ("venue-rules", "--tasks", "none.toml"),
    ],
)
def test_a_file_that_is_not_there_is_one_sentence(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*command)
    assert done.exit_code == EXIT_INPUT
    assert "no such file" in done.output
    assert list(tmp_path.iterdir()) == []


def roads_of(folder, lon=115.969, lat=36.4499):
    line = {"type": "LineString", "coordinates": [[lon, lat], [lon + 0.0035, lat]]}
    properties = {"highway": "residential", "name": "柳园路"}
    feature = {"type": "Feature", "properties": properties, "geometry": line}
    path = folder / f"roads{lon:g}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    return path


COMMANDS = [
    ("grade-venues", "ledger.csv"),
    ("register-gap", "ledger.csv", "--poi", "pois.csv"),
    ("street-venues", "ledger.csv", "--roads", "ledger.csv"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_input_is_written_over(files, monkeypatch, command):
    """Issue 5: the register itself was the result."""
    monkeypatch.chdir(files)
    done = run(*command, "--out", "ledger.csv")
    assert done.exit_code == EXIT_INPUT
    assert done.output.startswith("✕ --out: ledger.csv")
    assert (files / "ledger.csv").read_text("utf-8") == LEDGER


def test_due_writes_over_no_input(files):
    (files / "due.csv").write_text(LEDGER, "utf-8")
    done = run("venues-due", files / "due.csv", "--out", files)
    assert done.exit_code == EXIT_INPUT
    assert (files / "due.csv").read_text("utf-8") == LEDGER


@pytest.mark.parametrize("command", COMMANDS)
def test_a_suffix_is_judged_before_any_work(tmp_path, monkeypatch, command):
    """Issue 5: `--out x.txt` was refused when all was done; here no input is even there."""
    monkeypatch.chdir(tmp_path)
    done = run(*command, "--out", "x.txt", lang="zh")
    assert done.output.startswith("✕ --out：不能使用 x.txt")


def test_refused_rows_are_listed_with_their_reasons(files):
    """Issue 5: "1 of 5 rows" alone does not say which."""
    for command in (
        ("grade-venues", files / "ledger.csv", "--out", files / "g.csv"),
        ("venues-due", files / "ledger.csv", "--out", files / "due"),
    ):
        done = run(*command, lang="zh")
        assert "ledger.csv：拒收 1/5 行" in done.output
        assert "ledger.csv 第 5 行 kind 列：“公园”不在允许的词中" in done.output or (
            "ledger.csv 第 5 行 kind 列" in done.output
        )
    for listed in (files / "g-refused.csv", files / "due" / "rows-refused.csv"):
        assert "5,kind" in listed.read_text("utf-8-sig")


def test_inspections_to_come_are_counted(files):
    """Issue 5: a last inspection after the data date passed without a word."""
    done = run(
        "grade-venues", files / "ledger.csv", "--out", files / "g.csv", "--date", "2026-10-05"
    )
    assert "1/4 venues were last inspected after the data date 2026-10-05" in done.output
    day = ("--date", "2026-11-20")
    assert (
        "were last"
        not in run("grade-venues", files / "ledger.csv", "--out", files / "g.csv", *day).output
    )


def test_facts_the_register_lacks_are_named(files):
    """Issue 5: without facts no tier can be tried, and nothing said so."""
    done = run("grade-venues", files / "ledger.csv", "--out", files / "g.csv", lang="zh")
    said = next(line for line in done.output.splitlines() if "项事实的列" in line)
    assert "床位数" in said or "床位" in said
    assert "建筑面积" not in said


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_streets_become_a_table_in_the_readers_language(files, suffix):
    """Issue 5: docs/venues.md shows --out streets.xlsx, which was refused; headers were English."""
    out = files / f"streets{suffix}"
    done = run(
        "street-venues", files / "ledger.csv", "--roads", roads_of(files), "--out", out, lang="zh"
    )
    assert done.exit_code == 0, done.output
    read = pd.read_csv if suffix == ".csv" else pd.read_excel
    table = read(out)
    assert list(table.columns) == [
        "街道编号", "场所名称", "场所数", "红", "黄", "绿", "有检查记录", "逾期", "本月到期",
    ]  # fmt: skip


def test_due_and_gaps_are_tables_in_chinese(files):
    """Issue 5: tables that people open had English headers and words."""
    run("venues-due", files / "ledger.csv", "--out", files / "due", lang="zh")
    due = pd.read_csv(files / "due" / "due.csv", dtype=str, keep_default_na=False)
    assert all(not name.isascii() for name in due.columns), list(due.columns)
    assert set(due["评定等级"]) == {"绿", "黄", "红"}
    assert set(due["场所类型"]) >= {"小商店"}
    run(
        "register-gap", files / "ledger.csv", "--poi", files / "pois.csv",
        "--out", files / "gaps.xlsx", lang="zh",
    )  # fmt: skip
    gaps = pd.read_excel(files / "gaps.xlsx", dtype=str)
    assert all(not name.isascii() for name in gaps.columns), list(gaps.columns)
    assert gaps["已有台账"].tolist() == ["是", "否"]


def test_a_street_that_is_not_there_is_an_error(files):
    done = run(
        "street-venues", files / "ledger.csv", "--roads", roads_of(files), "--street", "柳圆路",
        "--out", files / "s.csv", lang="zh",
    )  # fmt: skip
    assert done.exit_code == EXIT_INPUT
    assert "柳圆路" in done.output
    assert "例如 柳园路" in done.output
    assert not (files / "s.csv").exists()


def test_roads_of_another_city_are_an_error(files):
    """Issue 5: every venue stood on no street, and the file was written."""
    done = run(
        "street-venues", files / "ledger.csv", "--roads", roads_of(files, 117.0, 36.6),
        "--out", files / "s.csv", lang="zh",
    )  # fmt: skip
    assert done.exit_code == EXIT_INPUT
    assert "4 行没有一行在 roads117.geojson 的街道 60 米以内" in done.output
    assert not (files / "s.csv").exists()


def test_grids_that_are_not_printed_are_counted(files):
    """Issue 5: ten grids were printed as if they were all."""
    square = 0.001
    features = []
    for k in range(12):
        west = 115.960 + k * square
        ring = [
            [west, 36.4],
            [west + square, 36.4],
            [west + square, 36.5],
            [west, 36.5],
            [west, 36.4],
        ]
        shape = {"type": "Polygon", "coordinates": [ring]}
        code = {"网格编码": f"3715020010010{k:02d}"}
        features.append({"type": "Feature", "properties": code, "geometry": shape})
    grids = files / "grids.geojson"
    grids.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    rows = [f"{k},金鼎网吧{k},网吧,{115.9605 + k * square:.4f},36.4510" for k in range(12)]
    (files / "pois.csv").write_text("\n".join(("编号,名称,类型,经度,纬度", *rows)), "utf-8")
    done = run(
        "register-gap", files / "ledger.csv", "--poi", files / "pois.csv",
        "--grids", grids, "--out", files / "gaps.csv",
    )  # fmt: skip
    assert "and 2 more grids with 2 missing" in done.output
