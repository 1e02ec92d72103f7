"""Commands for data that comes in: preview, apply, undo, and what is still without a place."""

import csv
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.cli.session import Datum, Drop, Lang, Session, open_session, require_folder
from api.cli.work import run_here
from api.console import stop_on_interrupt
from api.i18n import both, text
from geo.errors import FileMissing, OptionInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.imports import Import, ImportOptions
    from api.imports.account import RowChange
    from api.store import Store
    from geo.progress import StopToken

commands = typer.Typer()

ALL: Final = "all"
"""In place of a layer: every layer of a folder."""

SIDE_SUFFIXES: Final = frozenset({".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qmd", ".md"})
"""Files that stand beside a layer's file, or explain it."""

SHOWN: Final = 5
"""Rows of each kind that are printed."""

Yes = Annotated[bool, typer.Option("--yes", help=both("cli.option.yes"))]
ImportId = Annotated[str, typer.Argument(help=both("cli.option.import_id"))]
MaybeText = Annotated[str, typer.Option(help=both("cli.option.source"))]


@commands.command("import", help=both("cli.import"))
def import_file(
    layer: Annotated[str, typer.Argument(help=both("cli.option.import.layer"))],
    file: Annotated[Path, typer.Argument(help=both("cli.option.import.file"))],
    datum: Datum = "WGS-84",
    drop: Drop = "",
    channel: Annotated[str, typer.Option(help=both("cli.option.channel"))] = "",
    source: MaybeText = "",
    data_date: Annotated[str, typer.Option(help=both("cli.option.data_date"))] = "",
    boundary_version: Annotated[str, typer.Option(help=both("cli.option.version"))] = "",
    makes_current: Annotated[
        bool, typer.Option("--make-current", help=both("cli.option.current"))
    ] = False,
    is_partial: Annotated[bool, typer.Option("--partial", help=both("cli.option.partial"))] = False,
    epsg: Annotated[int | None, typer.Option(help=both("cli.option.epsg"))] = None,
    refused: Annotated[Path | None, typer.Option(help=both("cli.option.refused"))] = None,
    yes: Yes = False,
    lang: Lang = None,
) -> None:
    """Preview a file, and apply it once it is confirmed."""
    stated: dict[str, Any] = {
        "datum": datum,
        "drop": [name.strip() for name in drop.split(",") if name.strip()],
        "channel": channel,
        "source": source,
        "data_date": data_date or None,
        "boundary_version": boundary_version,
        "makes_current": makes_current,
        "is_partial": is_partial,
        "epsg": epsg,
    }
    with _begin(lang) as (session, stop):
        from api.imports import ImportOptions  # noqa: PLC0415  heavy: loaded by its command only
        from api.store import open_store  # noqa: PLC0415

        if refused is not None:
            require_folder(refused.parent, option="--refused")
        options, files = ImportOptions.from_json(stated), _files(session, layer, file)
        with open_store(session.settings.store, create=True) as store:
            for name, path in files:
                if not _import_one(session, store, stop, name, path, options, refused, yes=yes):
                    return


@commands.command("apply", help=both("cli.apply"))
def apply(import_id: ImportId, lang: Lang = None) -> None:
    """Do what an import's preview says."""
    with _open(lang) as (session, store, stop):
        _apply(session, store, stop, import_id)


@commands.command("undo", help=both("cli.undo"))
def undo(import_id: ImportId, lang: Lang = None) -> None:
    """Take the last applied import of a layer back."""
    with _open(lang) as (session, store, stop):
        done = run_here(session, store, stop, "undo", {"import_id": import_id, "actor": "cli"})
        session.say("cli.undo.done", import_id=import_id, layer=_layer(session, done["layer"]))
        if done["n_kept"]:
            session.say("cli.undo.kept", n=done["n_kept"])
            for row in _read(store, import_id).facts["kept"][:SHOWN]:
                columns = ", ".join(row["columns"])
                session.out.print(f"  {row['external_id']}  {columns}", markup=False)


