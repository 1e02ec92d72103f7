"""One night by our planner and by OR-Tools' routing library, judged by the independent checker.

    python tests/bench/night.py --units 4,12 --seconds 10 --peers ortools --json night.jsonl

Random nights in the plane (triangle inequality holds) of the given sizes, or with
``--scale district`` the sample city. The peer gets the same slots, posts, pairs (both halves
mandatory), breaks and matrices; repeats are worth a fixed, falling prize per slot, because the
library has no diminishing value. Its plan is timed and scored like ours.
"""

import argparse
import json
import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from geo.units import CITY_ZONE, HOUR, MINUTE
from routing.check import check_plan
from routing.model import (
    Band,
    Mode,
    Place,
    Plan,
    Post,
    Problem,
    Rates,
    Shift,
    Stop,
    TravelTimes,
    Unit,
    VisitKind,
)
from routing.patrol import plan_night, warm_up
from routing.patrol.assemble import assemble
from routing.patrol.encode import Code, encode
from routing.patrol.timetable import Order, earliest_starts

BIG = 10**7
LENGTH = 6 * HOUR


def random_night(*, n_units: int, seed: int) -> Problem:
    """Return a night with 11 places per unit, a post and a pair per ten units."""
    rng = np.random.default_rng(seed)
    n_stations, n_musts = max(1, n_units // 3), max(1, n_units // 10)
    names = [f"S{i}" for i in range(n_stations)] + [f"h{i}" for i in range(11 * n_units)]
    musts = [f"{kind}{i}" for kind in ("post", "pair") for i in range(n_musts)]
    ids = names + musts
    xy = rng.uniform(0, 1800.0 * np.sqrt(n_units), (len(ids), 2))
    away = 1.3 * np.hypot(*(xy[:, None] - xy[None, :]).transpose(2, 0, 1))
    modes = (Mode.FOOT, Mode.CAR)
    seconds = np.stack([np.ceil(away / 1.4), np.ceil(away / 8.3)]).astype(np.int32)
    return Problem(
        shift=Shift(start=datetime(2026, 3, 2, 20, tzinfo=CITY_ZONE), length=LENGTH),
        places=tuple(Place(place_id=i, name=i, lon=116.0, lat=36.0) for i in ids),
        units=tuple(
            Unit(
                unit_id=f"u{i}",
                call_sign=f"u{i}",
                station_id=f"S{i % n_stations}",
                mode=Mode.FOOT if i % 8 == 7 else Mode.CAR,
                headcount=4,
                break_window=(9000, 16200),
                break_length=1800,
            )
            for i in range(n_units)
        ),
        stops=tuple(_random_stop(name, rng) for name in names[n_stations:]),
        posts=tuple(_must(name, i % n_musts) for i, name in enumerate(musts)),
        rests=tuple(ids[:n_stations]),
        travel=TravelTimes(place_ids=tuple(ids), modes=modes, seconds=seconds),
        rates=Rates(),
        seed=seed,
        data_date=date(2026, 3, 1),
        boundary_version="none",
        synthetic=True,
    )


def _random_stop(name: str, rng: np.random.Generator) -> Stop:
    level = 10 + 100 * rng.random() ** 2
    wave = 1 + 0.5 * np.sin(np.arange(LENGTH // HOUR) + 6 * rng.random())
    worth = np.clip(np.rint(level * wave), 10, 125).astype(int).tolist()
    return Stop(
        place_id=name,
        kind=VisitKind.HOTSPOT,
        band=Band(
            floor=int(rng.random() < 0.08),
            cap=int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2])),
            dwell=int(rng.integers(10, 17)) * MINUTE,
        ),
        value_by_hour=tuple(worth),
        reason="patrol.reason.demand_some",
        peak_hour=int(np.argmax(worth)),
    )


def _must(name: str, i: int) -> Post:
    is_pair = name.startswith("pair")
    begin = HOUR + 600 * (i % 5) if is_pair else 2 * HOUR
    return Post(
        post_id=name,
        place_id=name,
        kind=VisitKind.PAIR if is_pair else VisitKind.POST,
        earliest=begin,
        latest=begin + 5400 * is_pair,
        dwell=720 if is_pair else 1800,
        n_units=2 if is_pair else 1,
    )


