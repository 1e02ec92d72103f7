"""Layers that not every audience may see, whole or as counts."""

from collections.abc import Mapping
from typing import Final

from geo.errors import OptionInvalid
from geo.frames import ASSETS, CAMERA_COUNTS, HAZARDS, NIGHT_ZONES, PARKING, REACHES, RESOURCES
from geo.frames.place import RAIL, SERVICE_POINTS
from geo.privacy import Audience, Visible, allowed

SHOWN_AS: Final[Mapping[str, Visible]] = {
    RAIL.layer: Visible.STREETS,
    SERVICE_POINTS.layer: Visible.SERVICE_POINTS,
    PARKING.layer: Visible.PARKING,
    HAZARDS.layer: Visible.RESTRICTED_PLACES,
    CAMERA_COUNTS.layer: Visible.CAMERA_COUNTS,
    ASSETS.layer: Visible.WATER,
    REACHES.layer: Visible.REACHES,
    NIGHT_ZONES.layer: Visible.NIGHT_ZONES,
    RESOURCES.layer: Visible.ROTAS,
}
"""What each place layer is in the table audience x layer; counts of a layer follow the layer."""


def require_audience(layer: str, audience: Audience) -> None:
    """Refuse to show a layer, or a count of it, to an audience that may not see it.

    Raises
    ------
    OptionInvalid
        Names the audiences that may.
    """
    if allowed(audience, SHOWN_AS[layer]):
        return
    fine = ", ".join(one.value for one in Audience if allowed(one, SHOWN_AS[layer]))
    raise OptionInvalid(option="--audience", value=audience.value, expected=fine)
