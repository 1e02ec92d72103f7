"""Theme maps: what is inside, who may see it, and the page in a browser with the network cut."""

import json
import re
import runpy
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from api.maps import Column, Mark, Theme, ThemeLayer, write_theme
from geo.errors import OptionInvalid
from geo.privacy import Audience, Visible

browser_page = runpy.run_path(str(Path(__file__).with_name("test_map_browser.py")))

# Three grids of 0.01 degrees side by side, and one fault 2 m wide in the middle one:
#
#   36.01 ┌──60──┬─100──┬──––──┐
#   36.00 └──────┴──·───┴──────┘
#       115.97 115.98 115.99 116.00
HOSTILE = "</script><img src=x onerror=alert(1)>${alert(1)}`\u2028{{ 7*7 }}"
WEST = (115.97, 115.98, 115.99)


def theme(**changes):
    cells = gpd.GeoDataFrame(
        {"name": ["样例一村", HOSTILE, "样例三村"], "households": [60.0, 100.0, float("nan")]},
        geometry=[shapely.box(west, 36.0, west + 0.01, 36.01) for west in WEST],
        crs=4326,
    )
    fault = cells.iloc[[1]].assign(geometry=[shapely.box(115.985, 36.005, 115.98502, 36.00501)])
    layers = (
        ThemeLayer(
            name=("map.legend", {}),
            frame=cells,
            visible=Visible.CELLS,
            mark=Mark.STEPS,
            value="households",
            limits=(80, 120),
            columns=(
                Column(name="name", label=("map.plan", {})),
                Column(name="households", label=("map.people", {}), digits=1),
            ),
        ),
        ThemeLayer(
            name=("map.unserved", {}),
            frame=fault,
            visible=Visible.RESTRICTED_PLACES,
            mark=Mark.MARK,
            columns=(Column(name="name", label=("map.plan", {})),),
            n_total=9,
            is_listed=True,
        ),
    )
    whole = {
        "title": ("map.layers", {}),
        "layers": layers,
        "figures": (("grid.size", {"rate": "2/3"}),),
        "data_date": date(2026, 11, 20),
        "boundary_version": "2023-06",
        "is_synthetic": True,
        **changes,
    }
    return Theme(**whole)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("theme") / "theme.html"
    write_theme(theme(), path, audience=Audience.COMMAND, lang="en")
    return path


def payload_of(page):
    source = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="patrol-data">(.*?)</script>', source, re.DOTALL)[1])


def test_figures_and_layers_are_inside_in_both_languages(page):
    payload = payload_of(page)
    assert payload["meta"]["figures"] == [
        {"zh": "户数在 50–150 之间的网格：2/3。", "en": "Grids of 50 to 150 households: 2/3."}
    ]
    assert [(layer["n"], layer["N"]) for layer in payload["layers"]] == [(3, 3), (1, 9)]
    assert payload["layers"][0]["columns"][1]["values"] == ["60.0", "100.0", ""]


def test_the_same_theme_gives_the_same_bytes(page, tmp_path):
    write_theme(theme(), tmp_path / "again.html", audience=Audience.COMMAND, lang="en")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_an_audience_gets_no_layer_it_may_not_see(tmp_path):
    with pytest.raises(OptionInvalid, match="restricted_places"):
        write_theme(theme(), tmp_path / "no.html", audience=Audience.PUBLIC)
    assert not list(tmp_path.iterdir())


def test_a_map_of_nothing_is_refused(tmp_path):
    empty = tuple(
        ThemeLayer(name=one.name, frame=one.frame.head(0), visible=one.visible, mark=one.mark)
        for one in theme().layers
    )
    with pytest.raises(OptionInvalid, match="at least one with a row"):
        write_theme(theme(layers=empty), tmp_path / "no.html", audience=Audience.COMMAND)


@pytest.mark.parametrize("size", [browser_page["DESK"], browser_page["PHONE"]])
def test_the_page_opens_and_can_be_read(opened, size):
    tab = opened(size)
    for name, lang in (("day", "en"), ("night", "zh")):
        tab.evaluate(f"patrol.setTheme('{name}'); patrol.setLanguage('{lang}')")
        assert tab.evaluate(browser_page["CONTRAST"]) == []
    assert tab.evaluate(browser_page["UNNAMED"]) == 0
    if size == browser_page["PHONE"]:
        assert tab.evaluate(browser_page["SMALL_TARGETS"]) == 0


def test_steps_say_n_of_all_and_what_has_no_value(opened):
    tab = opened(browser_page["DESK"])
    rows = tab.locator(".step").all_inner_texts()
    assert rows == ["< 80 · 1/3", "80 – 120 · 1/3", "≥ 120 · 0/3", "– · 1/3"]


def test_whole_numbers_are_told_by_first_and_last(tmp_path):
    whole = theme()
    cells = whole.layers[0].frame.assign(households=[60, 100, 130])
    counted = replace(whole.layers[0], frame=cells)
    path = tmp_path / "whole.html"
    write_theme(replace(whole, layers=(counted,)), path, audience=Audience.COMMAND)
    assert payload_of(path)["layers"][0]["ranges"] == ["< 80", "80 – 119", "≥ 120"]


def test_a_listed_row_leads_to_its_place_and_hostile_names_stay_text(opened):
    tab = opened(browser_page["DESK"])
    tab.locator(".listed").first.click()
    assert tab.locator(".leaflet-popup-content b").inner_text() == HOSTILE.replace(
        "\u2028", "\u2028"
    )
    lat, lon = tab.evaluate("[patrol.map().getCenter().lat, patrol.map().getCenter().lng]")
    assert abs(lat - 36.005) < 1e-3
    assert abs(lon - 115.985) < 1e-3


def test_a_layer_is_switched_off(opened):
    tab = opened(browser_page["DESK"])
    tab.locator(".option input").first.uncheck()
    assert tab.evaluate("patrol.data.layers.map(layer => layer.on)") == [True, False]
