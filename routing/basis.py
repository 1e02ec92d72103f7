"""What a night's demand and travel times rest on, as the plan records it."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geo.demand import Demand, PlaceRules


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandBasis:
    """Decay, floor and cap of a plan's demand, and the reports it was estimated from.

    Attributes
    ----------
    as_of : date
        Reports of this day and later were not looked at.
    half_life : float
        Days after which a report counts half: the decay.
    window : int
        Days looked back.
    floor_share : float
        Every inhabited segment keeps this share of the mean of its hour: the exploration floor.
    cap_quantile, cap_multiple : float
        No segment exceeds this multiple of this quantile of its hour: the cap.
    share_exploration : float
        Share of the places on offer drawn among the rest.
    n_floored, n_capped : int
        Segments that floor or cap changed.
    n_used, n_reports : int
        Residents' reports on a street, of all in the window.
    n_left_out : int
        Reports of other channels, which never count.
    """

    as_of: date
    half_life: float
    window: int
    floor_share: float
    cap_quantile: float
    cap_multiple: float
    share_exploration: float
    n_floored: int
    n_capped: int
    n_used: int
    n_reports: int
    n_left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedBasis:
    """Speeds and closures that a plan's travel times rest on.

    Attributes
    ----------
    profile : str
        Version of the travel profile.
    band : str
        Part of the day whose speeds counted for the whole shift.
    closures : tuple of str
        Ids of the closures that held during the shift.
    """

    profile: str
    band: str
    closures: tuple[str, ...] = ()


def basis_of(demand: "Demand", places: "PlaceRules") -> DemandBasis:
    """Return what a plan records of its demand."""
    rules = demand.rules
    return DemandBasis(
        as_of=demand.as_of,
        half_life=rules.half_life,
        window=rules.window,
        floor_share=rules.floor_share,
        cap_quantile=rules.cap_quantile,
        cap_multiple=rules.cap_multiple,
        share_exploration=places.share_exploration,
        n_floored=demand.n_floored,
        n_capped=demand.n_capped,
        n_used=demand.used.n,
        n_reports=demand.used.total,
        n_left_out=sum(demand.left_out.values()),
    )
