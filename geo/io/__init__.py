"""Readers and writers of every format; the one door of `geo` to the disk and the network.

A reader opens a file as text (`opening`), leaves out what the caller drops, screens it for
personal columns and values (`geo.privacy`), matches headers (`headers`, `spec`), turns text into
typed columns (`values`, `words`, `position`) and lists every row it refuses with its reason.
"""

from geo.io.boundary import read_boundaries
from geo.io.city import LayerPaths, derive_units, read_layers
from geo.io.export import write_file
from geo.io.fetch import fetch_streets
from geo.io.layers import (
    read_buildings,
    read_incidents,
    read_posts,
    read_stations,
    read_units,
    read_venues,
    read_water,
)
from geo.io.register import read_register, read_succession_table, read_units_of
from geo.io.report import Note, Reading, Refusal
from geo.io.streets import read_streets
from geo.io.write import FILES, staging, write_csv, write_geopackage, write_layers

__all__ = [
    "FILES",
    "LayerPaths",
    "Note",
    "Reading",
    "Refusal",
    "derive_units",
    "fetch_streets",
    "read_boundaries",
    "read_buildings",
    "read_incidents",
    "read_layers",
    "read_posts",
    "read_register",
    "read_stations",
    "read_streets",
    "read_succession_table",
    "read_units",
    "read_units_of",
    "read_venues",
    "read_water",
    "staging",
    "write_csv",
    "write_file",
    "write_geopackage",
    "write_layers",
]
