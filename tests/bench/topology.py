"""Bench: faults of a coverage found and repaired, beside shapely's own tools.

    python tests/bench/topology.py                          6,363 made-up villages in real counties
    python tests/bench/topology.py --boundaries FILE --parents FILE --faults 50 --slivers 20
    python tests/bench/topology.py --noise 0.02             every village digitised apart
    python tests/bench/topology.py --peers shapely

Faults are planted along shared borders, 400 m apart, with their place and area kept: the answer is
known. Every repair is checked by what was there before: faults left, untouched polygons the same,
vertices where they were, the outline against the parents'. Times are CPU seconds.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from report import Line, append_json, peak_mib

from geo.frames import Col, Level
from geo.io import read_boundaries
from geo.topology import (
    LATTICE,
    coverage_faults,
    find_faults,
    fit_coverage,
    repair_coverage,
    segments_of,
)
from geo.topology.coverage import in_metres
from geo.units import LIAOCHENG_EPSG

ROOT = Path(__file__).resolve().parents[2]
COUNTIES = ROOT / "data" / "boundaries" / "counties_371500.geojson"
APART = 400.0
"""Metres between planted faults."""


@dataclass(frozen=True)
class Planted:
    """Units with faults put in, and the truth of them: kind, area in m2, place, rows touched."""

    units: gpd.GeoDataFrame
    kind: np.ndarray
    area: np.ndarray
    place: np.ndarray
    touched: np.ndarray


def rounded(geometries: np.ndarray) -> np.ndarray:
    return np.asarray(shapely.transform(geometries, lambda xy: np.round(xy, 7)))


def project(geometries: np.ndarray, epsg: int, *, back: bool = False) -> np.ndarray:
    source, target = (epsg, 4326) if back else (4326, epsg)
    return gpd.GeoSeries(geometries, crs=source).to_crs(target).to_numpy()


def make_villages(counties: gpd.GeoDataFrame, n: int, epsg: int, seed: int) -> gpd.GeoDataFrame:
    """Return about `n` made-up villages with crooked borders that tile the counties."""
    random = np.random.default_rng(seed)
    metric = project(counties.geometry.to_numpy(), epsg)
    whole = shapely.union_all(metric)
    west, south, east, north = whole.bounds
    side = np.sqrt(whole.area / n)
    at = np.stack(np.meshgrid(np.arange(west, east, side), np.arange(south, north, side)), axis=-1)
    sites = at.reshape(-1, 2) + random.normal(0, 0.25 * side, (at.size // 2, 2))
    edges = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=whole, only_edges=True)
    )
    lines = rounded(project(crooked(shapely.get_parts(edges), random), epsg, back=True))
    outlines = shapely.boundary(counties.geometry.to_numpy())
    noded = shapely.union_all(np.concatenate([lines, outlines]), grid_size=LATTICE)
    faces = rounded(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))))
    inner = shapely.point_on_surface(faces)
    county, face = shapely.STRtree(inner).query(counties.geometry.to_numpy(), predicate="contains")
    return as_units(merge_scraps(faces[face], county, side, epsg), counties)


def crooked(lines: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return lines with a vertex about every 45 m, moved aside by a few metres."""
    dense = shapely.segmentize(lines, 45.0)
    out = []
    for line in dense:
        xy = shapely.get_coordinates(line)
        xy[1:-1] += random.normal(0, 4.0, (len(xy) - 2, 2))
        out.append(shapely.LineString(xy))
    return np.array(out, dtype=object)


def merge_scraps(
    faces: np.ndarray, county: np.ndarray, side: float, epsg: int
) -> list[tuple[int, shapely.Geometry]]:
    """Return faces with scraps under a tenth of a village given to a neighbour of their county."""
    area = shapely.area(project(faces, epsg))
    into = np.arange(len(faces))
    small = np.flatnonzero(area < 0.1 * side**2)
    segments = segments_of(faces)
    order = np.lexsort((segments.high, segments.low))
    twin = (np.diff(segments.low[order]) == 0) & (np.diff(segments.high[order]) == 0)
    one, other = segments.owner[order[:-1][twin]], segments.owner[order[1:][twin]]
    for face in small:
        beside = np.concatenate([other[one == face], one[other == face]])
        beside = beside[(county[beside] == county[face]) & (area[beside] >= 0.1 * side**2)]
        if len(beside):
            into[face] = np.bincount(beside).argmax()
    groups: dict[int, list[int]] = {}
    for face, target in enumerate(into.tolist()):
        groups.setdefault(target, []).append(face)
    return [
        (int(county[rows[0]]), shapely.coverage_union_all(faces[rows])) for rows in groups.values()
    ]


