"""What an import would do, worked out and written down before anything is done."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert

from api.imports.bulk import insert_columns
from api.imports.change import WRITTEN, change_columns
from api.imports.check import (
    INSIDE,
    WITH_DATUM,
    check_datum,
    file_hash,
    require_dropped,
    require_inside,
)
from api.imports.column import HOUR, Truths, with_columns
from api.imports.compare import Comparison, compare
from api.imports.fit import Setting, fit, known_stations
from api.imports.incoming import Incoming, natural_ids, take_in
from api.imports.option import ImportOptions
from api.imports.reading import read_file, require_layer
from api.imports.stored import EXTERNAL_ID, IMPORT_ID, n_events, read_stored
from api.imports.venue import keep_corrections, keep_places, keep_visits, last_visits
from api.store import Store, new_id
from api.store.city import city_row
from api.store.layers import read_frame
from api.store.tables import BOUNDARIES, IMPORT_CHANGES, IMPORTS
from geo.errors import LayerMissing
from geo.frames import Col
from geo.io import Note, Reading, Refusal
from geo.privacy.shown import has_personal_shape
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.units import CITY_ZONE, SYNTHETIC

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "closures": ("streets",),
    "incidents": ("streets",),
    "units": ("stations",),
    "venues": ("streets", "boundaries"),
}
"""Layers whose rows another layer's rows are fitted to."""

_STAGES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An import worked out, not yet written.

    Attributes
    ----------
    row : mapping
        Its row of the imports table.
    comparison : Comparison
    refused : tuple of Refusal
    """

    row: Mapping[str, Any]
    comparison: Comparison
    refused: tuple[Refusal, ...]

    @property
    def import_id(self) -> str:
        """Its id, once it is kept."""
        return str(self.row[IMPORT_ID])

    def keep(self, connection: Connection) -> None:
        """Write the import and its changes, in the caller's transaction."""
        connection.execute(insert(IMPORTS).values(**self.row))
        layer = str(self.row["layer"])
        for columns, alike in change_columns(layer, self.comparison, self.refused):
            same = {**alike, IMPORT_ID: self.import_id}
            insert_columns(connection, IMPORT_CHANGES, columns, same, written=WRITTEN)


