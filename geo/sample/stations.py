"""Stations, teams and the night's posts."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.frames import PostKind, StationKind, VenueKind
from geo.sample import exact
from geo.sample.exact import Floats
from geo.sample.ground import Ground
from geo.sample.layout import nearest_rows, weighted_centres
from geo.sample.lines import Ints, Rank
from geo.sample.register import apportion
from geo.sample.stream import Stream
from geo.sample.venues import KINDS, Venues
from geo.units import MINUTE

HEADCOUNT: Final = 4
SPECIAL_DUTIES: Final = ("站前", "水上", "景区", "园区", "市场", "高校")
"""What the six special stations look after."""

NUMERALS: Final = ("一", "二", "三", "四", "五", "六", "七", "八", "九")

FIRST_MODES: Final = ("car", "motorbike", "car")
TOWN_MODES: Final = ("ebike", "foot", "motorbike", "car")
COUNTRY_MODES: Final = ("motorbike", "car")
"""How a station's first team moves, station by station, and how its other teams do."""

_BESIDE: Final = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """Stations, row by row: name, kind, point in the plane."""

    names: tuple[str, ...]
    kinds: tuple[StationKind, ...]
    xy: Floats

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teams:
    """Teams, row by row: row of the station, number within it, mode of travel."""

    station: Ints
    number: Ints
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A place that must be manned tonight.

    Attributes
    ----------
    window : (str, str)
        Clock times.
    dwell : int
        Seconds.
    """

    name: str
    kind: PostKind
    window: tuple[str, str]
    dwell: int
    n_units: int
    xy: Floats


def beside_streets(ground: Ground, streets: Ints) -> Floats:
    """Return a point beside the middle of each street."""
    n = len(streets)
    return ground.beside(streets, np.full(n, 0.5), np.full(n, _BESIDE))


def central_streets(ground: Ground, load: Floats, xy: Floats, rows: Ints) -> Ints:
    """Return for each centre the busy street nearest to it, each street once.

    A lane's load counts half: a station stands on a street that cars can use.

    Parameters
    ----------
    load : ndarray of float64, shape (n,)
    xy : ndarray of float64, shape (k, 2)
    rows : ndarray of int64
        Streets to choose from; more than k.
    """
    wide = rows[ground.rank[rows] <= Rank.COLLECTOR]
    choice = wide if len(wide) > len(xy) else rows
    taken: list[int] = []
    for point in xy:
        gap = exact.norm(ground.middle[choice] - point)
        cost = gap - 150.0 * np.minimum(load[choice] / max(float(load[rows].mean()), 1e-9), 2.0)
        for row in np.argsort(cost, kind="stable"):
            if int(choice[row]) not in taken:
                taken.append(int(choice[row]))
                break
    return np.array(taken, dtype=np.int64)


def load_centres(
    ground: Ground, load: Floats, rows: Ints, n: int, *, seed: int, purpose: str
) -> Ints:
    """Return n streets near the centres of weighted k-means over the load of some streets."""
    stream = Stream(seed, purpose)
    busy = rows[load[rows] > 0]
    if len(busy) <= n:
        busy = rows
    # A base of 5 % of the mean keeps quiet streets in the count.
    weight = load[busy] + 0.05 * max(float(load[busy].mean()), 1e-9)
    n_drawn = min(len(busy), 4000)
    drawn = busy if n_drawn == len(busy) else busy[np.unique(stream.choices(weight, n_drawn))]
    evenly = np.ones(len(drawn)) if n_drawn < len(busy) else weight
    centres = weighted_centres(
        ground.middle[drawn], evenly, min(n, len(drawn)), rounds=12, stream=stream
    )
    return central_streets(ground, load, centres, rows)


def share_teams(stations: Stations, ground: Ground, load: Floats, n_units: int) -> Teams:
    """Share teams out: one per station, the rest by the load that lies nearest.

    Parameters
    ----------
    load : ndarray of float64, shape (n,)
        Night reports expected on each street.
    """
    nearest = nearest_rows(stations.xy, ground.middle)
    held = np.bincount(nearest, load, len(stations)).astype(np.float64)
    least = 1 if n_units >= len(stations) else 0
    n_teams = apportion(n_units, held + 1e-9, least=least)
    station = np.repeat(np.arange(len(stations)), n_teams)
    number = np.arange(n_units) - np.repeat(np.cumsum(n_teams) - n_teams, n_teams)
    in_town = ground.is_built_up[nearest_rows(ground.middle, stations.xy)]
    modes = [
        _mode(int(row), int(k), in_town=bool(in_town[row]))
        for row, k in zip(station, number, strict=True)
    ]
    return Teams(station=station, number=number, modes=tuple(modes))


def _mode(row: int, number: int, *, in_town: bool) -> str:
    if number == 0:
        return FIRST_MODES[row % len(FIRST_MODES)]
    others = TOWN_MODES if in_town else COUNTRY_MODES
    return others[(row + number) % len(others)]


def place_posts(
    ground: Ground, venues: Venues, load: Floats, group: int, *, label: str
) -> list[Post]:
    """Place a county's posts: a school gate at 22:00, and a place where two teams meet after 23:00.

    Parameters
    ----------
    load : ndarray of float64, shape (n,)
        Night reports expected on each street.
    group : int
        Row of the county.
    label : str
        Goes into the names.
    """
    mine = ground.group == group
    schools = np.flatnonzero((venues.kind == KINDS.index(VenueKind.SCHOOL)) & mine[venues.street])
    posts = []
    if len(schools):
        streets = venues.street[schools]
        school = int(streets[np.argmax(ground.centrality[streets])])
        posts.append(
            Post(
                name=f"{label}样例学校门口",
                kind=PostKind.FIXED,
                window=("22:00", "22:25"),
                dwell=25 * MINUTE,
                n_units=1,
                xy=beside_streets(ground, np.array([school]))[0],
            )
        )
    wide = ground.rank <= Rank.COLLECTOR
    busy = int(np.argmax(np.where(mine, load * np.where(wide, 4.0, 1.0), -1.0)))
    posts.append(
        Post(
            name=f"{label}样例夜市",
            kind=PostKind.PAIR,
            window=("23:00", "00:00"),
            dwell=15 * MINUTE,
            n_units=2,
            xy=beside_streets(ground, np.array([busy]))[0],
        )
    )
    return posts


def call_signs(stations: Stations, teams: Teams) -> list[str]:
    """Return call-signs that are unlike each other: 沙镇所1组."""
    repeats = Counter(stations.names)
    seen: Counter[str] = Counter()
    label = []
    for name in stations.names:
        seen[name] += 1
        label.append(name if repeats[name] == 1 else f"{name}{seen[name]}")
    return [
        f"{label[row]}{number + 1}组"
        for row, number in zip(teams.station, teams.number, strict=True)
    ]
