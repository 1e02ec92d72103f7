"""Bisection on one number until a statistic meets its target."""

from collections.abc import Callable


def solve_falling(
    value: Callable[[float], float], target: float, *, low: float, high: float, rounds: int = 14
) -> float:
    """Return the x in [low, high] where a falling function meets its target.

    Parameters
    ----------
    value : callable
        Falls as x rises.
    rounds : int
        Halvings.
    """
    for _ in range(rounds):
        middle = (low + high) / 2.0
        if value(middle) > target:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
