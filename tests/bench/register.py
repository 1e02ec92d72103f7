"""Bench: the venue register at city size; register gaps beside simpler ways to find them.

    python tests/bench/register.py --scale city --peers exact,nearest,difflib --json out.jsonl
    python tests/bench/register.py --layers DIR      a directory written by `patrolgrid sample DIR`

Gaps are planted (tests/planted_register.py): 2,000 points of interest, a quarter each plain,
misspelt, moved by 30 m, of shared coordinates; a quarter of them has no record. Value is precision
or recall of the gaps found. The other lines check what they made: the backlog's days are even and
kept, streets sum to the whole, a graded venue can be green just when its remedies make it so.
"""

import argparse
import difflib
import runpy
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from report import Line, append_json, peak_mib

from geo.frames import Col, Layers
from geo.io.calendars import shipped_calendar
from geo.io.rules import shipped_venue_rules
from geo.units import LIAOCHENG_EPSG
from geo.venue import (
    after_remedies,
    due_venues,
    find_gaps,
    grade_venues,
    roll_up_streets,
    spread_backlog,
)
from geo.venue.names import name_key

AS_OF = date(2026, 11, 20)
PLANTED = runpy.run_path(str(Path(__file__).resolve().parents[1] / "planted_register.py"))


@dataclass(frozen=True, kw_only=True)
class TimedLine(Line):
    """A line with wall seconds beside CPU seconds."""

    wall_s: float


def load(args: argparse.Namespace) -> Layers:
    if args.layers is None:
        from geo.sample import make_city

        return make_city(scale=args.scale, seed=args.seed, data_date=AS_OF).layers
    from geo.io import FILES, LayerPaths, read_layers

    paths = LayerPaths(**{layer: args.layers / name for layer, name in FILES.items()})
    return read_layers(paths, epsg=args.epsg, data_date=AS_OF)[0]


