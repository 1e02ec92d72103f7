"""Bench: estimated demand against the sample's known truth.

    python tests/bench/demand.py --scale district --keep 1,0.1,0.02 --json out.jsonl

For shares of 1 and 5 per cent of segments: what part of the true expected reports of the shift's
hours the segments ranked highest by an engine hold, beside the hot-spot methods, plain counts and
the oracle (the truth itself). `gap` is what is missing to the oracle, as a fraction of it. Plain
counts break ties at random. `--keep` thins the reports, because with three years of them anything
works. "rolled up" shares the reports of segments with fewer than five addresses out over their
group, "of 1 to 4" leaves segments without any address alone: the price of that protection.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
from report import Line, append_json, peak_mib

from geo.demand import DemandRules, estimate_demand
from geo.demand.hotspot import METHODS
from geo.demand.series import count_on_segments
from geo.frames import Layers
from geo.grid import cut_cells
from geo.incident import (
    count_addresses,
    hour_bins,
    resident_reports,
    roll_up_segments,
    shift_hours,
    snap_to_segments,
)

SHARES = (0.01, 0.05)
DATA_DATE = date(2026, 11, 20)


def captured(score: np.ndarray, truth: np.ndarray, share: float) -> float:
    """Return the part of the truth on the best-scored share of segments."""
    best = np.argsort(-score, kind="stable")[: round(share * len(truth))]
    return float(truth[best].sum() / truth.sum())


def plain_counts(
    incidents: gpd.GeoDataFrame, layers: Layers, args: argparse.Namespace, *, night: bool
) -> np.ndarray:
    reports = resident_reports(incidents).frame
    if night:
        bins = hour_bins(reports, start_hour=args.start_hour, n_hours=args.hours)
        reports = reports[bins >= 0]
    row = snap_to_segments(reports, layers.streets, epsg=layers.epsg).row
    count = np.bincount(row[row >= 0], minlength=len(layers.streets)).astype(np.float64)
    return count + 1e-6 * np.random.default_rng(args.seed).random(len(count))


def engines(
    incidents: gpd.GeoDataFrame,
    layers: Layers,
    cells: gpd.GeoDataFrame,
    args: argparse.Namespace,
) -> Iterator[tuple[str, np.ndarray, float]]:
    """Yield engine, score per segment and CPU seconds."""
    addresses = count_addresses(layers.streets, layers.buildings, layers.venues, epsg=layers.epsg)
    for name, rules, bare_stand in (
        ("patrolgrid", DemandRules(), None),
        ("patrolgrid, rolled up", DemandRules(), False),
        ("patrolgrid, rolled up of 1 to 4", DemandRules(), True),
        ("patrolgrid, half-life 90 days", DemandRules(half_life=90.0), None),
    ):
        begun = time.process_time()
        groups = None
        if bare_stand is not None:
            groups = roll_up_segments(
                layers.streets, addresses, epsg=layers.epsg, bare_stand=bare_stand
            )
        demand = estimate_demand(
            incidents,
            layers.streets,
            cells,
            epsg=layers.epsg,
            shift_start_hour=args.start_hour,
            n_hours=args.hours,
            as_of=DATA_DATE + timedelta(days=1),
            rules=rules,
            groups=groups,
        )
        yield name, demand.by_hour.sum(axis=1), time.process_time() - begun
    begun = time.process_time()
    series = count_on_segments(incidents, layers.streets, epsg=layers.epsg)
    counted = time.process_time() - begun
    for name, method in METHODS.items():
        begun = time.process_time()
        score = method(series, series.n_weeks) * series.size
        yield f"hot spots: {name}", score, counted + time.process_time() - begun
    for name, night in {"counts of the shift's hours": True, "counts of all hours": False}.items():
        begun = time.process_time()
        score = plain_counts(incidents, layers, args, night=night)
        yield name, score, time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--keep", default="1,0.1,0.02", help="shares of the reports kept")
    parser.add_argument("--start-hour", type=int, default=20)
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    from geo.sample import make_city

    sample = make_city(scale=args.scale, seed=args.seed, data_date=DATA_DATE)
    layers = sample.layers
    cells = cut_cells(
        layers.boundaries, layers.streets, layers.water, layers.buildings, epsg=layers.epsg
    )
    truth = sample.intensity[:, list(shift_hours(args.start_hour, args.hours))].sum(axis=1)
    random = np.random.default_rng(args.seed)
    lines = []
    for keep in map(float, args.keep.split(",")):
        incidents = layers.incidents[random.random(len(layers.incidents)) < keep]
        for engine, score, cpu in engines(incidents, layers, cells, args):
            for share in SHARES:
                value, best = captured(score, truth, share), captured(truth, truth, share)
                lines.append(
                    Line(
                        subject="demand",
                        case=f"{keep:g} of reports, top {share:.0%}",
                        engine=engine,
                        value=value,
                        gap=1 - value / best,
                        cpu_s=cpu,
                        peak_rss_mb=peak_mib(),
                        n=len(incidents),
                    )
                )
    for line in lines:
        print(
            f"{line.case:28} {line.engine:32} {line.value:7.4f}  gap {line.gap:6.2%}"
            f" {line.cpu_s:7.2f} cpu s  n {line.n:,}"
        )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
