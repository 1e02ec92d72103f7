"""Streets: classes from the words of sources, unnamed roads, and ids that outlive an extract."""

from geo.street.classes import (
    HIGHWAY_CLASS,
    SPEED_CLASS,
    WORD_CLASS,
    classes_by_speed,
    street_class,
    street_classes,
    unnamed_roads,
)
from geo.street.match import Matching, match_segments

__all__ = [
    "HIGHWAY_CLASS",
    "SPEED_CLASS",
    "WORD_CLASS",
    "Matching",
    "classes_by_speed",
    "match_segments",
    "street_class",
    "street_classes",
    "unnamed_roads",
]
