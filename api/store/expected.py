"""What a value should have been: one phrase each."""

from enum import StrEnum


class Expected(StrEnum):
    """English phrases; the catalogue has each in both languages under its `code`."""

    VISIT_DAY = "a day from 1990-01-01 to today"
    VISIT_OUTCOME = "done, hazard, not_found or closed"
    POINT_INSIDE = "a point inside the city's boundaries"
    CURSOR = "the cursor of a page before"
    TIER = "red, yellow or green"
    HEADCOUNT = "2 or more"
    STATION_CODE = "1 to 8 digits or capital letters"
    UNIT_NUMBER = "a whole number from 1 to 99"

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"store.expected.{self.name.lower()}"
