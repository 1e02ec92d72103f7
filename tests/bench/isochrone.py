"""Bench: areas reached in 5, 10 and 15 minutes, against the times of scipy and against buffers.

    python tests/bench/isochrone.py --network FILE --origins 9,135 --peers scipy,buffer --json FILE

``--network`` is a file of streets that `geo.io.read_streets` reads, or a network ``.npz``; without
it a made-up country of lanes is drawn. Origins are random nodes. Every area is checked: valid and
inside the next. Those of the first nine hold the streets that scipy's Dijkstra reaches in time, and
their outlines run no farther from them than ``paint.WIDTH`` and a cell. Peers: ``scipy`` does only
the times (Dijkstra with a limit), ``buffer`` the areas of nine origins by buffer and union.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from report import Line, append_json, peak_mib
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from geo.frames import Col, StreetClass
from geo.units import LIAOCHENG_EPSG, MINUTE
from routing.model import UNREACHABLE, Mode, Place
from routing.network import Network, arc_times, build_network
from routing.travel import Snaps, Travel
from routing.travel.isochrone import MINUTES, SIDE, WIDTH, isochrones, warm_up

SUBJECT = "isochrone"


def made_up(n: int, step: float, seed: int) -> Network:
    """A grid of n x n bent lanes, a fifth of them gone, every eighth an arterial."""
    rng = np.random.default_rng(seed)
    at = np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=2) * step
    at = at + rng.uniform(-step / 4, step / 4, at.shape) + [380_000.0, 4_000_000.0]
    ends = [
        (at[:, :-1].reshape(-1, 2), at[:, 1:].reshape(-1, 2)),
        (at[:-1].reshape(-1, 2), at[1:].reshape(-1, 2)),
    ]
    row = np.concatenate([np.repeat(np.arange(n), n - 1), np.tile(np.arange(n), n - 1)])
    lines = np.concatenate([np.stack(pair, axis=1) for pair in ends])
    is_main = row % 8 == 0
    kept = is_main | (rng.random(len(lines)) < 0.8)
    classes = np.where(is_main, StreetClass.ARTERIAL.value, StreetClass.LANE.value)[kept]
    count = int(kept.sum())
    streets = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(count)], dtype="str"),
            Col.NAME: pd.Series([""] * count, dtype="str"),
            Col.STREET_CLASS: pd.Series(classes, dtype="str"),
            Col.ONEWAY: pd.Series(rng.random(count) < 0.1, dtype=bool),
            Col.LANES: np.zeros(count, np.int64),
            Col.MAX_SPEED: np.zeros(count),
        },
        geometry=gpd.GeoSeries(shapely.linestrings(lines[kept]), crs=LIAOCHENG_EPSG).to_crs(4326),
    )
    streets = streets.set_geometry(shapely.set_precision(streets.geometry.to_numpy(), 1e-7))
    return build_network(streets.set_crs(4326, allow_override=True), epsg=LIAOCHENG_EPSG)[0]


def read_travel(path: Path | None, mode: Mode, n: int, seed: int) -> Travel:
    if path is None:
        return Travel(made_up(n, 250.0, seed), (mode,))
    if path.suffix == ".npz":
        from routing.io.network_file import read_network

        network, topology = read_network(path)
        return Travel(network, (mode,), topology=topology)
    from geo.io import read_streets

    streets = read_streets(path).frame
    epsg = int(streets.estimate_utm_crs().to_epsg())
    return Travel(build_network(streets, epsg=epsg)[0], (mode,))


def random_places(network: Network, mode: Mode, n: int, seed: int) -> list[Place]:
    """Random nodes that the mode can use."""
    arcs = np.flatnonzero(arc_times(network, mode).whole < UNREACHABLE)
    arc = np.random.default_rng(seed).choice(arcs, n)
    first, last = network.offsets[arc >> 1], network.offsets[(arc >> 1) + 1] - 1
    lonlat = network.lonlat[np.where(arc & 1 == 0, first, last)]
    return [
        Place(place_id=f"p{i}", name=f"p{i}", lon=float(x), lat=float(y))
        for i, (x, y) in enumerate(lonlat)
    ]


# ------------------------------------------------------------------------------ the judge


def dijkstra_of(travel: Travel, mode: Mode) -> Callable[[Snaps, float], np.ndarray]:
    """Return one-to-all by scipy: milliseconds from the ends of an origin's street to all nodes."""
    network, times = travel.network, arc_times(travel.network, mode, band=travel.band)
    is_open = times.whole < UNREACHABLE
    tail, head, weight = network.arc_tail[is_open], network.arc_head[is_open], times.whole[is_open]
    order = np.lexsort((weight, head, tail))  # scipy adds parallels up: keep the fastest
    tail, head, weight = tail[order], head[order], weight[order]
    first = np.r_[True, (np.diff(tail) != 0) | (np.diff(head) != 0)] & (tail != head)
    n = network.n_nodes
    graph = csr_array((weight[first].astype(float), (tail[first], head[first])), shape=(n, n))
    open_ways = is_open.reshape(-1, 2)

    def reach(snap: Snaps, limit: float) -> np.ndarray:
        s, f = int(snap.segment[0]), float(snap.fraction[0])
        run = int(times.run[s])
        done = round(f * run)
        starts = [
            (network.tail[s], done, times.delay[2 * s + 1], open_ways[s, 1]),
            (network.head[s], run - done, times.delay[2 * s], open_ways[s, 0]),
        ]
        found = np.full(n, np.inf)
        for node, way, delay, is_way in starts:
            if is_way or way == 0:
                offset = way + delay if way else 0
                found = np.minimum(found, offset + dijkstra(graph, indices=node, limit=limit))
        return found

    return reach


