"""Areas that cross themselves, made valid while they are read."""

from typing import Final

import numpy as np
import shapely

from geo.frames import Col
from geo.io.draft import Draft
from geo.io.position import round_lonlat
from geo.topology.winding import areas_of

NAMED: Final = 5
"""Repaired rows that the note names."""


def repair_areas(draft: Draft, *, named_by: str) -> None:
    """Replace areas that cross themselves by what they enclose; refuse those that enclose nothing.

    Parameters
    ----------
    draft : Draft
        Of a layer of polygons; geometry in longitude and latitude. Rows with a fault are left.
    named_by : str
        Column whose values name the repaired rows in the note.
    """
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    geometry = draft.positions.geometry
    bad = ~shapely.is_valid(geometry) & ~shapely.is_missing(geometry) & (draft.fault_code == "")
    if not bad.any():
        return
    geometry[bad] = round_lonlat(np.array([areas_of(shape) for shape in geometry[bad]]))
    draft.refuse(bad & shapely.is_empty(geometry), Col.GEOMETRY, "refusal.geometry.damaged")
    names = tuple(draft.columns[named_by][bad].head(NAMED))
    draft.note("note.repaired", n=int(bad.sum()), names=names)
