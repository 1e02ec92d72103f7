"""Red, yellow or green by the rules: every reason listed, and what would turn a venue green.

A venue has the worst tier of which a rule holds for it, and is green where none does. Facts that
are not known make no rule hold; while one that the rules require is unknown, a venue is no better
than its register says, and yellow where that says nothing: never green for want of knowledge.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from geo.frames import Col, Remedy, Tier, VenueSize
from geo.rate import Rate
from geo.venue.cadence import add_months
from geo.venue.rules import Clause, FactType, GradeRule, VenueRules

WORST: Final = (Tier.GREEN, Tier.YELLOW, Tier.RED)
"""Tiers from the best to the worst."""

UNKNOWN: Final = "unknown"
"""Rule of the reason that a required fact is not known."""

ESCALATION: Final = "escalation"
"""Rule of the reason that a venue has too many yellow ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """Venues graded by one version of the rules.

    Attributes
    ----------
    grades : DataFrame
        GRADES frame, one row per venue in their order.
    reasons : DataFrame
        REASONS frame, in the order of the venues and of the rules.
    judged : Rate
        Venues of which every required fact is known.
    agrees : Rate
        Of the venues with a tier in the register: those graded the same.
    """

    grades: pd.DataFrame
    reasons: pd.DataFrame
    judged: Rate
    agrees: Rate


@dataclass(frozen=True, slots=True)
class _Hit:
    """A reason and the venues it holds for."""

    rule: str
    tier: np.ndarray
    rows: np.ndarray
    fact: str
    value: np.ndarray
    remedy: Remedy
    until: np.ndarray


def sizes(venues: pd.DataFrame, rules: VenueRules) -> pd.Series:
    """Return whether venues are small or key units by the thresholds of their kinds.

    Parameters
    ----------
    venues : DataFrame
        VENUE_LEDGER frame with its facts.
    rules : VenueRules

    Returns
    -------
    Series of str
        Values of `VenueSize`. Key where any fact reaches its limit; small where one at least is
        known and none does; unknown where nothing of it is.
    """
    kinds = venues[Col.KIND].to_numpy(dtype=object)
    size = np.full(len(venues), VenueSize.UNKNOWN.value, dtype=object)
    for kind in rules.kinds:
        rows = np.flatnonzero(kinds == kind.kind)
        if kind.is_always_key:
            size[rows] = VenueSize.KEY.value
            continue
        for fact, limit in kind.key_at.items():
            value = _values(venues, fact)[rows]
            below = (value < limit) & (size[rows] != VenueSize.KEY.value)
            size[rows[below]] = VenueSize.SMALL.value
            size[rows[value >= limit]] = VenueSize.KEY.value
    return pd.Series(size, index=venues.index, name=Col.SIZE, dtype="str")


def grade_venues(
    venues: pd.DataFrame, rules: VenueRules, *, as_of: date, boundary_version: str
) -> Grading:
    """Grade venues red, yellow or green.

    Parameters
    ----------
    venues : DataFrame
        VENUE_LEDGER frame with its facts; a fact without a column is unknown everywhere.
    rules : VenueRules
    as_of : date
        Reasons that end by themselves are judged on it.
    boundary_version : str
        Printed with the counts.
    """
    n = len(venues)
    registered = _ranks(venues[Col.TIER])
    hits = list(_hits(venues, rules, as_of))
    hits += _escalated(hits, rules, n)
    lacking = list(_lacking(venues, rules, np.where(registered < 0, 1, registered)))
    rank = np.zeros(n, dtype=np.int64)
    for hit in (*hits, *lacking):
        np.maximum.at(rank, hit.rows, hit.tier)
    unjudged = np.zeros(n, dtype=bool)
    for fact in rules.facts:
        if fact.is_required:
            unjudged |= _is_unknown(venues, fact.fact)
    reasons = _reasons(venues, [*hits, *lacking], rules)
    stated = registered >= 0

    def share(n_of: int, total: int) -> Rate:
        return Rate(n=n_of, total=total, data_date=as_of, boundary_version=boundary_version)

    return Grading(
        grades=_grades(venues, rank, reasons, rules),
        reasons=reasons,
        judged=share(int((~unjudged).sum()), n),
        agrees=share(int((rank == registered)[stated].sum()), int(stated.sum())),
    )


