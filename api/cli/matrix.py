"""Matrices as files: whether one fits on the disk, and its rows, some origins at a time."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from api.cli.session import Session, say_notes
from api.i18n.word import Word
from geo.errors import OptionInvalid
from geo.progress import Progress, StopToken, stop_if_asked

if TYPE_CHECKING:
    from routing.model import Mode, Place
    from routing.travel import Snaps, Travel

NUMBERS: Final = 16
"""Bytes of a line of a matrix beside the two ids, about: 1234,12345.6 and what separates them."""

SHARE: Final = 0.8
"""Share of the free disk that a matrix may take."""

MIB: Final = 1 << 20

LARGE: Final = 100 * MIB
"""Bytes from which the size of a matrix is said before it is made."""

AT_ONCE: Final = 16 * MIB
"""Bytes of the rows computed at a time."""


@dataclass(frozen=True, slots=True)
class Near:
    """Places and where they lie on their streets."""

    places: "list[Place]"
    snaps: "Snaps"

    def __len__(self) -> int:
        return len(self.places)

    @property
    def id_bytes(self) -> float:
        """Bytes of an id, on average."""
        return sum(len(one.place_id.encode()) for one in self.places) / max(len(self), 1)


def require_disk(session: Session, out: Path, starts: Near, ends: Near) -> None:
    """Refuse a matrix that would not fit on the disk, and say how large a large one will be.

    Raises
    ------
    OptionInvalid
        Says rows, columns, what is needed and what there is.
    """
    folder = next(one for one in out.absolute().parents if one.exists())
    needed = len(starts) * len(ends) * (starts.id_bytes + ends.id_bytes + NUMBERS)
    free = SHARE * shutil.disk_usage(folder).free
    size = {"rows": f"{len(starts):,}", "columns": f"{len(ends):,}"}
    mib = {"needed": f"{needed / MIB:,.0f}", "free": f"{free / MIB:,.0f}"}
    if needed > free:
        expected = Word("matrix.disk", mib)
        value = "{rows} x {columns}".format(**size)
        raise OptionInvalid(option="--out", value=value, expected=expected)
    if needed > LARGE:
        say_notes(session, [("matrix.size", {**size, **mib})])


def write_matrix(
    travel: "Travel",
    starts: Near,
    ends: Near,
    mode: "Mode",
    out: Path,
    *,
    progress: Progress,
    stop: StopToken,
) -> int:
    """Write a row for every pair, some origins at a time; return how many pairs have no way."""
    from geo.io import staging  # noqa: PLC0415  heavy: loaded by the commands only
    from routing.model import UNREACHABLE  # noqa: PLC0415
    from routing.travel.memory import row_blocks  # noqa: PLC0415

    ids, n_none = [place.place_id for place in ends.places], 0
    with (
        staging(out.absolute().parent) as stage,
        (stage / out.name).open("w", encoding="utf-8-sig", newline="") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(("origin_id", "destination_id", "seconds", "metres"))
        for rows in row_blocks(len(starts), 3 * len(ends), at_once=AT_ONCE):
            some = starts.snaps.take(_rows(rows))
            seconds, metres = travel.lengths(some, ends.snaps, mode)
            n_none += int((seconds == UNREACHABLE).sum())
            lines = zip(starts.places[rows], seconds, metres, strict=True)
            for done, (place, row, far) in enumerate(lines, rows.start + 1):
                stop_if_asked(stop, "matrix")
                pairs = zip(ids, row.tolist(), far.tolist(), strict=True)
                writer.writerows(_pair(place.place_id, *pair) for pair in pairs)
                progress(done, len(starts))
    return n_none


def _rows(rows: slice) -> Any:
    import numpy as np  # noqa: PLC0415

    return np.arange(rows.start, rows.stop)


def _pair(origin: str, destination: str, seconds: int, metres: float) -> tuple[object, ...]:
    """Return a line of the matrix; seconds and metres are blank where there is no way."""
    if metres == float("inf"):
        return origin, destination, "", ""
    return origin, destination, seconds, f"{metres:.1f}"
