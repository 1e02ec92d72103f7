"""Bench: hot-spot methods on a file of real reports, judged on weeks they have not seen.

    python tests/bench/hotspot.py --points FILE --side 150 --share 0.01 --test-weeks 13

Any CSV with lon, lat and a time (ISO 8601 or seconds since 1970) will do. Weekly forecasts, each
from the weeks before it, in squares of a metric grid; the study area is every square at most two
squares from a report. Value is the PAI at the stated share of the area, `gap` what its efficiency
(PEI) lacks to 1: to the best that any choice of that size could have caught in the same weeks.
Every Gi* is held against a dense reference, and against esda where `--peers esda` has it.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from report import Line, append_json, peak_mib

from geo.demand.accuracy import Accuracy, Method, judge, last_weeks
from geo.demand.hotspot import Blend, DecayedCounts, GiStar, KernelDensity, LastYear, gi_star
from geo.demand.series import Floats, Series, count_in_squares
from geo.frames import INCIDENTS, Channel, require

NAMES = {
    "lon": ("lon", "lng", "longitude", "x"),
    "lat": ("lat", "latitude", "y"),
    "time": ("time",),
}


@dataclass(frozen=True, kw_only=True)
class JudgedLine(Line):
    """A line with the spread of its value and what it leads plain counts by."""

    error: float
    pei: float
    lead: float
    lead_error: float


@dataclass(frozen=True)
class NearRepeat:
    """Last eight weeks at 1/weeks, within 400 m: Johnson and Bowers' prospective map in small."""

    n_weeks: int = 8
    bandwidth: float = 200.0

    def __call__(self, series: Series, week: int) -> Floats:
        ago = np.arange(1, min(self.n_weeks, week) + 1)
        recent = series.counts[week - len(ago) : week][::-1]
        return series.diffused(np.asarray(recent.T @ (1.0 / ago)), self.bandwidth)


METHODS: dict[str, Method] = {
    "last year's counts (baseline)": LastYear(),
    "decayed counts, half-life 730 d": DecayedCounts(),
    "decayed counts, half-life 91 d": DecayedCounts(91.0),
    "kernel density, 75 m": KernelDensity(75.0),
    "kernel density, 150 m": KernelDensity(150.0),
    "near-repeat, 8 weeks": NearRepeat(),
    "Gi*": GiStar(),
    "blend": Blend(),
}


def read_points(path: Path) -> gpd.GeoDataFrame:
    """Return the file as residents' reports; rows without a position are left out."""
    table = pd.read_csv(path)
    lower = {name.lower(): name for name in table.columns}
    lon, lat, when = (
        table[next(lower[n] for n in names if n in lower)] for names in NAMES.values()
    )
    unit = {"unit": "s"} if pd.api.types.is_numeric_dtype(when) else {}
    frame = gpd.GeoDataFrame(
        {
            "incident_id": pd.Series([f"i{k}" for k in range(len(table))], dtype="str"),
            "occurred_at": pd.to_datetime(when, utc=True, **unit)
            .dt.tz_convert("Asia/Shanghai")
            .astype("datetime64[s, Asia/Shanghai]"),
            "category": pd.Series(["report"] * len(table), dtype="str"),
            "channel": pd.Series([Channel.RESIDENT.value] * len(table), dtype="str"),
            "source": pd.Series([path.name] * len(table), dtype="str"),
        },
        geometry=gpd.points_from_xy(lon, lat),
        crs=4326,
    )[(lon.notna() & lat.notna()).to_numpy()].reset_index(drop=True)
    require(frame, INCIDENTS, source=path.name)
    return frame


def check_gi_star(series: Series, peers: list[str]) -> None:
    """Hold Gi* against the dense formula on a part, and against esda on the whole."""
    count = series.window(series.n_weeks, 365)
    busiest = np.argsort(-count)[:400]
    part = series.near[busiest][:, busiest]
    assert np.allclose(gi_star(count[busiest], part), dense_gi_star(count[busiest], part.toarray()))
    if "esda" in peers:
        import esda
        from libpysal.graph import Graph

        graph = Graph.from_sparse(series.near)
        begun = time.process_time()
        peer = esda.G_Local(count, graph, transform="B", star=True, permutations=0)
        cpu = time.process_time() - begun
        joined = np.asarray(series.near.sum(axis=1)).ravel() > 0
        assert np.allclose(peer.Zs[joined], gi_star(count, series.near)[joined])
        print(
            f"Gi* equal to esda {esda.__version__} on {joined.sum():,} squares; its CPU {cpu:.2f} s"
        )


def dense_gi_star(x: Floats, near: np.ndarray) -> Floats:
    """Return Gi* as the paper writes it."""
    weight = near + np.eye(len(x))
    row, square, n = weight.sum(axis=1), (weight**2).sum(axis=1), len(x)
    spread = np.sqrt((x**2).mean() - x.mean() ** 2)
    return (weight @ x - x.mean() * row) / (spread * np.sqrt((n * square - row**2) / (n - 1)))


def judged(series: Series, args: argparse.Namespace) -> Iterator[JudgedLine]:
    """Yield one line per method and share of the ground; leads are over the first method."""
    weeks = last_weeks(series, args.test_weeks)
    for share in args.share:
        baseline: Accuracy | None = None
        for name, method in METHODS.items():
            begun = time.process_time()
            found = judge(series, method, weeks=weeks, share=share, seed=args.seed)
            cpu = time.process_time() - begun
            baseline = baseline or found
            lead, lead_error = found.lead_over(baseline, seed=args.seed)
            yield JudgedLine(
                subject="hotspot",
                case=f"{args.side:g} m, {share:.1%} of the area, {len(weeks)} weeks",
                engine=name,
                value=found.pai,
                gap=1 - found.pei,
                cpu_s=cpu,
                peak_rss_mb=peak_mib(),
                n=int(found.total.sum()),
                error=found.pai_error(seed=args.seed),
                pei=found.pei,
                lead=lead,
                lead_error=lead_error,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=Path, required=True)
    parser.add_argument("--side", type=float, default=150.0, help="metres of a square")
    parser.add_argument("--share", type=float, nargs="+", default=[0.01, 0.05])
    parser.add_argument("--test-weeks", type=int, default=13)
    parser.add_argument(
        "--epsg", type=int, help="metric CRS; the UTM zone of the points by default"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", default="", help="esda: compare Gi*")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    reports = read_points(args.points)
    epsg = args.epsg or int(reports.estimate_utm_crs().to_epsg())
    begun = time.process_time()
    series = count_in_squares(reports, epsg=epsg, side=args.side)
    print(
        f"{series.n_reports:,} of {series.n_total:,} reports in {len(series.size):,} squares of "
        f"{args.side:g} m, {series.n_weeks} weeks, EPSG:{epsg}; "
        f"counted in {time.process_time() - begun:.2f} CPU s"
    )
    check_gi_star(series, args.peers.split(","))
    lines = list(judged(series, args))
    for line in lines:
        print(
            f"{line.case:36} {line.engine:32} PAI {line.value:6.2f} ± {line.error:4.2f}"
            f"  PEI {line.pei:.3f}  over baseline {line.lead:+6.2f} ± {line.lead_error:4.2f}"
            f"  {line.cpu_s:6.2f} cpu s"
        )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
