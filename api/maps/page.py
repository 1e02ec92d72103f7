"""The page: a Folium map whose every part is inside one file."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

import folium
from branca.element import Element, Figure
from jinja2 import Template

from api.i18n import LANGUAGES, Language, text
from api.maps.asset import (
    NIGHT_SCRIPTS,
    NIGHT_STYLES,
    leaflet_script,
    leaflet_style,
    own_script,
    own_style,
)
from api.maps.payload import build_payload, to_json
from geo.privacy import Audience

if TYPE_CHECKING:
    from routing.pipeline import Tonight

MIN_ZOOM, MAX_ZOOM = 8, 18

CONTENT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
)
"""What the file may load: nothing from anywhere."""

BODY = """\
<header class="bar" id="bar"></header>
<main class="map" id="{id}" tabindex="0">
<canvas class="watermark" id="watermark" aria-hidden="true"></canvas>
<div class="tools" id="tools" role="toolbar"></div><div class="legend" id="legend"></div>
<div class="corner-clock" id="corner-clock"></div><div class="credit" id="credit"></div></main>
<div class="sheet" id="sheet" data-at="peek"><button class="grip" id="grip" type="button"></button>
<section class="time" id="time"></section><aside class="left" id="left"></aside>
<aside class="right" id="right" aria-live="polite"></aside></div>
<noscript>{noscript}</noscript>"""


class _Verbatim(Element):
    """Text that goes into the page as it is.

    Folium's own elements read what they are given as a Jinja template, and venue names must
    never be read as one.
    """

    _template = Template("{{ this.verbatim }}")

    def __init__(self, verbatim: str) -> None:
        super().__init__()
        self.verbatim = verbatim


class OfflineMap(folium.Map):
    """A Folium map that needs no network: style, shell, data and script are inside its page.

    Layers of Folium's own may be added to it as to any other map; they bring their own links.

    Parameters
    ----------
    payload : dict
        What the script reads as ``D``.
    shell : str
        The page's body, with ``{id}`` for the map and ``{noscript}``.
    title : str
        Of the browser's window, in `lang`.
    styles, scripts : tuple of str
        Names of our assets, in order.
    lang : {'zh', 'en'}
        Language the page opens in; both are inside.
    """

    def __init__(
        self,
        payload: dict[str, object],
        *,
        shell: str,
        title: str,
        styles: tuple[str, ...],
        scripts: tuple[str, ...],
        lang: Language = "zh",
    ) -> None:
        super().__init__(tiles=None, max_zoom=MAX_ZOOM, min_zoom=MIN_ZOOM)
        self.default_js, self.default_css = [], []
        self._id = "patrol"
        self.payload = payload
        self.lang = lang
        self._shell, self._title = shell, title
        self._styles, self._scripts = styles, scripts

    def render(self, **kwargs: object) -> str:
        """Put style, shell, data and script into the figure, each as it is."""
        figure = self._figure()
        figure.header._children.clear()  # what folium links and styles is not ours
        self._put(figure.header, "head", self._head())
        self._put(figure.html, "body", self._body())
        self._put(figure.script, "map", f"var {self.get_name()} = patrol.start();")
        for child in self._children.values():
            child.render(**kwargs)
        return ""

    def page(self) -> str:
        """Return the whole page."""
        figure = self._figure()
        figure._template = _PAGES[self.lang]
        return figure.render()

    def save_page(self, path: Path) -> None:
        """Write the whole page, or nothing."""
        html = self.page()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(html, encoding="utf-8", newline="\n")
        partial.replace(path)

    def _figure(self) -> Figure:
        figure = self.get_root()
        if not isinstance(figure, Figure):
            raise TypeError(type(figure))
        return figure

    def _put(self, where: Element, name: str, verbatim: str) -> None:
        where.add_child(_Verbatim(verbatim), name=f"patrol-{name}")

    def _head(self) -> str:
        return "\n".join(
            [
                '<meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">',
                '<meta name="viewport" content="width=device-width,initial-scale=1">',
                '<link rel="icon" href="data:,">',
                f"<title>{html.escape(self._title)}</title>",
                f"<style>{leaflet_style()}</style>",
                f"<style>{own_style(self._styles)}</style>",
            ]
        )

    def _body(self) -> str:
        noscript = "".join(text("map.noscript", lang) for lang in LANGUAGES)
        options = {"id": self.get_name(), "min_zoom": MIN_ZOOM, "max_zoom": MAX_ZOOM}
        return "\n".join(
            [
                self._shell.format(id=self.get_name(), noscript=noscript),
                _json_script("patrol-options", {**options, "lang": self.lang}),
                _json_script("patrol-data", self.payload),
                f"<script>{leaflet_script()}</script>",
                f"<script>{own_script(self._scripts)}</script>",
            ]
        )


class PatrolMap(OfflineMap):
    """The commander's map of one night.

    Parameters
    ----------
    payload : dict
        What `build_payload` returns.
    lang : {'zh', 'en'}
        Language the page opens in; both are inside.
    """

    def __init__(self, payload: dict[str, object], *, lang: Language = "zh") -> None:
        super().__init__(
            payload,
            shell=BODY,
            title=text("map.title", lang),
            styles=NIGHT_STYLES,
            scripts=NIGHT_SCRIPTS,
            lang=lang,
        )


_PAGE = (
    '<!DOCTYPE html>\n<html lang="LANG" data-theme="day">\n<head>\n'
    "{{ this.header.render(**kwargs) }}\n</head>\n<body>\n{{ this.html.render(**kwargs) }}\n"
    "<script>\n{{ this.script.render(**kwargs) }}\n</script>\n</body>\n</html>\n"
)
_PAGES = {
    "zh": Template(_PAGE.replace("LANG", "zh-CN")),
    "en": Template(_PAGE.replace("LANG", "en")),
}
"""Folium's figure with the page's language; Chinese type needs zh-CN, or takes Japanese forms."""


def _json_script(identity: str, value: object) -> str:
    return f'<script type="application/json" id="{identity}">{to_json(value)}</script>'


def write_map(
    tonight: "Tonight",
    path: Path,
    *,
    audience: Audience,
    lang: Language = "zh",
    unit_id: str | None = None,
) -> None:
    """Write tonight as one HTML file that opens from disk with the network cut.

    The same night gives the same bytes.

    Parameters
    ----------
    tonight : routing.pipeline.Tonight
    path : Path
        Written whole or not at all.
    audience : Audience
        Who it is for: public and partner get no route.
    lang : {'zh', 'en'}
        Language it opens in; the page can switch.
    unit_id : str, optional
        The team, when the audience is a team.

    Raises
    ------
    OptionInvalid
        A team's map without its team.
    """
    payload = build_payload(tonight, audience=audience, unit_id=unit_id)
    PatrolMap(payload, lang=lang).save_page(path)
