"""A route through places in order: its legs, and the turn list of each."""

from dataclasses import dataclass

from routing.model import Mode
from routing.travel.leg import Leg
from routing.travel.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The fastest way through places in the order given.

    Attributes
    ----------
    place_ids : tuple of str
        Places in order.
    mode : Mode
    legs : tuple of Leg
        From each place to the next.
    steps : tuple of tuple of Step
        Turn list of each leg: it begins with DEPART and ends with ARRIVE.
    """

    place_ids: tuple[str, ...]
    mode: Mode
    legs: tuple[Leg, ...]
    steps: tuple[tuple[Step, ...], ...]

    @property
    def seconds(self) -> int:
        """Travel time of all legs, each rounded up."""
        return sum(leg.seconds for leg in self.legs)

    @property
    def length(self) -> float:
        """Metres of all legs."""
        return sum(leg.length for leg in self.legs)