@commands.command("imports", help=both("cli.imports"))
def imports(
    layer: Annotated[str, typer.Option(help=both("cli.option.import.layer"))] = "",
    limit: Annotated[int, typer.Option(min=1, help=both("cli.option.limit"))] = 20,
    lang: Lang = None,
) -> None:
    """List what came in, the newest first."""
    with _open(lang) as (session, store, _):
        from api.imports import imports_page  # noqa: PLC0415

        with store.read() as connection:
            page = imports_page(connection, layer="" if layer == ALL else layer, limit=limit)
        if not page.items:
            session.say("cli.imports.none")
        for one in page.items:
            _say_head(session, one)


@commands.command("unplaced", help=both("cli.unplaced"))
def unplaced(
    limit: Annotated[int, typer.Option(min=1, help=both("cli.option.limit"))] = 50,
    lang: Lang = None,
) -> None:
    """List venues that are known by their village or by no place at all."""
    with _open(lang) as (session, store, _):
        from api.imports.unplaced import (  # noqa: PLC0415
            UNPLACED,
            count_by_precision,
            unplaced_page,
        )

        with store.read() as connection:
            counts = count_by_precision(connection)
            page = unplaced_page(connection, limit=limit)
        n = sum(counts[precision] for precision in counts if precision.value in UNPLACED)
        session.say("cli.unplaced.count", n=f"{n:,}", total=f"{sum(counts.values()):,}")
        for venue in page.items:
            precision = text(f"import.precision.{venue.precision}", session.lang)
            parts = (venue.external_id, venue.name, venue.address, venue.unit_code, precision)
            session.out.print("  " + "  ".join(filter(None, parts)), markup=False)
        if page.after is not None:
            session.say("cli.more", n=f"{n - len(page.items):,}")


