from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.frames import Col, StreetClass
from geo.street import HIGHWAY_CLASS, classes_by_speed, street_class, street_classes, unnamed_roads


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
