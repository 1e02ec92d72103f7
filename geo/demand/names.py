"""Names of places, from the streets around them: 东昌路（昌润路–柳园路）.

The words are part of a name in the language of the streets, as on a street sign; they are not
messages and have no twin in another language.
"""

from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from geo.frames import Col
from geo.topology import vertex_keys

SIDES: Final = ("东侧", "北侧", "西侧", "南侧")
"""Sides of a street, counterclockwise from the east."""

LANE: Final = "巷道"
"""What an unnamed street beside a named one is called."""

UNNAMED: Final = "无名路"
"""What an unnamed street far from any named one is called (the term of the street audit)."""

MAX_STEPS: Final = 15
"""Segments walked along a street to find the named street that crosses it."""

NAMED_REACH: Final = 400.0
"""Metres within which a named street lends its name to an unnamed one."""


class StreetNames:
    """Names of segments, of the streets that cross them and of the streets beside them."""

    def __init__(self, streets: gpd.GeoDataFrame, *, epsg: int) -> None:
        self._name = streets[Col.NAME].to_numpy(dtype=object)
        self._lines = streets.geometry.to_crs(epsg).to_numpy()
        lines = streets.geometry.to_numpy()
        keys = [
            vertex_keys(shapely.get_coordinates(shapely.get_point(lines, end))) for end in (0, -1)
        ]
        _, node = np.unique(np.concatenate(keys), return_inverse=True)
        self._ends = node.reshape(2, len(lines)).T
        order = np.argsort(node, kind="stable")
        self._at = order % len(lines)
        self._start = np.searchsorted(node[order], np.arange(int(node.max(initial=-1)) + 2))
        self._named = np.flatnonzero(self._name != "")
        self._tree = shapely.STRtree(self._lines[self._named])

    def name(self, row: int, fallback: str = UNNAMED) -> str:
        """Return what the middle of a segment is called.

        Parameters
        ----------
        row : int
            Row of the street frame.
        fallback : str
            Name where no named street lies near.
        """
        own = str(self._name[row])
        if not own:
            return self._beside(row) or fallback
        crossing = [self._crossing(row, int(node), own) for node in self._ends[row]]
        found = [text for text in crossing if text]
        if not found:
            return own
        if len(found) == 2 and found[0] == found[1]:
            found = found[:1]
        return f"{own}（{'–'.join(self._west_to_east(row, found))}）"

    def _west_to_east(self, row: int, crossing: list[str]) -> list[str]:
        """Return the crossing streets from the west, or from the north on a north-south street."""
        begin, end = shapely.get_coordinates(self._lines[row])[[0, -1]]
        run = end - begin
        backwards = run[0] < 0 if abs(run[0]) >= abs(run[1]) else run[1] > 0
        return crossing[::-1] if backwards else crossing

    def _crossing(self, row: int, node: int, own: str) -> str:
        """Return the named street met first when walking along the own street from a node."""
        for _ in range(MAX_STEPS):
            meeting = self._at[self._start[node] : self._start[node + 1]]
            names = sorted({str(n) for n in self._name[meeting] if n not in ("", own)})
            if names:
                return names[0]
            ahead = [int(s) for s in meeting if s != row and self._name[s] == own]
            if len(ahead) != 1:
                return ""
            row = ahead[0]
            node = int(self._ends[row].sum() - node)
        return ""

    def _beside(self, row: int) -> str:
        """Return the nearest named street and the side of it; "" where none lies near."""
        if len(self._named) == 0:
            return ""
        middle = shapely.line_interpolate_point(self._lines[row], 0.5, normalized=True)
        near = self._tree.query_nearest(middle, max_distance=NAMED_REACH)
        if len(near) == 0:
            return ""
        street = int(self._named[near.min()])
        ahead = shapely.get_coordinates(shapely.shortest_line(self._lines[street], middle))
        dx, dy = ahead[1] - ahead[0]
        side = SIDES[int(np.rint(np.arctan2(dy, dx) / (np.pi / 2))) % 4]
        return f"{self._name[street]}{side}{LANE}"


def make_unique(names: list[str]) -> list[str]:
    """Return names numbered where they repeat: 东昌路, 东昌路 2."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return out
