"""Grids in the store: kept as they were cut, given back while nothing they follow from changed."""

import runpy
from pathlib import Path

import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal
from sqlalchemy import select, update

from api.store import EVERYWHERE, Scope
from api.store.cells import cells_hash, fresh_cells, keep_cells, read_aliases, read_cells
from api.store.tables import BUILDINGS, CELL_ALIASES, VENUES
from geo.frames import Col
from geo.grid import cut_cells, keep_codes

fill = runpy.run_path(str(Path(__file__).parent / "stored_town.py"))["fill"]

NO_ALIASES = pd.DataFrame({"alias_id": [], "cell_id": [], "alias_case": [], "share": []})


@pytest.fixture(scope="module")
def cells(small_layers):
    layers = small_layers
    return cut_cells(
        layers.boundaries, layers.streets, layers.water, layers.buildings, epsg=layers.epsg
    )


@pytest.fixture
def town(store, small_layers):
    fill(store, small_layers)
    return store


def keep(store, cells, aliases=NO_ALIASES, input_hash=None):
    return store.write(
        lambda c: keep_cells(c, cells, aliases, input_hash=input_hash or cells_hash(c))
    )


def test_before_the_first_cut_there_are_none(town):
    with town.read() as connection:
        assert len(read_cells(connection)) == 0
        assert fresh_cells(connection) is None


def test_grids_come_back_as_they_were_cut(town, cells):
    assert keep(town, cells)
    with town.read() as connection:
        assert_geodataframe_equal(read_cells(connection), cells)
        assert_geodataframe_equal(fresh_cells(connection), cells)


def test_a_village_sees_its_own(town, cells):
    keep(town, cells)
    village = cells[Col.VILLAGE_CODE].iloc[0]
    with town.read() as connection:
        own = fresh_cells(connection, Scope(unit_code=village))
    assert own[Col.CELL_ID].tolist() == (
        cells.loc[cells[Col.VILLAGE_CODE] == village, Col.CELL_ID].tolist()
    )


def test_a_new_building_makes_them_stale_and_a_visited_venue_does_not(town, cells):
    keep(town, cells)
    town.write(lambda c: c.execute(update(VENUES).values(version=VENUES.c.version + 1)))
    with town.read() as connection:
        assert fresh_cells(connection) is not None
    one = select(BUILDINGS.c.fid).limit(1).scalar_subquery()
    changed = update(BUILDINGS).where(BUILDINGS.c.fid == one)
    town.write(lambda c: c.execute(changed.values(version=BUILDINGS.c.version + 1)))
    with town.read() as connection:
        assert fresh_cells(connection) is None
        assert len(read_cells(connection, EVERYWHERE)) == len(cells)


def test_grids_of_layers_that_changed_meanwhile_are_not_kept(town, cells):
    with town.read() as connection:
        before = cells_hash(connection)
    town.write(lambda c: c.execute(update(BUILDINGS).values(version=BUILDINGS.c.version + 1)))
    assert not keep(town, cells, input_hash=before)
    with town.read() as connection:
        assert len(read_cells(connection)) == 0


def test_new_grids_replace_the_last_and_ended_codes_stay_known(town, cells):
    keep(town, cells)
    fewer = cells.iloc[1:].reset_index(drop=True)
    cut = keep_codes(fewer, cells)
    assert keep(town, cut.cells, cut.aliases)
    ended = cells[Col.CELL_ID].iloc[0]
    with town.read() as connection:
        assert read_cells(connection)[Col.CELL_ID].tolist() == fewer[Col.CELL_ID].tolist()
        aliases = read_aliases(connection)
        since = connection.scalars(select(CELL_ALIASES.c.since)).all()
    assert aliases[Col.ALIAS_ID].tolist() == [ended]
    assert len(since) == 1
    again = keep_codes(cells, cut.cells, aliases=aliases)
    assert ended not in set(again.cells[Col.CELL_ID])
