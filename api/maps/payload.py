"""Everything the page knows, as one JSON value: what the audience may not see is not in it."""

import json
import re
from typing import TYPE_CHECKING

import geopandas as gpd

from api.i18n import LANGUAGES, catalogue
from api.maps.density import pack_density
from api.maps.land import (
    level_polygons,
    pack_areas,
    pack_borders,
    pack_cells,
    pack_streets,
    place_labels,
    simplify_cells,
)
from api.maps.night import count_night, pack_night, pack_stations
from api.maps.pack import STEP, Lattice
from api.maps.venue import pack_townships, pack_venues, planned_days
from geo.errors import OptionInvalid
from geo.frames import Col, Level
from geo.privacy import Audience, Visible, allowed
from geo.units import HOUR, MINUTE, SYNTHETIC

if TYPE_CHECKING:
    from routing.pipeline import Tonight

FORMAT = "patrolgrid.map/1"


def build_payload(
    tonight: "Tonight", *, audience: Audience, unit_id: str | None = None
) -> dict[str, object]:
    """Return the page's data for `audience`.

    Parameters
    ----------
    unit_id : str, optional
        The team, when `audience` is the team.

    Raises
    ------
    OptionInvalid
        A team's map without its team, or another audience with one.
    """
    _require_team(audience, unit_id)
    layers = tonight.layers
    lattice = Lattice.around(layers.boundaries.total_bounds)
    levels = level_polygons(layers)
    payload: dict[str, object] = {
        "format": FORMAT,
        "meta": _meta(tonight, audience),
        "lattice": [lattice.lon0, lattice.lat0, STEP],
        "streets": pack_streets(layers.streets, lattice, epsg=layers.epsg),
        "areas": pack_areas(layers, lattice),
        "borders": pack_borders(levels, lattice, epsg=layers.epsg),
        "labels": place_labels(layers),
        "stations": pack_stations(layers.stations),
        "frame": [round(float(v), 5) for v in layers.boundaries.total_bounds],
    }
    payload |= _places(tonight, levels, lattice, audience)
    payload |= _plan(tonight, lattice, audience, unit_id)
    payload["words"] = _words(payload.pop("codes", []))
    return payload


def _meta(tonight: "Tonight", audience: Audience) -> dict[str, object]:
    layers, plan = tonight.layers, tonight.plan
    shift = plan.problem.shift
    return {
        "plan": plan.plan_id,
        "state": plan.state.value,
        "night": shift.start.date().isoformat(),
        "start": shift.start.hour * HOUR + shift.start.minute * MINUTE,
        "length": shift.length,
        "data_date": layers.data_date.isoformat(),
        "boundary_version": layers.boundary_version,
        "audience": audience.value,
        "synthetic": layers.synthetic,
        "synthetic_streets": bool((layers.streets[Col.SOURCE] == SYNTHETIC).any()),
        "attribution": list(layers.attribution),
    }


def _places(
    tonight: "Tonight",
    levels: dict[Level, gpd.GeoDataFrame],
    lattice: Lattice,
    audience: Audience,
) -> dict[str, object]:
    """Return basic grids, venues, townships and density, as far as the audience may see them."""
    layers, cells, venues = tonight.layers, tonight.cells, tonight.venues
    shift = tonight.plan.problem.shift
    drawn = simplify_cells(cells, epsg=layers.epsg)
    found: dict[str, object] = {"cells": pack_cells(drawn, _villages(tonight), lattice, audience)}
    if allowed(audience, Visible.VENUES):
        days = planned_days(tonight.schedule) if allowed(audience, Visible.ROTAS) else {}
        found["venues"] = pack_venues(
            venues, cells, lattice, night=shift.start.date(), planned=days
        )
        found["townships"] = pack_townships(
            levels.get(Level.TOWNSHIP), venues, cells, lattice, audience
        )
    if allowed(audience, Visible.INCIDENT_DENSITY):
        found["density"] = pack_density(layers.incidents, cells, shift, lattice, epsg=layers.epsg)
    return found


def _villages(tonight: "Tonight") -> list[str]:
    boundaries = tonight.layers.boundaries
    codes: list[str] = boundaries[Col.CODE][boundaries[Col.LEVEL] == Level.VILLAGE.value].tolist()
    return codes


def _plan(
    tonight: "Tonight", lattice: Lattice, audience: Audience, unit_id: str | None
) -> dict[str, object]:
    """Return the routes the audience may see: all of them, its own, or none."""
    if allowed(audience, Visible.FUTURE_ROUTES):
        night = pack_night(tonight, lattice, unit_id=None)
        return {**night, "counts": count_night(tonight.plan)}
    if allowed(audience, Visible.OWN_ROUTE):
        return pack_night(tonight, lattice, unit_id=unit_id)
    return {}


def _require_team(audience: Audience, unit_id: str | None) -> None:
    if audience is Audience.TEAM and unit_id is None:
        raise OptionInvalid(option="unit_id", value=None, expected="the team that may see it")
    if audience is not Audience.TEAM and unit_id is not None:
        raise OptionInvalid(option="unit_id", value=unit_id, expected="audience team")


def _words(codes: object) -> dict[str, dict[str, str]]:
    """Return the page's own messages and those that `codes` name, in every language."""
    entries = catalogue()
    wanted = [code for code in entries if code.startswith("map.")]
    wanted += [code for code in codes if code in entries] if isinstance(codes, list) else []
    return {lang: {code: entries[code][lang] for code in wanted} for lang in LANGUAGES}


_UNSAFE = re.compile("[<>&\u2028\u2029]")


def to_json(value: object) -> str:
    """Return compact JSON that no HTML parser can read as markup."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
