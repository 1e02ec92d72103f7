"""The page of a sweep: a team's order can be followed, teams do not hide each other (issue 6)."""

import json
import re
import runpy
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from api.maps import write_theme
from api.maps.sweep import sweep_theme
from api.maps.theme import TeamRound
from geo.frames import Col
from geo.privacy import Audience

browser_page = runpy.run_path(str(Path(__file__).with_name("test_map_browser.py")))

# Team 1 rides a street unserved that team 2 sweeps the same way; two streets are left out, one of
# them of two segments:
#
#   所 ──1:1 ╌╌ 2:1──> ·  1:2 ──> ·      left: 北路, 北路, unnamed
WEST, LAT = 115.98, 36.45
HOSTILE = "</script><img src=x onerror=alert(1)>"


def line(*steps):
    return shapely.LineString([(WEST + 0.002 * x, LAT + 0.002 * y) for x, y in steps])


def legs():
    rows = [
        ("01-001", 1, 1, False, "", 0, 60, "20:00:00", "20:01:00"),
        ("01-002", 1, 2, True, HOSTILE, 60, 180, "20:01:00", "20:03:00"),
        ("01-003", 1, 3, False, "", 180, 300, "20:03:00", "20:05:00"),
        ("02-001", 2, 1, True, "东路", 0, 90, "20:00:00", "20:01:30"),
        ("02-002", 2, 2, False, "", 90, 150, "20:01:30", "20:02:30"),
    ]
    names = (
        Col.LEG_ID, Col.TEAM, Col.ORDER, Col.IS_SERVICE, Col.NAME, Col.DEPART, Col.ARRIVE,
        Col.DEPART_CLOCK, Col.ARRIVE_CLOCK,
    )  # fmt: skip
    ways = [
        line((0, 0), (1, 0)),
        line((1, 0), (2, 0)),
        line((2, 0), (1, 0), (0, 0)),
        line((0, 0), (1, 0)),
        line((1, 0), (0, 0)),
    ]
    table = gpd.GeoDataFrame(rows, columns=list(names), geometry=ways, crs=4326)
    return table.assign(**{Col.LENGTH: 180.0, Col.SOURCE: "city"})


def left():
    return gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: ["a", "b", "c"],
            Col.NAME: ["北路", "北路", ""],
            Col.PASSES: 1,
            Col.REASON: ["shift", "shift", "too_far"],
            Col.LENGTH: [100.0, 120.0, 50.0],
            Col.SOURCE: "city",
        },
        geometry=[line((0, 1), (1, 1)), line((1, 1), (2, 1)), line((0, 2), (1, 2))],
        crs=4326,
    )


def stations():
    return gpd.GeoDataFrame(
        {Col.STATION_ID: ["st1"], Col.NAME: ["样例所"]},
        geometry=[shapely.Point(WEST - 0.0002, LAT)],
        crs=4326,
    )


def rounds():
    said = {"name": "样例所", "start": "20:00", "clock": "0:05", "empty": "0.1", "percent": "1 %"}
    return [
        TeamRound(team=1, said=("sweep.team", {**said, "team": 1, "end": "20:05", "km": "0.2"})),
        TeamRound(team=2, said=("sweep.team", {**said, "team": 2, "end": "20:03", "km": "0.2"})),
        TeamRound(team=3, said=("sweep.team.idle", {"team": 3, "name": "样例所"})),
    ]


def theme(**changes):
    whole = {"rounds": rounds(), "figures": (), "is_synthetic": True, **changes}
    return sweep_theme(legs(), left(), stations(), data_date=date(2026, 11, 20), **whole)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep_page") / "sweep.html"
    write_theme(theme(), path, audience=Audience.COMMAND, lang="zh")
    return path


def test_streets_left_out_are_lines_by_name(page):
    source = page.read_text(encoding="utf-8")
    payload = json.loads(re.search(r'id="patrol-data">(.*?)</script>', source, re.DOTALL)[1])
    (undone,) = (layer for layer in payload["layers"] if layer["mark"] == "undone")
    assert [column["values"] for column in undone["columns"]] == [
        ["北路", ""],
        ["shift", "too_far"],
        ["2", "1"],
        ["220", "50"],
    ]
    assert "3 段" in undone["name"]["zh"]
    assert payload["meta"]["synthetic"] is True


def test_nothing_left_out_and_no_rounds_make_a_page_too(tmp_path):
    whole = sweep_theme(legs(), left().head(0), stations(), figures=())
    write_theme(whole, tmp_path / "plain.html", audience=Audience.COMMAND)
    assert not whole.is_synthetic
    assert all(layer.mark.value != "undone" for layer in whole.layers)


def test_streets_around_lie_under_everything_else():
    around = gpd.GeoDataFrame({Col.NAME: ["东路"]}, geometry=[line((0, 0), (0, 1))], crs=4326)
    first, *others = theme(around=around).layers
    assert first.name[0] == "theme.sweep.around"
    assert len(others) == len(theme().layers)


@pytest.mark.parametrize("size", [browser_page["DESK"], browser_page["PHONE"]])
def test_a_team_alone_can_be_followed_leg_by_leg(opened, size):
    tab = opened(size)
    rows = tab.locator(".round")
    assert rows.count() == 3
    assert rows.nth(2).is_disabled()
    rows.nth(0).click()
    assert tab.locator(".round[aria-pressed=true]").count() == 1
    told = [row.split("\n") for row in tab.locator(".leg").all_inner_texts()]
    assert [row[0] for row in told] == ["1", "2", "3"]
    assert [row[1] for row in told] == ["空驶", HOSTILE, "空驶"]
    assert told[1][2] == "20:01–20:03 · 180 m"
    assert tab.locator(".turn").count() == 1
    assert tab.locator(".station").count() == 1
    assert {"2"} <= set(tab.locator(".number").all_inner_texts()) <= {"1", "2", "3"}
    tab.locator(".leg").nth(0).click()
    assert tab.locator(".leaflet-popup-content b").inner_text() == "空驶"
    assert "1 · 1" in tab.locator(".leaflet-popup-content").inner_text()
    tab.locator(".btn.all").click()
    assert tab.locator(".leg").count() == 0


@pytest.mark.parametrize("size", [browser_page["DESK"], browser_page["PHONE"]])
def test_the_page_can_be_read(opened, size):
    tab = opened(size)
    for name, lang in (("day", "en"), ("night", "zh")):
        tab.evaluate(f"patrol.setTheme('{name}'); patrol.setLanguage('{lang}')")
        tab.evaluate("patrol.showRound(1)")
        assert tab.evaluate(browser_page["CONTRAST"]) == []
    assert tab.evaluate(browser_page["UNNAMED"]) == 0
    assert tab.locator(".chip.inverse").is_visible()
    assert tab.locator(".chip.synthetic").is_visible()
    if size == browser_page["PHONE"]:
        assert tab.evaluate(browser_page["SMALL_TARGETS"]) == 0


def test_two_teams_in_one_street_have_a_lane_each(opened):
    tab = opened(browser_page["DESK"])
    lanes = tab.evaluate("[...patrol.state.lanes.values()].map(ids => [...ids])")
    # By the station both teams ride there (1, 3) and back (0, 2); farther on team 1 is alone.
    assert sorted(lanes) == [[0, 1], [0, 2, 1, 3]]
    tab.evaluate("patrol.showRound(2)")
    assert tab.evaluate("[...patrol.state.lanes.values()].map(ids => [...ids])") == [[2, 3]]
