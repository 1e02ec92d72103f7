"""Bench: one tour over a neighbourhood's streets, its bound, and networkx beside it; its division.

    python tests/bench/sweep.py --network FILE --streets 400,2000 --peers eulerize --json out.jsonl
    python tests/bench/sweep.py --made-up 60 --streets 400 --teams 3,4,5,6,7,8 --seed 1,2,3

A neighbourhood is the streets nearest to a point, in the middle of the network or drawn by
``--seed``. On foot every street may be walked both ways; by motorbike one-ways count. ``--share``
asks for a part of the streets only, which then fall into many pieces. Every covering is checked by
`routing.check.sweep`; its gap is to its own proven bound. Peers know one connected graph and
nothing around it: they and we sweep the asked streets again with all others closed, on foot, up to
``--peer-streets``. ``eulerize`` is networkx's, which looks at no weights (its added streets are
counted at their milliseconds); ``matching`` is the exact way by ``nx.min_weight_matching``.

``--teams`` divides the same neighbourhoods instead, among so many teams that start from one station
in the middle, and from stations of their own drawn among the corners around; every plan is checked
by `routing.check.sweep_teams`. Its gap is to the bound of one team and each team's way to the
nearest street and back; the table also has it over the bound and the ways its teams do take to
their first streets and from their last ones.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from report import Line, append_json, peak_mib

from geo.frames import Col
from geo.units import HOUR, LIAOCHENG_EPSG
from routing.check.sweep import check_covering
from routing.check.sweep_teams import check_sweep_plan
from routing.model import Mode
from routing.network import CLASSES, MODES, Network, arc_times, build_network
from routing.sweep.cover import cover_streets, warm_up
from routing.sweep.model import FAR, Covering, SweepProblem, sweep_problem
from routing.sweep.plan import SweepPlan
from routing.sweep.teams import split_among_teams
from routing.sweep.teams.split import warm_up as warm_up_teams

DOORS_MS = 20_000
"""Milliseconds of door checks on a street, the bench's own."""

NOT_SWEPT = ("expressway", "path")


def neighbourhood(
    network: Network, mode: Mode, n: int, *, seed: int, share: float, both_sides: bool
) -> SweepProblem:
    """Ask for the `n` streets nearest to a point."""
    middle = (network.node_xy[network.tail] + network.node_xy[network.head]) / 2
    rng = np.random.default_rng(seed)
    centre = np.median(middle, axis=0) if seed == 0 else middle[rng.integers(len(middle))]
    swept = [k for k, name in enumerate(CLASSES) if name.value not in NOT_SWEPT]
    usable = network.usable[MODES.index(mode)].reshape(-1, 2).any(axis=1)
    can = np.flatnonzero(np.isin(network.street_class, swept) & usable)
    can = can[rng.random(len(can)) < share]
    near = can[np.argsort(np.hypot(*(middle[can] - centre).T), kind="stable")][:n]
    passes = np.zeros(network.n_segments, np.int8)
    passes[near] = 2 if both_sides else 1
    doors = np.where(passes > 0, DOORS_MS, 0).astype(np.int32)
    return sweep_problem(network, arc_times(network, mode), passes=passes, doors=doors)


def measure(problem: SweepProblem, gap: float) -> tuple[Covering, float]:
    """Cover and check; return the covering and its CPU seconds."""
    start = time.process_time()
    covering = cover_streets(problem, gap=gap)
    cpu = time.process_time() - start
    faults = check_covering(problem, covering)
    if faults:
        raise SystemExit(f"broken: {faults[0]}")
    return covering, cpu


# ------------------------------------------------------------------------------- peers


def alone(problem: SweepProblem) -> SweepProblem:
    """Close every street that is not asked."""
    is_asked = np.repeat(problem.passes > 0, 2)
    travel, service = (np.where(is_asked, t, FAR) for t in (problem.travel, problem.service))
    return replace(problem, travel=travel.astype(np.int32), service=service.astype(np.int32))