def after_remedies(venues: pd.DataFrame, reasons: pd.DataFrame, rules: VenueRules) -> pd.DataFrame:
    """Return the venues as they are once everything that can be done about them is.

    Parameters
    ----------
    venues : DataFrame
        VENUE_LEDGER frame with its facts.
    reasons : DataFrame
        REASONS frame of the same venues.

    Returns
    -------
    DataFrame
        A copy in which hazards are mended, waits are over and unknown facts turned out well.
    """
    row_of = pd.Series(np.arange(len(venues)), index=venues[Col.VENUE_ID].to_numpy())
    changed = {
        one.fact: _values(venues, one.fact, is_day=one.type is FactType.DAY).copy()
        for one in rules.facts
    }
    cleared = reasons[reasons[Col.REMEDY] != Remedy.NONE.value]
    for (rule, name), rows in cleared.groupby([Col.RULE, Col.FACT], sort=False):
        grade, fact = rules.grade(str(rule)), rules.fact(str(name))
        if fact is None:
            continue
        at = row_of[rows[Col.VENUE_ID]].to_numpy()
        if fact.type is FactType.DAY:
            changed[fact.fact][at] = np.datetime64("NaT")
        else:
            changed[fact.fact][at] = 0.0 if grade is None else _cleared(grade.when[0])
    fine = {name: pd.Series(values, index=venues.index) for name, values in changed.items()}
    return venues.assign(**fine)


def _cleared(clause: Clause) -> float:
    """Return a value of the clause's fact at which it does not hold."""
    if clause.is_true is not None:
        return float(not clause.is_true)
    return 0.0 if clause.below is None else clause.below


def _hits(venues: pd.DataFrame, rules: VenueRules, as_of: date) -> Iterator[_Hit]:
    size = sizes(venues, rules).to_numpy(dtype=object)
    kinds = venues[Col.KIND]
    for rule in rules.grades:
        holds = kinds.isin(rule.kinds).to_numpy() if rule.kinds else np.ones(len(venues), bool)
        if rule.size is not None:
            holds = holds & (size == rule.size.value)
        for clause in rule.when:
            holds = holds & _holds(venues, clause, as_of)
        rows = np.flatnonzero(holds)
        fact = rule.when[0].fact if rule.when else ""
        yield _Hit(
            rule=rule.rule,
            tier=np.full(len(rows), WORST.index(rule.tier)),
            rows=rows,
            fact=fact,
            value=_shown(venues, fact, rules)[rows] if fact else np.full(len(rows), "", object),
            remedy=rule.remedy,
            until=_until(venues, rule)[rows],
        )


def _holds(venues: pd.DataFrame, clause: Clause, as_of: date) -> np.ndarray:
    """Tell for which venues a clause holds; an unknown fact makes none hold."""
    values = _values(venues, clause.fact, is_day=clause.within_months is not None)
    if clause.within_months is not None:
        return np.asarray(_after(values, clause.within_months) > np.datetime64(as_of, "D"))
    if clause.is_true is not None:
        return np.asarray(values == float(clause.is_true))
    if clause.below is not None:
        return np.asarray(values < clause.below)
    return np.asarray(values >= clause.at_least)


def _until(venues: pd.DataFrame, rule: GradeRule) -> np.ndarray:
    """Return the first day on which a rule that ends by itself holds no more; NaT for others."""
    until = np.full(len(venues), np.datetime64("NaT"), dtype="datetime64[D]")
    if rule.remedy is Remedy.WAIT:
        for clause in rule.when:
            if clause.within_months is not None:
                days = _values(venues, clause.fact, is_day=True)
                until = np.fmin(until, _after(days, clause.within_months))
    return until


def _after(days: np.ndarray, months: int) -> np.ndarray:
    return add_months(days, np.full(len(days), months, dtype=np.int64))


def _escalated(hits: list[_Hit], rules: VenueRules, n: int) -> list[_Hit]:
    """Return the reason of the venues with too many yellow ones."""
    limit = rules.escalation.get(Tier.YELLOW)
    yellow = np.zeros(n, dtype=np.int64)
    for hit in hits:
        yellow[hit.rows] += hit.tier == WORST.index(Tier.YELLOW)
    rows = np.flatnonzero(yellow >= limit) if limit is not None else np.empty(0, np.int64)
    return [
        _Hit(
            rule=ESCALATION,
            tier=np.full(len(rows), WORST.index(Tier.RED)),
            rows=rows,
            fact="",
            value=yellow[rows].astype(str).astype(object),
            remedy=Remedy.MEND,
            until=np.full(len(rows), np.datetime64("NaT"), "datetime64[D]"),
        )
    ]


def _lacking(venues: pd.DataFrame, rules: VenueRules, floor: np.ndarray) -> Iterator[_Hit]:
    """Yield the required facts that are unknown, where they keep a venue from being green."""
    for fact in rules.facts:
        if fact.is_required:
            rows = np.flatnonzero(_is_unknown(venues, fact.fact) & (floor > 0))
            yield _Hit(
                rule=UNKNOWN,
                tier=floor[rows],
                rows=rows,
                fact=fact.fact,
                value=np.full(len(rows), "", dtype=object),
                remedy=Remedy.RECORD,
                until=np.full(len(rows), np.datetime64("NaT"), "datetime64[D]"),
            )


