"""The store as the rest of the house sees it: open, read, write, close."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from api.store.failure import translate
from api.store.writer import Answer, Writer


class Store:
    """A city's durable memory: one GeoPackage file or a PostGIS database.

    Made by `api.store.open_store`; threads may share it, processes open their own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = Writer(engine)

    @property
    def url(self) -> URL:
        """Where it is; its password is hidden when printed."""
        return self._engine.url

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection that sees one moment of the store.

        Raises
        ------
        StoreError
            The database cannot be read.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise translate(error) from error

    def write(self, change: Callable[[Connection], Answer]) -> Answer:
        """Run a change in a transaction and return its result once it is on disk.

        The change may run twice: it takes everything it needs from its arguments and the
        connection, and does nothing but statements. See `api.store.writer`.
        """
        return self._writer.write(change)

    def close(self) -> None:
        """Finish queued changes and let go of the database."""
        self._writer.close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
