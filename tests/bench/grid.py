"""Bench: a city cut into basic grids, judged by the four demands; small villages proved.

    python tests/bench/grid.py --scale city --vintage 2019 --json out.jsonl
    python tests/bench/grid.py --layers DIR          a directory written by `patrolgrid sample DIR`
    python tests/bench/grid.py --boundaries FILE --streets FILE --buildings FILE
    python tests/bench/grid.py --prove 20            optima by CP-SAT of 20 small villages

Times are CPU seconds of one core by stage, kernels warm: noding (lines into faces), cutting (big
blocks along their buildings), partition (blocks into grids), the rest. Memory is the peak above
what the layers themselves hold. The cut is judged by `score_cells`, from the grids alone.

`--prove` takes villages of few atoms and compares with the proven optimum, for the same number of
parts, of our objective without its shape term (a quotient, which CP-SAT cannot state): balance,
bands, borders on streets. `search` is our annealing of just that objective; `shipped` the grids as
cut, which give some of it for compactness.
"""

import argparse
import ctypes
import gc
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import wraps
from pathlib import Path

import geopandas as gpd
import numpy as np
from partition import units_of
from partition_engines import TARGET, Labels, Unit
from report import Line, append_json

from geo.frames import BUILDINGS, STREETS, WATER, Col, GridRole, empty_frame
from geo.grid import Cut, cut_grids, score_cells
from geo.grid import cut as cut_module
from geo.grid import partition as engine
from geo.grid.quality import units_of as units_of_cells
from geo.grid.score import BAND, BOUND, GridScore
from geo.grid.warm import warm_up
from geo.grid.zone import is_divisible, join_zones, within_zones
from geo.rate import Rate
from geo.units import LIAOCHENG_EPSG

DATA_DATE = date(2026, 11, 20)

STAGES = {"_faces": "noding", "split_blocks": "cutting", "_partition_units": "partition"}
"""Functions of `geo.grid.cut` that are timed, and what they do."""

UNIT_PRICE = 1_000_000
"""Whole numbers CP-SAT counts one unit of the objective in."""


@dataclass(frozen=True)
class Inputs:
    """What is cut; EPSG:4326."""

    boundaries: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    rail: gpd.GeoDataFrame | None = None

    def layers(self) -> tuple[gpd.GeoDataFrame, ...]:
        return self.boundaries, self.streets, self.water, self.buildings


# ---- inputs


def load(args: argparse.Namespace) -> Inputs:
    """Return the files named, else a directory of layers, else the sample."""
    from geo import io
    from geo.io.place_layers import read_rail

    if args.boundaries is not None:
        readers: dict[str, Callable[[Path], gpd.GeoDataFrame]] = {
            "streets": lambda path: io.read_streets(path).frame,
            "water": lambda path: io.read_water(path).frame,
            "buildings": lambda path: io.read_buildings(path).frame,
        }
        blank = {"streets": STREETS, "water": WATER, "buildings": BUILDINGS}
        given = {name: getattr(args, name) for name in readers}
        frames = {
            name: gpd.GeoDataFrame(empty_frame(blank[name]))
            if path is None
            else readers[name](path)
            for name, path in given.items()
        }
        rail = None if args.rail is None else read_rail(args.rail).frame
        return Inputs(boundaries=io.read_boundaries(args.boundaries).frame, rail=rail, **frames)
    if args.layers is not None:
        paths = io.LayerPaths(**{layer: args.layers / name for layer, name in io.FILES.items()})
        city = io.read_layers(paths, epsg=args.epsg, data_date=DATA_DATE)[0]
    else:
        from geo.sample import make_city

        city = make_city(
            scale=args.scale, seed=args.seed, data_date=DATA_DATE, vintage=args.vintage
        ).layers
    return Inputs(city.boundaries, city.streets, city.water, city.buildings)


# ---- measuring


def memory(what: str) -> float:
    """Return VmRSS (now) or VmHWM (peak) in MiB."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith(what)).split()[1]) / 1024


def forget_peak() -> None:
    """Give freed memory back and begin a new peak; Linux only (malloc_trim(3), proc(5))."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


