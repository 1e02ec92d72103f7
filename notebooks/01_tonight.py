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
# # Tonight, from boundaries to a map
#
# The whole chain on the sample district: synthetic townships, streets, venues and reports inside
# the real county line of Dongchangfu. Bring your own city with `geo.io.read_layers`.

# %%
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

from api.i18n import text
from api.maps import write_map
from geo.privacy import Audience
from geo.sample import make_city
from routing.pipeline import plan_tonight, shift_from

# %% [markdown]
# Layers are frames in longitude and latitude with declared columns (`geo.frames`).

# %%
night = date(2026, 11, 21)
sample = make_city(scale="district", seed=1, data_date=date(2026, 11, 20))
sample.layers.venues.groupby(["tier", "kind"]).size().unstack()

# %% [markdown]
# One call plans the night's patrol and the month's inspections, and verifies both.

# %%
tonight = plan_tonight(sample.layers, shift=shift_from(night, "20:00-02:00"), seed=1)
for metric in tonight.metrics:
    print(metric.sentence(lambda code, **params: text(code, "en", **params)))

# %% [markdown]
# Cells carry their counts; a plan is routes of visits; both are plain values to work on.

# %%
print(tonight.cells[["households", "n_venues", "n_due"]].describe().round(1))
longest = max(tonight.plan.routes, key=lambda route: len(route.visits))
for visit in longest.visits:
    print(tonight.plan.problem.shift.at(visit.arrive).strftime("%H:%M"), visit.kind, visit.place_id)

# %% [markdown]
# And the map a commander opens, which needs no network.

# %%
page = Path(mkdtemp()) / "tonight.html"
write_map(tonight, page, audience=Audience.COMMAND, lang="en")
print(page)
