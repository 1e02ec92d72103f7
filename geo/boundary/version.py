"""Dated versions: which one a frame is of, and which units are in force on a day."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import ValueInvalid
from geo.frames import Col


def version_of(boundaries: pd.DataFrame, *, source: str = "boundaries") -> str:
    """Return the one boundary version of the frame.

    Raises
    ------
    ValueInvalid
        Two versions in one frame: rates counted on it could name neither.
    """
    versions = boundaries[Col.BOUNDARY_VERSION].unique()
    if len(versions) != 1:
        odd = int(np.flatnonzero((boundaries[Col.BOUNDARY_VERSION] != versions[0]).to_numpy())[0])
        raise ValueInvalid(
            source=source,
            row=odd + 1,
            column=Col.BOUNDARY_VERSION,
            value=repr(versions[1]),
            expected=f"one version, {versions[0]}, in the whole file",
        )
    return str(versions[0])


def valid_on(boundaries: gpd.GeoDataFrame, day: date) -> gpd.GeoDataFrame:
    """Return the units in force on `day`: valid_from <= day < valid_to, blanks being open."""
    at = pd.Timestamp(day)
    begun = boundaries[Col.VALID_FROM].isna() | (boundaries[Col.VALID_FROM] <= at)
    ended = boundaries[Col.VALID_TO].notna() & (boundaries[Col.VALID_TO] <= at)
    return boundaries[begun & ~ended]
