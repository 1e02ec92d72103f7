from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.frames import Col, StreetClass
from geo.street import (
    HIGHWAY_CLASS,
    classes_by_speed,
    lane_count,
    lane_counts,
    speed_limit,
    speed_limits,
    street_class,
    street_classes,
    unnamed_roads,
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("motorway", StreetClass.EXPRESSWAY),
        ("primary_link", StreetClass.ARTERIAL),
        ("tertiary", StreetClass.COLLECTOR),
        ("living_street", StreetClass.LANE),
        ("footway", StreetClass.PATH),
        ("快速路", StreetClass.EXPRESSWAY),
        ("主干路", StreetClass.ARTERIAL),
        ("城市次干路", StreetClass.COLLECTOR),
        ("支路", StreetClass.COLLECTOR),
        ("巷道", StreetClass.LANE),
        ("乡道", StreetClass.RURAL),
        ("arterial", StreetClass.ARTERIAL),
        ("['residential', 'tertiary']", StreetClass.COLLECTOR),
        ("platform", None),
        ("proposed", None),
        ("", None),
    ],
)
def test_class_words(word, expected):
    assert street_class(word) is expected


@pytest.mark.parametrize(
    ("word", "kmh"),
    [
        ("60", 60.0),
        ("60.0", 60.0),
        (" 60 km/h ", 60.0),
        ("限速60公里/小时", 60.0),
        ("50 mph", 80.5),
        ("60;80", 60.0),
        ("['80', '60']", 60.0),
        ("['80', 'none']", 80.0),
        ("CN:urban", 50.0),
        ("CN:rural", 70.0),
        ("walk", 5.0),
        *[(word, 0.0) for word in ("", "0", "none", "signals", "-50", "999", "XX:urban", "nan")],
        ("9" * 5000, 0.0),
    ],
)
def test_limits(word, kmh):
    assert speed_limit(word) == kmh


@pytest.mark.parametrize(
    ("word", "n"),
    [
        ("2", 2),
        ("2.0", 2),
        ("['3', '2']", 2),
        ("3;4", 3),
        ("双向6车道", 6),
        *[(word, 0) for word in ("", "0", "1.5", "-1", "99", "单向2车道", "9" * 5000)],
    ],
)
def test_lanes(word, n):
    assert lane_count(word) == n


def test_columns_of_limits_and_lanes():
    words = pd.Series(["60", "", "60", "2"], dtype="str")
    assert speed_limits(words).tolist() == [60.0, 0.0, 60.0, 2.0]
    assert lane_counts(words).tolist() == [0, 0, 0, 2]
    for column in (speed_limits, lane_counts):
        assert len(column(pd.Series([], dtype="str"))) == 0
    assert lane_counts(pd.Series([], dtype="str")).dtype == np.int64


def test_columns_of_words_keep_their_order():
    words = pd.Series(["primary", "corridor", "primary", "巷"], dtype="str")
    assert list(street_classes(words)) == ["arterial", "", "arterial", "lane"]
    assert len(street_classes(pd.Series([], dtype="str"))) == 0


def test_every_class_has_a_highway_value():
    assert set(HIGHWAY_CLASS.values()) == set(StreetClass)


def test_classes_by_speed():
    limits = np.array([0.0, 20.0, 30.0, 60.0, 100.0])
    assert list(classes_by_speed(limits)) == ["", "lane", "collector", "arterial", "expressway"]


def test_unnamed_roads_are_counted_with_their_total():
    streets = pd.DataFrame(
        {
            Col.NAME: pd.Series(["东昌路", "", " ", "柳园路"], dtype="str"),
            Col.STREET_CLASS: pd.Series(["arterial", "lane", "lane", "lane"], dtype="str"),
        }
    )
    audit = unnamed_roads(streets, data_date=date(2026, 11, 20), boundary_version="2023-06")
    assert list(audit) == ["all", "arterial", "lane"]
    assert (audit["all"].n, audit["all"].total) == (2, 4)
    assert (audit["lane"].n, audit["lane"].total) == (2, 3)
    assert audit["arterial"].n == 0
