"""How QGIS draws the layers of a GeoPackage: the colours of the map, kept in ``layer_styles``.

QGIS reads the style named after a layer when the layer is opened; the older ``prop`` spelling of
symbol properties is the one that all its 3.x releases understand.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final
from xml.sax.saxutils import quoteattr

from sqlalchemy import Connection

from api.i18n import both
from geo.frames import Col, Level, StreetClass, Tier

_TABLE: Final = """CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
    f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
    styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
    owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""


@dataclass(frozen=True, slots=True)
class _Class:
    value: str
    symbol: str
    """Symbol layers as XML."""


@dataclass(frozen=True, slots=True)
class _Style:
    kind: str
    """marker, line or fill."""
    column: str
    """Column that tells the classes apart, "" where all look the same."""
    classes: tuple[_Class, ...]


@cache
def _token(name: str) -> str:
    """Return a day colour of the map as QGIS writes it."""
    css = (files("api") / "maps" / "assets" / "token.css").read_text(encoding="utf-8")
    found = re.search(rf"--{name}: #([0-9A-F]{{6}})", css)
    if found is None:
        raise KeyError(name)
    return ",".join(str(part) for part in (*bytes.fromhex(found[1]), 255))


def _symbol_layer(cls: str, **properties: str) -> str:
    props = "".join(f"<prop k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in properties.items())
    return f'<layer class="{cls}" enabled="1" locked="0" pass="0">{props}</layer>'


def _marker(shape: str, colour: str, size: float) -> str:
    return _symbol_layer(
        "SimpleMarker",
        name=shape,
        color=_token(colour),
        size=str(size),
        size_unit="Pixel",
        outline_color=_token("tierline"),
        outline_width="1",
        outline_width_unit="Pixel",
    )


def _line(colour: str, width: float) -> str:
    return _symbol_layer(
        "SimpleLine",
        line_color=_token(colour),
        line_width=str(width),
        line_width_unit="Pixel",
        capstyle="round",
        joinstyle="round",
    )


def _outline(colour: str, width: float, pattern: str = "solid") -> str:
    return _symbol_layer(
        "SimpleFill",
        style="no",
        outline_color=_token(colour),
        outline_width=str(width),
        outline_width_unit="Pixel",
        outline_style=pattern,
    )


def _venues() -> _Style:
    looks = {
        Tier.RED: ("triangle", "red", 10.0),
        Tier.YELLOW: ("square", "yellow", 8.0),
        Tier.GREEN: ("circle", "green", 7.0),
    }
    return _Style(
        "marker", Col.TIER, tuple(_Class(tier, _marker(*look)) for tier, look in looks.items())
    )


def _boundaries() -> _Style:
    looks = {
        Level.CITY: ("bcounty", 3.2, "solid"),
        Level.COUNTY: ("bcounty", 2.4, "dash dot"),
        Level.TOWNSHIP: ("btown", 1.2, "dash"),
        Level.VILLAGE: ("bvillage", 0.8, "solid"),
    }
    return _Style(
        "fill", Col.LEVEL, tuple(_Class(level, _outline(*look)) for level, look in looks.items())
    )


def _streets() -> _Style:
    looks = {
        StreetClass.EXPRESSWAY: ("case0", 3.0),
        StreetClass.ARTERIAL: ("case0", 2.2),
        StreetClass.COLLECTOR: ("case1", 1.6),
        StreetClass.LANE: ("case2", 1.1),
        StreetClass.RURAL: ("rural", 1.1),
        StreetClass.PATH: ("case3", 0.8),
    }
    return _Style(
        "line", Col.STREET_CLASS, tuple(_Class(kind, _line(*look)) for kind, look in looks.items())
    )


def _cells() -> _Style:
    return _Style("fill", "", (_Class("cell", _outline("grid", 0.8)),))


def _stations() -> _Style:
    return _Style("marker", "", (_Class("station", _marker("pentagon", "ink", 14.0)),))


_STYLES: Final[dict[str, Callable[[], _Style]]] = {
    "boundaries": _boundaries,
    "streets": _streets,
    "cells": _cells,
    "stations": _stations,
    "venues": _venues,
}


def qml(layer: str) -> str:
    """Return the style of a layer as QGIS reads it."""
    style = _STYLES[layer]()
    symbols = "".join(
        f'<symbol type="{style.kind}" name="{n}" alpha="1" clip_to_extent="1">{one.symbol}</symbol>'
        for n, one in enumerate(style.classes)
    )
    if style.column:
        categories = "".join(
            f'<category symbol="{n}" value="{one.value}" '
            f'label={quoteattr(both(f"style.{one.value}"))} render="true"/>'
            for n, one in enumerate(style.classes)
        )
        opening = f'<renderer-v2 type="categorizedSymbol" attr="{style.column}" enableorderby="0">'
        body = f"{opening}<categories>{categories}</categories>"
    else:
        body = '<renderer-v2 type="singleSymbol" enableorderby="0">'
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="3.28" styleCategories="Symbology">{body}'
        f"<symbols>{symbols}</symbols></renderer-v2></qgis>"
    )


def create_style_table(connection: Connection) -> None:
    """Add the table QGIS looks for, entered into the contents as QGIS does."""
    connection.exec_driver_sql(_TABLE)
    connection.exec_driver_sql(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles')"
    )


def drop_style_table(connection: Connection) -> None:
    """Take the table of styles away."""
    connection.exec_driver_sql("DELETE FROM gpkg_contents WHERE table_name = 'layer_styles'")
    connection.exec_driver_sql("DROP TABLE layer_styles")


def add_styles(connection: Connection, *layers: str) -> None:
    """Make our style the default one of layers."""
    for layer in layers:
        connection.exec_driver_sql(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner) "
            "VALUES ('', '', ?, 'geom', ?, ?, '', 1, 'patrolgrid', '')",
            (layer, layer, qml(layer)),
        )


def remove_styles(connection: Connection, *layers: str) -> None:
    """Take every style of layers away."""
    for layer in layers:
        connection.exec_driver_sql("DELETE FROM layer_styles WHERE f_table_name = ?", (layer,))
