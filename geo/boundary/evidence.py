"""What codes and names say of where units went, among the units of one matched parent."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from geo.boundary.listing import Listing
from geo.boundary.name import OwnName, are_alike, is_telling
from geo.frames import Evidence, Level

CONFIDENCE: Final = {
    Evidence.TABLE: 1.0,
    Evidence.CODE_NAME: 0.99,
    Evidence.NAME: 0.95,
    Evidence.CODE_LIKE_NAME: 0.90,
    Evidence.LIKE_NAME: 0.85,
    Evidence.CHILDREN: 0.90,
    Evidence.COMPOUND: 0.85,
    Evidence.ELSEWHERE: 0.30,
    Evidence.CODE: 0.50,
    Evidence.NONE: 0.0,
}
"""How far each kind of evidence is trusted, `Evidence.AREA` as far as the share of area.

At most the share found right on registers merged by a known rule, and at most what chance leaves
of the links found in the real ones (``tests/bench/boundary.py``, ``docs/boundaries.md``). A
namesake elsewhere and a code alone are right by rule but not in the real registers, where nearly
all of them are chance or a code given again: those are offered, never taken.
"""

TOGETHER: Final = 3
"""Villages that went from one township to another under their names, from which it is no chance."""

MOVED_TOGETHER: Final = 0.85
"""How far such links are trusted."""

MOST_CHILDREN: Final = 0.5
"""Share of a unit's own units whose names must be found in one unit for it to be the same."""

RIVAL_CHILDREN: Final = 0.5
"""Share of that which another unit may reach at most."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where one unit went, as far as is known.

    Attributes
    ----------
    new : int
        Row of the newer listing, -1 for nowhere known.
    evidence : Evidence
    confidence : float
        That it is so, from 0 to 1.
    """

    new: int = -1
    evidence: Evidence = Evidence.NONE
    confidence: float = 0.0

    def capped(self, trust: float) -> "Link":
        """Return the same, trusted no further than its parents' links are."""
        return replace(self, confidence=min(self.confidence, trust))


@dataclass(slots=True)
class Siblings:
    """Older units of one parent, the newer units of what it became, and the links found so far.

    Attributes
    ----------
    old, new : Listing
    left : list of int
        Older rows without a link.
    free : list of int
        Newer rows that no older unit went to.
    expected : dict
        Older row -> newer row with the code it would have kept.
    found : dict
        Older row -> link.
    """

    old: Listing
    new: Listing
    left: list[int]
    free: list[int]
    expected: dict[int, int] = field(default_factory=dict)
    found: dict[int, Link] = field(default_factory=dict)

    def link(self, pairs: Iterable[tuple[int, int]], evidence: Evidence) -> None:
        """Enter links, and take both ends out of what is left."""
        pairs = list(pairs)
        for row, new in pairs:
            self.found[row] = Link(new, evidence, CONFIDENCE[evidence])
        gone, taken = {row for row, _ in pairs}, {new for _, new in pairs}
        self.left = [row for row in self.left if row not in gone]
        self.free = [row for row in self.free if row not in taken]

    def kept_codes(self) -> list[tuple[int, int]]:
        """Return older rows left with the free newer row that has the code they would have kept."""
        free = set(self.free)
        pairs = ((row, self.expected.get(row, -1)) for row in self.left)
        return [(row, new) for row, new in pairs if new in free]


def link_family(siblings: Siblings) -> None:
    """Link the units of one parent by all evidence there is, the strongest first."""
    _link_by_names(siblings)
    _link_by_children(siblings)
    _link_compounds(siblings)
    siblings.link(siblings.kept_codes(), Evidence.CODE)


def moved_links(old: Listing, new: Listing, links: Mapping[int, Link]) -> dict[int, Link]:
    """Return links of villages to a namesake under another township of the county.

    A name counts that is one unit's alone among those left over in the county on both sides. It
    is offered; where several villages of one township went to one other, that many namesakes are
    no chance and the links are trusted.
    """
    left, free = _left_over(old, new, links)
    pairs = [
        pair
        for county, rows in left.items()
        for pair in _by_name(Siblings(old, new, rows, free[county]), lambda own: own.folded)
    ]
    flow = Counter((old.parent[row], new.parent[to]) for row, to in pairs)
    moved = {}
    for row, to in pairs:
        is_chance = flow[old.parent[row], new.parent[to]] < TOGETHER
        trust = CONFIDENCE[Evidence.ELSEWHERE] if is_chance else MOVED_TOGETHER
        above = links[old.at_level(row, Level.COUNTY)].confidence
        moved[row] = Link(to, Evidence.ELSEWHERE, trust).capped(above)
    return moved


