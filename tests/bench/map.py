"""Size and speed of the commander's map, beside Folium's own ways of drawing the same venues.

    python tests/bench/map.py --scale district
    python tests/bench/map.py --night tonight.pkl --peers cluster,geojson --json bench.jsonl

Peers load their scripts from other hosts, so without a network only their file and the Python
time can be compared; ours is also opened in Chromium with every request blocked.
"""

import argparse
import gzip
import json
import pickle
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

import folium
from folium.plugins import MarkerCluster

from api.maps import write_map
from geo.frames import Col
from geo.privacy import Audience
from geo.sample import make_city
from routing.pipeline import plan_tonight, shift_from

TIER_COLOURS = {"red": "red", "yellow": "orange", "green": "green"}
READY = "performance.getEntriesByName('ready')[0].startTime"
SETTLED = "Math.max(performance.getEntriesByName('ready')[0].startTime, ...window.longTasks)"
WATCH = (
    "window.longTasks = []; new PerformanceObserver(list => list.getEntries().forEach("
    "e => longTasks.push(e.startTime + e.duration))).observe({entryTypes: ['longtask']});"
)


def night_of(args):
    if args.night:
        return pickle.loads(args.night.read_bytes())
    sample = make_city(scale=args.scale, seed=args.seed, data_date=args.day)
    return plan_tonight(sample.layers, shift=shift_from(args.day, "20:00-02:00"), seed=args.seed)


def ours(night, path):
    write_map(night, path, audience=Audience.COMMAND)


def cluster(night, path):
    chart = folium.Map(location=[36.456, 115.985], tiles=None, max_zoom=18)
    group = MarkerCluster().add_to(chart)
    venues = night.venues
    for lat, lon, tier in zip(venues.geometry.y, venues.geometry.x, venues[Col.TIER], strict=True):
        folium.CircleMarker([lat, lon], radius=4, color=TIER_COLOURS[tier]).add_to(group)
    chart.save(path)


def geojson(night, path):
    chart = folium.Map(location=[36.456, 115.985], tiles=None, max_zoom=18)
    marker = folium.CircleMarker(radius=4)
    venues = night.venues[[Col.TIER, Col.GEOMETRY]]
    folium.GeoJson(venues.to_json(), marker=marker).add_to(chart)
    chart.save(path)


WAYS = {"patrolgrid": ours, "cluster": cluster, "geojson": geojson}


def open_in_browser(path, repeats):
    """Return milliseconds until ready and until the last long task, requests blocked and failed."""
    from playwright.sync_api import sync_playwright

    ready, settled, faults, nodes = [], [], 0, 0
    with sync_playwright() as engine:
        browser = engine.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for _ in range(repeats):
            context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
            page = context.new_page()
            page.add_init_script(WATCH)
            heard = []
            page.on("request", lambda r, to=heard: r.url.startswith("http") and to.append(r.url))
            page.on("pageerror", lambda error, to=heard: to.append(str(error)))
            page.goto(path.as_uri())
            page.wait_for_timeout(2500)
            ready.append(page.evaluate(READY))
            settled.append(page.evaluate(SETTLED))
            nodes = page.evaluate("document.querySelectorAll('*').length")
            faults += len(heard)
            context.close()
        browser.close()
    middle = repeats // 2
    return {
        "ready_ms": round(sorted(ready)[middle]),
        "interactive_ms": round(sorted(settled)[middle]),
        "nodes": nodes,
        "faults": faults,
    }


def measure(name, night, folder, args):
    path = folder / f"{name}.html"
    wall, cpu = time.perf_counter(), time.process_time()
    WAYS[name](night, path)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    html = path.read_bytes()
    row = {
        "subject": "map",
        "case": args.night.stem if args.night else args.scale,
        "engine": name,
        "value": round(len(html) / 1e6, 3),
        "gzip_mb": round(len(gzip.compress(html)) / 1e6, 3),
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "n": len(night.venues),
    }
    return row | (open_in_browser(path, args.repeats) if name == "patrolgrid" else {})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", choices=["district", "city"], default="district")
    parser.add_argument("--night", type=Path, help="pickle of a routing.pipeline.Tonight")
    parser.add_argument("--day", type=date.fromisoformat, default=date(2026, 11, 21))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", default="", help="cluster,geojson")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    night = night_of(args)
    with tempfile.TemporaryDirectory() as folder:
        for name in ["patrolgrid", *filter(None, args.peers.split(","))]:
            row = measure(name, night, Path(folder), args)
            print("  ".join(f"{key} {value}" for key, value in row.items()))
            if args.json:
                with args.json.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
