"""Reader of administrative boundaries and of the independent grids inside villages."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.boundary import Wanted, check_nesting, institution_kinds, misfit_roles
from geo.boundary.code import are_codes, are_independent, levels_of, parents_of, shorten_codes
from geo.boundary.unit import ROLE_OF_LEVEL
from geo.crs import Datum, datum_of
from geo.errors import CodeInvalid
from geo.frames import Col, GridRole, InstitutionKind
from geo.io.draft import Draft, begin, fill, finish
from geo.io.headers import find_header
from geo.io.opening import open_table
from geo.io.repair import repair_areas
from geo.io.report import Note, Reading
from geo.io.spec import BOUNDARY_SPEC, field_of
from geo.io.values import understand
from geo.units import UNSTATED

OVERLAP: Final = 0.01
"""Share of the smaller of two boundaries of one level that digitising may leave common."""


def read_boundaries(
    path: Path | str,
    *,
    datum: Datum | str = Datum.WGS84,
    drop: Sequence[str] = (),
    version: str = UNSTATED,
) -> Reading:
    """Read administrative boundaries.

    Level, parent and grid role follow from the code where the file does not state them, the kind
    of an independent grid from its name; parts of one unit become one row; invalid rings are
    repaired and noted. Rows whose grid role does not fit their level are refused.

    Parameters
    ----------
    path : Path or str
    datum : Datum or str
        What the coordinates are in.
    drop : sequence of str
        Headers to leave out before anything is looked at.
    version : str
        Version of the boundaries where the file states none.

    Returns
    -------
    Reading
        A BOUNDARIES frame, with a column `institution` beside where there are independent grids.

    Raises
    ------
    InputError
        Any of its classes; nothing of the file is kept then. Among them: a unit whose parent is
        not in a file that holds units of a higher level.
    """
    draft = _begin(path, datum, drop)
    fill(draft)
    _fill_codes(draft)
    _fill_levels(draft)
    if Col.BOUNDARY_VERSION not in draft.matched:
        draft.columns[Col.BOUNDARY_VERSION] = pd.Series([version] * len(draft.table), dtype="str")
        code = "note.version.unstated" if version == UNSTATED else "note.default"
        draft.note(code, column=Col.BOUNDARY_VERSION, value=version)
    _fill_institutions(draft)
    _keep_areas(draft)
    repair_areas(draft, named_by=Col.NAME)
    _merge_parts(draft)
    reading = finish(draft)
    frame = _with_institutions(reading.frame, draft)
    source = draft.table.source
    check_nesting(frame, source=source, rows=np.flatnonzero(draft.kept) + 1)
    return replace(reading, frame=frame, notes=(*reading.notes, *_overlaps(frame, source)))


def _begin(path: Path | str, datum: Datum | str, drop: Sequence[str]) -> Draft:
    table = open_table(Path(path), layer=BOUNDARY_SPEC.schema.layer)
    stated = datum if isinstance(datum, Datum) else datum_of(datum)
    draft = begin(table, BOUNDARY_SPEC, datum=stated, drop=tuple(drop))
    names = (Col.INSTITUTION, *field_of(BOUNDARY_SPEC, Col.INSTITUTION).aliases)
    header = find_header(draft.table, names)
    if header is not None and header not in draft.matched.values():
        draft.matched[Col.INSTITUTION] = header
    return draft


def _fill_codes(draft: Draft) -> None:
    """Shorten codes padded with zeros, and refuse what is no code.

    Raises
    ------
    CodeInvalid
        Not one row has a code.
    """
    codes = shorten_codes(draft.columns[Col.CODE])
    good = are_codes(codes)
    if not good.any():
        column = draft.matched[Col.CODE]
        source = draft.table.source
        raise CodeInvalid(source=source, row=1, column=column, expected=Wanted.CODE_DIGITS)
    draft.refuse(~good, Col.CODE, "refusal.code")
    draft.columns[Col.CODE] = codes


def _fill_levels(draft: Draft) -> None:
    """Derive level, parent and grid role from the code where the file does not state them."""
    codes = draft.columns[Col.CODE]
    levels = draft.columns[Col.LEVEL]
    levels = levels.where(levels != "", levels_of(codes)).astype("str")
    draft.columns[Col.LEVEL] = levels
    draft.refuse((levels == "").to_numpy(), Col.LEVEL, "refusal.blank")
    if Col.ADMIN_PARENT not in draft.matched:
        draft.columns[Col.ADMIN_PARENT] = parents_of(codes, levels)
    roles = draft.columns[Col.GRID_ROLE]
    by_level = levels.map(ROLE_OF_LEVEL).fillna("")
    by_level = by_level.mask(are_independent(codes), GridRole.INDEPENDENT.value)
    draft.columns[Col.GRID_ROLE] = roles.where(roles != "", by_level).astype("str")
    draft.refuse(misfit_roles(pd.DataFrame(draft.columns)), Col.GRID_ROLE, "refusal.role")
    for column in (Col.LEVEL, Col.ADMIN_PARENT, Col.GRID_ROLE):
        if column not in draft.matched:
            draft.note("note.derived", column=column, origin=Col.CODE)


def _fill_institutions(draft: Draft) -> None:
    """Read the kinds of independent grids; where the file states none their names say it."""
    words = field_of(BOUNDARY_SPEC, Col.INSTITUTION).words
    if Col.INSTITUTION in draft.matched and words is not None:
        stated, wrong = understand(draft.cells(Col.INSTITUTION), words)
        draft.refuse(wrong, Col.INSTITUTION, "refusal.word")
        draft.columns[Col.INSTITUTION] = stated
    kinds = institution_kinds(pd.DataFrame(draft.columns))
    if Col.INSTITUTION not in draft.matched and (kinds != InstitutionKind.NONE).any():
        draft.note("note.derived", column=Col.INSTITUTION, origin=Col.NAME)
    draft.columns[Col.INSTITUTION] = kinds


def _with_institutions(frame: gpd.GeoDataFrame, draft: Draft) -> gpd.GeoDataFrame:
    """Return the frame with the kinds of its independent grids, where it has any."""
    kinds = draft.columns[Col.INSTITUTION][draft.kept].reset_index(drop=True)
    is_needed = (kinds != InstitutionKind.NONE).any()
    return frame.assign(**{Col.INSTITUTION: kinds}) if is_needed else frame


def _keep_areas(draft: Draft) -> None:
    """Refuse points and lines."""
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    kinds = shapely.get_type_id(draft.positions.geometry)
    draft.refuse(~np.isin(kinds, (-1, 3, 6)), Col.GEOMETRY, "refusal.geometry.kind")


def _merge_parts(draft: Draft) -> None:
    """Make one row of several that carry one code and one name."""
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    fine = draft.fault_code == ""
    keys = draft.columns[Col.CODE] + "\n" + draft.columns[Col.NAME]
    repeated = keys.duplicated(keep=False).to_numpy() & fine
    if not repeated.any():
        return
    later = keys[repeated].duplicated().to_numpy()
    geometry = draft.positions.geometry
    for _, rows in keys[repeated].groupby(keys[repeated]):
        positions = rows.index.to_numpy()
        geometry[positions[0]] = shapely.union_all(geometry[positions])
    draft.absorbed[np.flatnonzero(repeated)[later]] = True
    draft.note("note.merged", n=int(later.sum()))


def _overlaps(frame: pd.DataFrame, source: str) -> tuple[Note, ...]:
    """Note boundaries of one level and role that share over a hundredth of the smaller one.

    An independent grid lies in its village and is no overlap with it.
    """
    pairs: list[str] = []
    is_independent = frame[Col.GRID_ROLE] == GridRole.INDEPENDENT
    for _, units in frame.groupby([frame[Col.LEVEL], is_independent], sort=False):
        geometry = units.geometry.to_numpy()
        one, other = shapely.STRtree(geometry).query(geometry, predicate="intersects")
        one, other = one[one < other], other[one < other]
        common = shapely.area(shapely.intersection(geometry[one], geometry[other]))
        area = shapely.area(geometry)
        names = units[Col.NAME].to_numpy()
        over = common > OVERLAP * np.minimum(area[one], area[other])
        pairs += [f"{names[i]}–{names[k]}" for i, k in zip(one[over], other[over], strict=True)]
    if not pairs:
        return ()
    params = {"n": len(pairs), "names": tuple(pairs[:3])}
    return (Note(source=source, code="note.overlap", params=params),)
