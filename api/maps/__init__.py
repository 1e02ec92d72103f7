"""The commander's map: one self-contained page, made from frames through Folium.

``pack`` puts columns into short text, ``land``, ``density``, ``team`` and ``payload`` turn the
night into those columns, ``asset`` reads style and script, ``page`` joins everything;
``theme`` draws layers of places with their figures.
"""

from api.maps.page import PatrolMap, write_map
from api.maps.theme import Column, Mark, Theme, ThemeLayer, write_theme

__all__ = [
    "Column",
    "Mark",
    "PatrolMap",
    "Theme",
    "ThemeLayer",
    "write_map",
    "write_theme",
]
