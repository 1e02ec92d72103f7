"""Constants of place and time that every room shares."""

from typing import Final, NewType
from zoneinfo import ZoneInfo

Seconds = NewType("Seconds", int)
"""Whole seconds; instants of a shift are counted from its start."""

LONLAT_EPSG: Final = 4326
"""Outside coordinates: longitude, latitude in degrees, WGS-84 (equal to CGCS2000 here)."""

LIAOCHENG_EPSG: Final = 32650
"""Inside coordinates of the sample city: UTM zone 50 north, metres."""

LONLAT_DECIMALS: Final = 7
"""Decimals of a degree that are written: 1 cm, ten times finer than the noding grid."""

CITY_ZONE: Final = ZoneInfo("Asia/Shanghai")
"""Default zone of instants and calendar days."""

HOUR: Final = 3600
MINUTE: Final = 60

UNITS_PER_STATION: Final = 2
"""Teams assumed at every station where no units are given; said in a note."""

SYNTHETIC: Final = "synthetic"
"""Source of every feature that was made up; said on every map and export that shows one."""

UNSTATED: Final = "unstated"
"""Version of boundaries whose file states none; never printed, but said in words."""
