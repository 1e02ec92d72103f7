"""What every exported file says about its maker, and which characters it may hold."""

import re
from typing import Final

CREATOR: Final = "patrolgrid"

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def without_controls(value: str) -> str:
    """Return text without the characters that XML, and so a workbook, forbids."""
    return _CONTROLS.sub(" ", value)