def sample_night(*, scale: str, seed: int) -> Problem:
    """Return the sample city's night, as the demo poses it."""
    from geo.demand import choose_places, estimate_demand
    from geo.grid import cut_cells
    from geo.sample import make_city
    from routing.network import build_network
    from routing.patrol import pose_night
    from routing.travel import Travel

    layers = make_city(scale=scale, seed=seed, data_date=date(2026, 3, 1)).layers
    cells = cut_cells(
        layers.boundaries, layers.streets, layers.water, layers.buildings, epsg=layers.epsg
    )
    shift = Shift(start=datetime(2026, 3, 2, 20, tzinfo=CITY_ZONE), length=LENGTH)
    demand = estimate_demand(
        layers.incidents,
        layers.streets,
        cells,
        epsg=layers.epsg,
        shift_start_hour=20,
        n_hours=shift.n_hours,
        as_of=shift.start.date(),
    )
    places, by_hour = choose_places(
        demand,
        layers.streets,
        cells,
        epsg=layers.epsg,
        n_places=11 * len(layers.units),
        seed=seed,
    )
    network, _ = build_network(layers.streets, epsg=layers.epsg)
    return pose_night(
        places,
        by_hour,
        layers.stations,
        layers.units,
        layers.posts,
        Travel(network),
        shift=shift,
        seed=seed,
        data_date=layers.data_date,
        boundary_version=layers.boundary_version,
        synthetic=layers.synthetic,
    )


class Peer:
    """The night as a model of OR-Tools' routing library."""

    def __init__(self, problem: Problem, code: Code) -> None:
        self.problem, self.night = problem, code.night
        night, units = code.night, problem.units
        self.visits = list(range(night.n_visits))
        self.breaks = [self._breaks_of(r) for r in range(len(units))]
        n = len(self.visits)
        starts = list(range(n, n + len(units)))
        ends = list(range(n + len(units), n + 2 * len(units)))
        self.manager = pywrapcp.RoutingIndexManager(n + 2 * len(units), len(units), starts, ends)
        self.model = pywrapcp.RoutingModel(self.manager)
        self.solver = self.model.solver()
        self._times()
        self._stops()
        self._musts()

    def _breaks_of(self, r: int) -> list[int]:
        """Break nodes of unit r: one per nearest rest place of its station, one is mandatory."""
        if not self.night.break_stay[r]:
            return []
        rests = self.night.rests[self.night.mode[r], self.night.home[r]]
        nodes = list(range(len(self.visits), len(self.visits) + len(rests)))
        self.visits += [int(v) for v in rests]
        return nodes

    def _times(self) -> None:
        night, n_units = self.night, len(self.night.home)
        loc = np.concatenate([night.loc[self.visits], night.home, night.home])
        stay = np.zeros(len(loc), np.int64)
        n_free = night.n_visits
        stay[:n_free] = night.stay
        busy = stay.copy()
        for r, nodes in enumerate(self.breaks):
            stay[nodes] = night.break_stay[r]
        way = np.minimum(night.seconds[:, loc[:, None], loc[None, :]].astype(np.int64), 30_000)
        register = self.model.RegisterTransitMatrix
        times = [register((w + stay[:, None]).tolist()) for w in way]
        loads = [register((w + busy[:, None]).tolist()) for w in way]
        costs = [register((self.problem.rates.travel * w).tolist()) for w in way]
        for r in range(n_units):
            self.model.SetArcCostEvaluatorOfVehicle(costs[night.mode[r]], r)
        self.model.AddDimensionWithVehicleTransits(
            [times[m] for m in night.mode], LENGTH, night.length, False, "time"
        )
        self.model.AddDimensionWithVehicleTransits(
            [loads[m] for m in night.mode], 0, LENGTH, True, "load"
        )
        # The library knows one spread over all units, not one per station.
        load = self.model.GetDimensionOrDie("load")
        load.SetGlobalSpanCostCoefficient(self.problem.rates.fairness if n_units > 1 else 0)
        self.clock = self.model.GetDimensionOrDie("time")

    def _window(self, node: int, first: int, last: int) -> int:
        index = self.manager.NodeToIndex(node)
        self.clock.CumulVar(index).SetRange(int(first), int(last))
        return int(index)

    def _stops(self) -> None:
        """Optional slots with falling prizes; caps; clashing slots exclude each other."""
        night = self.night
        for h in range(night.n_stops):
            nodes = range(night.visit0[h], night.visit0[h] + night.n_slots[h])
            index = {v: self._window(v, night.first[v], night.last[v]) for v in nodes}
            ranked = sorted(nodes, key=lambda v: -night.points[v])
            for k, v in enumerate(ranked):
                share = night.percent[min(k, 3)]
                prize = MINUTE * int(night.points[v]) * int(share) // 100
                is_must = k < night.floor[h]
                self.model.AddDisjunction([index[v]], prize + BIG * int(is_must))
            active = {v: self.model.ActiveVar(index[v]) for v in nodes}
            if len(index) > night.cap[h]:
                self.solver.Add(sum(active.values()) <= int(night.cap[h]))
            for i, v in enumerate(nodes):
                for j, w in enumerate(nodes):
                    if i < j and night.clash[v] >> j & 1:
                        self.solver.Add(active[v] + active[w] <= 1)

    def _musts(self) -> None:
        """Posts and both halves of pairs are mandatory nodes; one break per unit."""
        night = self.night
        for v in range(night.n_visits):
            if night.task[v] >= night.n_stops:
                index = self._window(v, night.first[v], night.last[v])
                mate = int(night.mate[v])
                if mate > v:
                    one = self.clock.CumulVar(index)
                    two = self.clock.CumulVar(self.manager.NodeToIndex(mate))
                    self.solver.Add(one - two <= night.tolerance)
                    self.solver.Add(two - one <= night.tolerance)
        for r, nodes in enumerate(self.breaks):
            found = [
                self._window(node, night.break_first[r], night.break_last[r]) for node in nodes
            ]
            if found:
                self.model.AddDisjunction(found, 10 * BIG)
            for index in found:
                allowed = self.solver.MemberCt(self.model.VehicleVar(index), [-1, r])
                self.solver.Add(allowed)

    def solve(self, seconds: float) -> list[Order] | None:
        """Return the orders found within the limit; None without any."""
        options = pywrapcp.DefaultRoutingSearchParameters()
        strategy = routing_enums_pb2.FirstSolutionStrategy
        options.first_solution_strategy = strategy.PARALLEL_CHEAPEST_INSERTION
        local = routing_enums_pb2.LocalSearchMetaheuristic
        options.local_search_metaheuristic = local.GUIDED_LOCAL_SEARCH
        options.guided_local_search_lambda_coefficient = 1.0
        options.time_limit.FromMilliseconds(int(1000 * seconds))
        answer = self.model.SolveWithParameters(options)
        if answer is None:
            return None
        orders = []
        for r in range(len(self.night.home)):
            index, order = answer.Value(self.model.NextVar(self.model.Start(r))), []
            while not self.model.IsEnd(index):
                order.append(self.visits[self.manager.IndexToNode(index)])
                index = answer.Value(self.model.NextVar(index))
            orders.append(tuple(order))
        return orders


