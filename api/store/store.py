"""The store as the rest of the house sees it: open, read, write, close."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL

from api.store.failure import translated
from api.store.writer import Answer, Writer


class Store:
    """A city's durable memory: one GeoPackage file or a PostGIS database.

    Made by `api.store.open_store`; threads may share it, processes open their own.

    Parameters
    ----------
    writing : Engine
        Its transactions take the write lock.
    reading : Engine, optional
        Its transactions see one moment and change nothing.
    """

    def __init__(self, writing: Engine, reading: Engine | None = None) -> None:
        self._writing = writing
        self._reading = reading or writing
        self._writer = Writer(writing)

    @property
    def url(self) -> URL:
        """Where it is; its password is hidden when printed."""
        return self._writing.url

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection that sees one moment of the store and can change nothing.

        Raises
        ------
        StoreError
            The database cannot be read.
        """
        with translated(self.url), self._reading.connect() as connection:
            yield connection

    def write(self, change: Callable[[Connection], Answer]) -> Answer:
        """Run a change in a transaction and return its result once it is on disk.

        The change may run twice: it takes everything it needs from its arguments and the
        connection, and does nothing but statements. See `api.store.writer`.
        """
        return self._writer.write(change)

    def close(self) -> None:
        """Finish queued changes and let go of the database."""
        self._writer.close()
        self._writing.dispose()
        self._reading.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
