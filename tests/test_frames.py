"""A frame is checked once, at the edge, and the first bad row is named."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo import frames
from geo.errors import ColumnMissing, FileEmpty, ValueInvalid
from geo.frames import VENUES, Col, Schema, empty_frame, require

SCHEMAS = [value for value in vars(frames).values() if isinstance(value, Schema)]


def two_venues():
    return gpd.GeoDataFrame(
        {
            Col.VENUE_ID: pd.Series(["v1", "v2"], dtype="str"),
            Col.NAME: pd.Series(["样例商店 00001", "样例商店 00002"], dtype="str"),
            Col.KIND: pd.Series(["shop", "food"], dtype="str"),
            Col.TIER: pd.Series(["red", "green"], dtype="str"),
            Col.LAST_INSPECTION: pd.to_datetime(pd.Series(["2026-10-01", None])).astype(
                "datetime64[s]"
            ),
            Col.SOURCE: pd.Series(["synthetic"] * 2, dtype="str"),
        },
        geometry=shapely.points([[115.97, 36.45], [115.98, 36.46]]),
        crs=4326,
    )


def test_good_frame_passes():
    require(two_venues(), VENUES, source="venues.csv")


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.layer)
def test_empty_frame_has_every_column_and_is_refused_unless_allowed(schema):
    frame = empty_frame(schema)
    require(frame, schema, source="x", allow_empty=True)
    with pytest.raises(FileEmpty):
        require(frame, schema, source="x")


def test_missing_column_is_named():
    with pytest.raises(ColumnMissing, match="column tier is missing"):
        require(two_venues().drop(columns=Col.TIER), VENUES, source="venues.csv")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (Col.TIER, "purple", "one of red, yellow, green"),
        (Col.VENUE_ID, "v1", "a value used once"),
        (Col.NAME, "", "not a blank"),
        (Col.GEOMETRY, shapely.LineString([(0, 0), (1, 1)]), "Point"),
    ],
)
def test_bad_value_is_named_with_its_row(column, value, said):
    frame = two_venues()
    frame.loc[1, column] = value
    with pytest.raises(ValueInvalid, match=said) as caught:
        require(frame, VENUES, source="venues.csv")
    assert caught.value.params["row"] == 2


def test_other_crs_is_refused():
    with pytest.raises(ValueInvalid, match="EPSG:4326"):
        require(two_venues().to_crs(32650), VENUES, source="venues.csv")
