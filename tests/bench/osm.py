"""Bench of the way from an OpenStreetMap file to a street frame.

    python tests/bench/osm.py --nodes 80000 --peers osmium,osmnx
    python tests/bench/osm.py --file ../shared/data/net/helsinki.osm.pbf

A made-up city is written as ``.osm.pbf`` and as ``.osm`` by osmium itself: crooked streets on a
grid, some one-way, with names, limits and lanes, and houses as closed ways that are no street. The
peer ``osmium`` is the floor: the same loop over the same ways and nodes that keeps nothing. The
peer ``osmnx`` reads the ``.osm`` and simplifies it to junctions; it reads no ``.osm.pbf``. Our
frame is checked: the length of all streets, the number of segments and the one-ways must be those
that were written, and from both files the same.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import shapely
from report import Line, append_json, peak_mib

from geo.frames import Col
from geo.io import read_streets
from geo.units import LIAOCHENG_EPSG

WEST, SOUTH, STEP = 115.6, 36.2, 0.002
CLASSES = ("residential", "service", "unclassified", "tertiary", "secondary", "primary")
BENDS = 3
"""Nodes between two junctions."""

BLOCKS = 4
"""Segments of one way."""


@dataclass(frozen=True)
class Made:
    """What was written: both files, and the figures any reader must find again."""

    pbf: Path
    xml: Path
    n_nodes: int
    n_segments: int
    n_oneway: int
    degrees: float


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=80_000, help="nodes of streets")
    parser.add_argument("--houses", type=int, default=20_000, help="closed ways that are no street")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--file", type=Path, help="a file of your own, in place of the made-up one")
    parser.add_argument("--peers", default="osmium")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    peers = [peer for peer in options.peers.split(",") if peer]
    with tempfile.TemporaryDirectory() as folder:
        if options.file is None:
            made = write_city(Path(folder), options.nodes, options.houses, options.seed)
            rows = list(made_rows(made, peers, options.repeats))
        else:
            rows = list(file_rows(options.file, peers, options.repeats))
    print("| case | engine | value | CPU s | MiB | n |\n|---|---|---:|---:|---:|---:|")
    for row in rows:
        print(
            f"| {row.case} | {row.engine} | {row.value:,.6g} | {row.cpu_s:.3f} "
            f"| {row.peak_rss_mb:.0f} | {row.n:,} |"
        )
    append_json(options.json, rows)


def made_rows(made: Made, peers: list[str], repeats: int) -> Iterator[Line]:
    """Yield our reading of both files, checked, and that of the peers."""
    frames = []
    for path in (made.pbf, made.xml):
        frame, cpu_s = timed(lambda path=path: read_streets(path).frame, repeats)
        check(frame, made)
        frames.append(frame.drop(columns=Col.SOURCE))
        yield line(f"read {path.suffixes[-1]}", "patrolgrid", len(frame), cpu_s, made.n_nodes)
        if "osmium" in peers:
            n, floor_s = timed(lambda path=path: bare_loop(path), repeats)
            yield line(f"read {path.suffixes[-1]}", "osmium", n, floor_s, made.n_nodes)
    if not frames[0].equals(frames[1]):
        sys.exit("the two files read differently")
    if "osmnx" in peers:
        edges, cpu_s = timed(lambda: osmnx_edges(made.xml), 1)
        yield line("read .osm", "osmnx", edges, cpu_s, made.n_nodes)
    yield network_line(frames[0], made.n_nodes, repeats)


def file_rows(path: Path, peers: list[str], repeats: int) -> Iterator[Line]:
    """Yield our reading of a file and osmium's bare loop over it."""
    frame, cpu_s = timed(lambda: read_streets(path).frame, repeats)
    yield line(f"read {path.name}", "patrolgrid", len(frame), cpu_s, len(frame))
    if "osmium" in peers:
        n, floor_s = timed(lambda: bare_loop(path), repeats)
        yield line(f"read {path.name}", "osmium", n, floor_s, len(frame))


def network_line(frame: Any, n_nodes: int, repeats: int) -> Line:
    """Return how long the frame takes to become a clean network."""
    from routing.network import build_network

    (network, _), cpu_s = timed(lambda: build_network(frame, epsg=LIAOCHENG_EPSG), repeats)
    return line("frame to clean network", "patrolgrid", network.n_segments, cpu_s, n_nodes)


def bare_loop(path: Path) -> int:
    """Return the nodes of all ways with a highway tag, and keep nothing."""
    processor = osmium.FileProcessor(str(path)).with_locations()
    ways = processor.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(
        osmium.filter.KeyFilter("highway")
    )
    return sum(len(way.nodes) for way in ways)


def osmnx_edges(path: Path) -> int:
    """Return the edges osmnx finds, simplified as ours are."""
    import osmnx

    graph = osmnx.graph_from_xml(path, retain_all=True, simplify=False)
    edges = [(u, v, k) for u, v, k, d in graph.edges(keys=True, data=True) if "highway" not in d]
    graph.remove_edges_from(edges)
    return int(osmnx.simplify_graph(graph).number_of_edges())


