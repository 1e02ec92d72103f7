"""Bench: blocks merged into basic grids, beside spopt, METIS and GerryChain on the same blocks.

    python tests/bench/partition.py --peers metis,gerrychain,skater,azp,maxp --json out.jsonl
    python tests/bench/partition.py --network roads.graphml --squares 8 --seconds 60

Every engine gets the same atoms (streets, big blocks split along buildings) of the same unit, the
same target and, where it takes one, the same number of parts; each answer is counted by one
function from the atoms alone. Villages of the sample with 8 to 30 grids; of a road network the
centre squares of 1 km with buildings drawn by the seed. Peers: `pip install spopt pymetis
gerrychain`.

Every unit is solved in a child process of its own. A peer has `--seconds` of wall time for a case,
shared equally among the units left, so that the bench always ends: GerryChain then gives the best
of the chain so far, the others no answer (`units solved`). Times are CPU seconds of all of a
case's units, imports and compiled kernels not counted.
"""

import argparse
import json
import time
import warnings
import zlib
from datetime import date
from importlib import import_module
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from partition_engines import ENGINES, TARGET, Answer, Labels, Unit, by_patrolgrid, solve

from geo.frames import BOUNDARIES, BUILDINGS, WATER, Col, empty_frame
from geo.grid import cut as cut_module
from geo.grid.atoms import Atoms, graph_of
from geo.grid.graph import components, make_graph
from geo.grid.partition import best_count
from geo.units import LIAOCHENG_EPSG

SIDE = 1000.0
"""Metres of a centre square."""


def atoms_of(*layers: gpd.GeoDataFrame) -> tuple[Atoms, np.ndarray]:
    """Return the atoms that `cut_grids` partitions, and their polygons, by stopping it there."""
    kept: dict[str, object] = {}

    class Reached(Exception):
        pass

    contract, partition_units = cut_module.contract, cut_module._partition_units

    def keep(blocks: object, atom: np.ndarray) -> Atoms:
        kept["atoms"], kept["blocks"] = contract(blocks, atom), blocks
        return kept["atoms"]

    def stop(*_: object) -> None:
        raise Reached

    cut_module.contract, cut_module._partition_units = keep, stop
    try:
        cut_module.cut_grids(*layers, epsg=LIAOCHENG_EPSG)
    except Reached:
        pass
    finally:
        cut_module.contract, cut_module._partition_units = contract, partition_units
    atoms, faces = kept["atoms"], kept["blocks"].faces
    order = np.argsort(atoms.of_block, kind="stable")
    groups = np.split(
        faces[order], np.searchsorted(atoms.of_block[order], np.arange(1, len(atoms.unit)))
    )
    return atoms, np.array([shapely.union_all(group) for group in groups], dtype=object)


