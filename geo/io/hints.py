"""What a user can do about a file that cannot be used: one sentence each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Hint(StrEnum):
    """English sentences; the catalogue has each in both languages under its `code`."""

    MORE_CELLS = "A row has more cells than the header; quote cells that hold the separator."
    SAVE_UTF8 = "Save it as CSV UTF-8."
    TEXT_UTF8 = "Its text is not UTF-8; open it in an editor and save it with encoding UTF-8."
    GO_OFFLINE = "Check the internet connection, or pass a downloaded .osm.pbf file with --roads."
    NO_STREET_THERE = (
        "OpenStreetMap has no street there; check longitude, latitude and their order."
    )
    NO_EDGE = "The graph holds no edge."
    NOT_DEGREES = "Its nodes are no degrees; state the graph's crs, or check x and y."
    GRAPH_PARTS = "Nodes need x and y, edges highway and, where they bend, geometry as WKT."
    METRIC_CRS = (
        "the number of a projected coordinate system in metres that is made for where the boundary "
        "lies, such as that of its UTM zone; without --epsg it is chosen by itself"
    )
    UNKNOWN_CRS = "Its coordinate system is not understood."
    ONE_KML = "It must hold exactly one KML file."
    DAMAGED_XML = "The file is damaged or declares entities."
    NO_COORDINATES = "A placemark has no usable coordinates."
    DAMAGED = "The file is damaged or not what its name says."
    UNPACKS_TOO_LARGE = "It unpacks to more than is accepted."
    DAMAGED_INSIDE = "A file inside is damaged or locked with a password."
    NESTED_TOO_DEEP = "It is nested more levels deep than geometry ever is."
    DECLARES_ENTITIES = "It declares a document type or entities."
    KNOWN_SUFFIXES = (
        "Known suffixes: .csv .txt .tsv .xlsx .geojson .json .gpkg .fgb .shp .zip .kml .kmz."
    )
    TOO_LARGE = "It is larger than is read; cut it to the city."
    NO_STREET_WAY = "It holds no way with a street's highway value and known nodes."
    NOT_OSM = "The file is damaged or not OpenStreetMap data."
    NO_CRS = "It states no coordinate system; add the .prj file or export it as GeoPackage."
    NO_STREET_CLASS = "It needs lines with a street class, such as OSM highway=residential."
    NO_LAYER = "It holds no layer."
    ONE_LAYER_FILE = (
        "Put exactly one Shapefile (.shp .shx .dbf .prj), GeoJSON, GeoPackage or FlatGeobuf in it."
    )
    UNKNOWN_ENCODING = "Its text is neither UTF-8 nor GBK; export it again as GeoPackage."
    TOO_MANY_CELLS = "It has more cells than are read at once; cut it to the table itself."
    TOO_MANY_COLUMNS = "It has more than 1000 columns; keep those that are needed."
    LINE_TOO_LONG = "It has a line of more than 1 MiB; export it again, one record to a line."
    HOLDS_NULS = "It holds NUL characters, so it is no text; export it again."
    TOO_MANY_VERTICES = "A geometry has too many vertices; simplify it or save it as GeoPackage."
    IS_VIEW = "Its layer is a view or is computed; save it as a plain table."
    SAVE_AGAIN = "Open it in Excel or WPS and save it again as .xlsx."
    OLD_WORKBOOK = "It is an .xls, WPS or encrypted workbook; save it as .xlsx without a password."
    SHEET_ROWS = "at most 1,048,575 rows in a workbook; choose .csv or .gpkg"
    TABLE_ONLY = "a .csv or .xlsx file, as the layer has no geometry"
    NO_SHAPES_IN_TABLES = "a format for lines and areas: .gpkg .geojson .fgb .shp .kml"
    ONE_KIND_OF_SHAPE = (
        "a format that holds points, lines and areas together: .gpkg .geojson .fgb .kml"
    )
    SYSTEMS = "4326, 4490, 4548 or another system in metres that is made for where the layer lies"
    KML_DEGREES = "4326, the only system KML knows"
    TABLE_DEGREES = "4326 or 4490: a table holds longitude and latitude"
    LONG_TEXT = "a shorter text, or .gpkg"
    A_LAYER = "a layer"
    A_HEADER = "a header of one of the files"
    NO_FOLDER = "the name of a file; a folder of this name is there already"
    WRITABLE_FOLDER = "a folder that can be written"
    OWN_FILE = "a file of its own: none that is read, none that another option names"

    NOT_STREETS = "rivers and shores; the columns of this file are those of streets"
    KNOWN_CELL = "the code of a grid of the file of grids; not one row of the file names one"

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return f"hint.{self.name.lower()}"


REASONS: Final = {
    "blank": "a value; all {n} rows are refused",
    "value": "a number or date that the column allows; all {n} rows are refused",
    "date": "a date such as 2026-03-01, 2026/3/1 20:15 or 2026年3月1日; all {n} rows are refused",
    "word": "one of {values}, or a common word for it; all {n} rows are refused",
    "repeated": "an id used once; all {n} rows are refused",
    "code": "6, 9 or 12 digits of GB/T 2260; all {n} rows are refused",
    "role": "a grid role that the level can have; all {n} rows are refused",
    "clock": "a clock time such as 22:00; all {n} rows are refused",
    "headcount": "a number of 2 or more; all {n} rows are refused",
    "station": "the id or name of a station in the file of stations; all {n} rows are refused",
    "person": "the name of a place, not of a person; all {n} rows are refused",
    "dwelling": "a place of work, no dwelling; all {n} rows are refused",
    "homes": "a kind that does not point at homes, or --keep; all {n} rows are refused",
    "year": "a date between 1990 and 2100; all {n} rows are refused",
    "position": "degrees: longitude within ±180, latitude within ±90; all {n} rows are refused",
    "areas": "areas (polygons); all {n} rows are refused",
    "lines": "lines; all {n} rows are refused",
    "points": "points; all {n} rows are refused",
    "destroyed": (
        "whole codes: a spreadsheet has turned them into numbers such as 3.71502e+14 and their "
        "digits are lost; export the column again as text; all {n} rows are refused"
    ),
    "contradicts": "one count for each grid; all {n} rows are refused",
    "geometry": "a sound geometry of the kind the layer holds; all {n} rows are refused",
}
"""What a row needs, by the fault it was refused for; the catalogue has both languages."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a layer of which every row was refused needs; reads as English, renders in both.

    Attributes
    ----------
    reason : str
        Key of `REASONS`.
    params : mapping
    """

    reason: str
    params: Mapping[str, object]

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return f"expected.{self.reason}"

    def __str__(self) -> str:
        return REASONS[self.reason].format(**self.params)


def expected_of(refusal: str, *, n: int, values: str = "") -> Expected:
    """Return what the rows refused with a message code need."""
    words = refusal.split(".")[1:]
    reason = next((word for word in words if word in REASONS), "value")
    if reason == "word" and not values:
        reason = "value"
    params = {"n": n, "values": values} if reason == "word" else {"n": n}
    return Expected(reason, params)
