"""An import's changes written to the rows of its layer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import pandas as pd
from sqlalchemy import Connection, RowMapping, bindparam, update

from api.imports.account import Import
from api.imports.bulk import insert_columns
from api.imports.column import STATUS, to_parameters
from api.imports.derive import (
    CADENCE_VERSION,
    FOLLOWS,
    STATION_CODE,
    UNIT_CODE,
    UnitCodes,
    call_signs,
    due_days,
    our_ids,
)
from api.imports.stored import CHANGED_BY, EXTERNAL_ID, FID, GEOM, IMPORT_ID, VERSION, read_stored
from api.imports.venue import IMPORTED, ON_MAP, last_visits
from api.store.layers import LAYERS
from api.store.tables import CURRENT, IMPORT_CHANGES, VENUE_TIERS
from api.store.units import new_station_codes
from geo.frames import Col
from geo.venue import CADENCE

REGISTER: Final = "register"
"""What a venue's tier was graded by: the user's register."""

PART: Final = 5_000
"""Rows looked up by their key in one statement."""


@dataclass(slots=True)
class RowUpdate:
    """What becomes of one stored row.

    Attributes
    ----------
    fid : int
    values : dict
        JSON scalars of the columns that change; geom among them where it does.
    """

    fid: int
    values: dict[str, Any] = field(default_factory=dict)


def by_fid(rows: pd.DataFrame) -> dict[int, dict[str, Any]]:
    """Return rows by their key, each as a mapping."""
    names = list(rows.columns)
    records = zip(*(rows[name].tolist() for name in names), strict=True)
    return {record[names.index(FID)]: dict(zip(names, record, strict=True)) for record in records}


class LayerRows:
    """The rows of one layer, written with everything that follows from their columns.

    Parameters
    ----------
    connection : Connection
    layer : str
    import_id : str
        Whose history the tiers belong to.
    day : date
        Since when new tiers hold.
    """

    def __init__(self, connection: Connection, layer: str, *, import_id: str, day: date) -> None:
        self.connection, self.layer = connection, layer
        self._import_id, self._day = import_id, day
        self._stored = LAYERS[layer]
        self._table = self._stored.table
        self._units = UnitCodes(connection, layer)

    def read(self, fids: Iterable[int]) -> pd.DataFrame:
        """Return rows by their key, with our own ids, in the order of the store."""
        more = (self._stored.key,) if self._stored.prefix else ()
        found = self._table.c.fid.in_(list(fids))
        return read_stored(self.connection, self.layer, found, more=more)

    def insert(self, columns: Mapping[str, Sequence[Any]], **same: Any) -> None:
        """Write new rows; `same` is equal in all of them."""
        n = len(columns[EXTERNAL_ID])
        written: dict[str, Sequence[Any]] = {**self._typed(columns), **our_ids(self.layer, n)}
        written[UNIT_CODE] = self._units.of(columns)
        match self.layer:
            case "stations":
                names = columns[Col.NAME]
                written[STATION_CODE] = new_station_codes(self.connection, names)
            case "venues":
                written |= self._due(columns)
            case "units":
                written |= call_signs(self.connection, columns[Col.STATION_ID])
        insert_columns(self.connection, self._table, written, same)
        if self.layer == "venues":
            self._grade(written[Col.VENUE_ID], columns[Col.TIER])

    def update(self, updates: Sequence[RowUpdate], rows: pd.DataFrame, **same: Any) -> None:
        """Change rows; their version counts up.

        Parameters
        ----------
        updates : sequence of RowUpdate
        rows : DataFrame
            As `read` gave them: what follows from several columns needs all of them.
        **same
            Columns that become equal in all of them.
        """
        at = {int(fid): number for number, fid in enumerate(rows[FID])}
        groups: dict[tuple[str, ...], list[RowUpdate]] = {}
        for one in updates:
            groups.setdefault(tuple(sorted(one.values)), []).append(one)
        for names, group in groups.items():
            beside = rows.iloc[[at[one.fid] for one in group]]
            self._update_alike(names, group, beside, same)

    def _update_alike(
        self,
        names: Sequence[str],
        group: Sequence[RowUpdate],
        beside: pd.DataFrame,
        same: Mapping[str, Any],
    ) -> None:
        columns = {name: [one.values[name] for one in group] for name in names}
        written: dict[str, Sequence[Any]] = self._typed(columns)
        if GEOM in names or FOLLOWS.get(self.layer) in names:
            written[UNIT_CODE] = self._units.of(columns)
        if self.layer == "units" and Col.STATION_ID in names and Col.CALL_SIGN not in names:
            written |= call_signs(self.connection, columns[Col.STATION_ID])
        if self.layer == "venues" and {Col.TIER, Col.LAST_INSPECTION} & set(names):
            both = {name: list(beside[name]) for name in (Col.TIER, Col.LAST_INSPECTION)}
            written |= self._due(both | columns)
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in (*written, *same)}
        values[VERSION] = self._table.c.version + 1
        statement = update(self._table).where(self._table.c.fid == bindparam("row_fid"))
        fids = {"row_fid": [one.fid for one in group]}
        prefixed = {f"new_{name}": column for name, column in written.items()} | fids
        rows = _rows(prefixed, {f"new_{name}": value for name, value in same.items()})
        self.connection.execute(statement.values(values), rows)
        if self.layer == "venues" and Col.TIER in names:
            self._grade(list(beside[Col.VENUE_ID]), columns[Col.TIER], list(beside[Col.TIER]))

    def _typed(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        return {
            name: values if name == GEOM else to_parameters(self._table, name, values)
            for name, values in columns.items()
        }

    def _due(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        due = due_days(columns[Col.LAST_INSPECTION], columns[Col.TIER])
        return {Col.DUE: due, CADENCE_VERSION: [CADENCE.version] * len(due)}

    def _grade(
        self, venue_ids: Sequence[str], tiers: Sequence[str], before: Sequence[str] | None = None
    ) -> None:
        """Append tiers to the history of venues, those alone that differ from the last one."""
        graded = [
            (venue_id, tier)
            for venue_id, tier, last in zip(venue_ids, tiers, before or tiers, strict=True)
            if before is None or tier != last
        ]
        if graded:
            ids, after = zip(*graded, strict=True)
            same = {
                "since": self._day,
                "rule_version": REGISTER,
                IMPORT_ID: self._import_id,
                "recorded_at": datetime.now(UTC),
            }
            columns = {Col.VENUE_ID: ids, Col.TIER: after}
            insert_columns(self.connection, VENUE_TIERS, columns, same)


class Put:
    """Writes the changes of one import.

    Parameters
    ----------
    connection : Connection
    what : Import
    """

    def __init__(self, connection: Connection, what: Import) -> None:
        self._connection, self._what = connection, what
        day = date.fromisoformat(str(what.options["data_date"]))
        self._rows = LayerRows(connection, what.layer, import_id=what.import_id, day=day)
        self._marks = {IMPORT_ID: what.import_id, CHANGED_BY: IMPORTED}
        self._visits: dict[str, str] | None = None

    def added(self, changes: Sequence[RowMapping]) -> None:
        """Write rows that are new; those that were withdrawn before come back as they were."""
        new = [change for change in changes if change["params"] is None]
        if new:
            names = tuple(new[0]["after"])
            columns: dict[str, list[Any]] = {
                name: [change["after"][name] for change in new] for name in names
            }
            columns[EXTERNAL_ID] = [change["external_id"] for change in new]
            if LAYERS[self._what.layer].has_geometry:
                columns[GEOM] = [change["geom_after"] for change in new]
            self._rows.insert(columns, **{STATUS: CURRENT}, **self._marks)
        self.changed([change for change in changes if change["params"] is not None])

    def changed(self, changes: Sequence[RowMapping]) -> None:
        """Write what differs, a part at a time."""
        for start in range(0, len(changes), PART):
            self._change(changes[start : start + PART])

    def _change(self, changes: Sequence[RowMapping]) -> None:
        rows = self._rows.read(change["params"][FID] for change in changes)
        beside = by_fid(rows)
        updates, corrected = [], []
        for change in changes:
            row = beside[change["params"][FID]]
            after = self._after(change)
            if row[VERSION] != change["params"][VERSION]:
                after = self._reconciled(after, row)
                corrected.append(_correction(change, after, row))
            updates.append(RowUpdate(fid=row[FID], values=after))
        self._rows.update(updates, rows, **self._marks)
        if corrected:
            self._correct(corrected)

    def _after(self, change: RowMapping) -> dict[str, Any]:
        after = dict(change["after"] or {})
        if change["geom_after"] is not None or change["geom_before"] is not None:
            after[GEOM] = change["geom_after"]
        if change["change"] == "added":
            after[STATUS] = CURRENT
        return after

    def _reconciled(self, after: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        """Return what still holds of a change whose row was changed since the preview.

        A visit recorded meanwhile is not taken back, and a place set on the map stays.
        """
        still = dict(after)
        if self._what.layer != "venues":
            return still
        if Col.LAST_INSPECTION in still:
            if self._visits is None:
                self._visits = last_visits(self._connection)
            recorded = self._visits.get(row[EXTERNAL_ID], "")
            still[Col.LAST_INSPECTION] = max(recorded, still[Col.LAST_INSPECTION] or "") or None
        if row[CHANGED_BY] == ON_MAP:
            for name in (GEOM, Col.PRECISION):
                still.pop(name, None)
        return still

    def _correct(self, corrected: Sequence[Mapping[str, Any]]) -> None:
        """Bring the account in line with what was really there before."""
        names = ("params", "before", "after", "geom_before", "geom_after")
        statement = update(IMPORT_CHANGES).where(IMPORT_CHANGES.c.fid == bindparam("change_fid"))
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        self._connection.execute(statement.values(values), list(corrected))


def _correction(
    change: RowMapping, after: Mapping[str, Any], row: Mapping[str, Any]
) -> dict[str, Any]:
    names = [name for name in after if name != GEOM]
    was = {name: row[name] for name in change["params"]}
    return {
        "change_fid": change["fid"],
        "new_params": was,
        "new_before": {name: row[name] for name in names},
        "new_after": {name: after[name] for name in names},
        "new_geom_before": row.get(GEOM) if GEOM in after else None,
        "new_geom_after": after.get(GEOM),
    }


def _rows(columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = tuple(columns)
    return [
        {**same, **dict(zip(names, values, strict=True))}
        for values in zip(*columns.values(), strict=True)
    ]