def check(travel: Travel, places: list[Place], mode: Mode, areas: gpd.GeoDataFrame) -> None:
    """Refuse areas that are invalid, not nested, or not the streets that Dijkstra reaches."""
    shapes = np.asarray(areas.geometry.to_numpy()).reshape(len(places), -1)
    assert shapely.is_valid(shapes).all(), "invalid"
    for smaller, larger in zip(shapes.T[:-1], shapes.T[1:], strict=True):
        assert shapely.covers(larger, smaller).all(), "not nested"
    metric = np.asarray(areas.geometry.to_crs(travel.network.epsg).to_numpy()).reshape(shapes.shape)
    reach, snaps = dijkstra_of(travel, mode), travel.snap_places(places)
    along = Samples(travel, mode)
    for i in range(min(len(places), 9)):
        times = along.times(reach(snaps.take(np.array([i])), np.inf), snaps.take(np.array([i])))
        for area, minutes in zip(metric[i], MINUTES, strict=True):
            reached = along.xy[times <= minutes * MINUTE * 1000]
            off = shapely.distance(area, shapely.points(reached)).max()
            assert off < SIDE / 2, f"{places[i].name}: a reached street lies {off:.0f} m outside"
            far = cKDTree(reached).query(shapely.get_coordinates(area))[0].max()
            assert far < WIDTH + SIDE, f"{places[i].name}: an outline runs {far:.0f} m off"


