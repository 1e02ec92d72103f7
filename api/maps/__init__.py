"""The commander's map: one self-contained page, made from frames through Folium.

``pack`` puts columns into short text, ``land``, ``density``, ``team`` and ``payload`` turn the
night into those columns, ``asset`` reads style and script, ``page`` joins everything.
"""

from api.maps.page import PatrolMap, write_map

__all__ = ["PatrolMap", "write_map"]
