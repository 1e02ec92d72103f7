"""Words of rules in the language of a session."""

from typing import Protocol

from api.cli.session import Session


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
