"""The map's file: packing, what an audience gets, what names can do to it, the same bytes twice."""

import json
import re
import runpy
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.i18n import LANGUAGES, catalogue
from api.maps import PatrolMap, write_map
from api.maps.asset import (
    NIGHT_SCRIPTS,
    NIGHT_STYLES,
    THEME_SCRIPTS,
    THEME_STYLES,
    leaflet_script,
    leaflet_style,
    own_script,
    own_style,
)
from api.maps.contour import contour_above, count_on_grid
from api.maps.identity import choose_hues, dashes_of
from api.maps.land import short_name
from api.maps.pack import (
    Lattice,
    pack_ints,
    pack_lines,
    pack_names,
    pack_points,
    rings,
    unpack_ints,
    unpack_names,
)
from api.maps.payload import build_payload, to_json
from api.maps.route import cut_pieces
from geo.errors import OptionInvalid
from geo.privacy import Audience

make_night = runpy.run_path(str(Path(__file__).with_name("night_town.py")))["make_night"]

HOSTILE = (
    "<img src=x onerror=window.hurt=1>",
    "${window.hurt=1}",
    "`${window.hurt=1}`",
    "</script><script>window.hurt=1</script>",
    '"><svg onload=window.hurt=1>',
    "');window.hurt=1;('",
    "\u2028window.hurt=1",
    "\u2029//",
    "<b>粗</b>",
    "javascript:window.hurt=1",
    "店" * 60,
    "{{7*7}}",
    "{% for x in y %}",
    "&lt;script&gt;",
    "<!--",
)


@pytest.fixture(scope="module")
def night():
    return make_night()


@pytest.fixture(scope="module")
def page(night):
    payload = build_payload(night, audience=Audience.COMMAND)
    return PatrolMap(payload).page()


def payload_of(html: str) -> dict:
    found = re.search(
        r'<script type="application/json" id="patrol-data">(.*?)</script>', html, re.DOTALL
    )
    return json.loads(found[1])


# ------------------------------------------------------------------------------------- packing


@given(st.lists(st.integers(-(2**53), 2**53)))
def test_whole_numbers_come_back(values):
    assert unpack_ints(pack_ints(values)).tolist() == values


def test_small_steps_take_one_byte():
    assert len(pack_ints([0, -1, 1, 63, -64])) == 8  # 5 bytes in base64


@given(st.lists(st.text(max_size=12)))
def test_names_come_back(names):
    assert unpack_names(pack_names(names)) == names


@pytest.mark.parametrize(
    "name", ["样例商店 00123", "371502004018081", "0", "", "7", "a\n12", "１２３", "x0000000000001"]
)
def test_names_with_numbers_come_back(name):
    assert unpack_names(pack_names([name])) == [name]


def test_a_numbered_register_shares_its_stem():
    packed = pack_names([f"样例商店 {k:05d}" for k in range(1000)])
    assert packed["stems"] == ["样例商店 "]


LATTICE = Lattice(lon0=115.9, lat0=36.4)


def test_points_come_back_within_half_a_step():
    points = 115.9 + np.random.default_rng(1).random((50, 2)) * [0.3, 0.2] + [0, -79.5]
    steps = unpack_ints(pack_points(points, LATTICE)).reshape(-1, 2).cumsum(axis=0)
    assert np.abs(steps * 1e-5 + [115.9, 36.4] - points).max() <= 0.5e-5 + 1e-12


def decode_lines(text: str, n_head: int) -> list[tuple[list[int], list[list[int]]]]:
    values, at, pen, lines = unpack_ints(text).tolist(), 0, np.zeros(2, np.int64), []
    while at < len(values):
        head, n = values[at : at + n_head], values[at + n_head]
        at += n_head + 1
        moves = np.array(values[at : at + 2 * n]).reshape(-1, 2)
        at += 2 * n
        points = pen + moves.cumsum(axis=0)
        pen = points[-1]
        lines.append((head, points.tolist()))
    return lines