def street_graph(problem: SweepProblem, covering: Covering):
    """Streets served, as networkx; weights are both ways together."""
    import networkx as nx

    graph = nx.MultiGraph()
    pair = problem.travel.reshape(-1, 2).astype(np.int64).sum(axis=1)
    for arc in covering.tour.arcs[covering.tour.is_service].tolist():
        ends = (int(problem.tail[arc]), int(problem.head[arc]))
        graph.add_edge(*ends, weight=int(pair[arc // 2]))
    return graph


def with_eulerize(graph) -> float:
    """Doubled milliseconds `nx.eulerize` walks."""
    import networkx as nx

    made = nx.eulerize(graph)
    return float(sum(min(d["weight"] for d in graph[a][b].values()) for a, b in made.edges()))


def with_matching(graph) -> float:
    """Doubled milliseconds with the odd junctions paired by `nx.min_weight_matching`."""
    import networkx as nx

    odd = [node for node, degree in graph.degree() if degree % 2]
    pairs = nx.Graph()
    for i, node in enumerate(odd):
        times = nx.single_source_dijkstra_path_length(graph, node)
        pairs.add_weighted_edges_from((node, other, times[other]) for other in odd[i + 1 :])
    added = sum(pairs[a][b]["weight"] for a, b in nx.min_weight_matching(pairs))
    return float(sum(d["weight"] for *_, d in graph.edges(data=True)) + added)


PEERS: dict[str, Callable] = {"eulerize": with_eulerize, "matching": with_matching}


# ------------------------------------------------------------------------------- teams


def stations_of(
    problem: SweepProblem, network: Network, n_teams: int, seed: int
) -> dict[str, list]:
    """Return where the teams start: all in the middle, or each at a corner of its own."""
    asked = np.repeat(problem.passes > 0, 2)
    corners = np.unique(problem.tail[asked & (problem.travel < FAR)])
    xy = network.node_xy
    middle = xy[corners].mean(axis=0)
    one = int(corners[np.hypot(*(xy[corners] - middle).T).argmin()])
    reach = 1.5 * np.hypot(*(xy[corners] - middle).T).max()
    usable = np.unique(problem.tail[problem.travel < FAR])
    around = usable[np.hypot(*(xy[usable] - middle).T) <= reach]
    drawn = np.random.default_rng(seed).choice(around, n_teams, replace=False)
    return {"one station": [one] * n_teams, "own stations": drawn.tolist()}


def divided(problem: SweepProblem, stations: list[int]) -> tuple[SweepPlan, float]:
    """Divide and check; return the plan and its CPU seconds."""
    start = time.process_time()
    plan = split_among_teams(problem, stations, shift_length=99 * HOUR)
    cpu = time.process_time() - start
    faults = check_sweep_plan(problem, plan, stations)
    if faults:
        raise SystemExit(f"broken: {faults[0]}")
    return plan, cpu


def station_ways(problem: SweepProblem, plan: SweepPlan) -> int:
    """Return the milliseconds the teams take to their first street and from their last one."""
    total = 0
    for tour in plan.routes:
        served = np.flatnonzero(tour.is_service)
        if len(served):
            ways = np.r_[tour.arcs[: served[0]], tour.arcs[served[-1] + 1 :]]
            total += int(problem.travel[ways].sum(dtype=np.int64))
    return total


def team_lines(
    problem: SweepProblem,
    network: Network,
    asked: tuple[str, int, int],
    options: argparse.Namespace,
) -> Iterator[Line]:
    """Divide one neighbourhood among each number of teams; print and yield the lines."""
    case, n, seed = asked
    for n_teams in map(int, options.teams.split(",")):
        for where, stations in stations_of(problem, network, n_teams, seed).items():
            plan, cpu = divided(problem, stations)
            told = f"{case}, {n_teams} teams, {where}"
            print(
                f"| {told} | {plan.total / 3.6e6:.2f} | {plan.over_bound:+.2%} "
                f"| {plan.total / (plan.bound + station_ways(problem, plan)) - 1:+.2%} "
                f"| {plan.balance:.3f} | {len(plan.left_out)} | {cpu:.2f} |",
                flush=True,
            )
            yield Line("sweep", told, "patrolgrid", plan.total, plan.over_bound, cpu, peak_mib(), n)
            yield Line(
                "sweep",
                f"{told}, longest / mean",
                "patrolgrid",
                plan.balance,
                plan.balance - 1.0,
                cpu,
                peak_mib(),
                n,
            )


# ------------------------------------------------------------------------------- table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", type=Path, help="streets in any format geo.io reads")
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--streets", default="400,1000,2000", help="asked streets, by comma")
    parser.add_argument("--modes", default="foot,motorbike")
    parser.add_argument("--share", type=float, default=1.0, help="of the streets that are asked")
    parser.add_argument("--both-sides", action="store_true")
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--seed", default="0", help="by comma; 0: the middle of the network")
    parser.add_argument("--made-up", type=int, help="corners a side of a made-up network")
    parser.add_argument("--teams", default="", help="divide among so many, by comma")
    parser.add_argument("--peers", default="", help=",".join(PEERS))
    parser.add_argument("--peer-streets", type=int, default=400)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    streets = made_up(options.made_up) if options.made_up else streets_of(options.network)
    network, _ = build_network(streets, epsg=options.epsg)
    warm_up()
    warm_up_teams()
    cover_streets(neighbourhood(network, Mode.FOOT, 3, seed=0, share=1.0, both_sides=False))
    print(f"{network.n_nodes:,} nodes, {network.n_segments:,} segments")
    print(TEAM_HEAD if options.teams else HEAD)
    for mode in map(Mode, options.modes.split(",")):
        for n in map(int, options.streets.split(",")):
            for seed in map(int, options.seed.split(",")):
                problem = neighbourhood(
                    network,
                    mode,
                    n,
                    seed=seed,
                    share=options.share,
                    both_sides=options.both_sides,
                )
                append_json(options.json, lines_of(problem, network, (mode, n, seed), options))


HEAD = """\
| case | engine | hours | dead-heading | gap | status | parts | U-turns | CPU s |
|---|---|---|---|---|---|---|---|---|"""

TEAM_HEAD = """\
| case | hours | over bound + nearest legs | + own legs | longest / mean | left out | CPU s |
|---|---|---|---|---|---|---|"""


def streets_of(path: Path | None) -> gpd.GeoDataFrame:
    """Read streets, or make the sample city's."""
    if path is None:
        from geo.sample import make_city

        return make_city(scale="city", seed=1, data_date=date(2026, 11, 20)).layers.streets
    from geo.io import read_streets

    return read_streets(path).frame


def made_up(side: int) -> gpd.GeoDataFrame:
    """Return a crooked grid: `side` corners a side, an eighth of its streets gone or one-way."""
    rng = np.random.default_rng(side)
    corner = np.arange(side * side).reshape(side, side)
    across = np.stack([corner[:, :-1].ravel(), corner[:, 1:].ravel()], axis=1)
    down = np.stack([corner[:-1].ravel(), corner[1:].ravel()], axis=1)
    ends = np.concatenate([across, down])
    ends = ends[rng.random(len(ends)) > 1 / 8]
    at = np.stack(np.divmod(np.arange(side * side), side), axis=1) * 110.0
    at = at + rng.uniform(-35.0, 35.0, at.shape) + np.array([400_000.0, 4_030_000.0])
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: [f"s{k:06d}" for k in range(len(ends))],
            Col.NAME: "",
            Col.STREET_CLASS: "collector",
            Col.ONEWAY: rng.random(len(ends)) < 1 / 8,
            Col.BRIDGE: False,
            Col.LANES: 0,
            Col.MAX_SPEED: 0.0,
            Col.SOURCE: "synthetic",
        },
        geometry=shapely.linestrings(at[ends]),
        crs=LIAOCHENG_EPSG,
    )
    return frame.to_crs(4326)


def lines_of(
    problem: SweepProblem,
    network: Network,
    asked: tuple[Mode, int, int],
    options: argparse.Namespace,
) -> list[Line]:
    """Measure one neighbourhood: divided among teams where asked, else in one tour."""
    mode, n, seed = asked
    one_way = (problem.travel.reshape(-1, 2) >= FAR).any(axis=1)[problem.required].mean()
    case = f"{mode.value}, {n} streets, {100 * one_way:.0f} % one-way"
    case += f", place {seed}" if seed else ""
    if options.teams:
        return list(team_lines(problem, network, (case, n, seed), options))
    return rows(problem, mode, case, n, options)


def rows(
    problem: SweepProblem, mode: Mode, case: str, n: int, options: argparse.Namespace
) -> list[Line]:
    """Measure one neighbourhood and its peers; print and return their lines."""
    line, _ = own_line(problem, case, n, options.gap)
    if mode is not Mode.FOOT or n > options.peer_streets or not options.peers:
        return [line]
    closed, case = alone(problem), f"{case}, on these alone"
    ours, covering = own_line(closed, case, n, options.gap)
    graph, lines = street_graph(closed, covering), [line, ours]
    for peer in options.peers.split(","):
        start = time.process_time()
        doubled = PEERS[peer](graph)
        cpu = time.process_time() - start
        total = doubled / 2 + DOORS_MS * int(covering.tour.is_service.sum())
        empty = covering.tour.dead_head + total - covering.tour.milliseconds
        print(
            f"| {case} | {peer} | {total / 3.6e6:.2f} | {100 * empty / total:.1f} %, "
            f"{100 * (empty / covering.tour.dead_head - 1):+.1f} % of ours "
            f"| {100 * (1 - covering.bound / total):.3f} % | | | | {cpu:.3f} |",
            flush=True,
        )
        gap = 1 - covering.bound / total
        lines.append(Line("sweep", case, peer, total, gap, cpu, peak_mib(), n))
    return lines


def own_line(problem: SweepProblem, case: str, n: int, gap: float) -> tuple[Line, Covering]:
    """Measure our own covering; print and return its line."""
    covering, cpu = measure(problem, gap)
    tour = covering.tour
    print(
        f"| {case} | patrolgrid {covering.engine.value} | {tour.milliseconds / 3.6e6:.2f} "
        f"| {100 * tour.dead_head / tour.milliseconds:.1f} % | {100 * covering.gap:.3f} % "
        f"| {covering.status.value} | {covering.n_parts} "
        f"| {covering.n_u_turns} (least {covering.u_turn_bound}) | {cpu:.3f} |",
        flush=True,
    )
    row = ("sweep", case, "patrolgrid", tour.milliseconds, covering.gap, cpu, peak_mib(), n)
    return Line(*row), covering


if __name__ == "__main__":
    main()