def as_units(
    shapes: list[tuple[int, shapely.Geometry]], counties: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    codes = counties[Col.CODE].to_numpy()
    return gpd.GeoDataFrame(
        {
            Col.CODE: [f"{codes[county]}{row:06d}" for row, (county, _) in enumerate(shapes)],
            Col.ADMIN_PARENT: [codes[county] for county, _ in shapes],
        },
        geometry=[shape for _, shape in shapes],
        crs=4326,
    )


def plant(
    units: gpd.GeoDataFrame, epsg: int, *, n_gaps: int, n_overlaps: int, n_slivers: int, seed: int
) -> Planted:
    """Cut strips out of units, or add them, along borders two units share."""
    random = np.random.default_rng(seed)
    shapes = project(units.geometry.to_numpy(), epsg)
    segments = segments_of(units.geometry.to_numpy())
    order = np.lexsort((segments.high, segments.low))
    twin = (np.diff(segments.low[order]) == 0) & (np.diff(segments.high[order]) == 0)
    one, other = order[:-1][twin], order[1:][twin]
    ends = project(shapely.linestrings(segments.ends[one]), epsg)
    long = shapely.length(ends) > 30
    kinds = ["gap"] * n_gaps + ["overlap"] * n_overlaps + ["sliver"] * n_slivers
    planted: list[tuple[str, float, shapely.Geometry, int, int]] = []
    for k in random.permutation(np.flatnonzero(long)):
        if len(planted) == len(kinds):
            break
        kind = kinds[len(planted)]
        a, b = segments.owner[one[k]], segments.owner[other[k]]
        if a == b or any(place.distance(ends[k]) < APART for _, _, place, _, _ in planted):
            continue
        width = random.uniform(0.05, 0.5) if kind == "sliver" else random.uniform(2, 22)
        cut = strip_along(ends[k], width, shapes[a])
        if cut is None:
            continue
        strip, tool = cut
        adds = kind == "overlap" or (kind == "sliver" and len(planted) % 2 == 0)
        row = b if adds else a
        changed = shapely.union(shapes[b], tool) if adds else shapely.difference(shapes[a], tool)
        if changed.geom_type != "Polygon" or len(changed.interiors) != len(shapes[row].interiors):
            continue
        shapes[row] = changed
        planted.append((kind, strip.area, strip, int(a), int(b)))
    touched = np.array([[a, b] for *_, a, b in planted]).reshape(-1)
    changed_rows = np.unique(touched)
    geometry = units.geometry.to_numpy().copy()
    geometry[changed_rows] = rounded(project(shapes[changed_rows], epsg, back=True))
    return Planted(
        units.set_geometry(gpd.GeoSeries(geometry, crs=4326, index=units.index)),
        np.array([kind for kind, *_ in planted]),
        np.array([area for _, area, *_ in planted]),
        np.array([place for _, _, place, *_ in planted], dtype=object),
        changed_rows,
    )


def strip_along(
    line: shapely.Geometry, width: float, inside: shapely.Geometry
) -> tuple[shapely.Geometry, shapely.Geometry] | None:
    """Return a strip beside the middle of a segment on the side of `inside`, and one wider by 0.5 m
    on the other side, which cuts cleanly. None if the strip sticks out."""
    a, b = (np.array(line.interpolate(share, normalized=True).coords[0]) for share in (0.2, 0.8))
    along = (b - a) / np.hypot(*(b - a))
    aside = np.array([-along[1], along[0]])
    for side in (aside, -aside):
        top = [b + width * side - along, a + width * side + along]
        far = shapely.Polygon([a, b, b + (width + 1) * side, a + (width + 1) * side])
        if shapely.area(shapely.intersection(far, inside)) > 0.999 * far.area:
            return (
                shapely.Polygon([a, b, *top]),
                shapely.Polygon([a - 0.5 * side, b - 0.5 * side, b, *top, a]),
            )
    return None


def digitise_apart(units: gpd.GeoDataFrame, epsg: int, noise: float, seed: int) -> gpd.GeoDataFrame:
    """Return every unit with its own noise on every vertex, metres."""
    random = np.random.default_rng(seed)

    def shake(xy: np.ndarray) -> np.ndarray:
        return xy + np.clip(random.normal(0, noise, xy.shape), -3 * noise, 3 * noise)

    shapes = []
    for shape in project(units.geometry.to_numpy(), epsg):
        parts = [
            shapely.Polygon(
                close(shake(shapely.get_coordinates(part.exterior)[:-1])),
                [close(shake(shapely.get_coordinates(ring)[:-1])) for ring in part.interiors],
            )
            for part in shapely.get_parts(shape)
        ]
        shapes.append(parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts))
    return units.set_geometry(
        gpd.GeoSeries(rounded(project(np.array(shapes, dtype=object), epsg, back=True)), crs=4326)
    )