def units_of(layers: tuple[gpd.GeoDataFrame, ...], n_most: int, low: int, high: int) -> list[Unit]:
    """Return up to `n_most` units of `low` to `high` grids that lie in one piece."""
    atoms, polygons = atoms_of(*layers)
    out = []
    for row in np.unique(atoms.unit):
        nodes, graph, is_main = graph_of(atoms, int(row), area_per_cell=6e4, target=TARGET)
        n_parts = best_count(float(graph.weight.sum()), TARGET)
        whole = components(graph)[0] == 1 and atoms.households[nodes].sum() > 0
        if not whole or not low <= n_parts <= high:
            continue
        first, last = np.searchsorted(atoms.pairs[:, 0], [nodes.start, nodes.stop])
        code = str(layers[0][Col.CODE].iloc[row])
        out.append(
            Unit(
                graph,
                is_main,
                atoms.shared[first:last],
                n_parts,
                zlib.crc32(code.encode()),
                polygons[nodes],
            )
        )
    step = max(1, len(out) // n_most)
    return out[::step][:n_most]


def sample_layers(scale: str, seed: int) -> tuple[gpd.GeoDataFrame, ...]:
    from geo.sample import make_city

    layers = make_city(scale=scale, seed=seed, data_date=date(2026, 11, 20)).layers
    return layers.boundaries, layers.streets, layers.water, layers.buildings


def square_layers(network: Path, n: int, seed: int) -> tuple[gpd.GeoDataFrame, ...]:
    """Return the centre squares of a road network as villages, with drawn buildings."""
    from geo.io import read_streets

    streets = read_streets(network).frame
    middle = streets.geometry.to_crs(LIAOCHENG_EPSG).centroid
    centre = np.array([middle.x.median(), middle.y.median()])
    corners = [
        centre + SIDE * np.array([column - n // 4, row - 1])
        for row in (0, 1)
        for column in range(n // 2)
    ]
    boxes = gpd.GeoSeries(
        [shapely.box(x, y, x + SIDE, y + SIDE) for x, y in corners], crs=LIAOCHENG_EPSG
    ).to_crs(4326)
    codes = [f"370102001{k + 1:03d}" for k in range(n)]
    text = {Col.CODE: codes, Col.NAME: codes, Col.LEVEL: ["village"] * n,
            Col.ADMIN_PARENT: [""] * n, Col.GRID_ROLE: ["responsibility"] * n,
            Col.BOUNDARY_VERSION: ["bench"] * n, Col.SOURCE: ["synthetic"] * n}  # fmt: skip
    boundaries = gpd.GeoDataFrame(
        {name: pd.Series(values, dtype="str") for name, values in text.items()},
        geometry=shapely.transform(boxes.to_numpy(), lambda xy: np.round(xy, 7)),
        crs=4326,
    )
    draw = np.random.default_rng(seed)
    places = np.concatenate([draw.uniform(0, SIDE, (120, 2)) + corner for corner in corners])
    homes = gpd.GeoSeries(shapely.points(places), crs=LIAOCHENG_EPSG).to_crs(4326)
    buildings = gpd.GeoDataFrame(
        {
            Col.BUILDING_ID: pd.Series([str(k) for k in range(len(places))], dtype="str"),
            Col.HOUSEHOLDS: np.maximum(1, np.rint(draw.lognormal(2.4, 0.55, len(places)))).astype(
                int
            ),
            Col.SOURCE: pd.Series(["synthetic"] * len(places), dtype="str"),
        },
        geometry=shapely.transform(homes.to_numpy(), lambda xy: np.round(xy, 7)),
        crs=4326,
    )
    assert set(BOUNDARIES.columns) >= set(text)
    assert set(BUILDINGS.columns) <= set(buildings.columns)
    return boundaries, streets, gpd.GeoDataFrame(empty_frame(WATER)), buildings


# ---- judging


def judge(unit: Unit, part: Labels) -> dict[str, np.ndarray | float]:
    """Return size, shape, borders and pieces of an engine's parts, from the atoms alone."""
    part = np.unique(part, return_inverse=True)[1]
    n, graph = int(part.max()) + 1, unit.graph
    ends = part[graph.pairs]
    inner = ends[:, 0] == ends[:, 1]
    rim = np.bincount(part, graph.rim, minlength=n)
    rim -= 2 * np.bincount(ends[inner, 0], graph.shared[inner], minlength=n)
    kept = make_graph(graph.weight, graph.pairs[inner], graph.cost[inner])
    return {
        "load": np.bincount(part, graph.weight, minlength=n),
        "shape": 4 * np.pi * np.bincount(part, graph.area, minlength=n) / rim**2,
        "border": float(unit.shared[~inner].sum()),
        "street": float(unit.shared[~inner, 1:].sum()),
        "across": _across_main_roads(unit, part),
        "n_split": float(components(kept)[0] - n),
    }


def _across_main_roads(unit: Unit, part: Labels) -> float:
    """Return how many parts hold households on two or more sides of a main road or rail."""
    kept = ~unit.is_main
    graph = unit.graph
    side = components(make_graph(graph.weight, graph.pairs[kept], graph.cost[kept]))[1]
    held = np.unique(np.stack([part, side], axis=1)[graph.weight > 0], axis=0)
    return float((np.bincount(held[:, 0]) > 1).sum())


def run(name: str, case: str, units: list[Unit], seconds: float) -> list[dict[str, object]]:
    """Return one engine's lines for a case."""
    try:
        import_module(ENGINES[name][0])
    except ImportError as error:
        print(f"{name}: not installed ({error})")
        return []
    answers: list[Answer] = []
    ends_at = time.monotonic() + seconds
    for k, unit in enumerate(units):
        share = max(1.0, (ends_at - time.monotonic()) / (len(units) - k))
        answers.append(solve(name, unit, share))
    pairs = zip(units, answers, strict=True)
    judged = [judge(unit, answer.labels) for unit, answer in pairs if answer.labels is not None]
    values = {"units solved": float(len(judged)), **(summary(judged) if judged else {})}
    cpu, peak = sum(answer.cpu for answer in answers), max(answer.rss for answer in answers)
    return [
        {"subject": "partition", "case": f"{case}: {what}", "engine": name, "value": value,
         "gap": None, "cpu_s": cpu, "peak_rss_mb": peak, "n": len(units)}
        for what, value in values.items()
    ]  # fmt: skip


BALANCE, SHAPE, STREETS = "mean CV of a unit", "median Polsby-Popper", "inner border on streets"


def summary(judged: list[dict[str, np.ndarray | float]]) -> dict[str, float]:
    """Return the figures of all judged units together."""
    load = np.concatenate([row["load"] for row in judged])
    spread = [float(row["load"].std() / row["load"].mean()) for row in judged]
    shape = np.concatenate([row["shape"] for row in judged])
    return {
        "grids": float(len(load)),
        "share of 80-120 households": float(((load >= 80) & (load <= 120)).mean()),
        "share of 70-130 households": float(((load >= 70) & (load <= 130)).mean()),
        BALANCE: float(np.mean(spread)),
        SHAPE: float(np.median(shape)),
        "mean Polsby-Popper": float(np.mean(shape)),
        STREETS: sum(row["street"] for row in judged) / max(sum(r["border"] for r in judged), 1e-9),
        "grids across main roads": sum(row["across"] for row in judged),
        "surplus pieces": sum(row["n_split"] for row in judged),
    }


def table(lines: list[dict[str, object]]) -> str:
    """Return a case's engines side by side, one column each."""
    engines = list(dict.fromkeys(str(line["engine"]) for line in lines))
    figures = list(dict.fromkeys(str(line["case"]).split(": ", 1)[1] for line in lines))
    value = {(str(x["case"]).split(": ", 1)[1], x["engine"]): x["value"] for x in lines}
    value |= {("CPU s", line["engine"]): line["cpu_s"] for line in lines}
    rows = [" " * 28 + "".join(f"{engine:>12}" for engine in engines)]
    for figure in [*figures, "CPU s"]:
        shown = [f"{value.get((figure, engine), np.nan):12.4f}" for engine in engines]
        rows.append(f"{figure:28}" + "".join(shown))
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--units", type=int, default=8, help="villages of the sample")
    parser.add_argument("--network", type=Path, help="road network (GraphML, OSM) for the squares")
    parser.add_argument("--squares", type=int, default=8)
    parser.add_argument("--peers", default="", help=", ".join(list(ENGINES)[1:]))
    parser.add_argument("--seconds", type=float, default=60.0, help="of a peer, for each case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = {"sample": units_of(sample_layers(args.scale, args.seed), args.units, 8, 30)}
    if args.network:
        squares = square_layers(args.network, args.squares, args.seed)
        cases["squares"] = units_of(squares, args.squares, 2, 99)
    lines = []
    for case, units in cases.items():
        engines = ["patrolgrid", *filter(None, args.peers.split(","))]
        by_patrolgrid(units[0], 0.0)  # compiles the kernels, which the children inherit
        own = [line for name in engines for line in run(name, case, units, args.seconds)]
        print(f"{case}: {len(units)} units\n{table(own)}", flush=True)
        lines += own
    if args.json:
        with args.json.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


if __name__ == "__main__":
    main()
