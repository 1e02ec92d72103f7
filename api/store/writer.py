"""The one writer of a process: changes queue up and are committed in groups.

A change is a function of the connection. It runs inside a savepoint, so that one refused change
leaves its neighbours alone; its caller goes on only when the whole group is on disk.

What is run again, and what is not:

- Where the database ended the transaction before its commit, nothing of the group is stored: its
  changes are run again one by one, so that only the guilty one is refused.
- A change that lost a deadlock or met a transaction of another process is run again alone, three
  times at most.
- A commit that failed is never repeated: it may have happened (the line broke before the answer).
"""

import logging
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from api.store.checkpoint import Checkpoint
from api.store.database import is_embedded
from api.store.failure import is_conflict, translate

_log = logging.getLogger(f"patrolgrid.{__name__}")

Answer = TypeVar("Answer")

GROUP: Final = 64
"""Most changes in one commit."""

ATTEMPTS: Final = 3
"""Times a change is run that meets transactions of other processes."""


@dataclass(slots=True)
class _Task:
    change: Callable[[Connection], Any]
    outcome: "Future[Any]" = field(default_factory=Future)
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class _Answered:
    result: Any = None
    error: BaseException | None = None


class _Undone(Exception):
    """The transaction ended before its commit: nothing of it is stored."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason = reason


class Writer:
    """Commits changes for every thread of this process, in the order they came."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._checkpoint = Checkpoint(engine)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._is_closed = False
        self._process_id = os.getpid()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, change: Callable[[Connection], Answer]) -> Answer:
        """Run a change and return its result once it is durable.

        Raises
        ------
        PatrolgridError
            What the change raised; nothing of it is stored then.
        StoreError
            The database could not keep it.
        RuntimeError
            A change that writes by another way than its connection, a store that was closed, or
            one that was opened before a fork: defects of the caller.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a change writes through its own connection alone")
        if os.getpid() != self._process_id:
            raise RuntimeError("a process opens the store itself; a forked one has no writer")
        task = _Task(change)
        with self._door:
            if self._is_closed:
                raise RuntimeError("the store is closed")
            self._tasks.put(task)
        result: Answer = task.outcome.result()
        return result

    def close(self) -> None:
        """Finish what is queued and stop."""
        with self._door:
            if not self._is_closed:
                self._is_closed = True
                self._tasks.put(None)
        if os.getpid() == self._process_id:
            self._thread.join()

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._serve(group)
        finally:
            self._refuse_rest()

    def _next_group(self) -> list[_Task]:
        """Return the changes of the next commit, at least one; none when the store is closed."""
        group: list[_Task] = []
        while len(group) < GROUP and not (group and self._tasks.empty()):
            task = self._tasks.get()
            if task is None:
                if group:
                    self._tasks.put(None)  # again, for the next turn; nothing comes after it
                break
            group.append(task)
        return group

    def _serve(self, group: list[_Task]) -> None:
        """Commit a group; a defect of ours leaves nobody waiting and the next group its turn."""
        try:
            self._commit(group)
            self._checkpoint.run_if_due()
        except BaseException as error:  # noqa: BLE001 - logged, and raised for the callers
            _log.exception("the writer failed")
            for task in group:
                if not task.outcome.done():
                    task.outcome.set_exception(error)

    def _commit(self, group: list[_Task]) -> None:
        try:
            answers = self._attempt(group)
        except _Undone as undone:
            answers = [_Answered(error=undone.reason)]
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the callers
            for task in group:
                self._refuse(task, error)
            return
        if len(answers) < len(group):  # undone: outside of the handler, so that no chain grows
            for task in group:
                self._commit([task])
            return
        for task, answered in zip(group, answers, strict=True):
            self._settle(task, answered)

    def _attempt(self, group: list[_Task]) -> list[_Answered]:
        """Run changes in one transaction and commit it.

        Raises
        ------
        _Undone
            The transaction is gone and nothing is stored.
        Exception
            It never began, or nobody knows whether the commit happened.
        """
        with self._engine.connect() as connection:
            transaction = connection.begin()
            try:
                answers = [self._answer(connection, task) for task in group]
            except BaseException:
                with suppress(SQLAlchemyError):
                    transaction.rollback()
                raise
            try:
                transaction.commit()
            except BaseException:
                connection.invalidate()  # SQLite may have kept it open, and with it the write lock
                raise
        return answers

    def _answer(self, connection: Connection, task: _Task) -> _Answered:
        """Run one change in a savepoint; what it raises is its own affair."""
        task.attempts += 1
        try:
            savepoint = connection.begin_nested()
            try:
                result = task.change(connection)
                savepoint.commit()
            except BaseException as error:  # noqa: BLE001 - handed to the caller of this change
                _roll_back(connection, savepoint, error)
                return _Answered(error=error)
        except SQLAlchemyError as error:
            raise _Undone(error) from error
        return _Answered(result)

    def _settle(self, task: _Task, answered: _Answered) -> None:
        if answered.error is None:
            task.outcome.set_result(answered.result)
        elif is_conflict(answered.error) and task.attempts < ATTEMPTS:
            self._commit([task])
        else:
            self._refuse(task, answered.error)

    def _refuse(self, task: _Task, error: BaseException) -> None:
        task.outcome.set_exception(translate(error, self._engine.url))

    def _refuse_rest(self) -> None:
        """Answer whoever still waits when the thread ends."""
        with self._door:
            self._is_closed = True
        while not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                task.outcome.set_exception(RuntimeError("the store is closed"))


def _roll_back(connection: Connection, savepoint: Any, reason: BaseException) -> None:
    """Take back a change.

    Raises
    ------
    _Undone
        The database took back the whole transaction (a full disk does), or the line is broken.
    """
    try:
        savepoint.rollback()
    except SQLAlchemyError as error:
        raise _Undone(reason) from error
    if connection.invalidated or (is_embedded(connection) and not _is_in_transaction(connection)):
        raise _Undone(reason)


def _is_in_transaction(connection: Connection) -> bool:
    driver = connection.connection.driver_connection
    return bool(getattr(driver, "in_transaction", True))