@contextmanager
def timed_stages() -> Iterator[dict[str, float]]:
    """Yield the CPU seconds of the stages of `cut_grids` while it runs."""
    spent: dict[str, float] = defaultdict(float)
    kept = {name: getattr(cut_module, name) for name in STAGES}

    def timed(name: str) -> Callable[..., object]:
        @wraps(kept[name])
        def work(*args: object, **options: object) -> object:
            begun = time.process_time()
            try:
                return kept[name](*args, **options)
            finally:
                spent[STAGES[name]] += time.process_time() - begun

        return work

    try:
        for name in STAGES:
            setattr(cut_module, name, timed(name))
        yield spent
    finally:
        for name, work in kept.items():
            setattr(cut_module, name, work)


def bench_cut(inputs: Inputs, epsg: int) -> list[Line]:
    """Return time, memory and figures of a whole cut."""
    warm_up()
    forget_peak()
    held = memory("VmRSS")
    with timed_stages() as spent:
        begun = time.process_time()
        cut = cut_grids(*inputs.layers(), epsg=epsg, rail=inputs.rail)
        spent["whole"] = time.process_time() - begun
    peak = memory("VmHWM") - held
    score = score_cells(
        cut.cells,
        inputs.boundaries,
        inputs.streets,
        inputs.water,
        epsg=epsg,
        data_date=DATA_DATE,
        rail=inputs.rail,
    )
    figures = {f"cpu s {stage}": cpu for stage, cpu in spent.items()}
    figures |= {"MiB above the layers": peak} | figures_of(score) | reasons_of(cut)
    cpu, n = spent["whole"], len(cut.cells)
    return [
        Line("grid", case, "patrolgrid", float(value), None, cpu, peak, n)
        for case, value in figures.items()
    ]


def figures_of(score: GridScore) -> dict[str, float]:
    """Return the four demands as numbers."""
    known = score.by_unit[score.by_unit[Col.HOUSEHOLDS] > 0]
    fits = {
        name: known[[is_divisible(float(total), TARGET, band) for total in known[Col.HOUSEHOLDS]]]
        for name, band in (
            (Col.N_AIM, engine.AIM),
            (Col.N_BOUND, (BOUND[0] / TARGET, BOUND[1] / TARGET)),
            (Col.N_BAND, (BAND[0] / TARGET, BAND[1] / TARGET)),
        )
    }
    where = {name: rows[name].sum() / rows[Col.N_CELLS].sum() for name, rows in fits.items()}
    rates = {
        "80-120": (score.in_aim, where[Col.N_AIM]),
        "70-130": (score.in_bound, where[Col.N_BOUND]),
        "50-150": (score.in_band, where[Col.N_BAND]),
    }
    out: dict[str, float] = {}
    for band, (rate, share) in rates.items():
        out[f"share in {band}"] = share_of(rate)
        out[f"share in {band} where totals divide"] = share
    return out | {
        "CV of households": score.variation,
        "Polsby-Popper mean": score.compactness,
        "Polsby-Popper median": score.median_compactness,
        "inner border on streets": share_of(score.inner_on_streets),
        "inner border on streets, allowed": share_of(score.inner_where_streets),
        "gap m2": score.gap_area,
        "overlap m2": score.overlap_area,
        "straddles": score.n_straddles,
        "not in one piece": score.whole.total - score.whole.n,
        "longest walk across m": score.walk[1],
    }


def share_of(rate: Rate) -> float:
    return rate.n / max(rate.total, 1)


def reasons_of(cut: Cut) -> dict[str, float]:
    """Return how many grids are outside the aim for each reason, and without one."""
    low, high = (bound * TARGET for bound in engine.AIM)
    known = cut.cells.groupby(units_of_cells(cut.cells))[Col.HOUSEHOLDS].transform("sum") > 0
    is_basic = cut.cells[Col.GRID_ROLE] == GridRole.BASIC
    is_out = ~cut.cells[Col.HOUSEHOLDS].between(low, high) & known & is_basic
    outside = cut.cells.loc[is_out, Col.CELL_ID]
    n_by_reason = Counter(cut.reasons[Col.REASON].astype(str))
    without = int((~outside.isin(cut.reasons[Col.CELL_ID])).sum())
    return {
        **{f"outside, reason {name}": float(n) for name, n in sorted(n_by_reason.items())},
        "outside without a reason": float(without),
        "crossings of main roads": float(len(cut.crossings)),
    }


