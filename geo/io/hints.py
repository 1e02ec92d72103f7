"""What a user can do about a file that cannot be used: one sentence each."""

from enum import StrEnum


class Hint(StrEnum):
    """English sentences; the catalogue has each in both languages under its `code`."""

    MORE_CELLS = "A row has more cells than the header; quote cells that hold the separator."
    SAVE_UTF8 = "Save it as CSV UTF-8."
    GO_OFFLINE = "Check the internet connection, or pass a downloaded .osm.pbf file with --roads."
    NO_STREET_THERE = (
        "OpenStreetMap has no street there; check longitude, latitude and their order."
    )
    NO_EDGE = "The graph holds no edge."
    GRAPH_PARTS = "Nodes need x and y, edges highway and, where they bend, geometry as WKT."
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
        "Known suffixes: .csv .txt .tsv .xlsx .geojson .json .gpkg .shp .zip .kml .kmz."
    )
    TOO_LARGE = "It is larger than 4 GiB; cut it to the city."
    NO_STREET_WAY = "It holds no way with a street's highway value and known nodes."
    NOT_OSM = "The file is damaged or not OpenStreetMap data."
    NO_CRS = "It states no coordinate system; add the .prj file or export it as GeoPackage."
    NO_STREET_CLASS = "It needs lines with a street class, such as OSM highway=residential."
    NO_LAYER = "It holds no layer."
    ONE_LAYER_FILE = "Put exactly one Shapefile (.shp .shx .dbf .prj), GeoJSON or GeoPackage in it."
    UNKNOWN_ENCODING = "Its text is neither UTF-8 nor GBK; export it again as GeoPackage."
    SAVE_AGAIN = "Open it in Excel or WPS and save it again as .xlsx."
    OLD_WORKBOOK = "It is an .xls, WPS or encrypted workbook; save it as .xlsx without a password."

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return f"hint.{self.name.lower()}"