def timed(work: Callable[[], object]) -> tuple[object, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def by_exact(pois: gpd.GeoDataFrame, register: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    """Missing: no record of the very name."""
    return ~pois[Col.NAME].map(name_key).isin(set(register[Col.NAME].map(name_key))).to_numpy()


def by_nearest(pois: gpd.GeoDataFrame, register: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    """Missing: no record of the same kind within 50 m."""
    near, _ = _pairs(pois, register, epsg, 50.0, same_kind=True)
    return ~np.isin(np.arange(len(pois)), near)


def by_difflib(pois: gpd.GeoDataFrame, register: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    """Missing: no record within 50 m whose name is alike by at least 0.7 (edit ratio)."""
    poi, venue = _pairs(pois, register, epsg, 50.0)
    names, others = pois[Col.NAME].tolist(), register[Col.NAME].tolist()
    alike = [
        difflib.SequenceMatcher(None, names[p], others[v]).ratio() >= 0.7
        for p, v in zip(poi.tolist(), venue.tolist(), strict=True)
    ]
    return ~np.isin(np.arange(len(pois)), poi[np.array(alike, dtype=bool)])


def _pairs(pois, register, epsg, reach, *, same_kind=False):
    points = pois.geometry.to_crs(epsg).to_numpy()
    places = register.geometry.to_crs(epsg).to_numpy()
    poi, venue = shapely.STRtree(places).query(points, predicate="dwithin", distance=reach)
    if same_kind:
        same = pois[Col.KIND].to_numpy(object)[poi] == register[Col.KIND].to_numpy(object)[venue]
        poi, venue = poi[same], venue[same]
    return poi, venue


PEERS = {"exact": by_exact, "nearest": by_nearest, "difflib": by_difflib}


def bench_gaps(layers: Layers, args: argparse.Namespace) -> list[TimedLine]:
    lines = []
    for style in ("signs", "hard", "sample"):
        for is_full in (False, True):
            random = np.random.default_rng(args.seed)
            pois, register, truth = PLANTED["plant"](
                layers.venues,
                epsg=args.epsg,
                rng=random,
                style=style,
                is_full=is_full,
                n=args.cases,
            )

            def ours(pois=pois, register=register) -> np.ndarray:
                done = find_gaps(
                    pois, register, epsg=args.epsg, data_date=AS_OF, boundary_version="bench"
                )
                return ~done.gaps[Col.IS_RECORDED].to_numpy()

            engines = {"patrolgrid": ours}
            for name in args.peers:
                engines[name] = lambda f=PEERS[name], p=pois, r=register: f(p, r, args.epsg)
            what = f"{style}, {'whole' if is_full else 'part of the'} map"
            for name, work in engines.items():
                missing, cpu, wall = timed(work)
                lines += judged(truth, missing, what, name, (cpu, wall))
    return lines


def judged(truth, missing, what, engine, cost) -> list[TimedLine]:
    """Return precision and recall over all, and the worse of both for each kind of slip."""
    lines = []
    cpu, wall = cost
    for word, value in zip(("precision", "recall"), PLANTED["judged"](truth, missing), strict=True):
        lines.append((f"{word}: {what}", value, len(truth)))
    for case in ("plain", "misspelt", "moved", "shared"):
        rows = (truth["case"] == case).to_numpy()
        worse = min(PLANTED["judged"](truth[rows], missing[rows]))
        lines.append((f"  worse of both, {case}: {what}", worse, int(rows.sum())))
    return [
        TimedLine("register gap", case, engine, float(v), None, cpu, peak_mib(), n, wall_s=wall)
        for case, v, n in lines
    ]


def with_facts(venues: gpd.GeoDataFrame, seed: int) -> gpd.GeoDataFrame:
    """Return venues with facts drawn by a stated seed, a fifth of each unknown."""
    random = np.random.default_rng(seed)
    n = len(venues)

    def numbers(draw: np.ndarray) -> pd.Series:
        return pd.Series(np.where(random.random(n) < 0.2, np.nan, draw), index=venues.index)

    days = np.datetime64(AS_OF, "s") - random.integers(0, 700, n).astype("timedelta64[D]")
    days[random.random(n) < 0.8] = np.datetime64("NaT")
    return venues.assign(
        floor_area=numbers(random.lognormal(4.5, 1.2, n)),
        beds=numbers(random.integers(0, 120, n)),
        major_hazards=numbers(random.poisson(0.02, n)),
        open_hazards=numbers(random.poisson(0.3, n)),
        below_ground=numbers(random.random(n) < 0.03),
        uses_gas=numbers(random.random(n) < 0.3),
        has_gas_alarm=numbers(random.random(n) < 0.8),
        last_hazard=pd.Series(days, index=venues.index),
    )


def bench_register(layers: Layers, args: argparse.Namespace) -> list[TimedLine]:
    rules, working = shipped_venue_rules(), shipped_calendar()
    venues = with_facts(layers.venues, args.seed)

    def grade() -> object:
        return grade_venues(venues, rules, as_of=AS_OF, boundary_version="bench")

    def standing() -> object:
        return due_venues(venues, as_of=AS_OF, cadence=rules.cadence, working=working)

    grading, *grade_cost = timed(grade)
    mended = after_remedies(venues, grading.reasons, rules)
    after = grade_venues(mended, rules, as_of=AS_OF, boundary_version="bench").grades
    wrong = (after[Col.TIER] == "green") != grading.grades[Col.CAN_BE_GREEN]
    due, *due_cost = timed(standing)
    never = venues.assign(**{Col.LAST_INSPECTION: pd.Series(pd.NaT, venues.index, "datetime64[s]")})

    def spread() -> object:
        return spread_backlog(never, rules, as_of=AS_OF, working=working)

    backlog, *spread_cost = timed(spread)
    load = backlog.groupby([Col.TIER, Col.DUE]).size()
    uneven = int((load.groupby(Col.TIER).max() - load.groupby(Col.TIER).min()).max() > 1)
    streets, *street_cost = timed(lambda: roll_up_streets(due, layers.streets, epsg=args.epsg))
    lost = len(venues) - int(streets[Col.N_VENUES].sum())
    values = (
        ("graded: green after remedies but not said, or not green", int(wrong.sum()), grade_cost),
        ("due on the working calendar: days off", _days_off(due, working), due_cost),
        ("backlog of every venue: tiers with uneven days", uneven, spread_cost),
        ("show streets: venues not in the sum", lost, street_cost),
    )
    return [
        TimedLine(
            "register",
            case,
            "patrolgrid",
            float(v),
            None,
            cpu,
            peak_mib(),
            len(venues),
            wall_s=wall,
        )
        for case, v, (cpu, wall) in values
    ]


def _days_off(due: gpd.GeoDataFrame, working) -> int:
    days = pd.unique(due[Col.DUE].dropna().dt.date)
    return sum(not working.is_working_day(day) for day in days)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=Path)
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", type=lambda text: text.split(","), default=["exact"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    layers = load(args)
    lines = [*bench_register(layers, args), *bench_gaps(layers, args)]
    for line in lines:
        print(
            f"{line.subject:12} {line.case:56} {line.engine:10} {line.value:8.4f}"
            f" {line.cpu_s:7.2f} cpu s {line.peak_rss_mb:6.0f} MiB  n {line.n:,}"
        )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
