"""Places, never people: what readers refuse, and who may see what.

`headers` knows column names that name or describe persons, `shapes` values that look like theirs,
`kinds` words for kinds of person and for dwellings, `screen` puts them before a table, `shown`
keeps them out of messages, and `audience` says which audience sees which layer.
"""

from geo.privacy.audience import (
    AUDIENCE_LAYERS,
    MIN_COUNT,
    Audience,
    Visible,
    allowed,
    suppress,
)
from geo.privacy.headers import is_free_text, is_personal_header
from geo.privacy.kinds import (
    is_dwelling,
    is_dwelling_name,
    is_person_kind,
    is_person_name,
    refuse_person_kinds,
)
from geo.privacy.screen import Finding, Trust, refuse_personal, screen_table
from geo.privacy.shapes import is_credit_code, is_identity_number
from geo.privacy.shown import NOT_SHOWN, key_shown, shown

__all__ = [
    "AUDIENCE_LAYERS",
    "MIN_COUNT",
    "NOT_SHOWN",
    "Audience",
    "Finding",
    "Trust",
    "Visible",
    "allowed",
    "is_credit_code",
    "is_dwelling",
    "is_dwelling_name",
    "is_free_text",
    "is_identity_number",
    "is_person_kind",
    "is_person_name",
    "is_personal_header",
    "key_shown",
    "refuse_person_kinds",
    "refuse_personal",
    "screen_table",
    "shown",
    "suppress",
]
