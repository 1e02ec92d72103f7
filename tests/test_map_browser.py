"""The map in a real browser, opened from disk with the network cut.

Contrast follows WCAG 2.1, success criterion 1.4.3.
"""

import runpy
from pathlib import Path

import pytest

from api.maps import write_map
from geo.privacy import Audience

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")

here = Path(__file__)
make_night = runpy.run_path(str(here.with_name("night_town.py")))["make_night"]

DESK, PHONE = (1440, 900), (390, 844)

CONTRAST = """() => {
  const channels = color => {
    const numbers = color.match(/[\\d.]+/g).map(Number);
    return numbers.length < 4 ? [...numbers, 1] : numbers;
  };
  const linear = v => (v / 255 <= .04045 ? v / 3294.6 : ((v / 255 + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const color = channels(getComputedStyle(e).backgroundColor);
      if (color[3] > .99) return color;
    }
    return [255, 255, 255, 1];
  };
  const bad = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), e = walk.currentNode.parentElement;
    const hidden = /SCRIPT|STYLE/.test(e.tagName) || !e.getBoundingClientRect().width;
    if (!text || hidden) continue;
    const style = getComputedStyle(e), a = light(channels(style.color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5 || parseFloat(style.fontSize) < 12) bad.push([ratio, style.fontSize, text]);
  }
  return bad;
}"""
"""Texts under a contrast of 4.5 or under 12 px."""

UNNAMED = """() => [...document.querySelectorAll('button,input')].filter(e =>
  e.getBoundingClientRect().width
  && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).length"""

SMALL_TARGETS = """() => [...document.querySelectorAll('button:not(#grip),label.option')]
  .map(e => e.getBoundingClientRect()).filter(r => r.width && Math.min(r.width, r.height) < 44)
  .length"""