def check(frame: Any, made: Made) -> None:
    """Stop where a frame is not what was written."""
    degrees = float(shapely.length(frame.geometry.to_numpy()).sum())
    found = (len(frame), int(frame[Col.ONEWAY].sum()))
    if found != (made.n_segments, made.n_oneway) or abs(degrees - made.degrees) > 1e-4:
        sys.exit(f"read {found}, {degrees}; written {made}")


def write_city(folder: Path, n_nodes: int, n_houses: int, seed: int) -> Made:
    """Write a city of about n_nodes nodes of streets as .osm.pbf and as .osm."""
    side = max(2, round((n_nodes / (1 + 2 * BENDS)) ** 0.5))
    rng = np.random.default_rng(seed)
    junction = np.arange(side * side).reshape(side, side)
    y, x = np.divmod(np.arange(side * side), side)
    xy = np.column_stack([x, y]) + rng.uniform(-0.2, 0.2, (side * side, 2))
    nodes = [tuple(p) for p in np.round(xy * STEP + (WEST, SOUTH), 7)]
    ways = [
        bent(course[begin : begin + BLOCKS + 1], nodes, rng)
        for course in (*junction, *junction.T)
        for begin in range(0, side - 1, BLOCKS)
    ]
    made_tags = [tags_of(k, rng) for k in range(len(ways))]
    houses = []
    south_west = np.array([WEST, SOUTH])
    for x0, y0 in south_west + rng.uniform(0, side * STEP, (n_houses, 2)):
        first = len(nodes)
        nodes += [(x0, y0), (x0 + 1e-4, y0), (x0 + 1e-4, y0 + 1e-4), (x0, y0 + 1e-4)]
        houses.append([*range(first, first + 4), first])
    pbf, xml = folder / "city.osm.pbf", folder / "city.osm"
    for path in (pbf, xml):
        write_file(path, nodes, [*zip(ways, made_tags, strict=True)], houses)
    n_blocks = [(len(way) - 1) // (BENDS + 1) for way in ways]
    is_oneway = ["oneway" in tags for tags in made_tags]
    at = np.array(nodes)
    return Made(
        pbf=pbf,
        xml=xml,
        n_nodes=len(nodes) - 4 * n_houses,
        n_segments=sum(n_blocks),
        n_oneway=sum(n for n, one in zip(n_blocks, is_oneway, strict=True) if one),
        degrees=sum(float(np.hypot(*np.diff(np.round(at[w], 7), axis=0).T).sum()) for w in ways),
    )


def bent(course: np.ndarray, nodes: list[tuple[float, float]], rng: np.random.Generator) -> list:
    """Return a way through junctions, with new nodes between them."""
    way = [int(course[0])]
    for tail, head in pairwise(course):
        (x0, y0), (x1, y1) = nodes[tail], nodes[head]
        for part in np.arange(1, BENDS + 1) / (BENDS + 1):
            dx, dy = rng.uniform(-0.03, 0.03, 2) * STEP
            way.append(len(nodes))
            nodes.append((x0 + part * (x1 - x0) + dx, y0 + part * (y1 - y0) + dy))
        way.append(int(head))
    return way


def tags_of(k: int, rng: np.random.Generator) -> dict[str, str]:
    """Return the tags of a street as mappers write them."""
    word = CLASSES[min(int(rng.exponential(1.2)), len(CLASSES) - 1)]
    tags = {"highway": word, "surface": "asphalt", "lit": "yes", "source": "survey"}
    if word not in {"residential", "service"}:
        tags |= {"name": f"样例路{k % 900:03d}", "lanes": "2", "maxspeed": "50"}
    if rng.random() < 0.15:
        tags["oneway"] = "yes"
    return tags


def write_file(path: Path, nodes: list, ways: list, houses: list) -> None:
    """Write nodes, streets and houses through osmium."""
    with osmium.SimpleWriter(str(path)) as writer:
        for number, (lon, lat) in enumerate(nodes, start=1):
            writer.add_node(osmium.osm.mutable.Node(id=number, version=1, location=(lon, lat)))
        every = [*ways, *((house, {"building": "house"}) for house in houses)]
        for number, (way, tags) in enumerate(every, start=1):
            refs = [node + 1 for node in way]
            writer.add_way(osmium.osm.mutable.Way(id=number, version=1, nodes=refs, tags=tags))


def timed(run: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """Return the last answer and the CPU seconds of the fastest run."""
    best, answer = float("inf"), None
    for _ in range(repeats):
        begin = time.process_time()
        answer = run()
        best = min(best, time.process_time() - begin)
    return answer, best


def line(case: str, engine: str, value: float, cpu_s: float, n: int) -> Line:
    """Return one figure."""
    return Line("osm", case, engine, float(value), None, round(cpu_s, 4), peak_mib(), n)


if __name__ == "__main__":
    main()
