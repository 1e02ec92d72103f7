"""Jobs of kind ``cells``: the city's basic grids cut anew under their old codes, and kept."""

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from api.jobs.job import Context, Facts, Job, Outcome
from api.jobs.table import hash_of
from api.store import Store
from api.store.cells import cells_hash, keep_cells, read_aliases, read_cells
from api.store.city import read_city
from geo.frames import Layers
from geo.grid import cut_grids, keep_codes
from geo.progress import Steps, StopToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Recut:
    """New grids of the whole city and what must still hold to keep them.

    Attributes
    ----------
    cells : GeoDataFrame
        CELLS frame under the codes of the cut before.
    aliases : DataFrame
        CELL_ALIASES frame of every code ever used.
    input_hash : str
        What `api.store.cells.cells_hash` said when the layers were read.
    """

    cells: gpd.GeoDataFrame
    aliases: pd.DataFrame
    input_hash: str

    def keep(self, connection: Connection) -> bool:
        """Keep the grids, unless a layer they follow from changed meanwhile."""
        return keep_cells(connection, self.cells, self.aliases, input_hash=self.input_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What the store held of grids when the layers were read."""

    cells: gpd.GeoDataFrame
    aliases: pd.DataFrame
    input_hash: str


def read_before(connection: Connection) -> Before:
    """Return the grids of the last cut, all codes that ended, and the hash of the layers now."""
    return Before(
        cells=read_cells(connection),
        aliases=read_aliases(connection),
        input_hash=cells_hash(connection),
    )


def recut(layers: Layers, before: Before, *, steps: Steps, stop: StopToken) -> Recut:
    """Cut the whole city's grids; one that covers most of an old one takes its code."""
    with steps.step("cells") as progress:
        cut = cut_grids(
            layers.boundaries,
            layers.streets,
            layers.water,
            layers.buildings,
            epsg=layers.epsg,
            progress=progress,
            stop=stop,
        )
        kept = keep_codes(cut.cells, before.cells, aliases=before.aliases)
    return Recut(cells=kept.cells, aliases=kept.aliases, input_hash=before.input_hash)


def run(store: Store, job: Job, context: Context) -> Outcome:
    """Cut the grids of the stored city and keep them.

    Raises
    ------
    PatrolgridError
        Layers that are not there yet.
    """
    with context.steps.step("read"), store.read() as connection:
        city, before = read_city(connection), read_before(connection)
    new = recut(city.layers, before, steps=context.steps, stop=context.stop)

    def keep(connection: Connection) -> Facts:
        return {"n_cells": len(new.cells), "is_kept": new.keep(connection)}

    found = hash_of(job.input_hash, new.input_hash, new.cells.to_wkb().to_csv(index=False))
    return Outcome(result={}, result_hash=found, keep=keep, input_hash=new.input_hash)
