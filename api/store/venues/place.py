"""Venues placed on the map: where the register knew no point."""

import math

import shapely
from sqlalchemy import Connection, literal, select, update

from api.store import chain
from api.store.boundaries import unit_of_point
from api.store.expected import Expected
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import VENUES
from api.store.venues.row import Venue, venue, venue_to_change
from geo.errors import RequestInvalid
from geo.units import LONLAT_DECIMALS


def place_venue(
    connection: Connection,
    venue_id: str,
    lon: float,
    lat: float,
    *,
    version: int,
    actor: str = chain.SYSTEM,
    scope: Scope = EVERYWHERE,
) -> Venue:
    """Put a venue on a point of the map, and into the unit that holds the point.

    Parameters
    ----------
    connection : Connection
    venue_id : str
    lon, lat : float
        EPSG:4326.
    version : int
        Of the venue as it was read.
    actor : str
        Label for the audit.
    scope : Scope

    Raises
    ------
    NotFound
        No such venue in the scope.
    VersionConflict
        It was changed meanwhile.
    RequestInvalid
        The point lies outside of all units, or outside the scope.
    """
    chain.hold(connection)
    venue_to_change(connection, venue_id, scope, version=version)
    lon, lat = round(lon, LONLAT_DECIMALS), round(lat, LONLAT_DECIMALS)
    is_finite = math.isfinite(lon) and math.isfinite(lat)
    unit_code = unit_of_point(connection, lon, lat) if is_finite else ""
    is_inside = unit_code and connection.scalar(select(scope.holds(literal(unit_code))))
    if not is_inside:
        raise RequestInvalid(where="body.lon, body.lat", expected=Expected.POINT_INSIDE)
    placed = {
        "geom": shapely.Point(lon, lat),
        "precision": "point",
        "unit_code": unit_code,
        "changed_by": "map",
        "version": version + 1,
    }
    connection.execute(update(VENUES).where(VENUES.c.venue_id == venue_id).values(placed))
    chain.record(
        connection,
        actor=actor,
        action="venue.placed",
        subject=venue_id,
        details={"lon": lon, "lat": lat, "unit_code": unit_code},
    )
    return venue(connection, venue_id, scope)