def test_lines_come_back_without_repeated_points():
    first = shapely.LineString([(115.9, 36.4), (115.90001, 36.4), (115.900012, 36.4)])
    second = shapely.LineString([(115.9, 36.4), (115.9, 36.40003)])
    packed = pack_lines(np.array([first, second]), np.array([[4, 7], [1, 2]]), LATTICE)
    assert decode_lines(packed, 2) == [([4, 7], [[0, 0], [1, 0]]), ([1, 2], [[0, 0], [0, 3]])]


def test_shells_and_holes_wind_apart():
    holed = shapely.box(0, 0, 9, 9).difference(shapely.box(3, 3, 6, 6))
    shell, hole = rings(np.array([holed]))
    assert shapely.is_ccw(shell)
    assert not shapely.is_ccw(hole)


# -------------------------------------------------------------------------------------- routes


def test_a_stop_inside_a_street_cuts_the_other_team_s_street_there():
    #  a ──── p ──── b      one team drives a-b, the other only p-b: they share the piece p-b
    line = shapely.LineString([(115.9, 36.4), (115.91, 36.4)])
    part = shapely.LineString([(115.905, 36.4), (115.91, 36.4)])
    pieces = cut_pieces(gpd.GeoSeries([line, part, part.reverse()]), LATTICE)
    assert pieces.lines == (((0, 0), (500, 0)), ((500, 0), (1000, 0)))
    assert pieces.legs == ((1, 2), (2,), (-2,))


def test_every_leg_is_its_pieces_end_to_end(night):
    lattice = Lattice.around(night.layers.boundaries.total_bounds)
    pieces = cut_pieces(night.legs.geometry, lattice)
    for line, taken in zip(night.legs.geometry, pieces.legs, strict=True):
        walked = [
            step
            for piece in taken
            for step in pieces.lines[abs(piece) - 1][:: 1 if piece > 0 else -1]
        ]
        if line.is_empty:
            assert walked == []
            continue
        ends = lattice.steps(shapely.get_coordinates(line)[[0, -1]]).tolist()
        assert [list(walked[0]), list(walked[-1])] == ends
        assert all(
            pieces.lines[abs(a) - 1][-1 if a > 0 else 0]
            == pieces.lines[abs(b) - 1][0 if b > 0 else -1]
            for a, b in pairwise(taken)
        )


def test_a_peak_hour_is_named_only_where_it_stands_out(night):
    data = build_payload(night, audience=Audience.COMMAND)
    name = [place[0] for place in data["places"]]
    hour = {name[s[0]]: s[5] for team in data["teams"] for s in team["stops"] if s[1] == 0}
    assert hour == {"地点 A": 22, "地点 B": -1, "地点 C": 22}  # demand at B is flat


def test_a_way_out_and_back_is_one_piece_taken_twice():
    there = shapely.LineString([(115.9, 36.4), (115.91, 36.4), (115.9, 36.4)])
    pieces = cut_pieces(gpd.GeoSeries([there]), LATTICE)
    assert pieces.legs == ((1, -1),)


def test_neighbours_differ_in_hue():
    place = np.array([(x, y) for y in range(4) for x in range(6)], float)
    apart = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    weight = np.where(apart > 0, 1 / (1 + apart**3), 0)
    hue = choose_hues(weight)
    assert not ((apart == 1) & (hue[:, None] == hue[None])).any()
    assert np.bincount(hue).tolist() == [4] * 6
    assert len(set(zip(hue.tolist(), dashes_of(hue).tolist(), strict=True))) == 24


# ----------------------------------------------------------------------------------------- land


def test_a_contour_holds_what_is_dense():
    points = np.array([[500.0, 500.0]] * 90 + [[3000.0, 3000.0]] * 10)
    grid = count_on_grid(points, np.ones(100), side=100.0, blur=1.0)
    assert grid.values.sum() == pytest.approx(100, rel=1e-6)
    areas = contour_above(grid, grid.values.max() / 2)
    assert len(areas) == 1
    assert areas[0].contains(shapely.Point(500, 500))


def test_a_street_of_one_name_becomes_one_line(page):
    streets = payload_of(page)["streets"]
    lines = decode_lines(streets["lines"], 2)
    named = [points for (_, name), points in lines if streets["names"][name] == "东昌路"]
    assert [points[0] + points[-1] for points in named] == [[0, 2000, 4000, 2000]]


