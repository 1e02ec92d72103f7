"""Independent grids of the sample: schools, works, markets, hospitals and estates in villages.

Each is a block of streets inside one village, so that its border lies on streets.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.boundary import independent_codes
from geo.frames import Col, GridRole, InstitutionKind, Layers, Level
from geo.sample.lines import Ints, Shapes
from geo.sample.plane import LocalPlane
from geo.sample.register import apportion
from geo.sample.stream import Stream
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG, SYNTHETIC

BLOCK_AREA: Final = (15_000.0, 160_000.0)
"""m2 of a block that may be an institution: a primary school to a works or a large estate."""

ESTATE_HOUSEHOLDS: Final = 150
"""Households from which a block may be an estate (居民小区); the others need few."""

FEW_HOUSEHOLDS: Final = 20


class Traits(NamedTuple):
    """What institutions of a kind are called before their number, and their share of all."""

    label: str
    share: float


TRAITS: Final = {
    InstitutionKind.RESIDENTIAL: Traits("样例小区", 0.4),
    InstitutionKind.SCHOOL: Traits("样例学校", 0.2),
    InstitutionKind.ENTERPRISE: Traits("样例企业", 0.2),
    InstitutionKind.MARKET: Traits("样例市场", 0.1),
    InstitutionKind.HOSPITAL: Traits("样例医院", 0.1),
}
"""Shares are our assumption; estates first, as they are the most."""

_PLANE: Final = LocalPlane()


def with_institutions(layers: Layers, *, n: int, seed: int) -> Layers:
    """Return the layers with n independent grids below the villages of `boundaries`."""
    units = layers.boundaries.assign(**{Col.INSTITUTION: InstitutionKind.NONE.value})
    units[Col.INSTITUTION] = units[Col.INSTITUTION].astype("str")
    added = make_institutions(layers, n=n, seed=seed)
    return replace(layers, boundaries=pd.concat([units, added], ignore_index=True))


def make_institutions(layers: Layers, *, n: int, seed: int) -> gpd.GeoDataFrame:
    """Make up to n independent grids inside the villages of a city.

    Parameters
    ----------
    layers : Layers
    n : int
        Fewer where there are not enough blocks of a kind.
    seed : int

    Returns
    -------
    GeoDataFrame
        Columns of BOUNDARIES, and the kind in ``institution``: level village, role independent,
        the village as parent. To be put below the rows of ``layers.boundaries``.
    """
    blocks, village = _blocks_in_villages(layers)
    chosen = _chosen(_households(blocks, layers), n, Stream(seed, "institutions"))
    rows = sorted(chosen, key=lambda row: (village[row], row))
    return _frame(layers, blocks[rows], village[rows], [chosen[row] for row in rows])


def _blocks_in_villages(layers: Layers) -> tuple[Shapes, Ints]:
    """Return blocks of the right size that lie in one village, and the row of that village.

    From south to north, then west to east: the order in which GEOS gives them may change.
    """
    blocks = shapely.get_parts(shapely.polygonize(layers.streets.geometry.to_numpy()))
    area = shapely.area(shapely.transform(blocks, _PLANE.to_xy))
    fits = (area > BLOCK_AREA[0]) & (area < BLOCK_AREA[1])
    blocks = blocks[fits & (shapely.get_num_interior_rings(blocks) == 0)]
    is_village = layers.boundaries[Col.GRID_ROLE] == GridRole.RESPONSIBILITY
    rows = np.flatnonzero(is_village.to_numpy())
    villages = shapely.STRtree(layers.boundaries.geometry.to_numpy()[rows])
    block, village = villages.query(blocks, predicate="covered_by")
    centre = np.round(shapely.get_coordinates(shapely.centroid(blocks[block])), LONLAT_DECIMALS)
    order = np.lexsort((centre[:, 0], centre[:, 1]))
    return blocks[block][order], rows[village][order]


def _households(blocks: Shapes, layers: Layers) -> Ints:
    """Return the households in each block."""
    homes = layers.buildings.geometry.to_numpy()
    block, home = shapely.STRtree(homes).query(blocks, predicate="contains")
    held = layers.buildings[Col.HOUSEHOLDS].to_numpy()[home]
    return np.bincount(block, held, len(blocks)).astype(np.int64)


def _chosen(households: Ints, n: int, stream: Stream) -> dict[int, InstitutionKind]:
    """Return row of the block -> kind, drawn among the blocks that suit the kind."""
    share = apportion(n, np.array([traits.share for traits in TRAITS.values()]))
    suits = {True: households >= ESTATE_HOUSEHOLDS, False: households <= FEW_HOUSEHOLDS}
    chosen: dict[int, InstitutionKind] = {}
    for kind, count in zip(TRAITS, share, strict=True):
        rows = np.flatnonzero(suits[kind is InstitutionKind.RESIDENTIAL])
        free = rows[~np.isin(rows, list(chosen))]
        drawn = free[np.argsort(stream.uniforms(len(free)), kind="stable")[: int(count)]]
        chosen |= dict.fromkeys(drawn.tolist(), kind)
    return chosen


def _frame(
    layers: Layers, blocks: Shapes, village: Ints, kinds: list[InstitutionKind]
) -> gpd.GeoDataFrame:
    """Return rows like the villages' own, with codes, names and kinds of institutions."""
    within = layers.boundaries.iloc[village].reset_index(drop=True)
    codes = pd.Series(within[Col.CODE].to_numpy(dtype=object), dtype="str")
    inside = codes.groupby(codes, sort=False)
    code = [code for parent, rows in inside for code in independent_codes(parent, len(rows))]
    name = [f"{TRAITS[kind].label} {number:04d}" for number, kind in enumerate(kinds, start=1)]
    return within.assign(
        **{
            Col.CODE: pd.Series(code, dtype="str"),
            Col.NAME: pd.Series(name, dtype="str"),
            Col.LEVEL: pd.Series(Level.VILLAGE.value, index=within.index, dtype="str"),
            Col.ADMIN_PARENT: codes,
            Col.GRID_ROLE: pd.Series(GridRole.INDEPENDENT.value, index=within.index, dtype="str"),
            Col.SOURCE: pd.Series(SYNTHETIC, index=within.index, dtype="str"),
            Col.INSTITUTION: pd.Series([kind.value for kind in kinds], dtype="str"),
            Col.GEOMETRY: gpd.GeoSeries(shapely.normalize(blocks), crs=LONLAT_EPSG),
        }
    )
