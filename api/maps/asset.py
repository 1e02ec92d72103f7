"""Style and script of the page: Leaflet from its wheel, and our own small files in order."""

import re
from functools import cache
from importlib.resources import files

NIGHT_STYLES = ("token.css", "layout.css", "panel.css", "phone.css", "print.css")
"""Of the commander's map, in cascade order; every colour is in the first."""

THEME_STYLES = ("token.css", "layout.css", "theme.css")
"""Of a theme map."""

NIGHT_SCRIPTS = (
    "decode.js",
    "words.js",
    "dom.js",
    "symbol.js",
    "land.js",
    "venues.js",
    "teams.js",
    "overlay.js",
    "stops.js",
    "labels.js",
    "panels.js",
    "schedule.js",
    "legend.js",
    "time.js",
    "bar.js",
    "watermark.js",
    "frame.js",
    "print.js",
    "start.js",
)
"""Of the commander's map, joined in this order inside one function: later files use what earlier
ones define."""

THEME_SCRIPTS = (
    "decode.js",
    "words.js",
    "dom.js",
    "watermark.js",
    "lanes.js",
    "rounds.js",
    "theme.js",
)
"""Of a theme map."""


@cache
def leaflet_style() -> str:
    """Return Leaflet's style without its pictures: the page uses none of them."""
    return re.sub(r"url\([^)]*\)", "none", _leaflet("leaflet.css"))


@cache
def leaflet_script() -> str:
    """Return Leaflet itself, safe inside a script element."""
    source = re.sub(r"//# sourceMappingURL=\S*", "", _leaflet("leaflet.js"))
    return source.replace("</script", "<\\/script")


def _leaflet(name: str) -> str:
    return (files("xstatic.pkg.leaflet") / "data" / name).read_text(encoding="utf-8")


@cache
def own_style(names: tuple[str, ...]) -> str:
    """Return our style sheets as one."""
    return "\n".join(_own(name) for name in names)


@cache
def own_script(names: tuple[str, ...]) -> str:
    """Return our scripts as one function that returns the face other code may use."""
    body = "\n".join(_own(name) for name in names)
    return f"const patrol = (() => {{\n'use strict';\n{body}\n}})();"


def _own(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")
