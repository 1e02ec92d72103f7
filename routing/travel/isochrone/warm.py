"""Compile the painter's kernels into their cache."""

import numpy as np

from routing.travel.isochrone.paint import Starts, Streets, paint_reached


def warm_up() -> None:
    """Paint one street of 100 m."""
    streets = Streets(
        run=np.array([10_000], dtype=np.int32),
        is_open=np.ones((1, 2), dtype=bool),
        offsets=np.array([0, 2], dtype=np.int64),
        xy=np.array([[0.0, 0.0], [100.0, 0.0]]),
        measure=np.array([0.0, 100.0]),
    )
    starts = Starts(np.zeros(1, np.int32), np.zeros(1))
    paint_reached(streets, np.zeros((1, 2), np.int32), starts, np.array([60_000], dtype=np.int32))
