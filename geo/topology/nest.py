"""All levels of a boundary frame at once: every level tiles the next one up.

Independent grids lie inside a village and divide nothing: they must lie within it and apart from
one another, and take no part in the tiling.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import CHANGES, FAULTS, Col, FaultKind, GridRole, Level, empty_frame
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.topology.coverage import HAIRLINE, in_metres
from geo.topology.fault import Limits, find_faults
from geo.topology.repair import TOLERANCE, Repair, repair_coverage
from geo.topology.snap import fit_coverage
from geo.units import LONLAT_EPSG

VILLAGE_DIGITS: Final = 12
"""Digits of a village's code (NBS statistical codes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One level and what it tiles.

    Attributes
    ----------
    level : str
    units : ndarray of int64
        Rows of the frame.
    parents : ndarray of int64
        Rows of the units above that have a child among them; none at the top.
    """

    level: str
    units: np.ndarray
    parents: np.ndarray


def is_enclave(boundaries: pd.DataFrame) -> np.ndarray:
    """Return which units lie inside one of their own level; bool, shape (n,).

    An independent grid whose village is not in the frame is told by its parent's 12 digits. One
    cut out of a township or county, with a code of its own level, tiles like any other unit.
    """
    level = dict(zip(boundaries[Col.CODE], boundaries[Col.LEVEL], strict=True))
    above = boundaries[Col.ADMIN_PARENT].map(level)
    independent = boundaries[Col.GRID_ROLE] == GridRole.INDEPENDENT
    orphan = above.isna() & (boundaries[Col.ADMIN_PARENT].str.len() == VILLAGE_DIGITS)
    inside = (above == boundaries[Col.LEVEL]) | (independent & orphan)
    return inside.to_numpy(dtype=bool)


def tiers_of(boundaries: pd.DataFrame) -> Iterator[Tier]:
    """Yield the levels of a frame from the top, each with what it tiles."""
    enclave = is_enclave(boundaries)
    level = boundaries[Col.LEVEL].to_numpy(dtype=object)
    code = boundaries[Col.CODE].to_numpy(dtype=object)
    named = boundaries[Col.ADMIN_PARENT].to_numpy(dtype=object)
    for name in Level:
        units = np.flatnonzero((level == name) & ~enclave)
        if len(units):
            parents = np.flatnonzero(np.isin(code, named[units]) & ~enclave & (level != name))
            yield Tier(level=name.value, units=units, parents=parents)


def find_nested_faults(
    boundaries: gpd.GeoDataFrame, *, epsg: int, limits: Limits | None = None
) -> gpd.GeoDataFrame:
    """Return the faults of every level of a BOUNDARIES frame.

    Parameters
    ----------
    boundaries : GeoDataFrame
        A BOUNDARIES frame. A unit without a child in it is not looked into.
    epsg : int
        Metric CRS.
    limits : Limits, optional

    Returns
    -------
    GeoDataFrame
        A FAULTS frame, from the highest level to the lowest.
    """
    found = [
        find_faults(
            boundaries.iloc[tier.units],
            epsg=epsg,
            parents=_parents(boundaries, tier),
            limits=limits,
            level=tier.level,
        )
        for tier in tiers_of(boundaries)
    ]
    return _joined([*found, enclave_faults(boundaries, epsg=epsg)])


def repair_nested(
    boundaries: gpd.GeoDataFrame,
    *,
    epsg: int,
    tolerance: float = TOLERANCE,
    snap: float | None = None,
    limits: Limits | None = None,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Repair:
    """Repair every level of a BOUNDARIES frame, from the top, so that each fits the next one up.

    Independent grids are looked at and never changed. See `geo.topology.repair_coverage`; with
    `snap`, for levels digitised apart from the one above, `geo.topology.fit_coverage`.
    """
    geometry = boundaries.geometry.to_numpy().copy()
    tiers = list(tiers_of(boundaries))
    found, left, changes = [], [], []
    for turn, tier in enumerate(tiers):
        stop_if_asked(stop, "coverage")
        progress(turn, len(tiers))
        now = boundaries.set_geometry(
            gpd.GeoSeries(geometry, index=boundaries.index, crs=LONLAT_EPSG)
        )
        one = _repair_tier(
            now, tier, epsg=epsg, tolerance=tolerance, snap=snap, limits=limits, stop=stop
        )
        geometry[tier.units] = one.frame.geometry.to_numpy()
        found.append(one.faults)
        left.append(one.left)
        changes.append(one.changes)
    progress(len(tiers), len(tiers))
    frame = boundaries.set_geometry(
        gpd.GeoSeries(geometry, index=boundaries.index, crs=LONLAT_EPSG)
    )
    enclaves = enclave_faults(boundaries, epsg=epsg)
    changed = [table for table in changes if len(table)]
    return Repair(
        frame=frame,
        changes=pd.concat(changed, ignore_index=True) if changed else empty_frame(CHANGES),
        faults=_joined([*found, enclaves]),
        left=_joined([*left, enclaves.assign(**{Col.REASON: "coverage.reason.asked"})]),
    )


def _repair_tier(
    boundaries: gpd.GeoDataFrame,
    tier: Tier,
    *,
    epsg: int,
    tolerance: float,
    snap: float | None,
    limits: Limits | None,
    stop: StopToken,
) -> Repair:
    units, parents = boundaries.iloc[tier.units], _parents(boundaries, tier)
    if snap is None or parents is None:
        return repair_coverage(
            units,
            epsg=epsg,
            parents=parents,
            tolerance=tolerance,
            limits=limits,
            level=tier.level,
            stop=stop,
        )
    return fit_coverage(
        units,
        parents,
        epsg=epsg,
        snap=snap,
        tolerance=tolerance,
        limits=limits,
        level=tier.level,
        stop=stop,
    )


def enclave_faults(boundaries: gpd.GeoDataFrame, *, epsg: int) -> gpd.GeoDataFrame:
    """Return where independent grids stick out of their village or overlap, as a FAULTS frame."""
    inside = boundaries[is_enclave(boundaries)]
    hosts = boundaries.set_index(Col.CODE).geometry
    shapes = inside.geometry.to_numpy()
    code = inside[Col.CODE].to_numpy(dtype=object)
    known = inside[Col.ADMIN_PARENT].isin(hosts.index).to_numpy()
    host = hosts.reindex(inside[Col.ADMIN_PARENT][known]).to_numpy()
    out = shapely.difference(shapes[known], host)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    common = shapely.intersection(shapes[one], shapes[other])
    rows = [(FaultKind.STRAY, text, 1, shape) for text, shape in zip(code[known], out, strict=True)]
    rows += [
        (FaultKind.OVERLAP, f"{a},{b}", 2, shape)
        for a, b, shape in zip(code[one], code[other], common, strict=True)
    ]
    return _enclave_frame([row for row in rows if shapely.area(row[3]) > 0], epsg)


def _enclave_frame(
    rows: list[tuple[FaultKind, str, int, shapely.Geometry]], epsg: int
) -> gpd.GeoDataFrame:
    shapes = [_areas(shape) for *_, shape in rows]
    metric = in_metres(shapes, epsg) if rows else np.zeros(0, dtype=object)
    area = shapely.area(metric)
    width = 2 * area / np.maximum(shapely.length(metric), 1e-9)
    kept = [k for k in range(len(rows)) if width[k] >= HAIRLINE]
    if not kept:
        return empty_frame(FAULTS)
    role = GridRole.INDEPENDENT.value
    columns = {
        Col.FAULT_ID: pd.Series([f"{role}-{k:05d}" for k in range(1, len(kept) + 1)], dtype="str"),
        Col.KIND: pd.Series([rows[k][0].value for k in kept], dtype="str"),
        Col.LEVEL: pd.Series([role] * len(kept), dtype="str"),
        Col.UNIT_CODES: pd.Series([rows[k][1] for k in kept], dtype="str"),
        Col.N_COVER: np.array([rows[k][2] for k in kept], dtype=np.int64),
        Col.AREA: area[kept],
        Col.WIDTH: width[kept],
        Col.REASON: pd.Series([""] * len(kept), dtype="str"),
    }
    geometry = gpd.GeoSeries([shapes[k] for k in kept], crs=LONLAT_EPSG)
    return gpd.GeoDataFrame(columns, geometry=geometry)


def _areas(shape: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _parents(boundaries: gpd.GeoDataFrame, tier: Tier) -> gpd.GeoDataFrame | None:
    return boundaries.iloc[tier.parents] if len(tier.parents) else None


def _joined(frames: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Return FAULTS frames as one."""
    some = [frame for frame in frames if len(frame)]
    if not some:
        return empty_frame(FAULTS)
    return gpd.GeoDataFrame(pd.concat(some, ignore_index=True), crs=LONLAT_EPSG)
