"""A broken rule, by name: what the verifier hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Rule(StrEnum):
    """Every rule the verifier knows; the value is the message code of its breach."""

    UNIT_UNKNOWN = "check.unit.unknown"
    UNIT_TWICE = "check.unit.twice"
    UNIT_TWO_PLACES = "check.unit.two_places"
    STATION_WRONG = "check.station.wrong"
    PLACE_UNKNOWN = "check.place.unknown"
    TASK_UNKNOWN = "check.task.unknown"
    KIND_WRONG = "check.kind.wrong"
    REASON_MISSING = "check.reason.missing"

    SHIFT_EARLY = "check.shift.early"
    SHIFT_LATE = "check.shift.late"
    ROUTE_END = "check.route.end"
    VISIT_OVERLAP = "check.visit.overlap"
    WAIT_NEGATIVE = "check.wait.negative"
    TRAVEL_WRONG = "check.travel.wrong"
    TRAVEL_UNKNOWN = "check.travel.unknown"
    TRAVEL_UNREACHABLE = "check.travel.unreachable"
    TRAVEL_TOO_FAST = "check.travel.too_fast"

    DWELL_WRONG = "check.dwell.wrong"
    CAP_EXCEEDED = "check.cap.exceeded"
    FLOOR_MISSED = "check.floor.missed"
    SPACING_SHORT = "check.spacing.short"

    POST_LATE = "check.post.late"
    POST_LEFT_EARLY = "check.post.left_early"
    PAIR_EARLY = "check.pair.early"
    PAIR_LATE = "check.pair.late"
    PAIR_APART = "check.pair.apart"
    PAIR_ALONE = "check.pair.alone"
    PAIR_DWELL_SHORT = "check.pair.dwell_short"
    MUST_MISSING = "check.must.missing"
    MUST_CROWDED = "check.must.crowded"
    MUST_SAME_UNIT = "check.must.same_unit"

    BREAK_MISSING = "check.break.missing"
    BREAK_TWICE = "check.break.twice"
    BREAK_UNASKED = "check.break.unasked"
    BREAK_WINDOW = "check.break.window"
    BREAK_SHORT = "check.break.short"
    BREAK_PLACE = "check.break.place"

    UNSERVED_UNKNOWN = "check.unserved.unknown"
    UNSERVED_TWICE = "check.unserved.twice"
    UNSERVED_PLACE = "check.unserved.place"
    UNSERVED_COUNT = "check.unserved.count"
    UNSERVED_SERVED = "check.unserved.served"
    UNSERVED_CAUSE = "check.unserved.cause"

    OBJECTIVE_PART = "check.objective.part"
    OBJECTIVE_SUM = "check.objective.sum"
    BOUND_BELOW = "check.bound.below"
    STATUS_UNPROVEN = "check.status.unproven"
    HASH_WRONG = "check.hash.wrong"
    FILE_DIFFERS = "check.file.differs"

    VENUE_UNKNOWN = "check.venue.unknown"
    VENUE_TWICE = "check.venue.twice"
    VENUE_MISSING = "check.venue.missing"
    VENUE_FACTS = "check.venue.facts"
    CADENCE_BROKEN = "check.cadence.broken"
    DAY_CLOSED = "check.day.closed"
    DAY_OUTSIDE = "check.day.outside"
    DAY_LENGTH = "check.day.length"
    ROUND_TWICE = "check.round.twice"
    ROUND_EMPTY = "check.round.empty"
    ROUND_END = "check.round.end"
    TEAM_TWICE = "check.team.twice"
    TEAM_STATION = "check.team.station"
    SERVICE_SHORT = "check.service.short"
    COUNT_WRONG = "check.count.wrong"

    SWEEP_ARC_UNKNOWN = "check.sweep.arc_unknown"
    SWEEP_ARC_CLOSED = "check.sweep.arc_closed"
    SWEEP_WALK_BROKEN = "check.sweep.walk_broken"
    SWEEP_START_WRONG = "check.sweep.start_wrong"
    SWEEP_SERVED = "check.sweep.served"
    SWEEP_ONE_SIDE = "check.sweep.one_side"
    SWEEP_LEFT_OUT = "check.sweep.left_out"
    SWEEP_TIME_WRONG = "check.sweep.time_wrong"
    SWEEP_SHIFT_LATE = "check.sweep.shift_late"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule.

    Attributes
    ----------
    code : Rule
        Message code; its text is in ``api/i18n/check.toml``.
    params : mapping of str to object
        Values of the text: ids, clock times and whole seconds.
    """

    code: Rule
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        values = ", ".join(f"{name} {value}" for name, value in self.params.items())
        return f"{self.code} ({values})"


def broken(rule: Rule, **params: object) -> Violation:
    """Return the violation of `rule` with the values of its text."""
    return Violation(rule, params)
