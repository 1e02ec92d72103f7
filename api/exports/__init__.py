"""What a night and a month are handed over as: a table of venues due, a GPX route per team."""

from api.exports.gpx import safe_name, write_gpx
from api.exports.venues_due import write_venues_due

__all__ = ["safe_name", "write_gpx", "write_venues_due"]
