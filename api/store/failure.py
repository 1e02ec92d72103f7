"""What a database says when it cannot, in our words."""

from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from geo.errors import StoreBusy, StoreFull, StoreUnavailable

_FULL: Final = ("disk is full", "no space left", "disk i/o error", "could not extend")
_BUSY: Final = ("locked", "deadlock", "lock timeout", "could not serialize")


def translate(error: BaseException) -> BaseException:
    """Return the store's error for a database's; anything else as it is."""
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return error
    said = str(error.orig).lower()
    if any(words in said for words in _FULL):
        return StoreFull()
    if any(words in said for words in _BUSY):
        return StoreBusy()
    if isinstance(error, OperationalError):
        return StoreUnavailable(store="the store", reason=said.splitlines()[0])
    return error
