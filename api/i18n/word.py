"""A word of ours among an error's parameters, said in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.i18n import text


@dataclass(frozen=True, slots=True)
class Word:
    """A parameter that `api.i18n.explain` translates; English where nobody asked.

    Attributes
    ----------
    code : str
        Message code.
    params : mapping
        Values of its fields, where it has any.
    """

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return text(self.code, "en", **self.params)
