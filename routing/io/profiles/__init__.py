"""Travel profiles from TOML: the one that comes with patrolgrid, and a place's own.

A file ``travel-<version>.toml`` beside this module comes with patrolgrid; the newest is equal to
`routing.network.NIGHT`. A user's own file takes its place.
"""

from routing.io.profiles.read import profile_document, profile_of, read_profile, shipped_profile

__all__ = ["profile_document", "profile_of", "read_profile", "shipped_profile"]