# ---- proving


def price_of(graph: engine.Graph, part: Labels, goal: engine.Goal) -> float:
    """Return our objective of a partition."""
    n = int(part.max()) + 1
    return float(engine._value(graph, part, n, graph.weight.sum() / n, goal))


def plain_goal() -> engine.Goal:
    """Return our objective without shape."""
    bands = np.array([*engine.AIM, *engine.BOUND]) * TARGET
    weights = (engine.BALANCE_WEIGHT, engine.BAND_STEP, 0.0, engine.COST_WEIGHT)
    return engine.Goal(bands, *weights, engine.START_HEAT)


def own_parts(graph: engine.Graph, seed: int, *, shape: float) -> Labels:
    """Return our partition with another weight of shape."""
    kept = engine.SHAPE_WEIGHT
    engine.SHAPE_WEIGHT = shape
    try:
        return engine.partition(
            graph,
            target=TARGET,
            max_parts=899,
            seed=seed,
            moves_per_atom=max(
                cut_module.MOVES_PER_ATOM, cut_module.MIN_MOVES // len(graph.weight)
            ),
        )
    finally:
        engine.SHAPE_WEIGHT = kept


def prove(
    graph: engine.Graph, start: Labels, goal: engine.Goal, seconds: float
) -> tuple[float, bool]:
    """Return the least price of as many connected parts as `start` has, and if it is proven.

    Every part is a tree: its root is its first atom, every other atom takes one parent among its
    neighbours in the part, one level up. Parts are numbered by their roots.
    """
    from ortools.sat.python import cp_model

    model, n, n_parts = cp_model.CpModel(), len(graph.weight), int(start.max()) + 1
    inside = [[model.new_bool_var("") for _ in range(n_parts)] for _ in range(n)]
    root = [[model.new_bool_var("") for _ in range(n_parts)] for _ in range(n)]
    level = [model.new_int_var(0, n - 1, "") for _ in range(n)]
    first = np.sort(np.unique(start, return_index=True)[1])
    for atom in range(n):
        model.add_exactly_one(inside[atom])
        for p in range(n_parts):
            model.add_implication(root[atom][p], inside[atom][p])
            model.add_hint(inside[atom][p], bool(start[atom] == start[first[p]]))
            model.add_hint(root[atom][p], bool(atom == first[p]))
            for earlier in range(atom):
                model.add_implication(root[atom][p], ~inside[earlier][p])
    place = [sum(atom * root[atom][p] for atom in range(n)) for p in range(n_parts)]
    for p in range(n_parts):
        model.add_exactly_one(root[atom][p] for atom in range(n))
        if p > 0:
            model.add(place[p - 1] < place[p])
    parents: list[list[object]] = [[] for _ in range(n)]
    cut = []
    for a, b in graph.pairs.tolist():
        apart = model.new_bool_var("")
        cut.append(apart)
        for p in range(n_parts):
            model.add_bool_or(apart, ~inside[a][p], inside[b][p])
            model.add_bool_or(apart, inside[a][p], ~inside[b][p])
            model.add_bool_or(~apart, ~inside[a][p], ~inside[b][p])
        for parent, child in ((a, b), (b, a)):
            arc = model.new_bool_var("")
            model.add_implication(arc, ~apart)
            model.add(level[child] == level[parent] + 1).only_enforce_if(arc)
            parents[child].append(arc)
    for atom in range(n):
        model.add_exactly_one(*parents[atom], *root[atom])
    prices, weight = _prices(graph, n_parts, goal), graph.weight.astype(int).tolist()
    terms = []
    for p in range(n_parts):
        load = model.new_int_var(0, sum(weight), "")
        model.add(load == sum(weight[atom] * inside[atom][p] for atom in range(n)))
        price = model.new_int_var(0, int(prices.max()), "")
        model.add_element(load, prices.tolist(), price)
        terms.append(price)
    border = np.rint(goal.border * graph.cost * UNIT_PRICE).astype(int).tolist()
    model.minimize(sum(terms) + sum(c * apart for c, apart in zip(border, cut, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    return solver.objective_value / UNIT_PRICE, status == cp_model.OPTIMAL


def _prices(graph: engine.Graph, n_parts: int, goal: engine.Goal) -> np.ndarray:
    """Return the price of a part of every load, from 0 to the whole."""
    total = int(graph.weight.sum())
    price = [engine._price(load, 0.0, 0.0, total / n_parts, goal) for load in range(total + 1)]
    return np.rint(np.array(price) * UNIT_PRICE).astype(int)


def small_graphs(inputs: Inputs, n_most: int, n_atoms: int) -> list[tuple[Unit, engine.Graph]]:
    """Return up to `n_most` villages of 2 to 6 grids, few atoms and one zone."""
    out = []
    for unit in units_of(inputs.layers(), 10**6, 2, 6):
        graph = within_zones(unit.graph, join_zones(unit.graph, unit.is_main, target=TARGET))
        light = graph.weight.max() <= engine.AIM[1] * TARGET
        if len(graph.weight) <= n_atoms and light and engine.components(graph)[0] == 1:
            out.append((unit, graph))
    return out[:: max(1, len(out) // n_most)][:n_most]


def bench_proofs(inputs: Inputs, args: argparse.Namespace) -> list[Line]:
    """Return the gap of our parts to the proven optima of small villages."""
    villages, goal = small_graphs(inputs, args.prove, args.atoms), plain_goal()
    gaps: dict[str, list[float]] = {"search": [], "shipped": []}
    begun, own_cpu = time.process_time(), 0.0
    for unit, graph in villages:
        start = time.process_time()
        search = own_parts(graph, unit.seed, shape=0.0)
        own_cpu += time.process_time() - start
        shipped = own_parts(graph, unit.seed, shape=engine.SHAPE_WEIGHT)
        n_parts = int(search.max()) + 1
        least, proven = prove(graph, search, goal, args.seconds)
        found = {"search": search, "shipped": shipped}
        prices = {name: price_of(graph, part, goal) for name, part in found.items()}
        spread = {name: np.bincount(part, graph.weight) for name, part in found.items()}
        print(
            f"{len(graph.weight):3} atoms {n_parts} parts  optimum {least:8.4f}"
            f"{'' if proven else ' (not proven)'}  search {prices['search']:8.4f}"
            f" {spread['search'].astype(int).tolist()}  shipped {prices['shipped']:8.4f}"
            f" {spread['shipped'].astype(int).tolist()}"
        )
        if proven:
            for name, price in prices.items():
                gaps[name].append(price - least)
    cpu, n = time.process_time() - begun, len(gaps["search"])
    lines = [Line("grid", "optima proven", "cp-sat", n, None, cpu - own_cpu, 0.0, len(villages))]
    for name, values in gaps.items():
        if values:
            for what, value in (
                ("mean", np.mean(values)),
                ("largest", np.max(values)),
                ("share optimal", np.mean(np.array(values) < 1e-4)),
            ):
                case = f"prove, {name}: {what}" + (" gap" if what != "share optimal" else "")
                lines.append(Line("grid", case, "patrolgrid", float(value), None, own_cpu, 0.0, n))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--vintage", choices=("2019", "2023"), default="2023")
    parser.add_argument("--layers", type=Path)
    for layer in ("boundaries", "streets", "water", "buildings", "rail"):
        parser.add_argument(f"--{layer}", type=Path)
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--prove", type=int, default=0, help="small villages to prove")
    parser.add_argument("--atoms", type=int, default=25, help="most atoms of such a village")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each proof")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    inputs = load(args)
    lines = bench_cut(inputs, args.epsg)
    if args.prove:
        lines += bench_proofs(inputs, args)
    for line in lines:
        print(
            f"{line.subject:6} {line.case:40} {line.engine:12} {line.value:12.4f}"
            f" {line.cpu_s:8.2f} cpu s  n {line.n:,}"
        )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
