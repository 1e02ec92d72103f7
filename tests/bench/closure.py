"""Bench: new weights when streets are closed or slow: closures onto segments, times, hierarchy.

    python tests/bench/closure.py                              the sample city's own streets
    python tests/bench/closure.py --network city.npz --closures 500 --json out.jsonl

Closures are drawn over the network by chance: stretches copied from streets, areas of 300 m,
points, and weather over all but the rim. The share of the speed is checked against shapely, one
intersection at a time, on some of the segments. Times are CPU seconds, the best of three.
"""

import argparse
import time
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from report import Line, append_json, peak_mib

from geo.frames import CLOSURES, Col, require
from geo.units import CITY_ZONE
from routing import hierarchy
from routing.io.network_file import read_network
from routing.model import Mode
from routing.network import (
    MODES,
    Conditions,
    Network,
    arc_times,
    build_network,
    conditions_at,
)
from routing.travel import Travel

START, LENGTH = datetime(2026, 11, 21, 20, tzinfo=CITY_ZONE), 6 * 3600
WORDS = {Col.KIND: "closure", Col.SOURCE: "synthetic"}
CHECKED = 400
"""Segments compared with shapely."""


def closures_of(shapes: list[shapely.Geometry], share: float) -> gpd.GeoDataFrame:
    """Return shapes in EPSG:4326 as closures that hold for good."""
    n, always = len(shapes), pd.Series([pd.NaT] * len(shapes)).astype("datetime64[s]")
    columns = {
        Col.CLOSURE_ID: pd.Series([f"c{i}" for i in range(n)], dtype="str"),
        **{
            name: pd.Series([""] * n, dtype="str") for name in (Col.NAME, Col.SEGMENT_ID, Col.MODES)
        },
        **{name: pd.Series([word] * n, dtype="str") for name, word in WORDS.items()},
        Col.SPEED_SHARE: pd.Series([share] * n, dtype="float64"),
        Col.VALID_FROM: always.dt.tz_localize(CITY_ZONE),
        Col.VALID_TO: always.dt.tz_localize(CITY_ZONE),
    }
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)
    require(frame, CLOSURES, source="closures")
    return frame


def drawn(network: Network, n: int, seed: int) -> dict[str, gpd.GeoDataFrame]:
    """Return the cases by name."""
    random = np.random.default_rng(seed)
    points = network.lonlat[random.integers(0, len(network.lonlat), n)]
    lines = [
        shapely.LineString(network.lonlat[network.offsets[s] : network.offsets[s + 1]])
        for s in random.integers(0, network.n_segments, n)
    ]
    hull = shapely.MultiPoint(network.lonlat[::20]).convex_hull
    return {
        "one stretch": closures_of(lines[:1], 0.0),
        f"{n} stretches": closures_of(lines, 0.0),
        f"{n} areas": closures_of([shapely.Point(p).buffer(0.003) for p in points], 0.0),
        f"{n} points": closures_of([shapely.Point(p) for p in points], 0.0),
        "weather": closures_of([hull.buffer(-0.1 * np.sqrt(hull.area))], 0.6),
    }


def disagreement(network: Network, frame: gpd.GeoDataFrame, held: Conditions, seed: int) -> float:
    """Return the most by which a share differs from shapely's, over some segments; areas only."""
    areas = frame.geometry.to_crs(network.epsg)
    if not areas.geom_type.eq("Polygon").all():
        return 0.0
    car, worst = MODES.index(Mode.CAR), 0.0
    some = np.random.default_rng(seed).choice(network.n_segments, CHECKED, replace=False)
    for s in some.tolist():
        line = shapely.LineString(network.xy[network.offsets[s] : network.offsets[s + 1]])
        inside = areas.intersection(line).length.to_numpy()
        share = frame[Col.SPEED_SHARE].to_numpy()
        shuts = bool(((share == 0.0) & (inside >= min(10.0, line.length / 2))).any())
        slow = np.where(share > 0.0, inside / np.maximum(share, 1e-9), inside)
        left = min(1.0, float((line.length / (line.length - inside + slow)).min(initial=1.0)))
        if shuts != bool(held.is_closed[car, 2 * s]):
            return 1.0
        worst = max(worst, 0.0 if shuts else abs(left - float(held.factor[car, s])))
    return worst


def run(network: Network, topology: hierarchy.Topology, n: int, seed: int) -> list[Line]:
    hierarchy.warm_up()
    lines = []
    for case, frame in drawn(network, n, seed).items():
        best, part = np.inf, 0.0
        for _ in range(3):
            begun = time.process_time()
            held = conditions_at(network, frame, start=START, length=LENGTH)
            matched = time.process_time()
            times = arc_times(network, Mode.CAR, conditions=held)
            hierarchy.customise(topology, times.whole)
            done = time.process_time()
            if done - begun < best:
                best, part = done - begun, matched - begun
        gap = disagreement(network, frame, held, seed)
        n_touched = len(np.unique(held.segment))
        print(
            f"{case:16} {best * 1000:7.1f} ms, {part * 1000:6.1f} of it onto {n_touched:6,} "
            f"segments, off shapely by {gap:.1e}"
        )
        lines.append(
            Line("closure", case, "patrolgrid", best, gap, best, peak_mib(), network.n_segments)
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", type=Path, help="file of `patrolgrid network`")
    parser.add_argument("--scale", choices=("district", "city"), default="city")
    parser.add_argument("--closures", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.network is None:
        from geo.sample import make_city

        city = make_city(scale=options.scale, seed=options.seed, data_date=START.date()).layers
        network, _ = build_network(city.streets, epsg=city.epsg)
        topology = Travel(network).topology
    else:
        network, topology = read_network(options.network)
    print(f"{network.n_nodes:,} junctions, {network.n_segments:,} segments")
    append_json(options.json, run(network, topology, options.closures, options.seed))


if __name__ == "__main__":
    main()