def close(xy: np.ndarray) -> np.ndarray:
    return np.concatenate([xy, xy[:1]])


def timed(work: Callable[[], object]) -> tuple[object, float]:
    cpu = time.process_time()
    result = work()
    return result, time.process_time() - cpu


def found_and_false(planted: Planted, places: np.ndarray, epsg: int) -> tuple[int, int]:
    """Return how many planted faults were found, and how many found ones were not planted."""
    if len(places) == 0:
        return 0, 0
    metric = project(places, epsg)
    tree = shapely.STRtree(planted.place)
    fault, plant_row = tree.query(metric, predicate="dwithin", distance=0.1)
    return len(np.unique(plant_row)), len(places) - len(np.unique(fault))


def bench_planted(
    clean: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, args: argparse.Namespace
) -> list[Line]:
    n, epsg = len(clean), args.epsg
    planted = plant(
        clean,
        epsg,
        n_gaps=args.faults,
        n_overlaps=args.faults,
        n_slivers=args.slivers,
        seed=args.seed,
    )
    total = len(planted.kind)
    lines = []

    def add(
        case: str, value: float, cpu: float, engine: str = "patrolgrid", gap: float | None = None
    ) -> None:
        lines.append(Line("topology", case, engine, float(value), gap, cpu, peak_mib(), n))

    none, cpu = timed(lambda: find_faults(clean, epsg=epsg, parents=parents))
    add("faults in the clean layer", len(none), cpu)
    faults, cpu = timed(lambda: find_faults(planted.units, epsg=epsg, parents=parents))
    n_found, n_false = found_and_false(planted, faults.geometry.to_numpy(), epsg)
    add(f"found of {total}", n_found, cpu, gap=1 - n_found / total)
    add("false", n_false, cpu)
    measured = area_error(planted, faults, epsg)
    add("area, largest error m2", measured, cpu)
    repair, cpu = timed(
        lambda: repair_coverage(planted.units, epsg=epsg, parents=parents, tolerance=args.tolerance)
    )
    for case, value in check_repair(planted, repair, parents, epsg).items():
        add(case, value, cpu)
    if "shapely" in args.peers:
        lines += peers(planted, args)
    return lines


def bench_apart(
    clean: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, args: argparse.Namespace
) -> list[Line]:
    """Every unit digitised apart from its neighbours and parents, then fitted to them."""
    epsg, n = args.epsg, len(clean)
    apart = digitise_apart(clean, epsg, args.noise, args.seed)
    fit, cpu = timed(
        lambda: fit_coverage(
            apart, parents, epsg=epsg, snap=6 * args.noise, tolerance=args.tolerance
        )
    )
    after = fit.frame.geometry.to_numpy()
    whole = shapely.union_all(parents.geometry.to_numpy())
    union = shapely.union_all(after)
    rings = [
        shapely.multilinestrings(shapely.get_exterior_ring(shapely.get_parts(shape)))
        for shape in (union, whole)
    ]
    off = shapely.hausdorff_distance(*in_metres(rings, epsg, in_one=True))
    hairlines = shapely.area(in_metres(shapely.get_parts(shapely.difference(whole, union)), epsg))
    values = {
        "faults in it": len(fit.faults),
        "faults left": len(fit.left),
        "largest move m": float(fit.changes[Col.LARGEST_MOVE].max()),
        "odd segments": len(coverage_faults(fit.frame, epsg=epsg, outer=whole)),
        "outline off the parents', m": float(off),
        "not covered m2": float(hairlines.sum()),
        "GEOS calls it valid": float(shapely.coverage_is_valid(after)),
        "other than areas": int((~np.isin(shapely.get_type_id(after), (3, 6))).sum()),
    }
    return [
        Line(
            "topology",
            f"noise {args.noise:g} m: {case}",
            "patrolgrid",
            value,
            None,
            cpu,
            peak_mib(),
            n,
        )
        for case, value in values.items()
    ]


def area_error(planted: Planted, faults: gpd.GeoDataFrame, epsg: int) -> float:
    if len(faults) == 0:
        return float("nan")
    tree = shapely.STRtree(project(faults.geometry.to_numpy(), epsg))
    row, fault = tree.query(planted.place, predicate="intersects")
    area = np.bincount(row, faults[Col.AREA].to_numpy()[fault], minlength=len(planted.place))
    return float(np.abs(area - planted.area).max())


