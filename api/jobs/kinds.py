"""The kinds of job: which function does the work, and what it may use."""

from dataclasses import dataclass
from importlib import import_module
from typing import Final, cast

from api.i18n import catalogue
from api.i18n.word import Word
from api.jobs.job import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of job.

    Attributes
    ----------
    function : str
        ``module:function``, loaded by the worker alone.
    seconds, memory_mb : int, optional
        Limits of its own; the settings' where there is none.
    keeps_best : bool
        Whether a cancel may keep the best so far.
    """

    function: str
    seconds: int | None = None
    memory_mb: int | None = None
    keeps_best: bool = False


KINDS: Final[dict[str, Kind]] = {
    "plan": Kind(function="api.jobs.plan:run", keeps_best=True),
    "cells": Kind(function="api.jobs.cells:run"),
    "import": Kind(function="api.imports.job:run"),
    "apply": Kind(function="api.imports.job:run"),
    "undo": Kind(function="api.imports.job:run"),
}
"""Every kind by name."""


def load_work(function: str) -> Work:
    """Return the function of a ``module:function`` of this house."""
    module, _, name = function.partition(":")
    return cast("Work", getattr(import_module(module), name))


def kind_word(name: str) -> Word:
    """Return what a kind is called; a job at all, where it is none of ours."""
    code = f"job.kind.{name}"
    return Word(code if code in catalogue() else "job.word")
