"""Put a town's layers into a store, as imports leave them: our ids, segments, hours, units."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from sqlalchemy import insert

from api.store import new_ids
from api.store.boundaries import add_version, anchors, units_of_points
from api.store.city import CityRow, set_city_row
from api.store.layers import LAYERS
from geo.frames import Col
from geo.incident import snap_to_segments
from geo.venue import CADENCE, due_venues

ORDER = (
    "boundaries",
    "streets",
    "water",
    "buildings",
    "stations",
    "units",
    "posts",
    "venues",
    "incidents",
)


@dataclass
class Filled:
    """Our ids by the layer's own, ``ids["venues"]["V1"]``, while and after a store is filled."""

    connection: Any
    layers: Any
    ids: dict = field(default_factory=dict)
    units: dict = field(default_factory=dict)


def fill(store, layers):
    """Write every layer of `layers` into a store."""
    return store.write(lambda connection: _fill(Filled(connection, layers)))


def _fill(filled):
    layers = filled.layers
    city = CityRow(
        epsg=layers.epsg,
        data_date=layers.data_date,
        boundary_version=layers.boundary_version,
        synthetic=layers.synthetic,
        attribution=layers.attribution,
    )
    set_city_row(filled.connection, city)
    add_version(filled.connection, layers.boundary_version, source="synthetic")
    for layer in ORDER:
        rows = _rows(filled, layer, getattr(layers, layer))
        if rows:
            filled.connection.execute(insert(LAYERS[layer].table), rows)
    return filled


def _rows(filled, layer, frame):
    """Rows of a layer: the frame's columns, our ids, and what follows from both."""
    stored = LAYERS[layer]
    own = frame[stored.schema.key].tolist()
    ours = new_ids(stored.prefix, len(own)) if stored.prefix else own
    filled.ids[layer] = dict(zip(own, ours, strict=True))
    columns = {name: _plain(frame[name]) for name in stored.schema.columns}
    columns = {stored.renamed.get(name, name): values for name, values in columns.items()}
    columns |= {stored.key: ours, "external_id": [str(key) for key in own]}
    if stored.has_geometry:
        columns["geom"] = frame.geometry.tolist()
        columns["unit_code"] = units_of_points(filled.connection, anchors(columns["geom"]))
    columns |= _DERIVED.get(layer, lambda *_: {})(filled, frame)
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _boundaries(_, frame):
    keys = zip(frame[Col.BOUNDARY_VERSION], frame[Col.CODE], strict=True)
    return {
        "external_id": [f"{version}/{code}" for version, code in keys],
        "unit_code": frame[Col.CODE].tolist(),
        "geom": [
            shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])
            for shape in frame.geometry
        ],
    }


def _stations(filled, frame):
    codes = units_of_points(filled.connection, anchors(frame.geometry.tolist()))
    filled.units = dict(zip(frame[Col.STATION_ID], codes, strict=True))
    return {"code": [f"{number:02d}" for number in range(1, len(frame) + 1)]}


def _units(filled, frame):
    stations = frame[Col.STATION_ID].tolist()
    return {
        "number": list(range(1, len(frame) + 1)),
        "unit_code": [filled.units[station] for station in stations],
        Col.STATION_ID: [filled.ids["stations"][station] for station in stations],
    }


def _venues(filled, frame):
    due = due_venues(frame, as_of=filled.layers.data_date)[Col.DUE]
    return {
        "due": _plain(due),
        "cadence_version": [CADENCE.version] * len(frame),
        "precision": ["point"] * len(frame),
    }


def _incidents(filled, frame):
    streets = filled.layers.streets
    row = snap_to_segments(frame, streets, epsg=filled.layers.epsg).row
    codes = units_of_points(filled.connection, anchors(streets.geometry.tolist()))
    ids = list(filled.ids["streets"].values())
    return {
        Col.SEGMENT_ID: np.append(np.array(ids, dtype=object), "")[row].tolist(),
        "unit_code": np.append(codes, "")[row].tolist(),
    }


_DERIVED = {
    "boundaries": _boundaries,
    "stations": _stations,
    "units": _units,
    "venues": _venues,
    "incidents": _incidents,
}


def _plain(series):
    """Values as a driver takes them: hours begun, calendar days, None for a blank."""
    if str(series.dtype).startswith("datetime64[s, "):
        return series.dt.floor("h").dt.to_pydatetime().tolist()
    if str(series.dtype).startswith("datetime64"):
        return series.to_numpy().astype("datetime64[D]").astype(object).tolist()
    return series.tolist()
