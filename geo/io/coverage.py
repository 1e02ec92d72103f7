"""Reader of boundaries as they were drawn: broken rings are left for the validator."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from geo.boundary.code import shorten_codes
from geo.crs import Datum, datum_of
from geo.frames import Col
from geo.io.boundary import read_boundaries
from geo.io.draft import begin
from geo.io.opening import open_table
from geo.io.report import Reading
from geo.io.spec import BOUNDARY_SPEC
from geo.io.values import clean_codes
from geo.units import UNSTATED


def read_drawn(
    path: Path | str,
    *,
    datum: Datum | str = Datum.WGS84,
    drop: Sequence[str] = (),
    version: str = UNSTATED,
) -> Reading:
    """Read boundaries like `geo.io.read_boundaries`, with invalid rings as the file has them.

    A unit of several rows comes as `read_boundaries` merges it.
    """
    reading = read_boundaries(path, datum=datum, drop=drop, version=version)
    stated = datum if isinstance(datum, Datum) else datum_of(datum)
    table = open_table(Path(path), layer=BOUNDARY_SPEC.schema.layer)
    draft = begin(table, BOUNDARY_SPEC, datum=stated, drop=tuple(drop))
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    drawn = draft.positions.geometry
    broken = ~shapely.is_missing(drawn) & ~shapely.is_valid(drawn)
    if not broken.any():
        return reading
    codes = shorten_codes(clean_codes(draft.cells(Col.CODE))[0])
    broken &= ~codes.duplicated(keep=False).to_numpy()
    shapes = dict(zip(codes[broken], drawn[broken], strict=True))
    frame = reading.frame.copy()
    kept = frame.geometry.to_numpy()
    rows = np.flatnonzero(frame[Col.CODE].isin(shapes))
    kept[rows] = [shapes[code] for code in frame[Col.CODE].iloc[rows]]
    frame[Col.GEOMETRY] = kept
    return replace(reading, frame=frame.set_crs(reading.frame.crs))
