"""The table and the report of `patrolgrid grade-venues`."""

from typing import Final

import geopandas as gpd
import pandas as pd

from api.cli.session import Session
from api.cli.venue_text import title_of
from api.i18n import text
from geo.frames import Col, Tier, VenueSize
from geo.rate import Rate
from geo.venue import Grading, VenueRules

SHOWN: Final = 10
"""Reasons that are printed, the commonest first."""

JOINED: Final = "；"


def graded(
    session: Session,
    venues: gpd.GeoDataFrame,
    size: pd.Series,
    done: Grading,
    rules: VenueRules,
) -> pd.DataFrame:
    """Return one row per venue as people read it: tier, reasons, and what would turn it green."""
    why, how = _sentences(session, done.reasons, rules)
    by_venue = done.reasons.assign(_why=why, _how=how).groupby(Col.VENUE_ID)
    ids, grades = done.grades[Col.VENUE_ID], done.grades
    columns = {
        "venue_id": ids.tolist(),
        "name": venues[Col.NAME].tolist(),
        "kind": [_kind(session, rules, kind) for kind in venues[Col.KIND]],
        "size": [text(f"word.venue_size.{one}", session.lang) for one in size],
        "registered_tier": [_tier(session, one) for one in grades[Col.REGISTERED_TIER]],
        "tier": [_tier(session, one) for one in grades[Col.TIER]],
        "reasons": by_venue["_why"].agg(JOINED.join).reindex(ids).fillna("").tolist(),
        "to_green": by_venue["_how"].agg(_once).reindex(ids).fillna("").tolist(),
        "green_from": grades[Col.GREEN_FROM].dt.strftime("%Y-%m-%d").fillna("").tolist(),
        "rule_version": grades[Col.RULE_VERSION].tolist(),
    }
    return pd.DataFrame(
        {
            text(f"venue.header.{name}", session.lang): pd.Series(cells, dtype="str")
            for name, cells in columns.items()
        }
    )


def say_grades(session: Session, size: pd.Series, done: Grading, rules: VenueRules) -> None:
    """Print tiers, sizes and the commonest reasons, each with n and N."""
    judged, tiers, total = done.judged, done.grades[Col.TIER], len(done.grades)

    def share(n: int, of: int) -> Rate:
        version = judged.boundary_version
        return Rate(n=n, total=of, data_date=judged.data_date, boundary_version=version)

    for tier in Tier:
        rate = share(int((tiers == tier.value).sum()), total)
        session.say("cli.venue.tier", tier=_tier(session, tier.value), rate=rate)
    for one in VenueSize:
        word = text(f"word.venue_size.{one}", session.lang)
        session.say("cli.venue.size", size=word, rate=share(int((size == one.value).sum()), total))
    session.say("cli.venue.judged", rate=judged)
    session.say("cli.venue.agrees", rate=done.agrees)
    worse = done.grades[tiers != Tier.GREEN.value]
    able = share(int(worse[Col.CAN_BE_GREEN].sum()), len(worse))
    session.say("cli.venue.green", rate=able, n=f"{int(worse[Col.GREEN_FROM].notna().sum()):,}")
    _say_reasons(session, done.reasons, rules)


def _say_reasons(session: Session, reasons: pd.DataFrame, rules: VenueRules) -> None:
    """Print the commonest reasons with their venues."""
    counts = reasons.groupby([Col.RULE, Col.FACT], as_index=False).size()
    commonest = counts.sort_values("size", ascending=False, kind="stable").head(SHOWN)
    undated = pd.Series(pd.NaT, index=commonest.index, dtype="datetime64[s]")
    why, _ = _sentences(session, commonest.assign(value="…", until=undated), rules)
    for n, reason in zip(commonest["size"], why, strict=True):
        session.say("cli.venue.why", n=f"{n:,}", reason=reason)


def _sentences(
    session: Session, reasons: pd.DataFrame, rules: VenueRules
) -> tuple[list[str], list[str]]:
    """Return each reason, and what clears it, in the session's language."""
    why, how = [], []
    days = reasons[Col.UNTIL].dt.strftime("%Y-%m-%d").fillna("")
    rows = zip(reasons[Col.RULE], reasons[Col.FACT], reasons[Col.VALUE], days, strict=True)
    for name, fact_name, value, day in rows:
        rule, fact = rules.grade(name), rules.fact(fact_name)
        params = {"value": value, "fact": "" if fact is None else title_of(session, fact)}
        if rule is None:
            why.append(text(f"venue.reason.{name}", session.lang, **params))
            how.append(text(f"venue.remedy.{name}", session.lang, **params))
            continue
        why.append(title_of(session, rule).replace("{value}", value))
        remedy = rule.en_remedy if session.lang == "en" else rule.zh_remedy
        until = text("venue.until", session.lang, remedy=remedy, day=day)
        how.append(until if day else remedy)
    return why, how


def _once(sentences: pd.Series) -> str:
    """Return sentences in a row, each once."""
    return JOINED.join(dict.fromkeys(sentences))


def _kind(session: Session, rules: VenueRules, kind: str) -> str:
    rule = rules.kind(kind)
    return kind if rule is None else title_of(session, rule)


def _tier(session: Session, tier: str) -> str:
    return text(f"word.tier.{tier}", session.lang) if tier else ""