def preview(
    store: Store,
    file: Path | str,
    *,
    layer: str,
    options: ImportOptions | None = None,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> str:
    """Read a file, compare it with the store and write down what importing it would change.

    Parameters
    ----------
    store : Store
    file : Path or str
    layer : str
        One of `api.imports.column.IN_ORDER`.
    options : ImportOptions, optional
    progress, stop
        See `geo.progress`.

    Returns
    -------
    str
        Id of the import, for `api.imports.apply_import`.

    Raises
    ------
    InputError
        The file cannot be taken; nothing of it is kept then.
    LayerMissing
        A layer that this one is fitted to is empty.
    """
    prepared = prepare(
        store,
        file,
        layer=layer,
        options=options,
        progress=progress,
        stop=stop,
    )
    store.write(prepared.keep)
    return prepared.import_id


def prepare(
    store: Store,
    file: Path | str,
    *,
    layer: str,
    options: ImportOptions | None = None,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Prepared:
    """Work an import out without writing anything; see `preview`."""
    require_layer(layer)
    file = Path(file)
    options = (options or ImportOptions()).dated(datetime.now(CITY_ZONE).date())
    if not options.source and _name_kept(file) != file.name:
        options = replace(options, source=_name_kept(file))
    with store.read() as connection:
        base = n_events(connection, (layer, *NEEDS.get(layer, ())))
        progress(0, _STAGES)
        reading = _read(connection, file, layer, options)
        digest = file_hash(file)
        stop_if_asked(stop, "read")
        progress(1, _STAGES)
        incoming = _fitted(connection, layer, reading, options, file.name)
        stop_if_asked(stop, "fit")
        progress(2, _STAGES)
        comparison, incoming = _compared(connection, layer, incoming, options)
        stop_if_asked(stop, "compare")
        progress(3, _STAGES)
    row = {
        IMPORT_ID: new_id("import"),
        "layer": layer,
        "file_name": _name_kept(file),
        "file_hash": digest,
        "options": options.as_json(),
        "base": base,
        **_account(comparison, incoming),
    }
    return Prepared(row=row, comparison=comparison, refused=incoming.refused)


def _account(comparison: Comparison, incoming: Incoming) -> dict[str, Any]:
    """Return what the import's row says of the file's rows."""
    return {
        "state": "previewed",
        "n_rows": len(incoming.frame) + len(incoming.refused),
        **{f"n_{kind}": n for kind, n in comparison.counts.items()},
        "n_refused": len(incoming.refused),
        "notes": [
            {"code": note.code, "params": {"source": note.source, **note.params}}
            for note in incoming.notes
        ],
        "facts": incoming.facts,
        "created_at": datetime.now(UTC),
    }


def _name_kept(file: Path) -> str:
    """Return a file's name, or its ending where the name holds a number of a person."""
    return file.suffix if has_personal_shape(file.stem) else file.name


def _read(connection: Connection, file: Path, layer: str, options: ImportOptions) -> Reading:
    """Read the file; teams are read against the stations that are known."""
    stations = known_stations(connection) if layer == "units" else None
    if stations is not None and not len(stations):
        raise LayerMissing(layer="stations")
    return read_file(layer, file, options, stations=stations)


def _fitted(
    connection: Connection, layer: str, reading: Reading, options: ImportOptions, source: str
) -> Incoming:
    """Check a reading against the city and fit its rows to it."""
    require_dropped(reading, options.drop)
    boundaries = reading.frame if layer == "boundaries" else read_frame(connection, "boundaries")
    city = city_row(connection)
    if city is not None:
        epsg = city.epsg
    elif layer == "boundaries":
        epsg = options.epsg or int(reading.frame.estimate_utm_crs().to_epsg())
    else:
        raise LayerMissing(layer="boundaries")
    notes: tuple[Note, ...] = ()
    if layer in INSIDE:
        require_inside(reading.frame.geometry.to_numpy(), boundaries, source=source)
    if layer in WITH_DATUM:
        streets = read_frame(connection, "streets")
        notes = check_datum(
            reading, streets=streets, boundaries=boundaries, epsg=epsg, source=source
        )
    incoming = take_in(layer, reading, file_name=source, source=options.source)
    setting = Setting(connection=connection, options=options, epsg=epsg, source=source)
    incoming = natural_ids(layer, fit(layer, reading, incoming, setting))
    synthetic = bool((incoming.frame[Col.SOURCE] == SYNTHETIC).any())
    return incoming.noting(notes, epsg=epsg, synthetic=synthetic)


def _compared(
    connection: Connection, layer: str, incoming: Incoming, options: ImportOptions
) -> tuple[Comparison, Incoming]:
    """Compare the rows with the store's, what was recorded here since among them."""
    where = None
    if layer == "boundaries":
        where = BOUNDARIES.c[Col.BOUNDARY_VERSION] == incoming.facts[Col.BOUNDARY_VERSION]
    stored = read_stored(connection, layer, where)
    frame = incoming.frame
    if layer == "venues":
        days = keep_visits(
            frame[Col.LAST_INSPECTION].to_numpy(dtype=object),
            frame[EXTERNAL_ID].to_numpy(dtype=object),
            last_visits(connection),
        )
        frame = keep_places(with_columns(frame, {Col.LAST_INSPECTION: days}), stored)
        frame = keep_corrections(connection, frame, stored)
    expected = _expected(layer, incoming, stored, options)
    comparison = compare(layer, stored, frame, unstated=incoming.unstated, expected=expected)
    return comparison, incoming


def _expected(
    layer: str, incoming: Incoming, stored: pd.DataFrame, options: ImportOptions
) -> Truths:
    """Tell which stored rows a file should hold.

    A file of last month's reports does not say that there were none before; and a row that was
    refused is in the file all the same.
    """
    expected: Truths = np.full(len(stored), not options.is_partial)
    if layer == "incidents" and len(incoming.frame):
        hours = incoming.frame[HOUR]
        expected &= stored[HOUR].between(hours.min(), hours.max()).to_numpy()
    version = incoming.facts.get(Col.BOUNDARY_VERSION)
    prefix = "" if version is None else f"{version}/"
    refused = {prefix + refusal.key for refusal in incoming.refused if refusal.key}
    return expected & ~stored[EXTERNAL_ID].isin(refused).to_numpy()
