"""The one writer of a process: changes queue up and are committed in groups.

A change is a function of the connection. It runs inside a savepoint, so that one refused change
leaves its neighbours alone; its caller goes on only when the whole group is on disk. A group that
the database itself throws out (a deadlock with another process) is run again one by one.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from api.store.database import WRITES
from api.store.failure import translate

Answer = TypeVar("Answer")

GROUP: Final = 64
"""Most changes in one commit."""


@dataclass(frozen=True, slots=True)
class _Task:
    change: Callable[[Connection], Any]
    outcome: "Future[Any]" = field(default_factory=Future)


class Writer:
    """Commits changes for every thread of this process, in the order they came."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**{WRITES: True})
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
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
        """
        task = _Task(change)
        self._tasks.put(task)
        result: Answer = task.outcome.result()
        return result

    def close(self) -> None:
        """Finish what is queued and stop."""
        self._tasks.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._tasks.get()) is not None:
            group, is_last = [first], False
            while len(group) < GROUP and not self._tasks.empty():
                task = self._tasks.get()
                if task is None:
                    is_last = True
                    break
                group.append(task)
            self._commit(group)
            if is_last:
                return

    def _commit(self, group: list[_Task]) -> None:
        try:
            answers = self._attempt(group)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the callers
            if isinstance(error, DBAPIError) and len(group) > 1:
                for task in group:
                    self._commit([task])
                return
            for task in group:
                task.outcome.set_exception(translate(error))
            return
        for task, (result, refused) in zip(group, answers, strict=True):
            if refused is None:
                task.outcome.set_result(result)
            else:
                task.outcome.set_exception(translate(refused))

    def _attempt(self, group: list[_Task]) -> list[tuple[Any, BaseException | None]]:
        answers: list[tuple[Any, BaseException | None]] = []
        with self._engine.begin() as connection:
            for task in group:
                savepoint = connection.begin_nested()
                try:
                    answers.append((task.change(connection), None))
                    savepoint.commit()
                except Exception as error:  # noqa: BLE001 - handed to the caller of this change
                    if savepoint.is_active:
                        savepoint.rollback()
                    answers.append((None, error))
        return answers
