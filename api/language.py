"""Which of our two languages a reader asks for (RFC 9110, 12.5.4)."""

from typing import Any, Final

from starlette.requests import HTTPConnection

from api.i18n import LANGUAGES, Language

_MOST: Final = 400
"""Characters of Accept-Language that are looked at."""


def language_of(request: HTTPConnection) -> Language:
    """Return the language of a request: Accept-Language, else the installation's own."""
    own: Language = getattr(request.app.state, "language", "zh")
    return preferred(request.headers.get("accept-language", ""), own)


def preferred(accepted: str, own: Language) -> Language:
    """Return the language with the highest weight, the first of equals; `own` when none is ours."""
    weights: dict[Language, float] = {}
    for item in accepted[:_MOST].split(","):
        name, _, params = item.partition(";")
        language = _ours(name.strip().lower(), own)
        if language is not None:
            weights.setdefault(language, _weight(params))
    best = max(weights.values(), default=0.0)
    return next((lang for lang, weight in weights.items() if weight == best and best > 0), own)


def _ours(name: str, own: Language) -> Language | None:
    if name == "*":
        return own
    primary: Any = name.partition("-")[0]
    return primary if primary in LANGUAGES else None


def _weight(params: str) -> float:
    for param in params.split(";"):
        name, _, value = param.strip().partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
