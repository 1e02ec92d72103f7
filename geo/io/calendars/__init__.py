"""The working calendar as files: the years that come with patrolgrid, and a user's own."""

from geo.io.calendars.read import read_calendar_file, shipped_calendar

__all__ = ["read_calendar_file", "shipped_calendar"]
