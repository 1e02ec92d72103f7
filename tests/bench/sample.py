"""Bench of the sample city: its street statistics beside a real network's, its time and memory.

    python tests/bench/sample.py --scale city --network ../shared/data/net/jinan.graphml

The real network is read like a user's own (`geo.io.read_streets`), dual carriageways as two lines.
Prints a table in Markdown: the sample, each network given, the target range, and what misses it.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geo.frames import Col, Layers, Level
from geo.io import read_streets
from geo.sample import Sample, make_city
from geo.sample.ground import share_holding
from geo.sample.measure import (
    TARGETS,
    measure_streets,
    neighbour_correlation,
    street_middles,
    strong_share,
)
from geo.sample.plane import LocalPlane
from geo.sample.register import EDITIONS, NEWEST, read_counties
from geo.units import LIAOCHENG_EPSG

LABELS = {
    "built_up_km2": "built-up area, km²",
    "nodes": "nodes in it",
    "edges": "edges in it",
    "street_km": "street km in it",
    "nodes_per_km2": "nodes per km²",
    "mean_degree": "mean degree",
    "degree_1": "degree 1, %",
    "degree_3": "degree 3, %",
    "degree_4": "degree 4, %",
    "edge_median": "edge length, median, m",
    "edge_p90": "edge length, 90th percentile, m",
    "circuity": "circuity",
    "orientation_entropy": "orientation entropy (at most 3.58)",
    "block_median_ha": "block, median, ha",
    "superblock_side": "superblock side, median, m",
    "expressway_share": "expressways, % of length",
    "arterial_share": "arterials, % of length",
    "collector_share": "collectors, % of length",
    "lane_share": "lanes, % of length",
    "oneway_lane_share": "one-way, % of lane length",
    "cell_variation": "variation of nodes per 500 m cell",
    "strong_share": "largest strongly connected part, % of all nodes",
}

CITY_TARGETS = {
    "district nodes": (10_000, 14_000),
    "district canal bridges": (8, 15),
    "city nodes": (60_000, 80_000),
    "rural townships in 40-110 km², %": (80, 100),
    "urban townships in 4-20 km², %": (80, 100),
    "units in several parts": (0, 0),
    "county coverage valid as written": (1, 1),
    "township coverage valid as written": (1, 1),
    "village coverage valid as written": (1, 1),
    "county line off the source, m": (0, 0.1),
    "streets holding half of the venues, %": (4, 7),
    "streets holding half of the reports, %": (4, 5),
    "streets holding a quarter of the reports, %": (0.7, 1.5),
    "reports from 20 to 02, %": (30, 32),
    "neighbour correlation of 300 m cells": (0.35, 0.6),
    "peak MiB": (0, 700),
}

OLDER_TARGETS = {
    key: target for key, target in CITY_TARGETS.items() if key not in {"city nodes", "peak MiB"}
}
"""An older register has more villages, hence more lanes; how many is not prescribed."""


def main() -> None:
    """Run the bench."""
    options = parse()
    before = peak_mib()
    wall, cpu = time.perf_counter(), time.process_time()
    sample = make_city(
        scale=options.scale, seed=options.seed, data_date=options.date, vintage=options.vintage
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = peak_mib()
    columns = {f"sample, {options.scale}": street_column(sample.layers.streets, LIAOCHENG_EPSG)}
    for path in options.network:
        streets = read_streets(path).frame
        columns[path.stem] = street_column(streets, streets.estimate_utm_crs().to_epsg())
    print(street_table(columns))
    facts = dict(place_facts(sample, options.scale))
    facts["older villages whose successor is known"] = len(sample.became)
    facts |= {"wall s": wall, "CPU s": cpu, "peak MiB": peak, "imports MiB": before}
    print(fact_table(facts, CITY_TARGETS if options.vintage == NEWEST else OLDER_TARGETS))
    if options.json:
        append_json(options.json, options.scale, columns, facts)


def parse() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--vintage", choices=tuple(EDITIONS), default=NEWEST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--date", type=date.fromisoformat, default=date(2026, 11, 20))
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def peak_mib() -> float:
    """Return the process's highest memory so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)


def street_column(streets: gpd.GeoDataFrame, epsg: int) -> dict[str, float]:
    """Return the statistics of one net."""
    found = asdict(measure_streets(streets, epsg=epsg))
    return {**found, "strong_share": strong_share(streets)}


def street_table(columns: dict[str, dict[str, float]]) -> str:
    """Return a Markdown table: a row per statistic, a column per net, the target beside them."""
    lines = [
        "| built-up area | " + " | ".join(columns) + " | target |",
        "|---|" + "---|" * (len(columns) + 1),
    ]
    for key, label in LABELS.items():
        target = TARGETS.get(key, (100.0, 100.0) if key == "strong_share" else None)
        cells = [shown(column[key]) for column in columns.values()]
        cells[0] += misses(next(iter(columns.values()))[key], target)
        lines.append(f"| {label} | " + " | ".join(cells) + f" | {span(target)} |")
    return "\n".join(lines) + "\n"


def fact_table(facts: dict[str, float], targets: dict[str, tuple[float, float]]) -> str:
    """Return a Markdown table of everything else."""
    lines = ["| sample | value | target |", "|---|---|---|"]
    for key, value in facts.items():
        target = targets.get(key)
        lines.append(f"| {key} | {shown(value)}{misses(value, target)} | {span(target)} |")
    return "\n".join(lines) + "\n"


