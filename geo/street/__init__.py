"""Streets: classes, limits, junctions, unnamed roads, water and rail, ids that outlive extracts."""

from geo.street.along import Pieces, cut_along
from geo.street.barrier import Barrier, dividing_lines, find_crossings, ring_lines
from geo.street.classes import (
    HIGHWAY_CLASS,
    SPEED_CLASS,
    WORD_CLASS,
    classes_by_speed,
    street_class,
    street_classes,
    unnamed_roads,
)
from geo.street.junction import SHORT_OF, find_junctions
from geo.street.limit import lane_count, lane_counts, speed_limit, speed_limits
from geo.street.match import Matching, match_segments

__all__ = [
    "HIGHWAY_CLASS",
    "SHORT_OF",
    "SPEED_CLASS",
    "WORD_CLASS",
    "Barrier",
    "Matching",
    "Pieces",
    "classes_by_speed",
    "cut_along",
    "dividing_lines",
    "find_crossings",
    "find_junctions",
    "lane_count",
    "lane_counts",
    "match_segments",
    "ring_lines",
    "speed_limit",
    "speed_limits",
    "street_class",
    "street_classes",
    "unnamed_roads",
]
