"""What an option of demand should have been, in words that the catalogue has in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Wanted(StrEnum):
    """English phrases; the catalogue has each under its `code`."""

    SIDE = "10 to 10,000 metres"
    SHARE = "above 0, at most 1"
    POSITIVE = "more than 0"
    WEEK = "residents' reports of more than one week"

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"demand.wanted.{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class Weeks:
    """How many weeks, or which of them, there are to choose from.

    Attributes
    ----------
    last : int
    n_weeks : int
        Weeks of the file.
    """

    last: int
    n_weeks: int

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return "demand.wanted.weeks"

    @property
    def params(self) -> Mapping[str, int]:
        """Fields of the phrase."""
        return {"last": self.last, "n_weeks": self.n_weeks}

    def __str__(self) -> str:
        return f"1 to {self.last}, as the file holds {self.n_weeks} weeks"