def shown(value: float) -> str:
    """Return a number with three significant digits or as a whole."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def span(target: tuple[float, float] | None) -> str:
    """Return a range as text."""
    if target is None:
        return "–"
    low, high = target
    if high == float("inf"):
        return f"≥ {low:g}"
    return f"{low:,g}" if low == high else f"{low:,g}–{high:,g}"


def misses(value: float, target: tuple[float, float] | None) -> str:
    """Return a mark for a value out of range."""
    return "" if target is None or target[0] <= value <= target[1] else " **misses**"


def place_facts(sample: Sample, scale: str) -> Iterator[tuple[str, float]]:
    """Yield counts and the statistics of boundaries, venues and reports."""
    layers = sample.layers
    middle = street_middles(layers.streets, epsg=LIAOCHENG_EPSG)
    yield f"{scale} nodes", node_count(layers.streets)
    yield f"{scale} segments", len(layers.streets)
    yield f"{scale} canal bridges", int(layers.streets[Col.BRIDGE].sum())
    yield from boundary_facts(layers.boundaries)
    yield "villages without a household, %", 100 * empty_share(layers)
    yield "households", int(layers.buildings[Col.HOUSEHOLDS].sum())
    for name in ("buildings", "venues", "incidents", "stations", "units", "posts"):
        yield name, len(getattr(layers, name))
    for tier, share in layers.venues[Col.TIER].value_counts(normalize=True).items():
        yield f"tier {tier}, %", 100 * share
    lines = layers.streets.to_crs(LIAOCHENG_EPSG).geometry.to_numpy()
    held = nearest_counts(layers.venues.to_crs(LIAOCHENG_EPSG).geometry.to_numpy(), lines)
    yield "streets holding half of the venues, %", 100 * share_holding(held, 0.5)
    points = layers.incidents.to_crs(LIAOCHENG_EPSG).geometry.to_numpy()
    held = nearest_counts(points, lines)
    yield "streets holding half of the reports, %", 100 * share_holding(held, 0.5)
    yield "streets holding a quarter of the reports, %", 100 * share_holding(held, 0.25)
    yield "the same in the stored intensity", 100 * share_holding(sample.intensity.sum(1), 0.25)
    hour = layers.incidents[Col.OCCURRED_AT].dt.hour
    yield "reports from 20 to 02, %", 100 * float(((hour >= 20) | (hour < 2)).mean())
    xy = shapely.get_coordinates(points)
    yield "neighbour correlation of 300 m cells", neighbour_correlation(xy, middle)


def boundary_facts(boundaries: gpd.GeoDataFrame) -> Iterator[tuple[str, float]]:
    """Yield counts, areas and parts of the units."""
    level = boundaries[Col.LEVEL]
    for word in (Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE):
        yield f"units of level {word}", int((level == word).sum())
    area = boundaries.to_crs(LIAOCHENG_EPSG).area[level == Level.TOWNSHIP] / 1e6
    rural, urban = area[area > 30], area[(area > 2) & (area <= 30)]
    yield "rural townships in 40-110 km², %", 100 * float(rural.between(40, 110).mean())
    yield "urban townships in 4-20 km², %", 100 * float(urban.between(4, 20).mean())
    parts = shapely.get_num_geometries(boundaries.geometry.to_numpy())
    yield "units in several parts", int((parts > 1).sum())
    for word in (Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE):
        shapes = boundaries.geometry[level == word].to_numpy()
        yield f"{word} coverage valid as written", int(shapely.coverage_is_valid(shapes))
    made = boundaries[level == Level.COUNTY].geometry.to_numpy()
    source = [county.polygon for county in read_counties(tuple(boundaries[Col.CODE][: len(made)]))]
    flat = [shapely.boundary(shapely.transform(g, LocalPlane().to_xy)) for g in (made, source)]
    yield "county line off the source, m", float(shapely.hausdorff_distance(*flat).max())


def empty_share(layers: Layers) -> float:
    """Return the share of villages without a household."""
    units = layers.boundaries
    village = units.geometry[(units[Col.LEVEL] == Level.VILLAGE).to_numpy()].to_numpy()
    homes = layers.buildings.geometry.to_numpy()
    held = shapely.STRtree(village).query(homes, predicate="within")[1]
    return 1.0 - len(np.unique(held)) / len(village)


def node_count(streets: gpd.GeoDataFrame) -> int:
    """Return the number of different segment ends."""
    shapes = streets.geometry.to_numpy()
    ends = np.concatenate([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)])
    return len(np.unique(shapely.get_coordinates(ends), axis=0))


def nearest_counts(points: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return how many points lie nearest to each line."""
    nearest = shapely.STRtree(lines).nearest(points)
    return np.bincount(nearest, minlength=len(lines)).astype(float)


def append_json(
    path: Path,
    scale: str,
    columns: dict[str, dict[str, float]],
    facts: dict[str, float],
) -> None:
    """Append one line per value: subject, case, engine, value, cpu_s, peak_rss_mb."""
    rows = [(net, key, value) for net, column in columns.items() for key, value in column.items()]
    rows += [(f"sample, {scale}", key, value) for key, value in facts.items()]
    with path.open("a", encoding="utf-8") as handle:
        for net, key, value in rows:
            row = {"subject": "sample", "case": key, "engine": net, "value": float(value)}
            row |= {"cpu_s": round(facts["CPU s"], 2), "peak_rss_mb": round(facts["peak MiB"])}
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