def _left_over(
    old: Listing, new: Listing, links: Mapping[int, Link]
) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Return villages without an heir, and those without a forerunner, by the newer county."""
    taken = {link.new for link in links.values() if link.confidence > CONFIDENCE[Evidence.CODE]}
    left: dict[int, list[int]] = defaultdict(list)
    free: dict[int, list[int]] = defaultdict(list)
    for row in range(len(old)):
        county = links.get(old.at_level(row, Level.COUNTY), Link()).new
        is_open = links.get(row, Link()).evidence in {Evidence.NONE, Evidence.CODE}
        if county >= 0 and is_open and old.is_village(row):
            left[county].append(row)
    for row in range(len(new)):
        if row not in taken and new.is_village(row):
            free[new.at_level(row, Level.COUNTY)].append(row)
    return left, free


def _link_by_names(siblings: Siblings) -> None:
    """Link units by code and name, then by name, then by code and a like name."""
    old, new = siblings.old, siblings.new
    for is_one in (_same_name, _same_stem):
        kept = [
            pair for pair in siblings.kept_codes() if is_one(old.own[pair[0]], new.own[pair[1]])
        ]
        siblings.link(kept, Evidence.CODE_NAME)
    siblings.link(_by_name(siblings, lambda own: (own.stem, own.is_urban)), Evidence.NAME)
    siblings.link(_by_name(siblings, lambda own: own.stem), Evidence.NAME)
    siblings.link(_by_name(siblings, lambda own: own.folded), Evidence.LIKE_NAME)
    siblings.link(_code_and_like_name(siblings), Evidence.CODE_LIKE_NAME)


def _link_by_children(siblings: Siblings) -> None:
    """Link townships or counties left over to the unit that lists the names of their own units.

    The one unit may be taken already: then they were merged into it.
    """
    old, new = siblings.old, siblings.new
    listed = {row: new.stems(new.children.get(row, ())) for row in _all_new(siblings)}
    for row in list(siblings.left):
        mine = old.stems(old.children.get(row, ()))
        share = {n: len(mine & theirs) / max(len(mine), 1) for n, theirs in listed.items()}
        ranked = sorted(share, key=lambda n: (-share[n], n))[:2]
        if not ranked or share[ranked[0]] <= MOST_CHILDREN:
            continue
        if len(ranked) == 1 or share[ranked[1]] <= RIVAL_CHILDREN * share[ranked[0]]:
            siblings.link([(row, ranked[0])], Evidence.CHILDREN)


def _link_compounds(siblings: Siblings) -> None:
    """Link units to one named after their first characters: 温碾, 雷庄, 寇庄 to 温雷寇新村.

    Every character begins the name of exactly one unit left over, and none is so common in names
    that it says nothing.
    """
    old, new = siblings.old, siblings.new
    for target in sorted(siblings.free):
        stem = new.own[target].stem
        if not (2 <= len(stem) <= 4 and len(set(stem)) == len(stem) and is_telling(stem)):
            continue
        begun = {row: old.own[row].stem[0] for row in siblings.left}
        parts = [[row for row, first in begun.items() if first == letter] for letter in stem]
        if all(len(rows) == 1 for rows in parts):
            siblings.link([(rows[0], target) for rows in parts], Evidence.COMPOUND)


def _all_new(siblings: Siblings) -> list[int]:
    return sorted({*siblings.free, *(link.new for link in siblings.found.values())})


def _same_name(one: OwnName, other: OwnName) -> bool:
    return one.stem == other.stem and one.is_urban == other.is_urban


def _same_stem(one: OwnName, other: OwnName) -> bool:
    return one.folded == other.folded


def _by_name(siblings: Siblings, key: Callable[[OwnName], object]) -> list[tuple[int, int]]:
    """Return pairs of units whose key is theirs alone on both sides."""
    olds = _alone(siblings.left, siblings.old, key)
    news = _alone(siblings.free, siblings.new, key)
    return [(row, news[name]) for name, row in olds.items() if name in news]


def _alone(
    rows: Sequence[int], listing: Listing, key: Callable[[OwnName], object]
) -> dict[object, int]:
    named: dict[object, list[int]] = defaultdict(list)
    for row in rows:
        named[key(listing.own[row])].append(row)
    return {name: found[0] for name, found in named.items() if len(found) == 1}


def _code_and_like_name(siblings: Siblings) -> list[tuple[int, int]]:
    """Return units that kept their code under a like name, where neither name stands elsewhere.

    Codes are given to other units at times (邓官屯村 became 李官屯新村 under one code): the older
    name must not be among the newer ones, nor the newer among the older.
    """
    old, new = siblings.old, siblings.new
    gone, come = new.stems(siblings.free), old.stems(siblings.left)
    return [
        (row, kept)
        for row, kept in siblings.kept_codes()
        if are_alike(old.own[row], new.own[kept])
        and old.own[row].folded not in gone
        and new.own[kept].folded not in come
    ]
