"""`patrolgrid recut`: the stored city's grids cut once, used by every plan after."""

import runpy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.store import open_store
from api.store.cells import fresh_cells

fill = runpy.run_path(str(Path(__file__).parent / "stored_town.py"))["fill"]


@pytest.fixture
def setting(tmp_path, monkeypatch, small_layers):
    setting = str(tmp_path / "city.gpkg")
    monkeypatch.setenv("PATROLGRID_STORE", setting)
    with open_store(setting, create=True) as store:
        fill(store, small_layers)
    return setting


def test_the_grids_are_kept_and_a_second_cut_keeps_every_code(setting):
    codes = []
    for _ in range(2):
        done = CliRunner().invoke(app, ["recut", "--lang", "en"])
        assert done.exit_code == 0, done.output
        with open_store(setting) as store, store.read() as connection:
            codes.append(fresh_cells(connection)["cell_id"].tolist())
        assert f"{len(codes[-1])} basic grids kept" in done.output
    assert codes[0] == codes[1]
