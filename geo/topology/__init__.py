"""Coverages: who shares a border with whom, where gaps and overlaps lie, and their repair."""

from geo.topology.fault import HOLE_AREA, QUESTIONS, SLIVER_WIDTH, Limits, find_faults
from geo.topology.nest import find_nested_faults, repair_nested
from geo.topology.odd import OUTER_TOLERANCE, coverage_faults
from geo.topology.repair import TOLERANCE, Repair, repair_coverage
from geo.topology.segment import (
    LATTICE,
    Borders,
    Segments,
    segments_of,
    shared_borders,
    to_lattice,
    vertex_keys,
)
from geo.topology.simplify import simplify_nested
from geo.topology.snap import SNAP, fit_coverage

__all__ = [
    "HOLE_AREA",
    "LATTICE",
    "OUTER_TOLERANCE",
    "QUESTIONS",
    "SLIVER_WIDTH",
    "SNAP",
    "TOLERANCE",
    "Borders",
    "Limits",
    "Repair",
    "Segments",
    "coverage_faults",
    "find_faults",
    "find_nested_faults",
    "fit_coverage",
    "repair_coverage",
    "repair_nested",
    "segments_of",
    "shared_borders",
    "simplify_nested",
    "to_lattice",
    "vertex_keys",
]
