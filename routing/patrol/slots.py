"""Windows of start times in which a stop may be visited: spacing kept without a clock.

A stop that may be visited several times becomes *slots*: windows of start seconds, each inside
one hour of the shift so that its value is exact. Two slots *clash* when a visit as late as the
first allows and one as early as the second allows would be closer than the spacing; a plan never
serves both. That is exact in that every plan it allows keeps the spacing; it leaves out plans
that would fit two visits into neighbouring hours by choosing their minutes.
"""

from geo.units import HOUR
from routing.model import Stop

Window = tuple[int, int]


def slot_windows(stop: Stop, *, length: int) -> list[Window]:
    """Return the (first, last) start seconds of a stop's slots, in order of time.

    Whole hours serve when enough of them can be combined to reach the cap; otherwise the night
    is cut into as many windows as the cap, a dwell and a spacing apart.

    Parameters
    ----------
    stop : Stop
    length : int
        Seconds of the shift.
    """
    latest = length - stop.band.dwell
    if latest < 0 or stop.band.cap == 0:
        return []
    slots = _cut_at_hours([(0, latest)], stop)
    if _most_together(slots, stop) >= stop.band.cap:
        return slots
    return _cut_at_hours(_apart(latest, stop), stop)


def clashes(slots: list[Window], stop: Stop) -> list[int]:
    """Return, per slot, the bits of the slots it cannot be combined with (itself left out)."""
    bits = [0] * len(slots)
    for i, (_, last) in enumerate(slots):
        for j in range(i + 1, len(slots)):
            if slots[j][0] < last + _pause(stop):
                bits[i] |= 1 << j
                bits[j] |= 1 << i
    return bits


def _pause(stop: Stop) -> int:
    """Return the fewest seconds from one start to the next."""
    return stop.band.dwell + stop.band.spacing


def _cut_at_hours(windows: list[Window], stop: Stop) -> list[Window]:
    """Cut windows where the value changes; at every full hour when repeats are allowed."""
    pieces = []
    for first, last in windows:
        begin = first
        for hour in range(first // HOUR + 1, last // HOUR + 1):
            changes = stop.value_by_hour[hour] != stop.value_by_hour[hour - 1]
            if stop.band.cap > 1 or changes:
                pieces.append((begin, hour * HOUR - 1))
                begin = hour * HOUR
        pieces.append((begin, last))
    return pieces


def _most_together(slots: list[Window], stop: Stop) -> int:
    """Return how many slots one night can combine, the earliest first."""
    n, ready = 0, 0
    for first, last in slots:
        if first >= ready:
            n, ready = n + 1, last + _pause(stop)
    return n


def _apart(latest: int, stop: Stop) -> list[Window]:
    """Return as many equal windows as the cap (or as fit), a dwell and a spacing apart."""
    n = min(stop.band.cap, latest // _pause(stop) + 1)
    width = (latest - (n - 1) * _pause(stop)) // n
    return [(i * (width + _pause(stop)), i * (width + _pause(stop)) + width) for i in range(n)]