def check_repair(
    planted: Planted, repair: object, parents: gpd.GeoDataFrame, epsg: int
) -> dict[str, float]:
    """Return what an independent look says of a repair."""
    before, after = planted.units.geometry.to_numpy(), repair.frame.geometry.to_numpy()
    other = np.ones(len(before), dtype=bool)
    other[planted.touched] = False
    same = np.array([a is b or a.equals_exact(b) for a, b in zip(before, after, strict=True)])
    old = np.unique(
        np.concatenate([shapely.get_coordinates(g) for g in before[~same]] or [np.zeros((0, 2))]),
        axis=0,
    )
    new = np.unique(
        np.concatenate([shapely.get_coordinates(g) for g in after[~same]] or [np.zeros((0, 2))]),
        axis=0,
    )
    return {
        "repaired: faults left": len(repair.left),
        "repaired: polygons changed": len(repair.changes),
        "repaired: changed beside the planted": int((~same & other).sum()),
        "repaired: largest move m": float(repair.changes[Col.LARGEST_MOVE].max()),
        "repaired: vertices moved away, m": vertex_moves(planted, old, new, epsg),
        "repaired: odd segments": len(
            coverage_faults(
                repair.frame, epsg=epsg, outer=shapely.union_all(parents.geometry.to_numpy())
            )
        ),
        "repaired: GEOS calls it valid": float(shapely.coverage_is_valid(after)),
        "repaired: other than areas": int((~np.isin(shapely.get_type_id(after), (3, 6))).sum()),
    }


def vertex_moves(planted: Planted, old: np.ndarray, new: np.ndarray, epsg: int) -> float:
    """Return how far the vertices off planted places are from where they were, metres."""
    if len(old) == 0:
        return 0.0
    away, to = (project(shapely.points(xy), epsg) for xy in (old, new))
    near = shapely.STRtree(planted.place).query(away, predicate="dwithin", distance=1.0)[0]
    rest = np.setdiff1d(np.arange(len(away)), near)
    distance = shapely.STRtree(to).query_nearest(
        away[rest], return_distance=True, all_matches=False
    )[1]
    return float(distance.max(initial=0.0))


def peers(planted: Planted, args: argparse.Namespace) -> list[Line]:
    """Return what shapely's own tools find and repair; gap widths as a user would try them."""
    epsg, n = args.epsg, len(planted.units)
    metric = project(planted.units.geometry.to_numpy(), epsg)
    lines = []
    for width in (0.0, 1.0, 25.0, 100.0):
        edges, cpu = timed(lambda w=width: shapely.coverage_invalid_edges(metric, gap_width=w))
        flagged = shapely.get_parts(edges[~shapely.is_empty(edges)])
        back = project(flagged, epsg, back=True) if len(flagged) else flagged
        n_found, n_false = found_and_false(planted, back, epsg)
        engine = f"coverage_invalid_edges {width:g}"
        for case, value in ((f"found of {len(planted.kind)}", n_found), ("false", n_false)):
            lines.append(Line("topology", case, engine, value, None, cpu, peak_mib(), n))
    for snapping in (0.0, -1.0, 1.0):
        cleaned, cpu = timed(
            lambda s=snapping: shapely.coverage_clean(metric, gap_width=25.0, snapping_distance=s)
        )
        back = rounded(project(cleaned, epsg, back=True))
        faults = find_faults(planted.units.set_geometry(gpd.GeoSeries(back, crs=4326)), epsg=epsg)
        engine = f"coverage_clean snapping {snapping:g}"
        lines.append(
            Line("topology", "repaired: faults left", engine, len(faults), None, cpu, peak_mib(), n)
        )
    return lines


def load(args: argparse.Namespace) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    counties = read_boundaries(args.parents or COUNTIES).frame
    if args.boundaries is None:
        return make_villages(counties, args.villages, args.epsg, args.seed), counties
    units = read_boundaries(args.boundaries).frame
    finest = units[Col.LEVEL] == Level.VILLAGE
    return units[finest if finest.any() else units[Col.LEVEL].notna()].reset_index(
        drop=True
    ), counties


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boundaries", type=Path, help="a layer without faults; default: made up")
    parser.add_argument(
        "--parents", type=Path, help="what it tiles; default: the sample's counties"
    )
    parser.add_argument("--villages", type=int, default=6_363)
    parser.add_argument("--faults", type=int, default=50, help="gaps, and as many overlaps")
    parser.add_argument("--slivers", type=int, default=20)
    parser.add_argument("--noise", type=float, default=0.0, help="metres; the independent layer")
    parser.add_argument("--tolerance", type=float, default=25.0)
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", type=lambda text: text.split(","), default=[])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    units, parents = load(args)
    lines = bench_planted(units, parents, args)
    if args.noise:
        lines += bench_apart(units, parents, args)
    for line in lines:
        print(
            f"{line.subject:8} {line.case:40} {line.engine:28} {line.value:12.4f}"
            f" {line.cpu_s:8.2f} cpu s {line.peak_rss_mb:7.0f} MiB  n {line.n:,}"
        )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