def _reasons(venues: pd.DataFrame, hits: list[_Hit], rules: VenueRules) -> pd.DataFrame:
    """Return the REASONS frame of all hits."""
    rows = np.concatenate([hit.rows for hit in hits])
    order = np.argsort(rows, kind="stable")
    ids = venues[Col.VENUE_ID].to_numpy(dtype=object)[rows[order]]

    def column(parts: list[np.ndarray]) -> np.ndarray:
        return np.asarray(np.concatenate(parts)[order])

    rule = column([np.full(len(hit.rows), hit.rule, dtype=object) for hit in hits])
    fact = column([np.full(len(hit.rows), hit.fact, dtype=object) for hit in hits])
    tier = np.array([member.value for member in WORST], dtype=object)
    texts = {
        Col.REASON_ID: ids + ":" + rule + np.where(rule == UNKNOWN, "." + fact, ""),
        Col.VENUE_ID: ids,
        Col.RULE: rule,
        Col.TIER: tier[column([hit.tier for hit in hits]).astype(np.int64)],
        Col.FACT: fact,
        Col.VALUE: column([hit.value for hit in hits]),
        Col.REMEDY: column([np.full(len(h.rows), h.remedy.value, dtype=object) for h in hits]),
    }
    frame = pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in texts.items()})
    until = pd.Series(column([hit.until for hit in hits]).astype("datetime64[s]"))
    version = pd.Series([rules.version] * len(ids), dtype="str")
    return frame.assign(**{Col.UNTIL: until, Col.RULE_VERSION: version})


def _grades(
    venues: pd.DataFrame, rank: np.ndarray, reasons: pd.DataFrame, rules: VenueRules
) -> pd.DataFrame:
    """Return the GRADES frame."""
    own = reasons[reasons[Col.RULE] != ESCALATION]
    row = pd.Index(venues[Col.VENUE_ID]).get_indexer(own[Col.VENUE_ID])
    n = len(venues)
    waits = (own[Col.REMEDY] == Remedy.WAIT.value).to_numpy()
    stuck = np.bincount(row[(own[Col.REMEDY] == Remedy.NONE.value).to_numpy()], minlength=n)
    n_own = np.bincount(row, minlength=n)
    only_waits = (n_own > 0) & (np.bincount(row[waits], minlength=n) == n_own)
    last = np.full(n, np.datetime64("1970-01-01"), dtype="datetime64[D]")
    np.maximum.at(last, row[waits], own[Col.UNTIL].to_numpy()[waits].astype("datetime64[D]"))
    green_from = np.where(only_waits, last, np.datetime64("NaT", "D")).astype("datetime64[s]")
    tier = np.array([member.value for member in WORST], dtype=object)[rank]
    return pd.DataFrame(
        {
            Col.VENUE_ID: venues[Col.VENUE_ID].reset_index(drop=True),
            Col.TIER: pd.Series(tier, dtype="str"),
            Col.REGISTERED_TIER: venues[Col.TIER].reset_index(drop=True),
            Col.N_REASONS: n_own,
            Col.CAN_BE_GREEN: stuck == 0,
            Col.GREEN_FROM: green_from,
            Col.RULE_VERSION: pd.Series([rules.version] * n, dtype="str"),
        }
    )


def _ranks(tiers: pd.Series) -> np.ndarray:
    """Return the row of each tier in `WORST`; -1 where there is none."""
    rank = {tier.value: k for k, tier in enumerate(WORST)}
    return np.asarray(tiers.map(rank).fillna(-1), dtype=np.int64)


def _values(venues: pd.DataFrame, fact: str, *, is_day: bool = False) -> np.ndarray:
    """Return a fact of every venue: float64 with NaN, or days with NaT, where unknown."""
    if fact in venues.columns:
        return np.asarray(venues[fact].to_numpy())
    if is_day:
        return np.full(len(venues), np.datetime64("NaT"), dtype="datetime64[s]")
    return np.full(len(venues), np.nan)


def _is_unknown(venues: pd.DataFrame, fact: str) -> np.ndarray:
    return np.asarray(pd.isna(_values(venues, fact)))


def _shown(venues: pd.DataFrame, fact: str, rules: VenueRules) -> np.ndarray:
    """Return the values of a fact as text; flags need none."""
    found = rules.fact(fact)
    if found is None or found.type is FactType.FLAG:
        return np.full(len(venues), "", dtype=object)
    if found.type is FactType.DAY:
        days = _values(venues, fact, is_day=True).astype("datetime64[D]")
        return np.where(np.isnat(days), "", np.datetime_as_string(days)).astype(object)
    return np.array(["" if np.isnan(v) else f"{v:g}" for v in _values(venues, fact)], object)