class Samples:
    """Points every 25 m along the streets, timed by their ends."""

    def __init__(self, travel: Travel, mode: Mode) -> None:
        network, self._times = travel.network, arc_times(travel.network, mode, band=travel.band)
        n = np.maximum(1, np.ceil(network.length / 25.0).astype(int))
        self._segment = np.repeat(np.arange(network.n_segments), n + 1)
        step = np.arange(len(self._segment)) - np.repeat(np.cumsum(n + 1) - n - 1, n + 1)
        self._share = step / n[self._segment]
        owner = np.repeat(np.arange(network.n_segments), np.diff(network.offsets))
        lines = np.asarray(shapely.linestrings(network.xy, indices=owner))[self._segment]
        at = shapely.line_interpolate_point(lines, self._share, normalized=True)
        self.xy = shapely.get_coordinates(at)
        self._network = network

    def times(self, nodes: np.ndarray, origin: Snaps) -> np.ndarray:
        s, f, run = self._segment, self._share, self._times.run[self._segment]
        along, against = (self._times.whole < UNREACHABLE).reshape(-1, 2)[s].T
        ahead = f - float(origin.fraction[0])
        own = (s == origin.segment[0]) & np.where(ahead >= 0, along, against)
        ways = [
            np.where(along, nodes[self._network.tail[s]] + f * run, np.inf),
            np.where(against, nodes[self._network.head[s]] + (1 - f) * run, np.inf),
            np.where(own, np.abs(ahead) * run, np.inf),
        ]
        return np.minimum.reduce(ways)


# ------------------------------------------------------------------------------ engines


def by_patrolgrid(travel: Travel, places: list[Place], mode: Mode) -> gpd.GeoDataFrame:
    return isochrones(travel, places, mode=mode)


def by_scipy(travel: Travel, places: list[Place], mode: Mode) -> None:
    """Only the times: Dijkstra with a limit."""
    reach, snaps = dijkstra_of(travel, mode), travel.snap_places(places)
    for i in range(len(places)):
        reach(snaps.take(np.array([i])), max(MINUTES) * MINUTE * 1000.0)


def by_buffer(travel: Travel, places: list[Place], mode: Mode) -> None:
    """Whole segments whose both ends are reached, buffered and united."""
    network = travel.network
    owner = np.repeat(np.arange(network.n_segments), np.diff(network.offsets))
    lines = np.asarray(shapely.linestrings(network.xy, indices=owner))
    reach, snaps = dijkstra_of(travel, mode), travel.snap_places(places)
    for i in range(len(places)):
        found = reach(snaps.take(np.array([i])), max(MINUTES) * MINUTE * 1000.0)
        for minutes in MINUTES:
            far = np.maximum(found[network.tail], found[network.head])
            shapely.union_all(shapely.buffer(lines[far <= minutes * MINUTE * 1000], WIDTH))


ENGINES = {"patrolgrid": by_patrolgrid, "scipy": by_scipy, "buffer": by_buffer}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--network", type=Path)
    parser.add_argument("--nodes", type=int, default=80_000, help="of the made-up network")
    parser.add_argument("--origins", default="9,135")
    parser.add_argument("--mode", type=Mode, default=Mode.CAR)
    parser.add_argument("--peers", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    warm_up()
    travel = read_travel(args.network, args.mode, round(args.nodes**0.5), args.seed)
    places = random_places(travel.network, args.mode, 200, args.seed)
    by_patrolgrid(travel, places[-1:], args.mode)  # topology, weights, tree
    name = "made-up" if args.network is None else args.network.stem
    print(f"{name}: {travel.network.n_nodes:,} nodes, {travel.network.n_segments:,} segments")
    lines = []
    for n in map(int, args.origins.split(",")):
        for engine in ["patrolgrid", *filter(None, args.peers.split(","))]:
            if engine == "buffer" and n > 9:
                continue  # minutes
            began = time.process_time()
            areas = ENGINES[engine](travel, places[:n], args.mode)
            cpu = time.process_time() - began
            if areas is not None:
                check(travel, places[:n], args.mode, areas)
            case = f"{name} {n} origins x {len(MINUTES)}"
            print(f"{case:40} {engine:12} {cpu:8.3f} CPU s  {peak_mib():7.0f} MiB")
            lines.append(
                Line(
                    subject=SUBJECT,
                    case=case,
                    engine=engine,
                    value=cpu,
                    gap=None,
                    cpu_s=cpu,
                    peak_rss_mb=peak_mib(),
                    n=n * len(MINUTES),
                )
            )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
