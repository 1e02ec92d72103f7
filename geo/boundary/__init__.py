"""Boundaries: units with codes, parents and roles, their dated versions, and what became of them.

The reading order of the modules: `code`, `unit`, `version`; then `name`, `listing`, `evidence`,
`overlap`, `succession` and `carry`; `place` for two layers, `wanted` for what errors ask for.
"""

from geo.boundary.carry import Carried, carry_over
from geo.boundary.code import (
    CELL_CODE_DIGITS,
    CODE_DIGITS,
    independent_codes,
    most_cells,
    number_cells,
    reading_order,
)
from geo.boundary.place import Placed, require_one_place
from geo.boundary.succession import SURE, count_relations, match_versions
from geo.boundary.unit import (
    CODE_COLUMN,
    DEPTH,
    check_nesting,
    depths,
    institution_kinds,
    is_cut,
    is_enclave,
    lowest_units,
    misfit_roles,
    parent_rows,
    select,
    unit_codes,
)
from geo.boundary.version import valid_on, version_of
from geo.boundary.wanted import Wanted

__all__ = [
    "CELL_CODE_DIGITS",
    "CODE_COLUMN",
    "CODE_DIGITS",
    "DEPTH",
    "SURE",
    "Carried",
    "Placed",
    "Wanted",
    "carry_over",
    "check_nesting",
    "count_relations",
    "depths",
    "independent_codes",
    "institution_kinds",
    "is_cut",
    "is_enclave",
    "lowest_units",
    "match_versions",
    "misfit_roles",
    "most_cells",
    "number_cells",
    "parent_rows",
    "reading_order",
    "require_one_place",
    "select",
    "unit_codes",
    "valid_on",
    "version_of",
]
