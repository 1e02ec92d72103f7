"""Which hue and dash a team is drawn in: neighbours never share a hue if it can be helped.

Six hues by four dashes give 24 identities (the look's token table); beyond 24 they repeat and
the number alone identifies.
"""

import numpy as np
import numpy.typing as npt

N_HUES = 6
N_DASHES = 4

NEARNESS = 3000.0
"""Metres at which two teams' centres count half as much as when they coincide."""

ROUNDS = 40
"""Sweeps of improving swaps; the sum stops falling long before."""


def nearness(centres: npt.NDArray[np.float64], pieces: list[set[int]]) -> npt.NDArray[np.float64]:
    """Return how much two teams disturb each other, shape (n, n): near centres, shared streets.

    Parameters
    ----------
    centres : ndarray of float64, shape (n, 2)
        Metres.
    pieces : list of set of int
        Pieces of street each team takes.
    """
    apart = np.hypot(*(centres[:, None, :] - centres[None, :, :]).transpose(2, 0, 1))
    weight = 20.0 * NEARNESS / (NEARNESS + apart)
    takers: dict[int, list[int]] = {}
    for team, taken in enumerate(pieces):
        for piece in sorted(taken):
            takers.setdefault(piece, []).append(team)
    for teams in takers.values():
        weight[np.ix_(teams, teams)] += 0.2
    np.fill_diagonal(weight, 0.0)
    return np.asarray(weight)


def choose_hues(weight: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return a hue per team: swap two teams' hues while nearness over equal hues falls."""
    n = len(weight)
    hue = np.arange(n) % N_HUES
    for _ in range(ROUNDS):
        improved = False
        for team in range(n):
            cost = weight @ (hue[:, None] == np.arange(N_HUES))
            own = hue[team]
            gain = cost[team, hue] + cost[:, own] - cost[team, own] - cost[np.arange(n), hue]
            gain = gain - 2 * weight[team]
            gain[hue == own] = 0.0
            other = int(np.argmin(gain))
            if gain[other] < -1e-9:
                hue[[team, other]] = hue[[other, team]]
                improved = True
        if not improved:
            break
    return hue


def dashes_of(hue: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return a dash per team: teams of one hue take the dashes in turn."""
    seen = np.zeros(N_HUES, dtype=np.int64)
    dash = np.empty(len(hue), dtype=np.int64)
    for team, k in enumerate(hue):
        dash[team] = seen[k] % N_DASHES
        seen[k] += 1
    return dash
