"""Where a command writes to: checked before any work is done; and the rows it did not take."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.cli.session import Session, require_folder
from api.i18n import text
from geo.errors import OptionInvalid

if TYPE_CHECKING:
    from geo.io import Refusal

SHOWN: Final = 10
"""Refused rows that are printed; all of them go to a file."""


def require_outputs(
    outs: Mapping[str, Path | None],
    *,
    suffixes: Sequence[str] | Mapping[str, Sequence[str]],
    inputs: Iterable[Path | None] = (),
) -> None:
    """Refuse files that cannot be written, before any work is done.

    Parameters
    ----------
    outs : mapping of str to Path
        Option to the file it names; None where it was not given.
    suffixes : sequence of str, or mapping of option to sequence of str
        Formats that can hold the result.
    inputs : iterable of Path
        Files that are read: none of them is ever written over.

    Raises
    ------
    OptionInvalid
        A folder that cannot be made or written, a format that cannot hold the result, a folder
        where a file should be, the same file twice or an input.
    """
    from geo.io.hints import Hint  # noqa: PLC0415  heavy: loaded by the commands only

    read = {path.resolve(): path.name for path in inputs if path is not None}
    written: dict[Path, str] = {}
    for option, path in outs.items():
        if path is None:
            continue
        require_folder(path.absolute().parent, option=option)
        wanted = suffixes[option] if isinstance(suffixes, Mapping) else suffixes
        if path.suffix.lower() not in wanted:
            raise OptionInvalid(option=option, value=path.name, expected=" ".join(wanted))
        if path.is_dir():
            raise OptionInvalid(option=option, value=path.name, expected=Hint.NO_FOLDER)
        whole = path.resolve()
        if whole in read or whole in written:
            raise OptionInvalid(option=option, value=path.name, expected=Hint.OWN_FILE)
        written[whole] = option


def say_refused(session: Session, refused: Sequence["Refusal"], *, beside: Path) -> None:
    """Print the first refused rows with their reasons, and write all of them beside a result.

    Parameters
    ----------
    refused : sequence of Refusal
    beside : Path
        The result; the list is called as it, with ``-refused.csv`` at the end.
    """
    if not refused:
        return
    lines = [
        (one.source, one.row, one.column, text(one.code, session.lang, **one.params))
        for one in refused
    ]
    for source, row, column, reason in lines[:SHOWN]:
        where = text("cli.refused.row", session.lang, source=source, row=row, column=column)
        session.err.print(f"  ✕ {where}: {reason}", markup=False)
    path = beside.with_name(f"{beside.stem}-refused.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(text("cli.refused.columns", session.lang).split(","))
        writer.writerows(lines)
    session.say("cli.refused", n=f"{len(refused):,}", path=path)
