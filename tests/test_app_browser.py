"""The service in a real browser with the network cut: description, map, stream of events."""

import runpy
import shutil
import threading
from datetime import date
from pathlib import Path

import pytest

from api import jobs
from api.jobs.job import DONE
from api.jobs.table import add_event, end
from api.maps import write_map
from api.store import open_store
from api.store.plans import Product, add_plan, approve_plan
from geo.privacy import Audience

here = Path(__file__)
running = runpy.run_path(str(here.with_name("live_service.py")))["running"]
make_night = runpy.run_path(str(here.with_name("night_town.py")))["make_night"]

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

FOLLOW = """address => new Promise(resolve => {
  const seen = [], source = new EventSource(address);
  for (const name of ["queued", "progress", "done"])
    source.addEventListener(name, event => seen.push([name, event.lastEventId]));
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) resolve(seen);
  };
})"""


@pytest.fixture(scope="module")
def live(tmp_path_factory, _empty_geopackage):
    folder = tmp_path_factory.mktemp("service")
    path = shutil.copyfile(_empty_geopackage, folder / "city.gpkg")
    with open_store(str(path)) as store, running(store, folder) as service:
        yield service


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, live):
    """A page that holds the key as password, reaches the service alone, and tells of faults."""
    context = browser.new_context(
        http_credentials={"username": "anything", "password": live.key},
        viewport={"width": 1280, "height": 900},
    )
    outside = []

    def pass_on(route):
        if route.request.url.startswith((live.address, "data:", "blob:")):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    context.route("**/*", pass_on)
    opened = context.new_page()
    faults = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    opened.faults = faults
    yield opened
    context.close()
    assert outside == []
    assert faults == []


def test_the_description_is_a_page_without_a_cdn(page, live, tmp_path):
    page.goto(f"{live.address}/docs")
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() >= 22
    assert page.locator(".errors-wrapper").count() == 0
    page.locator("#operations-places-record_visit .opblock-summary").click()
    page.wait_for_selector("#operations-places-record_visit .responses-table")
    page.screenshot(path=tmp_path / "docs.png")
    assert (tmp_path / "docs.png").stat().st_size > 20_000


def test_a_map_runs_under_its_policy(page, live, tmp_path):
    made = tmp_path / "tonight.html"
    write_map(make_night(), made, audience=Audience.COMMAND, lang="en")
    product = Product(
        name="tonight.html",
        audience=Audience.COMMAND,
        media_type="text/html",
        body=made.read_bytes(),
    )
    plan_id = live.store.write(
        lambda c: add_plan(
            c,
            kind="patrol",
            unit_code="",
            night=date(2026, 11, 21),
            document=b"{}",
            seed=1,
            input_hash="0" * 64,
            result_hash="1" * 64,
            products=(product,),
        )
    )
    page.goto(f"{live.address}/v1/plans/{plan_id}/map")
    page.wait_for_selector(".leaflet-container")
    assert page.evaluate("patrol.map().getZoom()") > 5
    assert "Draft" in page.inner_text("header")
    live.store.write(lambda c: approve_plan(c, plan_id, version=1, actor="admin"))
    page.reload()
    page.wait_for_selector(".leaflet-container")
    assert "Approved" in page.inner_text("header")
    assert "Draft" not in page.inner_text("body")
    page.screenshot(path=tmp_path / "map.png")
    # it cannot reach even the service it came from
    assert page.evaluate("fetch('/healthz').then(() => 'reached', () => 'cut')") == "cut"
    assert page.locator("canvas").count() > 0
    assert all("Content Security Policy" in said for said in page.faults), page.faults
    page.faults.clear()


def test_a_browser_follows_a_job_and_stops_when_it_ended(page, live):
    job_id = live.store.write(lambda c: jobs.enqueue(c, kind="plan", request={}))

    def work():
        for _ in range(2):
            live.store.write(lambda c: add_event(c, job_id, "progress"))
        live.store.write(lambda c: end(c, job_id, state=DONE))

    page.goto(f"{live.address}/docs")
    worker = threading.Timer(1.0, work)
    worker.start()
    seen = page.evaluate(FOLLOW, f"/v1/jobs/{job_id}/events")
    worker.join()
    assert seen == [["queued", "1"], ["progress", "2"], ["progress", "3"], ["done", "4"]]
