"""Annealing in blocks of a fixed number of iterations: the work limit, never the clock."""

from dataclasses import dataclass, field

import numpy as np

from routing.search.arrays import (
    BEST,
    MUST,
    N_POOL,
    SCALE,
    Block,
    Ints,
    Night,
    Pool,
    State,
    new_pool,
    new_state,
)
from routing.search.loop import begin, run, weigh_anew
from routing.search.routes import is_missing

HOT = 15 * SCALE
COLD = 1 * SCALE
"""Temperatures in objective units; a mean stop is worth some 30 points."""

POOL_PER_MILLE = 970
"""Plans within 3 % of the best give their routes to the pool: its spread decides the choice."""

POOL_CAPACITY = 60_000
FIRST_BLOCK, BLOCK = 50, 500


@dataclass(slots=True)
class Search:
    """One run of ruin-and-recreate over a night.

    Attributes
    ----------
    night : Night
    seed : int
        Of the search's own random stream.
    state, pool
        What the kernels work on; `pool` fills in the second half.
    """

    night: Night
    seed: int
    state: State = field(init=False)
    pool: Pool = field(init=False)
    done: int = field(init=False, default=0)
    _fairness_rate: int = field(init=False)

    def __post_init__(self) -> None:
        self.state = new_state(self.night)
        self.state.rng[0] = np.random.SeedSequence(self.seed).generate_state(1, np.uint64)[0] | 1
        self._fairness_rate = self.night.fairness_rate
        self.pool = new_pool(self.state, capacity=POOL_CAPACITY)

    def start(self, routes: list[list[int]] | None = None) -> bool:
        """Book `routes` (none: every unit takes only its break); False when they do not fit."""
        for r, route in enumerate(routes or ()):
            self.state.size[r] = len(route)
            self.state.sequence[r, : len(route)] = route
        return bool(begin(self.night, self.state))

    def block(self, total: int) -> None:
        """Run the next block of a run of `total` iterations."""
        self._set_fairness(total)
        missing = self.missing()
        focus = np.arange(len(self.night.visit0), dtype=np.int64)
        if missing.size:
            focus = np.concatenate([focus, np.resize(missing, max(1, len(focus) // 3))])
        n = min(FIRST_BLOCK if missing.size else BLOCK, total - self.done)
        block = Block(
            focus=focus,
            n=n,
            hot=_temperature(self.done, total),
            cold=_temperature(self.done + n, total),
            bar=self._pool_bar(total),
        )
        run(self.night, self.state, self.pool, block)
        self.done += n

    @property
    def has_tasks(self) -> bool:
        """Whether there is anything to visit."""
        return len(self.night.visit0) > 0

    def missing(self) -> Ints:
        """Return the musts the plan being changed lacks."""
        tasks = range(len(self.night.visit0))
        lacking = [h for h in tasks if is_missing(self.night, self.state, h)]
        return np.array(lacking, np.int64)

    @property
    def lacks_must(self) -> bool:
        """Whether the best plan lacks a must; no night's value comes near `MUST`."""
        return self.best < -MUST // 2

    @property
    def best(self) -> int:
        """Objective units of the best plan; every missing must costs `MUST`."""
        return int(self.state.tally[BEST])

    def best_routes(self) -> list[list[int]]:
        """Return the best plan's visits in order, unit by unit."""
        sizes = self.state.best_size
        return [self.state.best_sequence[r, :n].tolist() for r, n in enumerate(sizes)]

    def pool_routes(self) -> list[tuple[int, tuple[int, ...]]]:
        """Return the pool as (unit, visits in order)."""
        n = int(self.state.tally[N_POOL])
        return [
            (int(self.pool.unit[i]), tuple(self.pool.visits[i, : self.pool.size[i]].tolist()))
            for i in range(n)
        ]

    def _set_fairness(self, total: int) -> None:
        """Let fairness weigh from the second half on: from the start it locks loads too early."""
        rate = self._fairness_rate if 2 * self.done >= total else 0
        if rate != self.night.fairness_rate:
            self.night = self.night._replace(fairness_rate=rate)
            weigh_anew(self.night, self.state)

    def _pool_bar(self, total: int) -> int:
        if self.best <= 0 or 2 * self.done < total:
            return 1 << 60
        return self.best * POOL_PER_MILLE // 1000


def _temperature(done: int, total: int) -> int:
    """Return the temperature after `done` of `total`: geometric, in whole objective units."""
    return round(float(HOT * (COLD / HOT) ** (done / total)))