def test_each_border_is_drawn_once_at_its_highest_level(page):
    lines = decode_lines(payload_of(page)["borders"], 1)
    length = dict.fromkeys((0, 1, 2), 0)
    for (level,), points in lines:
        length[level] += np.abs(np.diff(points, axis=0)).sum()
    assert length == {0: 16000, 1: 4000, 2: 4000}  # county square; one line north; one line east


@pytest.mark.parametrize(
    ("register", "label"),
    [
        ("西南村委会", "西南村"),
        ("十里营社区居委会", "十里营社区"),
        ("韩集村村委会", "韩集村"),
        ("李楼村", "李楼村"),
    ],
)
def test_a_village_is_called_without_its_committee(register, label):
    assert short_name(register) == label


# ---------------------------------------------------------------------------------------- page


ASSETS = {*NIGHT_SCRIPTS, *NIGHT_STYLES, *THEME_SCRIPTS, *THEME_STYLES}
OWN_SCRIPT = own_script(NIGHT_SCRIPTS) + own_script(THEME_SCRIPTS)
OWN_STYLE = own_style(NIGHT_STYLES) + own_style(THEME_STYLES)


class Links(HTMLParser):
    """Collects everything a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [
            value
            for name, value in attrs
            if name in {"src", "href", "srcset", "data", "action", "poster"} and value != "data:,"
        ]


def test_the_page_fetches_nothing(page):
    links = Links()
    links.feed(page)
    assert links.found == []
    assert "default-src 'none'" in page
    assert "url(" not in leaflet_style() + OWN_STYLE
    assert "@import" not in OWN_STYLE
    assert "sourceMappingURL" not in leaflet_script()


def test_our_script_names_no_address():
    assert set(re.findall(r"\w+://[\w./]+", OWN_SCRIPT)) == {"http://www.w3.org/2000/svg"}


def test_our_script_writes_text_only_as_text():
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|bindPopup",
        OWN_SCRIPT,
    )


def test_colours_live_in_one_place():
    colour = re.compile(r"#[0-9A-Fa-f]{3,8}\b|\brgba?\(\s*\d+\s*,")
    for name in sorted(ASSETS - {NIGHT_STYLES[0]}):
        source = (files("api.maps") / "assets" / name).read_text(encoding="utf-8")
        assert not colour.search(source), name


def test_every_asset_is_used():
    there = {path.name for path in (files("api.maps") / "assets").iterdir()}
    assert there == ASSETS


def test_every_message_the_script_asks_for_exists_and_none_is_idle():
    source = OWN_SCRIPT
    known = {code.removeprefix("map.") for code in catalogue() if code.startswith("map.")}
    asked = set(re.findall(r"say\('([\w.]+)'", source))
    stems = {code for code in asked if code.endswith(".")}
    assert asked - stems <= known
    literal = set(re.findall(r"'([\w.]+)'", source)) | {"noscript", "fatal"}
    idle = {c for c in known if c not in literal and not any(c.startswith(s) for s in stems)}
    assert idle == set()


def test_both_languages_are_inside(page):
    words = payload_of(page)["words"]
    assert set(words) == set(LANGUAGES)
    assert words["zh"].keys() == words["en"].keys()
    assert words["en"]["patrol.cause.crowded_out"]


def test_the_same_night_gives_the_same_bytes(night, tmp_path):
    first, second = tmp_path / "a.html", tmp_path / "b.html"
    write_map(night, first, audience=Audience.COMMAND)
    write_map(make_night(), second, audience=Audience.COMMAND)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]


@pytest.mark.parametrize(("lang", "tag"), [("zh", "zh-CN"), ("en", "en")])
def test_the_page_says_its_language(night, tmp_path, lang, tag):
    write_map(night, tmp_path / "m.html", audience=Audience.PUBLIC, lang=lang)
    assert f'<html lang="{tag}"' in (tmp_path / "m.html").read_text(encoding="utf-8")


def test_two_maps_do_not_touch_each_other(night):
    import folium

    before = list(folium.Map.default_js)
    PatrolMap(build_payload(night, audience=Audience.PUBLIC)).page()
    assert folium.Map.default_js == before
    assert "cdn" in folium.Map(location=[36, 115]).get_root().render()


def test_folium_s_own_layers_can_be_added(night):
    import folium

    chart = PatrolMap(build_payload(night, audience=Audience.PUBLIC))
    folium.CircleMarker([36.42, 115.92]).add_to(chart)
    assert "addTo(map_patrol)" in chart.page()


def test_a_notebook_shows_the_whole_page(night):
    assert (
        "patrol.start()" in PatrolMap(build_payload(night, audience=Audience.PUBLIC))._repr_html_()
    )


# ------------------------------------------------------------------------------------ audience


def test_command_sees_every_team(page):
    data = payload_of(page)
    assert [team["name"] for team in data["teams"]] == ["西镇1组", "西镇2组", "东镇1组"]
    assert data["counts"] == {"teams": [3, 3], "places": [3, 4], "posts": [1, 1], "pairs": [1, 1]}
    assert data["density"]["share"] == [75, 50, 25]


@pytest.mark.parametrize("audience", [Audience.PARTNER, Audience.PUBLIC])
def test_outside_nobody_sees_a_route(night, audience):
    data = build_payload(night, audience=audience)
    assert not {"teams", "places", "unserved", "pieces", "legs", "density", "counts"} & data.keys()
    text = to_json(data)
    for name in ("西镇1组", "地点 A", "样例广场"):
        assert name not in text


def test_the_public_sees_no_single_venue(night):
    data = build_payload(night, audience=Audience.PUBLIC)
    assert "venues" not in data
    assert unpack_ints(data["cells"]["due"]).tolist() == [-1] * 4


def test_small_counts_are_suppressed_outside(night):
    partner = build_payload(night, audience=Audience.PARTNER)
    assert unpack_ints(partner["cells"]["venues"]).tolist() == [6] * 4
    assert unpack_ints(partner["cells"]["due"]).tolist() == [-1] * 4
    assert partner["townships"]["overdue"] == [[6, 12], [0, 6]]
    assert set(unpack_ints(partner["venues"]["planned"]).tolist()) == {-32768}


def test_a_team_sees_its_own_night_only(night):
    data = build_payload(night, audience=Audience.TEAM, unit_id="u3")
    assert [team["name"] for team in data["teams"]] == ["东镇1组"]
    assert data["unserved"] == []
    assert {place[0] for place in data["places"]} == {"地点 G", "地点 C"}
    assert "density" not in data


@pytest.mark.parametrize(
    ("audience", "unit_id"),
    [(Audience.TEAM, None), (Audience.COMMAND, "u1"), (Audience.PUBLIC, "u1")],
)
def test_exactly_the_team_names_its_team(night, audience, unit_id):
    with pytest.raises(OptionInvalid):
        build_payload(night, audience=audience, unit_id=unit_id)


def test_the_audience_must_be_said(night, tmp_path):
    with pytest.raises(TypeError):
        write_map(night, tmp_path / "m.html")


# --------------------------------------------------------------------------------------- names


def test_hostile_names_stay_data():
    marks = iter(HOSTILE * 40)
    night = make_night(lambda text: next(marks))
    html = PatrolMap(build_payload(night, audience=Audience.COMMAND)).page()
    data = payload_of(html)
    assert html.count("<script") == len(re.findall(r"<script[ >]", html)) == 5
    assert html.count("</script>") == 5
    assert "49" not in {team["name"] for team in data["teams"]}
    names = {team["name"] for team in data["teams"]} | {place[0] for place in data["places"]}
    names |= set(unpack_names(data["venues"]["name"])) | set(data["streets"]["names"])
    assert set(HOSTILE) <= names | {station[0] for station in data["stations"]}


def test_json_holds_no_markup():
    text = to_json({"name": "</script>&\u2028\u2029"})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"name": "</script>&\u2028\u2029"}


def test_nothing_half_written(night, tmp_path):
    with pytest.raises(OptionInvalid):
        write_map(night, tmp_path / "m.html", audience=Audience.TEAM)
    assert list(tmp_path.iterdir()) == []
