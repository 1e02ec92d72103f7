"""A rate carries its denominator and refuses a percentage that disagrees."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import OptionInvalid
from geo.rate import Rate

SEEN = {"data_date": date(2026, 11, 20), "boundary_version": "2023-06"}


def test_118_of_135_is_not_84_3_percent():
    with pytest.raises(OptionInvalid, match=r"118/135 = 87\.4 %"):
        Rate(n=118, total=135, stated_percent=84.3, **SEEN)
    assert str(Rate(n=118, total=135, stated_percent=87.4, **SEEN)) == "118/135 (87.4 %)"


@pytest.mark.parametrize(("n", "total"), [(3, 2), (-1, 2), (1, 0)])
def test_n_outside_0_to_total_is_refused(n, total):
    with pytest.raises(OptionInvalid):
        Rate(n=n, total=total, **SEEN)


def test_nothing_of_nothing_has_no_percentage():
    assert str(Rate(n=0, total=0, **SEEN)) == "0/0 (–)"
    with pytest.raises(OptionInvalid):
        Rate(n=0, total=0, stated_percent=0.0, **SEEN)


@given(st.integers(1, 10**6).flatmap(lambda t: st.tuples(st.integers(0, t), st.just(t))))
def test_rounding_to_one_decimal_is_always_accepted(pair):
    n, total = pair
    assert Rate(n=n, total=total, stated_percent=round(100 * n / total, 1), **SEEN).n == n


@pytest.mark.parametrize(
    ("n", "total", "said"),
    [
        (5215, 5216, "> 99.9 %"),
        (5216, 5216, "100.0 %"),
        (1, 9000, "< 0.1 %"),
        (0, 9000, "0.0 %"),
        (5, 9000, "0.1 %"),
        (9990, 10000, "99.9 %"),
    ],
)
def test_all_and_none_are_said_of_all_and_none_alone(n, total, said):
    rate = Rate(n=n, total=total, data_date=date(2026, 11, 20), boundary_version="2023-06")
    assert rate.percent_text == said