METRES_OF_SCALE = """() => {
  const map = patrol.map(), y = map.getSize().y / 2, at = x => map.containerPointToLatLng([x, y]);
  const perPixel = map.distance(at(0), at(100)) / 100, scale = document.querySelector('.scale');
  return [scale.querySelector('i').getBoundingClientRect().width * perPixel, scale.textContent];
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("map")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def night_page(folder):
    write_map(make_night(), folder / "night.html", audience=Audience.COMMAND)
    return folder / "night.html"


class Visit:
    """A page with its faults: requests that leave the file, and console errors."""

    def __init__(self, browser, path, size=DESK, link=""):
        touch = size == PHONE
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=touch, is_mobile=touch
        )
        self.faults = []
        self.page = self.context.new_page()
        self.page.route("**/*", self._block)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(path.as_uri() + link)
        self.page.wait_for_function("performance.getEntriesByName('ready').length === 1")

    def _block(self, route):
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            self.faults.append(route.request.url)
            route.abort()

    def _hear(self, message):
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)


@pytest.fixture
def visit(browser, night_page):
    opened = []

    def open_page(size=DESK, link="", path=night_page):
        opened.append(Visit(browser, path, size, link))
        return opened[-1].page

    yield open_page
    for page in opened:
        page.context.close()
        assert page.faults == []


def test_every_team_has_one_badge(visit):
    page = visit()
    assert page.evaluate("patrol.heads().map(head => head.team.no)") == [1, 2, 3]
    assert page.locator(".team").count() == 3
    assert page.locator(".figures b").all_text_contents() == ["3/3", "3/4", "1/1", "1/1"]


def test_what_it_is_stands_on_the_page(visit):
    page = visit()
    credit = page.inner_text("#credit")
    for text in ("2026-11-20", "2026-11-21", "2023-06", "plan-0001", "仅供指挥", "GS(2024)0650"):
        assert text in credit
    assert page.locator(".chip.synthetic").is_visible()
    assert page.locator("#watermark").is_visible()
    assert "11月21日 周六 20:00 – 次日 02:00" in page.inner_text("#bar")


def test_selecting_a_team_shows_its_night(visit):
    page = visit()
    page.locator(".team").nth(0).click()
    rows = page.locator(".schedule tbody tr")
    assert rows.count() == 3
    assert "20:05" in rows.nth(0).inner_text()
    assert "地点 A" in rows.nth(0).inner_text()
    assert "22–23 时高发" in rows.nth(0).inner_text()
    assert "与 02 组同时到" in rows.nth(2).inner_text()
    assert page.evaluate("document.activeElement.closest('#right') !== null")
    page.keyboard.press("Escape")
    assert not page.locator("#right").is_visible()
    page.keyboard.press("j")
    assert page.locator(".head h2").inner_text().startswith("01")
    page.keyboard.press("k")
    assert page.locator(".head h2").inner_text().startswith("03")


def test_the_slider_moves_planned_positions(visit):
    page = visit()
    place = "patrol.heads().map(head => head.from.map(Math.round))"
    page.evaluate("patrol.setNow(0)")
    before = page.evaluate(place)
    page.locator("#range").fill("7500")
    page.locator("#range").dispatch_event("input")
    assert page.inner_text(".clock b") == "22:05"
    assert "非实时" in page.inner_text(".clock span")
    assert page.evaluate(place) != before
    assert page.inner_text("#mix") == "在点 1 · 行车 2 · 休整 0 · 未出/已收 0"
    page.locator("#whole").click()
    assert page.inner_text(".clock b") == "全程"


def test_both_languages_without_reload(visit):
    page = visit()
    page.get_by_role("button", name="English").click()
    assert page.title() == "Night patrol"
    assert page.evaluate("document.documentElement.lang") == "en"
    assert "Sat 21 Nov" in page.inner_text("#bar")
    page.get_by_role("tab", name="Unserved 1").click()
    assert "地点 X" in page.inner_text("#pane")
    assert "Time went to places worth more" in page.inner_text("#pane")
    page.evaluate("patrol.setLanguage('zh')")
    assert page.title() == "夜间巡逻指挥图"


def test_search_finds_teams_places_towns_streets_venues(visit):
    page = visit()
    for query, found in (
        ("东镇1", "东镇1组"),
        ("地点 g", "地点 G"),
        ("西镇所", "西镇所"),
        ("西南", "西南村"),
        ("东昌", "东昌路"),
        ("00013", "样例商店 00013"),
    ):
        page.keyboard.press("/")
        page.fill(".find input", query)
        assert found in page.inner_text("#found")
        page.keyboard.press("Enter")
        assert not page.locator("#found").is_visible()


@pytest.mark.parametrize("query", ["东镇1", "地点 G"])
def test_enter_in_the_search_selects_and_stays(visit, query):
    page = visit()
    for _ in range(2):  # what is selected already stays so too
        page.keyboard.press("/")
        page.fill(".find input", query)
        page.keyboard.press("Enter")
        assert page.locator(".head h2").inner_text().startswith("03")


def test_search_says_how_many_it_leaves_out(visit):
    page = visit()
    page.fill(".find input", "样例商店")
    assert page.locator("#found li").count() == 10
    assert page.inner_text("#found li.cut") == "9/24"


def test_the_slider_is_in_the_address_and_a_link_keeps_it(visit):
    page = visit()
    page.evaluate("patrol.setNow(7500)")
    page.wait_for_timeout(700)
    assert page.evaluate("location.hash").split("/")[3] == "125"
    page = visit(link="#14/36.42000/115.92000/130//day/zh")
    page.wait_for_timeout(600)
    assert page.evaluate("location.hash") == "#14/36.42000/115.92000/130//day/zh"


PAPER = "document.body.classList.contains('paper')"
VIEW = "[patrol.map().getZoom(), patrol.map().getCenter().lat, patrol.map().getCenter().lng]"
TILES = """() => [...document.querySelectorAll('.leaflet-tile-pane .leaflet-tile')].map(tile => {
  const at = tile.getContext('2d').getImageData(9, 9, 1, 1).data;
  return at[0] + at[1] + at[2];
})"""


@pytest.mark.parametrize("size", [DESK, (1920, 1080), PHONE])
def test_paper_is_by_day_and_holds_the_sheet(visit, size):
    page = visit(size)
    page.evaluate("patrol.setTheme('night'); patrol.selectTeam(0); patrol.setNow(7500)")
    before = page.evaluate(VIEW)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(PAPER)
    assert page.evaluate("document.documentElement.dataset.theme") == "day"
    assert min(page.evaluate(TILES)) > 300
    sheet = page.locator("main").bounding_box()
    assert sheet["width"] <= 1060
    assert sheet["height"] <= 690
    for part in ("#bar .night", "#corner-clock", ".head h2", ".schedule"):
        assert page.locator(part).is_visible()
    assert "非实时" in page.inner_text("#corner-clock")
    assert "草稿" in page.inner_text("#bar")
    assert "plan-0001" in page.inner_text("#credit")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.evaluate(PAPER)
    assert page.evaluate("document.documentElement.dataset.theme") == "night"
    after = page.evaluate(VIEW)
    assert after == pytest.approx(before, abs=1e-4)


def test_the_same_sheet_from_day_and_night(visit):
    page = visit()
    sheets = []
    for theme in ("day", "night"):
        page.evaluate(f"patrol.setTheme('{theme}')")
        page.wait_for_timeout(400)
        sheets.append(page.pdf(prefer_css_page_size=True, print_background=True))
    day, night = map(len, sheets)
    assert night == pytest.approx(day, rel=0.02)


def test_the_other_language_closes_the_window(visit):
    page = visit(link="#17/36.40500/115.90300///day/zh")
    page.evaluate("patrol.map().fire('click', {latlng: L.latLng(36.405, 115.903)})")
    assert page.locator(".popup").count() == 1
    page.evaluate("patrol.setLanguage('en')")
    page.wait_for_timeout(400)
    assert page.locator(".popup").count() == 0


def test_a_phone_says_what_it_is(visit):
    page = visit(PHONE)
    credit = page.locator("#credit")
    for text in ("2026-11-20", "2023-06", "plan-0001", "草稿", "GS(2024)0650"):
        assert text in credit.inner_text()
    scale = page.locator(".scale").bounding_box()
    assert scale["x"] + scale["width"] <= PHONE[0]
    assert scale["y"] + scale["height"] <= page.locator("#sheet").bounding_box()["y"]


def test_the_share_link_brings_everything_back(visit):
    page = visit(link="#14/36.42000/115.92000/130/3/night/en")
    assert page.evaluate("document.documentElement.dataset.theme") == "night"
    assert page.inner_text(".clock b") == "22:10"
    assert "东镇1组" in page.inner_text(".head h2")
    assert page.evaluate("patrol.map().getZoom()") == 14
    assert page.evaluate("location.hash").startswith("#14/36.42")


def test_layers_switch(visit):
    page = visit()
    page.get_by_role("tab", name="图层").click()
    assert "8" in page.inner_text("#pane")
    page.get_by_label("巡逻路线").uncheck()
    assert page.evaluate("patrol.heads().length") == 0
    assert "定点岗" in page.inner_text("#legend")
    posts = "patrol.hits().filter(h => h.team >= 0).length"
    assert page.evaluate(posts) == 2  # the post and the pair
    page.get_by_label("黄 · 每季查").check()
    assert page.evaluate("patrol.shown.tiers") == [True, True, False]


def test_venues_and_cells_answer_a_click(visit):
    page = visit(link="#17/36.40500/115.90300///day/zh")
    page.evaluate("patrol.map().fire('click', {latlng: L.latLng(36.405, 115.903)})")
    popup = page.inner_text(".popup")
    assert "样例商店 00000" in popup
    assert "逾期 4 天" in popup
    assert "2026-11-23" in popup
    page.evaluate("patrol.map().fire('click', {latlng: L.latLng(36.4062, 115.9012)})")
    page.wait_for_function(
        "document.querySelector('.popup:last-child')?.textContent.includes('基础网格')"
    )


def test_the_scale_bar_tells_the_truth(visit):
    page = visit()
    for zoom in (11, 13, 16):
        page.evaluate(f"patrol.map().setZoom({zoom}, {{animate: false}})")
        metres, text = page.evaluate(METRES_OF_SCALE)
        number, unit = text.split()
        assert metres == pytest.approx(float(number) * (1000 if unit == "km" else 1), rel=0.03)


def test_text_is_readable_and_controls_have_names(visit):
    page = visit()
    steps = ("0", "patrol.selectTeam(0)", "patrol.setTab('unserved')", "patrol.setTab('layers')")
    for theme in ("day", "night"):
        for lang in ("zh", "en"):
            page.evaluate(f"patrol.setTheme('{theme}'); patrol.setLanguage('{lang}')")
            for step in steps:
                page.evaluate(step)
                assert page.evaluate(CONTRAST) == []
                assert page.evaluate(UNNAMED) == 0
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_phone_has_a_sheet(visit):
    page = visit(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert page.locator("#sheet").get_attribute("data-at") == "peek"
    assert not page.locator("#left").is_visible()
    page.locator("#grip").click()
    assert page.locator("#sheet").get_attribute("data-at") == "half"
    page.wait_for_timeout(250)
    for tab in ("班组 3", "图层", "图例"):
        page.get_by_role("tab", name=tab).click()
        assert page.evaluate(SMALL_TARGETS) == 0
    page.get_by_role("tab", name="班组 3").click()
    page.locator(".team").nth(2).click()
    page.wait_for_timeout(250)
    assert page.locator(".schedule").is_visible()
    assert page.evaluate(SMALL_TARGETS) == 0
    assert page.locator("#corner-clock").is_visible()
    top = page.locator("#sheet").bounding_box()["y"]
    below = "patrol.heads().map(h => patrol.map().layerPointToContainerPoint(h.at).y + 48)"
    assert max(page.evaluate(below)) < top


HOSTILE = [
    "<img src=x onerror=window.hurt=1>",
    "${window.hurt=1}",
    "`${window.hurt=1}`",
    "</script><script>window.hurt=1</script>",
    '"><svg onload=window.hurt=1>',
    "');window.hurt=1;('",
    "\u2028window.hurt=1",
    "<b class=hurt>粗</b>",
    "javascript:window.hurt=1",
    "店" * 60,
    "{{7*7}}",
    "&lt;script&gt;",
]


def test_hostile_names_run_nowhere(visit, folder):
    """Twelve names through every place that shows one: lists, popups, search, canvas, titles."""
    names = iter(HOSTILE * 40)
    spoilt = make_night(lambda text: next(names))
    write_map(spoilt, folder / "hostile.html", audience=Audience.COMMAND)
    page = visit(path=folder / "hostile.html")
    for team in range(3):
        page.evaluate(f"patrol.selectTeam({team})")
    page.evaluate("patrol.setTab('unserved')")
    page.evaluate("patrol.shown.tiers.fill(true); patrol.setSheet('full')")
    for zoom in (12, 15, 17):
        page.evaluate(f"patrol.map().setZoom({zoom}, {{animate: false}})")
        page.evaluate("for (const hit of [...patrol.hits()]) patrol.click(hit.x, hit.y)")
    page.evaluate("patrol.map().fire('click', {latlng: L.latLng(36.405, 115.903)})")
    for query in ("<", "$", "{", "店", "粗"):
        page.fill(".find input", query)
        assert page.locator("#found li").count() > 0
        page.keyboard.press("Enter")
    assert page.evaluate("window.hurt") is None
    assert page.locator("b.hurt, img, svg[onload]").count() == 0
    assert page.locator("#found li").count() > 0


def test_outside_the_page_works_without_routes(visit, folder):
    write_map(make_night(), folder / "public.html", audience=Audience.PUBLIC)
    page = visit(path=folder / "public.html")
    assert page.get_by_role("tab").all_text_contents() == ["图层"]
    assert not page.locator("#time").is_visible()
    assert "可公开" in page.inner_text("#credit")


def test_a_broken_file_says_so(browser, night_page, folder):
    broken = night_page.read_text(encoding="utf-8").replace(
        '"format":"patrolgrid.map/1"', '"format":"x/9"'
    )
    (folder / "broken.html").write_text(broken, encoding="utf-8")
    page = browser.new_page()
    page.goto((folder / "broken.html").as_uri())
    assert "地图数据无法读取" in page.get_by_role("alert").inner_text()
    page.close()
