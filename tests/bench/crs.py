"""Bench of the offset datums: speed, round trip, and published points.

    python tests/bench/crs.py --n 1000000 --peers scalar,eviltransform,coord-convert

Points are drawn over the sample city and over all of China by a stated seed. Every round trip is
checked: what comes back may lie at most 1 mm off. The peer ``scalar`` is the series of the public
``WGStoGCJ`` sources written once more here, point by point with the math module: a second way of
computing the same, to which ours must be equal to 1e-9 degrees. Others are packages, used where
installed.
"""

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np

from geo.crs import Datum, from_wgs84, gcj02_to_wgs84, to_wgs84, wgs84_to_gcj02

BOXES = {"city": (115.27, 35.78, 116.54, 37.04), "china": (73.5, 18.2, 134.5, 53.4)}
PUBLISHED = ((116.481499, 39.990475), (116.487585178, 39.991754015))
CENTRE = ((115.97438, 36.45600), (115.98, 36.456))
MOST_MM, LEAST_PER_S, MOST_M = 1.0, 500_000, 0.1
N_SCALAR = 20_000


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", default="scalar")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    rows = [*own_rows(options.n, options.seed), *point_rows()]
    for peer in filter(None, options.peers.split(",")):
        rows += peer_rows(peer, options.seed)
    print("| case | engine | value | cpu s | n | ok |\n|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['case']} | {row['engine']} | {row['value']:,.6g} | {row['cpu_s']:.3f} "
            f"| {row['n']:,} | {'yes' if row['ok'] else '**no**'} |"
        )
    if options.json:
        with options.json.open("a", encoding="utf-8") as handle:
            handle.writelines(json.dumps(row) + "\n" for row in rows)
    sys.exit(0 if all(row["ok"] for row in rows) else 1)


def line(
    case: str,
    value: float,
    *,
    ok: bool,
    n: int,
    cpu_s: float = 0.0,
    engine: str = "patrolgrid",
) -> dict:
    """Return one row of the table."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = {"subject": "crs", "case": case, "engine": engine, "value": value, "n": n}
    return row | {"cpu_s": round(cpu_s, 4), "peak_rss_mb": round(peak), "ok": bool(ok)}


def own_rows(n: int, seed: int) -> Iterator[dict]:
    """Yield speed and round trip of every datum, over the city and over the country."""
    rng = np.random.default_rng(seed)
    for where, (west, south, east, north) in BOXES.items():
        lonlat = rng.uniform([west, south], [east, north], (n, 2))
        for datum in (Datum.GCJ02, Datum.BD09):
            away, out_s = timed(partial(from_wgs84, lonlat, datum))
            back, in_s = timed(partial(to_wgs84, away, datum))
            for name, cpu_s in ((f"to {datum}", out_s), (f"from {datum}", in_s)):
                speed, case = n / cpu_s, f"{name}, {where}, points/s"
                yield line(case, speed, ok=speed >= LEAST_PER_S, n=n, cpu_s=cpu_s)
            worst = 1000.0 * metres(back, lonlat).max()
            yield line(f"{datum} round trip, {where}, mm", worst, ok=worst <= MOST_MM, n=n)


def point_rows() -> Iterator[dict]:
    """Yield the distance to the published pair and to the catalogue's city centre."""
    wgs84, gcj02 = (np.array([point]) for point in PUBLISHED)
    off = metres(wgs84_to_gcj02(wgs84), gcj02).max()
    yield line("published point, forward, m", off, ok=off <= MOST_M, n=1)
    off = metres(gcj02_to_wgs84(gcj02), wgs84).max()
    yield line("published point, back, m", off, ok=off <= MOST_M, n=1)
    wgs84, gcj02 = (np.array([point]) for point in CENTRE)
    off = metres(gcj02_to_wgs84(gcj02), wgs84).max()
    yield line("city centre as the catalogue gives it, m", off, ok=off <= 7.0, n=1)
    found = gcj02_to_wgs84(gcj02)[0]
    off = metres(np.array([scalar(*found)]), gcj02).max()
    yield line("city centre, there and back by the second way, m", off, ok=off <= MOST_M, n=1)


def peer_rows(peer: str, seed: int) -> Iterator[dict]:
    """Yield how far a peer is from ours over the city, and its speed."""
    convert = PEERS[peer]()
    if convert is None:
        sys.stderr.write(f"{peer}: not installed\n")
        return
    west, south, east, north = BOXES["city"]
    lonlat = np.random.default_rng(seed).uniform([west, south], [east, north], (N_SCALAR, 2))
    theirs, cpu_s = timed(lambda: np.array([convert(lon, lat) for lon, lat in lonlat.tolist()]))
    off = 1000.0 * metres(theirs, wgs84_to_gcj02(lonlat)).max()
    said = {"n": N_SCALAR, "cpu_s": cpu_s, "engine": peer}
    yield line("to GCJ-02, city, mm from ours", off, ok=off <= MOST_MM, **said)
    yield line("to GCJ-02, city, points/s", N_SCALAR / cpu_s, ok=True, **said)


def scalar(lon: float, lat: float) -> tuple[float, float]:
    """Shift one point to GCJ-02 with the math module alone."""
    a, ee = 6378245.0, 0.00669342162296594323
    x, y = lon - 105.0, lat - 35.0
    both = 20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)
    d_lat = both + 20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)
    d_lat += 160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)
    d_lon = both + 20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)
    d_lon += 150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)
    root = math.sqrt(abs(x))
    d_lat = d_lat * 2.0 / 3.0 - 100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    d_lon = d_lon * 2.0 / 3.0 + 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    rad = lat / 180.0 * math.pi
    magic = 1.0 - ee * math.sin(rad) ** 2
    d_lat = d_lat * 180.0 / ((a * (1.0 - ee)) / (magic * math.sqrt(magic)) * math.pi)
    d_lon = d_lon * 180.0 / (a / math.sqrt(magic) * math.cos(rad) * math.pi)
    return lon + d_lon, lat + d_lat


def eviltransform() -> Callable[[float, float], tuple[float, float]] | None:
    """Return the package's conversion, None where it is not installed."""
    try:
        module = import_module("eviltransform")
    except ImportError:
        return None

    def convert(lon: float, lat: float) -> tuple[float, float]:
        found = module.wgs2gcj(lat, lon)
        return found[1], found[0]

    return convert


def coord_convert() -> Callable[[float, float], tuple[float, float]] | None:
    """Return the package's conversion, None where it is not installed."""
    try:
        return import_module("coord_convert.transform").wgs2gcj
    except ImportError:
        return None


PEERS = {"scalar": lambda: scalar, "eviltransform": eviltransform, "coord-convert": coord_convert}


def metres(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the distance of degrees that lie close together."""
    east = 111_000.0 * np.cos(np.radians(other[:, 1]))
    return np.hypot((one - other)[:, 0] * east, (one - other)[:, 1] * 111_000.0)


def timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Return what work gives and its CPU seconds."""
    began = time.process_time()
    found = work()
    return found, max(time.process_time() - began, 1e-9)


if __name__ == "__main__":
    main()
