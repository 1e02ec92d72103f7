"""A share that always carries its denominator."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from geo.errors import OptionInvalid

STATED_TOLERANCE = 0.05
"""Percentage points by which a printed percentage may differ: half of one printed decimal."""

SMALLEST: Final = 0.1
"""Percentage points of one printed decimal."""

ALMOST_ALL: Final = 100 - SMALLEST / 2
"""Per cent that one decimal would print as 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """n of N, with the day of the data and the version of the boundary it was counted on.

    Attributes
    ----------
    n, total : int
        Numerator and denominator; ``0 <= n <= total``.
    data_date : date
        Day the data was true.
    boundary_version : str
        Version of the boundaries the places were counted on.
    stated_percent : float, optional
        A percentage printed elsewhere; refused when it disagrees with n/N by more than
        0.05 points (118 of 135 printed as 84.3 % is refused: it is 87.4 %).

    Raises
    ------
    OptionInvalid
        n outside 0..N, or a stated percentage that disagrees.
    """

    n: int
    total: int
    data_date: date
    boundary_version: str
    stated_percent: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.n <= self.total:
            raise OptionInvalid(
                option="rate", value=f"{self.n}/{self.total}", expected="0 <= n <= N"
            )
        if self.stated_percent is not None and (
            self.percent is None
            or abs(self.percent - self.stated_percent) > STATED_TOLERANCE + 1e-9
        ):
            raise OptionInvalid(
                option="rate",
                value=f"{self.stated_percent} %",
                expected=f"{self.n}/{self.total} = {self.percent_text}",
            )

    @property
    def percent(self) -> float | None:
        """n/N in per cent; None when N is 0."""
        return 100.0 * self.n / self.total if self.total else None

    @property
    def percent_text(self) -> str:
        """The percentage with one decimal, or an en dash when N is 0.

        All and none are said of all and none alone: 5,215 of 5,216 is > 99.9 %.
        """
        if self.percent is None:
            return "–"
        if 0 < self.n < self.total:
            if self.percent >= ALMOST_ALL:
                return f"> {100 - SMALLEST:.1f} %"
            if self.percent < SMALLEST / 2:
                return f"< {SMALLEST:.1f} %"
        return f"{self.percent:.1f} %"

    def __str__(self) -> str:
        return f"{self.n:,}/{self.total:,} ({self.percent_text})"
