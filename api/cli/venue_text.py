"""Words of the venue commands: of rules files, and of the tables that people open."""

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from api.cli.session import Session
from api.i18n import catalogue, text

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd

    from geo.venue import VenueRules


class Titled(Protocol):
    """A kind, fact, step or task type of a rules file: it brings its name in both languages."""

    @property
    def zh(self) -> str:
        """Its name in Chinese."""

    @property
    def en(self) -> str:
        """Its name in English."""


def title_of(session: Session, one: Titled) -> str:
    """Return the name of something that a rules file declares."""
    return one.en if session.lang == "en" else one.zh


def say_absent_facts(session: Session, venues: "pd.DataFrame", rules: "VenueRules") -> None:
    """Print the facts that the rules judge by and the register has no column for."""
    absent = [fact for fact in rules.facts if fact.fact not in venues.columns]
    if not absent:
        return
    needed = [title_of(session, fact) for fact in absent if fact.is_required]
    session.say(
        "cli.venue.absent",
        n=len(absent),
        total=len(rules.facts),
        facts=[title_of(session, fact) for fact in absent],
    )
    if needed:
        session.say("cli.venue.absent.needed", facts=needed)


def say_future(session: Session, venues: "pd.DataFrame", as_of: date) -> None:
    """Print how many venues were last inspected after the data date, which cannot be."""
    from geo.frames import Col  # noqa: PLC0415  heavy: loaded by the commands only

    days = venues[Col.LAST_INSPECTION].dt.date
    n = int((days.notna() & (days > as_of)).sum())
    if n:
        session.say("cli.venue.future", n=f"{n:,}", total=f"{len(venues):,}", day=as_of)


def for_people(
    session: Session, frame: "pd.DataFrame", rules: "VenueRules", *, suffix: str
) -> "pd.DataFrame":
    """Return a table as people open it: no lines in it and, in Chinese, Chinese words and headers.

    Files for maps, and tables in English, keep our column names.
    """
    import geopandas as gpd  # noqa: PLC0415  heavy: loaded by the commands only

    from geo.io.export import TABLES  # noqa: PLC0415

    if suffix.lower() not in TABLES:
        return frame
    table = _flat(frame) if isinstance(frame, gpd.GeoDataFrame) else frame
    return table if session.lang == "en" else _in_chinese(session, table, rules)


def _flat(frame: "gpd.GeoDataFrame") -> "pd.DataFrame":
    """Return a layer without its lines and areas; points stay as longitude and latitude."""
    import pandas as pd  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    from geo.frames import Col  # noqa: PLC0415
    from geo.io.position import lonlat_of  # noqa: PLC0415

    shapes = frame.geometry.to_numpy()
    table = pd.DataFrame(frame.drop(columns=Col.GEOMETRY))
    if (shapely.get_type_id(shapes) > 0).any():
        return table
    lonlat = lonlat_of(shapes)
    return table.assign(lon=lonlat[:, 0], lat=lonlat[:, 1])


def _in_chinese(session: Session, table: "pd.DataFrame", rules: "VenueRules") -> "pd.DataFrame":
    """Return a table with the words and headers of the catalogue and of the rules."""
    headers = {
        name: _header(session, rules, str(name)) for name in table.columns if _knows(name, rules)
    }
    words: dict[str, Callable[[Any], str]] = {
        "kind": lambda kind: _titled(session, rules.kind(kind), kind),
        "reason": lambda reason: _titled(
            session, next((x for x in rules.exemptions if x.reason == reason), None), reason
        ),
        "is_recorded": lambda flag: text(f"venue.flag.{str(bool(flag)).lower()}", session.lang),
    }
    for name, group in _VOCABULARIES.items():
        words[name] = partial(_word, session, group)
    known = {name: table[name].map(words[name]).astype("str") for name in words if name in table}
    return table.assign(**known).rename(columns=headers)


_VOCABULARIES = {
    "tier": "word.tier",
    "state": "word.venue_state",
    "due_state": "export.state",
    "queue": "word.queue",
}
"""Columns of closed words, and where the catalogue has them."""


def _knows(name: object, rules: "VenueRules") -> bool:
    return f"venue.header.{name}" in catalogue() or rules.fact(str(name)) is not None


def _header(session: Session, rules: "VenueRules", name: str) -> str:
    fact = rules.fact(name)
    return text(f"venue.header.{name}", session.lang) if fact is None else title_of(session, fact)


def _titled(session: Session, one: Titled | None, name: str) -> str:
    return name if one is None else title_of(session, one)


def _word(session: Session, group: str, word: str) -> str:
    code = f"{group}.{word}"
    return text(code, session.lang) if code in catalogue() else word
