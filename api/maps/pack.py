"""Packed columns: whole numbers as zigzag varints, in base64, about a tenth of GeoJSON.

A stream of lines carries its pen from one line to the next, so that neighbours cost little.
``assets/decode.js`` is the other half of this file.

References
----------
Zigzag and base-128 varint: Protocol Buffers encoding, https://protobuf.dev/programming-guides/encoding
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

Ints = npt.NDArray[np.int64]

STEP = 1e-5
"""Degrees of one step of the packed grid: 1.1 m north, 0.9 m east at 36 degrees."""

SEVEN_BITS = np.uint64(7)
LOW_BITS = np.uint64(127)
MORE = np.uint8(128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """The grid that packed coordinates are counted on.

    Attributes
    ----------
    lon0, lat0 : float
        South-west corner, degrees.
    step : float
        Degrees of one step.
    """

    lon0: float
    lat0: float
    step: float = STEP

    @classmethod
    def around(
        cls, bounds: Sequence[float] | npt.NDArray[np.float64], *, step: float = STEP
    ) -> "Lattice":
        """Return the lattice whose corner is the tenth of a degree below `bounds`."""
        west, south = float(bounds[0]), float(bounds[1])
        return cls(lon0=np.floor(west * 10) / 10, lat0=np.floor(south * 10) / 10, step=step)

    def steps(self, lonlat: npt.NDArray[np.float64]) -> Ints:
        """Return coordinates, shape (n, 2) degrees, as whole steps."""
        return np.rint((lonlat - [self.lon0, self.lat0]) / self.step).astype(np.int64)


def zigzag(values: Ints) -> npt.NDArray[np.uint64]:
    """Map 0, -1, 1, -2 … to 0, 1, 2, 3 …, so that small numbers of either sign stay small."""
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def pack_ints(values: npt.ArrayLike) -> str:
    """Return whole numbers as base64 of zigzag varints."""
    left = zigzag(np.asarray(values, dtype=np.int64))
    width = np.ones(len(left), dtype=np.int64)
    for bits in range(7, 64, 7):
        width += left >= np.uint64(1 << bits)
    start = np.concatenate([[0], np.cumsum(width)])
    out = np.zeros(start[-1], dtype=np.uint8)
    for k in range(int(width.max(initial=0))):
        rows = np.flatnonzero(width > k)
        more = np.where(width[rows] > k + 1, MORE, np.uint8(0))
        out[start[rows] + k] = (left[rows] & LOW_BITS).astype(np.uint8) | more
        left[rows] >>= SEVEN_BITS
    return base64.b64encode(out.tobytes()).decode("ascii")


def unpack_ints(text: str) -> Ints:
    """Return the whole numbers of `pack_ints`."""
    data = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
    last = np.flatnonzero(data < MORE)
    first = np.concatenate([[0], last[:-1] + 1]) if len(last) else last
    out = np.zeros(len(last), dtype=np.uint64)
    width = last - first + 1
    for k in range(int(width.max(initial=0))):
        rows = np.flatnonzero(width > k)
        part = data[first[rows] + k].astype(np.uint64) & LOW_BITS
        out[rows] |= part << np.uint64(7 * k)
    return (out >> np.uint64(1)).astype(np.int64) ^ -(out & np.uint64(1)).astype(np.int64)


def pack_points(lonlat: npt.NDArray[np.float64], lattice: Lattice) -> str:
    """Return points, shape (n, 2) degrees, each as the step from the one before."""
    steps = lattice.steps(lonlat)
    return pack_ints(np.diff(steps, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel())


def pack_lines(
    lines: npt.NDArray[np.object_], heads: npt.NDArray[np.integer], lattice: Lattice
) -> str:
    """Return lines as records: head, number of points, steps.

    Parameters
    ----------
    lines : ndarray of LineString or LinearRing, shape (n,)
        EPSG:4326; points that fall together on the lattice are written once.
    heads : ndarray of int, shape (n, k)
        Whole numbers in front of each line.
    """
    lonlat, line = shapely.get_coordinates(lines, return_index=True)
    return pack_steps(lattice.steps(lonlat), line, heads)


def pack_steps(steps: Ints, line: npt.NDArray[np.integer], heads: npt.NDArray[np.integer]) -> str:
    """Return lines given as lattice steps; `line` is the row of `heads` of each point."""
    moved = np.any(np.diff(steps, axis=0, prepend=steps[:1] - 1) != 0, axis=1)
    begins = np.diff(line, prepend=-1) != 0
    steps, line = steps[moved | begins], line[moved | begins]
    n_lines, n_head = heads.shape
    n_points = np.bincount(line, minlength=n_lines)
    start = np.concatenate([[0], np.cumsum(n_head + 1 + 2 * n_points)])
    out = np.empty(start[-1], dtype=np.int64)
    for k in range(n_head):
        out[start[:-1] + k] = heads[:, k]
    out[start[:-1] + n_head] = n_points
    within = np.arange(len(line)) - np.repeat(np.cumsum(n_points) - n_points, n_points)
    at = start[line] + n_head + 1 + 2 * within
    delta = np.diff(steps, axis=0, prepend=np.zeros((1, 2), np.int64))
    out[at], out[at + 1] = delta[:, 0], delta[:, 1]
    return pack_ints(out)


def rings(polygons: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return shells and holes, wound so that one non-zero fill paints them all."""
    parts = shapely.orient_polygons(shapely.get_parts(polygons))
    return np.asarray(shapely.get_rings(parts))


_NUMBERED = re.compile(r"^(.*?)([0-9]{0,9})\Z", re.DOTALL)


def pack_names(names: Sequence[str]) -> dict[str, object]:
    """Return names as a table of stems and, per name, stem, digits and number.

    ``样例商店 00123`` is stem ``样例商店 ``, 5 digits, 123: a numbered register costs five bytes
    a row, and any other name still comes out as it went in.
    """
    stems: dict[str, int] = {}
    rows: list[int] = []
    for name in names:
        match = _NUMBERED.match(name)
        stem, number = (match[1], match[2]) if match else (name, "")
        rows += [stems.setdefault(stem, len(stems)), len(number), int(number or 0)]
    return {"stems": list(stems), "rows": pack_ints(np.array(rows, dtype=np.int64))}


def unpack_names(packed: dict[str, object]) -> list[str]:
    """Return the names of `pack_names`."""
    stems, rows = packed["stems"], packed["rows"]
    if not isinstance(stems, list) or not isinstance(rows, str):
        raise TypeError(type(stems))
    table = unpack_ints(rows).reshape(-1, 3).tolist()
    return [stems[s] + (str(number).zfill(digits) if digits else "") for s, digits, number in table]