@contextmanager
def _begin(lang: str | None) -> "Iterator[tuple[Session, StopToken]]":
    """Begin one command."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        yield session, stop


@contextmanager
def _open(lang: str | None) -> "Iterator[tuple[Session, Store, StopToken]]":
    """Open the store of the settings for one command."""
    with _begin(lang) as (session, stop):
        from api.store import open_store  # noqa: PLC0415

        with open_store(session.settings.store) as store:
            yield session, store, stop


def _files(session: Session, layer: str, file: Path) -> list[tuple[str, Path]]:
    """Return the layers to import with their files, each after those it needs.

    Raises
    ------
    InputError
        No such layer, or a file that is not there.
    """
    from api.imports.reading import require_layer  # noqa: PLC0415
    from geo.io.opening import check_file  # noqa: PLC0415

    file = file.absolute()
    if layer == ALL:
        return _files_in(session, file)
    require_layer(layer)
    check_file(file)
    return [(layer, file)]


def _files_in(session: Session, folder: Path) -> list[tuple[str, Path]]:
    """Return the files of a folder that are called as a layer, and say which are not taken.

    Raises
    ------
    FileMissing
        No folder, or no such file in it.
    OptionInvalid
        Two files of one layer.
    """
    from api.imports import IN_ORDER  # noqa: PLC0415

    if not folder.is_dir():
        raise FileMissing(source=str(folder))
    there: dict[str, Path] = {}
    others = []
    for path in sorted(folder.iterdir()):
        name = path.name.partition(".")[0].lower()
        if path.suffix.lower() in SIDE_SUFFIXES or path.name.startswith(".") or path.is_dir():
            continue
        if name not in IN_ORDER:
            others.append(path.name)
        elif name in there:
            both_files = f"{there[name].name}, {path.name}"
            raise OptionInvalid(option=str(folder), value=both_files, expected="one file a layer")
        else:
            there[name] = path
    if not there:
        raise FileMissing(source=str(folder / "boundaries.*"))
    missing = ", ".join(_layer(session, name) for name in IN_ORDER if name not in there)
    if missing:
        session.say("cli.import.without", layers=missing)
    if others:
        session.say("cli.import.others", files=", ".join(others))
    return [(name, there[name]) for name in IN_ORDER if name in there]


def _import_one(
    session: Session,
    store: "Store",
    stop: "StopToken",
    layer: str,
    file: Path,
    options: "ImportOptions",
    refused: Path | None,
    *,
    yes: bool,
) -> bool:
    """Preview one file and apply it; return whether it is in the store now."""
    request = {"file": str(file), "layer": layer, "options": options.as_json()}
    done = run_here(session, store, stop, "import", request)
    what = _read(store, done["import_id"])
    _say_preview(session, store, what)
    if what.n_refused:
        _write_refused(session, store, what, refused)
    if what.changes_nothing:
        session.say("cli.import.same")
        return True
    layer_word = _layer(session, layer)
    if not yes and not _asked(text("cli.import.ask", session.lang, layer=layer_word)):
        session.say("cli.import.how", import_id=what.import_id)
        return False
    _apply(session, store, stop, what.import_id)
    return True


def _apply(session: Session, store: "Store", stop: "StopToken", import_id: str) -> None:
    done = run_here(session, store, stop, "apply", {"import_id": import_id, "actor": "cli"})
    session.say("cli.apply.done", import_id=import_id, layer=_layer(session, done["layer"]))


def _asked(question: str) -> bool:
    """Ask on the terminal; without one the answer is no."""
    return sys.stdin.isatty() and typer.confirm(question, err=True)


def _read(store: "Store", import_id: str) -> "Import":
    from api.imports import read_import  # noqa: PLC0415

    with store.read() as connection:
        return read_import(connection, import_id)


def _layer(session: Session, layer: str) -> str:
    return text(f"import.layer.{layer}", session.lang)


def _say_head(session: Session, what: "Import") -> None:
    state = text(f"import.state.{what.state}", session.lang)
    head = (what.import_id, f"{what.created_at:%Y-%m-%d %H:%M}", _layer(session, what.layer))
    session.out.print("  ".join((*head, what.file_name, state)), markup=False)
    session.say("cli.import.counts", **_counts(what))


def _counts(what: "Import") -> dict[str, str]:
    names = ("rows", "added", "changed", "moved", "unchanged", "refused", "missing")
    return {f"n_{name}": f"{getattr(what, f'n_{name}'):,}" for name in names}


def _say_preview(session: Session, store: "Store", what: "Import") -> None:
    """Print what the reader noted, the counts, and the first rows of each kind."""
    from api.imports import changes_page  # noqa: PLC0415

    for note in what.notes:
        session.err.print("  · " + text(note["code"], session.lang, **note["params"]), markup=False)
    _say_head(session, what)
    with store.read() as connection:
        for change in ("added", "changed", "moved", "missing", "refused"):
            page = changes_page(connection, what.import_id, change=change, limit=SHOWN)
            for row in page.items:
                session.out.print(f"  {_line(session, what.layer, row)}", markup=False)
            if page.after is not None:
                n = getattr(what, f"n_{change}") - len(page.items)
                session.say("cli.more", n=f"{n:,}")


def _line(session: Session, layer: str, row: "RowChange") -> str:
    """Return one row of an account as it is printed."""
    from api.imports.column import COMPARED  # noqa: PLC0415

    word = text(f"import.change.{row.change}", session.lang)
    if row.change == "refused":
        return f"{word}  {row.row}  {row.column}  {_reason(session, row)}"
    before, after = row.before or {}, row.after or {}
    if row.change == "added":
        values = [str(after[name]) for name in COMPARED[layer] if after.get(name)]
        what = " · ".join(values[:4])
    else:
        changed = (f"{name}: {_shown(before[name])} → {_shown(after[name])}" for name in before)
        what = ", ".join(changed)
    return "  ".join(filter(None, (word, row.external_id, what, _reason(session, row))))


def _reason(session: Session, row: "RowChange") -> str:
    return "" if row.code is None else text(row.code, session.lang, **row.params)


def _shown(value: object) -> str:
    return "–" if value in {None, ""} else str(value)


def _write_refused(session: Session, store: "Store", what: "Import", path: Path | None) -> None:
    """Write every refused row with its reason, beside the store where no file is named."""
    from api.imports import changes_page  # noqa: PLC0415

    path = path or _beside(store, f"refused-{what.layer}-{what.import_id}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(text("cli.refused.header", session.lang).split(","))
        after = None
        with store.read() as connection:
            while True:
                page = changes_page(
                    connection, what.import_id, change="refused", after=after, limit=5_000
                )
                for row in page.items:
                    writer.writerow((row.row, row.column, row.code, _reason(session, row)))
                after = page.after
                if after is None:
                    break
    session.say("cli.refused", n=what.n_refused, path=path)


def _beside(store: "Store", name: str) -> Path:
    """Return a file beside the store; in the working folder where that is a server."""
    database = store.url.database
    is_file = store.url.get_backend_name() == "sqlite" and database is not None
    return (Path(str(database)).parent if is_file else Path()) / name
