"""Reports by hour, channel and street.

A street runs 1 km east; reports lie on it, 60 m, 99 m and 101 m north of it.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import OptionInvalid
from geo.frames import INCIDENTS, Channel, require
from geo.incident import (
    days_before,
    hour_bins,
    hours_of,
    resident_reports,
    shift_hours,
    snap_to_segments,
)

EPSG = 32650
WEST, SOUTH = 580_000.0, 4_030_000.0


def incidents(times, channels=None, offsets=None):
    n = len(times)
    frame = gpd.GeoDataFrame(
        {
            "incident_id": pd.Series([f"i{k}" for k in range(n)], dtype="str"),
            "occurred_at": pd.to_datetime(pd.Series(times))
            .dt.tz_localize("Asia/Shanghai")
            .astype("datetime64[s, Asia/Shanghai]"),
            "category": pd.Series(["theft"] * n, dtype="str"),
            "channel": pd.Series(channels or ["resident_report"] * n, dtype="str"),
            "source": pd.Series(["synthetic"] * n, dtype="str"),
        },
        geometry=gpd.points_from_xy([WEST + 500] * n, [SOUTH + k for k in offsets or [0.0] * n]),
        crs=EPSG,
    ).to_crs(4326)
    require(frame, INCIDENTS, source="incidents")
    return frame


def street(*lines):
    return gpd.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs=EPSG).to_crs(
        4326
    )


def test_hours_are_local():
    frame = incidents(["2026-11-20 23:59:59", "2026-11-21 00:00:00"])
    assert list(hours_of(frame)) == [23, 0]
    utc = frame.assign(occurred_at=frame.occurred_at.dt.tz_convert("UTC"))
    assert list(hours_of(utc)) == [23, 0]


def test_a_shift_runs_through_midnight():
    assert shift_hours(20, 6) == (20, 21, 22, 23, 0, 1)
    frame = incidents(
        ["2026-11-20 19:59:59", "2026-11-20 20:00:00", "2026-11-21 01:30:00", "2026-11-21 02:00:00"]
    )
    assert list(hour_bins(frame, start_hour=20, n_hours=6)) == [-1, 0, 5, -1]


@pytest.mark.parametrize(("start", "n"), [(24, 1), (-1, 3), (20, 0), (20, 25)])
def test_no_such_shift(start, n):
    with pytest.raises(OptionInvalid):
        shift_hours(start, n)


def test_age_in_local_days():
    frame = incidents(["2026-11-20 00:10:00", "2026-11-21 23:00:00", "2026-11-22 00:00:00"])
    assert list(days_before(frame, np.datetime64("2026-11-21"))) == [1, 0, -1]


def test_only_residents_count_and_the_rest_is_counted():
    frame = incidents(["2026-11-20"] * 4, ["resident_report", "proactive", "proactive", "other"])
    residents = resident_reports(frame)
    assert list(residents.frame.incident_id) == ["i0"]
    assert residents.left_out == {Channel.PROACTIVE: 2, Channel.OTHER: 1}


def test_points_snap_within_100_m():
    frame = incidents(["2026-11-20"] * 4, offsets=[0.0, 60.0, 99.0, 101.0])
    snapped = snap_to_segments(frame, street([(WEST, SOUTH), (WEST + 1000, SOUTH)]), epsg=EPSG)
    assert list(snapped.row) == [0, 0, 0, -1]
    assert snapped.n_snapped == 3
    assert snapped.distance[:3] == pytest.approx([0, 60, 99], abs=0.1)
    assert np.isnan(snapped.distance[3])


def test_equal_distance_takes_the_lower_row():
    corner = (WEST + 500, SOUTH)
    streets = street([(WEST, SOUTH), corner], [corner, (WEST + 1000, SOUTH)])
    at_corner = gpd.GeoDataFrame(
        geometry=[shapely.get_point(streets.geometry.iloc[0], -1)], crs=4326
    )
    assert list(snap_to_segments(at_corner, streets, epsg=EPSG).row) == [0]


def test_nothing_snaps_to_nothing():
    frame = incidents(["2026-11-20"])
    assert list(snap_to_segments(frame, street(), epsg=EPSG).row) == [-1]
