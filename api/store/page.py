"""Pages by key: the next one begins after the last row of this one, whatever was added since."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

Key = tuple[str | int | None, ...]
"""Values of a page's last row, as JSON has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Some rows of a longer list.

    Attributes
    ----------
    items : tuple
    after : tuple, optional
        Key to ask the next page with; None where there is none.
    """

    items: tuple[Item, ...]
    after: Key | None