def plan_with_ortools(problem: Problem, *, seconds: float) -> Plan | None:
    """Return the peer's plan, timed and assembled like ours."""
    code = encode(problem, problem.stops)
    orders = Peer(problem, code).solve(seconds)
    if orders is None or earliest_starts(code.night, orders) is None:
        return None
    return assemble(problem, code, orders, causes={}, bound=None, work="ortools")


def report(case: str, engine: str, plan: Plan | None, cpu: float) -> dict[str, object]:
    """Return one line of the table."""
    row: dict[str, object] = {"subject": "night", "case": case, "engine": engine}
    if plan is not None:
        musts = {post.post_id for post in plan.problem.posts}
        floors = {stop.place_id for stop in plan.problem.stops if stop.band.floor}
        row |= {
            "value": plan.objective,
            "gap": plan.gap,
            "musts_missing": sum(u.task_id in musts | floors for u in plan.unserved),
            "violations": len(check_plan(plan)),
            "n": sum(len(route.visits) for route in plan.routes),
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return row | {"cpu_s": round(cpu, 2), "peak_rss_mb": round(peak)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the cases and print one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", default="4,12", help="sizes of random nights")
    parser.add_argument("--scale", choices=["district", "city"], help="the sample city instead")
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each case")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--iterations", type=int, help="work of our search")
    parser.add_argument("--seconds", type=float, default=10.0, help="the peers' limit")
    parser.add_argument("--peers", default="ortools", help="comma-separated; none for ours alone")
    parser.add_argument("--json", type=Path, help="append the lines to this file")
    options = parser.parse_args(arguments)
    warm_up()
    cases = [options.scale] if options.scale else [f"random-{n}" for n in options.units.split(",")]
    for case in cases:
        posed = sample_night(scale=case, seed=options.seed) if options.scale else None
        for seed in range(options.seed, options.seed + options.seeds):
            if posed is None:
                problem = random_night(n_units=int(case.split("-")[1]), seed=seed)
            else:
                problem = replace(posed, seed=seed)
            began = time.process_time()
            plan = plan_night(problem, iterations=options.iterations)
            rows = [report(case, "patrolgrid", plan, time.process_time() - began)]
            if options.peers == "ortools":
                began = time.process_time()
                peer = plan_with_ortools(problem, seconds=options.seconds)
                rows.append(report(case, "ortools-routing", peer, time.process_time() - began))
            for row in rows:
                row["seed"] = seed
                print(json.dumps(row), flush=True)
                if options.json:
                    with options.json.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
