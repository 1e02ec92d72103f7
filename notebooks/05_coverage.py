# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Who is reached in time
#
# Stations, streets and a clock: how far does a team get in 5, 10 and 15 minutes, how many
# households and venues are that, and which places are farther than the service standard allows?
# On the sample district, where streets, buildings and venues are synthetic. A city's own come with
# `geo.io.read_layers`, or with `patrolgrid isochrones` and `patrolgrid service-standard`.

# %%
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

from api.i18n import phrase
from api.maps import write_theme
from api.maps.reach import isochrones_theme
from geo.frames import Target
from geo.place.setting import unit_settings
from geo.privacy import Audience
from geo.sample import make_city
from routing.model import Mode, Place
from routing.network import TimeBand, build_network
from routing.travel import Travel
from routing.travel.coverage import (
    Departures,
    Standard,
    all_venues,
    check_service,
    count_reached,
    homes,
    rate_of,
)
from routing.travel.isochrone import MINUTES, isochrones

sample = make_city(scale="district", seed=1, data_date=date(2026, 11, 20)).layers
basis = {"data_date": sample.data_date, "boundary_version": sample.boundary_version}
network, report = build_network(sample.streets, epsg=sample.epsg)
print(f"{network.n_nodes:,} junctions and bends, {network.length.sum() / 1000:,.0f} km of street")

# %% [markdown]
# ## Areas
#
# Every street is timed from every station; what lies within 75 m of a street reached in time is
# the area. Areas are to look at. They are valid, each lies inside the next, and fields, lakes and
# wide rivers without a street stay out.

# %%
stations = sample.stations
places = [
    Place(place_id=i, name=n, lon=p.x, lat=p.y)
    for i, n, p in zip(stations["station_id"], stations["name"], stations.geometry, strict=True)
]
travel = Travel(network, (Mode.CAR,), band=TimeBand.NIGHT)
areas = isochrones(travel, places, mode=Mode.CAR, is_union=True)
together = areas[areas["place_id"] == ""]
print((together.set_index("minutes")["area"] / 1e6).round(1).to_string())

# %% [markdown]
# ## Counts
#
# Counting never asks whether a building lies in an area: it asks how long the way to it is. A
# number stands with its total, the day of the data and the version of the boundaries.

# %%
departures = Departures(travel=travel, places=places, mode=Mode.CAR)
targets = [homes(sample.buildings), all_venues(sample.venues)]
counts = count_reached(departures, targets, minutes=MINUTES, **basis)
figures = []
for row in counts[counts["place_id"] == ""].itertuples():
    said = {"minutes": row.minutes, "rate": str(rate_of(row))}
    figures.append((f"isochrone.counted.{row.target}", said))
    print(phrase(figures[-1][0], "en", said))

# %% [markdown]
# ## At another hour
#
# The same streets at rush hour: only the weights are made anew.

# %%
rush = Departures(travel=travel.under(band=TimeBand.PEAK), places=places, mode=Mode.CAR)
for name, some in (("night", departures), ("rush hour", rush)):
    table = count_reached(some, targets[:1], minutes=(5,), **basis)
    print(f"{name}: {rate_of(list(table.itertuples())[-1])} of households within 5 minutes")

# %% [markdown]
# ## The service standard
#
# Half an hour in town, one hour in the country. A 街道 is town, a 镇 or 乡 country, unless a
# column of the boundaries states otherwise. Every place outside is listed, with its reason. The
# district keeps it with ease, so a tighter one shows what a list looks like.

# %%
settings = unit_settings(sample.boundaries)
for standard in (Standard(), Standard(town=10, country=15)):
    found = check_service(
        departures, targets, sample.boundaries, settings, standard=standard, **basis
    )
    print(f"{standard.town} min in town, {standard.country} min in the country:")
    for (target, setting), rate in found.kept.items():
        print(f"  {target.value} in {setting.value}: {rate}")
    print(f"  {len(found.missed):,} places missed")
columns = ["place_id", "township", "minutes", "limit", "nearest_id", "reason"]
missed = found.missed[found.missed["target"] == Target.VENUES.value]
print(missed[columns].head().to_string(index=False))

# %% [markdown]
# ## The map
#
# For command alone: it shows where help comes late.

# %%
page = Path(mkdtemp()) / "coverage.html"
theme = isochrones_theme(
    areas,
    counts,
    stations,
    sample.streets,
    sample.boundaries,
    figures=figures,
    data_date=sample.data_date,
    boundary_version=sample.boundary_version,
    is_synthetic=sample.synthetic,
    attribution=sample.attribution,
)
write_theme(theme, page, audience=Audience.COMMAND, lang="en")
print(page)
