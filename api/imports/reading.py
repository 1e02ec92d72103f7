"""A file of a layer, read by the reader of that layer."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from api.imports.option import ImportOptions
from geo import io
from geo.errors import OptionInvalid
from geo.io import Reading
from geo.io.closures import read_closures

_READERS: Final[Mapping[str, Callable[..., Reading]]] = {
    "boundaries": io.read_boundaries,
    "streets": io.read_streets,
    "closures": read_closures,
    "water": io.read_water,
    "buildings": io.read_buildings,
    "stations": io.read_stations,
    "units": io.read_units,
    "posts": io.read_posts,
    "venues": io.read_venues,
    "incidents": io.read_incidents,
}


def require_layer(layer: str) -> None:
    """Refuse the name of a layer that is not imported.

    Raises
    ------
    OptionInvalid
    """
    if layer not in _READERS:
        raise OptionInvalid(option="layer", value=layer, expected=", ".join(_READERS))


def read_file(
    layer: str, file: Path, options: ImportOptions, *, stations: pd.DataFrame | None = None
) -> Reading:
    """Read a file of a layer.

    Parameters
    ----------
    layer : str
    file : Path
    options : ImportOptions
        With a data date.
    stations : DataFrame, optional
        station_id and name of the stations that units may belong to.

    Raises
    ------
    InputError
        Any of its classes.
    """
    require_layer(layer)
    read = _READERS[layer]
    match layer:
        case "units":
            return read(file, drop=options.drop, stations=stations)
        case "boundaries":
            stated = {"datum": options.datum, "drop": options.drop}
            return read(file, version=options.version, **stated)
        case "venues":
            return read(file, datum=options.datum, drop=options.drop, positions_optional=True)
        case _:
            return read(file, datum=options.datum, drop=options.drop)
