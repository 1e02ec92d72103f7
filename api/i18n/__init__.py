"""The one catalogue of everything people read, in Chinese and English.

Each ``*.toml`` beside this file holds the entries of one area::

    "plan.reason.peak" = { zh = "需求高 · {hour} 时", en = "High demand · {hour} h" }

Error classes carry their English template themselves; the catalogue adds the Chinese.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from geo.errors import PatrolgridError, error_classes

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

MARKS: Mapping[Language, str] = {"zh": "、", "en": ", "}
"""What stands between the members of a list in a sentence."""


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every entry: message code -> language -> template."""
    entries: dict[str, dict[str, str]] = {cls.code: {"en": cls.template} for cls in error_classes()}
    for area in sorted(files(__name__).iterdir(), key=lambda path: path.name):
        if not area.name.endswith(".toml"):
            continue
        for code, languages in tomllib.loads(area.read_text(encoding="utf-8")).items():
            entries.setdefault(code, {}).update(languages)
    return entries


def text(code: str, lang: Language, **params: object) -> str:
    """Return the message `code` in `lang`, its fields filled from `params`.

    A list or tuple is told member after member, with the mark of the language between them.

    Raises
    ------
    KeyError
        No such code or language: a defect of ours that a test catches, never bad input.
    """
    told = {name: listed(value, lang) for name, value in params.items()}
    return catalogue()[code][lang].format(**told)


def listed(value: object, lang: Language) -> object:
    """Return a list or tuple as it stands in a sentence, anything else as it is."""
    return MARKS[lang].join(map(str, value)) if isinstance(value, list | tuple) else value


def both(code: str, **params: object) -> str:
    """Return the message in Chinese and English, for places where no language is known yet."""
    return " · ".join(text(code, lang, **params) for lang in LANGUAGES)


def explain(error: PatrolgridError, lang: Language) -> str:
    """Return an error's one sentence in `lang`."""
    return phrase(error.code, lang, error.params)


def phrase(code: str, lang: Language, params: Mapping[str, object]) -> str:
    """Return the message `code` in `lang`; parameters that carry a code of their own as well."""
    return text(code, lang, **{name: _in(value, lang) for name, value in params.items()})


def _in(value: object, lang: Language) -> object:
    """Return a parameter as it is read: one that carries a code of its own in `lang`."""
    code = getattr(value, "code", None)
    return text(code, lang, **getattr(value, "params", {})) if isinstance(code, str) else value
