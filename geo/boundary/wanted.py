"""What a register or a table of where units went must hold: one phrase each."""

from enum import StrEnum


class Wanted(StrEnum):
    """English phrases; the catalogue has each in both languages under its `code`."""

    OLDER_CODE = "a code of the older file"
    NEWER_CODE = "a code of the newer file"
    OLDER_ONCE = "every older code once"
    CODE_ONCE = "every code once"
    CODE_DIGITS = "6, 9 or 12 digits of GB/T 2260"
    HIGHER_UNIT = "the code of a unit of a higher level in the same file"
    COUNTS = "whole counts; give n and N, not their share"

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"wanted.{self.name.lower()}"
