"""Jobs of imports: reading and comparing a file, applying what was previewed, undoing it.

The request of an ``import`` holds ``file``, ``layer``, and may hold ``options`` (see
`api.imports.option.ImportOptions`) and ``uploaded`` (the file is a copy that is deleted once its
preview is stored, or it was refused). Those of ``apply`` and ``undo`` hold ``import_id`` and may
hold ``actor``.
"""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from api.imports.account import Import, read_import
from api.imports.apply import apply_in, require_fresh
from api.imports.option import ImportOptions
from api.imports.preview import prepare
from api.imports.undo import KEPT, require_last, undo_in
from api.jobs.job import Context, Facts, Job, Outcome, nothing
from api.jobs.table import hash_of
from api.store import Store, chain
from geo.errors import PatrolgridError, StoreError

COUNTS: Final = (
    "n_rows",
    "n_added",
    "n_changed",
    "n_moved",
    "n_missing",
    "n_unchanged",
    "n_refused",
)


def run(store: Store, job: Job, context: Context) -> Outcome:
    """Do the work of a job of kind import, apply or undo.

    Raises
    ------
    PatrolgridError
        A file or request that cannot be met; nothing is kept then.
    """
    works = {"import": _preview, "apply": _apply, "undo": _undo}
    return works[job.kind](store, job.request, context)


def _preview(store: Store, request: Facts, context: Context) -> Outcome:
    clear = partial(discard, Path(request["file"])) if request.get("uploaded") else nothing
    try:
        with context.steps.step("import") as progress:
            prepared = prepare(
                store,
                request["file"],
                layer=request["layer"],
                options=ImportOptions.from_json(request.get("options", {})),
                progress=progress,
                stop=context.stop,
            )
    except StoreError:
        raise  # it may be gone at the next attempt, which needs the file
    except PatrolgridError:
        clear()
        raise
    result = {"import_id": prepared.import_id, "layer": request["layer"]}
    counts = {name: prepared.row[name] for name in COUNTS}
    seen = hash_of(prepared.row["file_hash"], prepared.row["options"], counts)
    return Outcome(result=result | counts, result_hash=seen, keep=prepared.keep, clear=clear)


def discard(file: Path) -> None:
    """Delete an uploaded file, and the folder it was alone in."""
    with suppress(OSError):
        file.unlink(missing_ok=True)
        file.parent.rmdir()


def _apply(store: Store, request: Facts, context: Context) -> Outcome:
    def keep(connection: Connection) -> Facts:
        return _result(apply_in(connection, import_id, actor=actor, stop=context.stop))

    import_id, actor = request["import_id"], request.get("actor", chain.SYSTEM)
    with context.steps.step("apply"), store.read() as connection:
        what = read_import(connection, import_id)
        require_fresh(connection, what)
    return Outcome(result={}, result_hash=hash_of("apply", what.file_hash), keep=keep)


def _undo(store: Store, request: Facts, context: Context) -> Outcome:
    def keep(connection: Connection) -> Facts:
        return _result(undo_in(connection, import_id, actor=actor, stop=context.stop))

    import_id, actor = request["import_id"], request.get("actor", chain.SYSTEM)
    with context.steps.step("undo"), store.read() as connection:
        what = read_import(connection, import_id)
        require_last(connection, what)
    return Outcome(result={}, result_hash=hash_of("undo", what.file_hash), keep=keep)


def _result(what: Import) -> dict[str, Any]:
    counts = {name: getattr(what, name) for name in COUNTS}
    head = {"import_id": what.import_id, "layer": what.layer, "state": what.state}
    return head | counts | {"n_kept": len(what.facts.get(KEPT, ()))}
