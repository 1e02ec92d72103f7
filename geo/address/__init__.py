"""Addresses of venues: their parts, and where they lie when a register has no coordinates."""

from geo.address.locate import Located, locate_addresses
from geo.address.text import Address, parse_address, place_text

__all__ = ["Address", "Located", "locate_addresses", "parse_address", "place_text"]
