"""The sample of an older register, its independent grids, and its layers beside streets."""

import hashlib
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import geo.frames as declared
from geo.boundary import check_nesting, institution_kinds
from geo.frames import BOUNDARIES, Col, GridRole, InstitutionKind, Level, require
from geo.io.convert import LAYERS
from geo.io.export import write_file
from geo.sample import Sample, make_city
from geo.sample.institutions import BLOCK_AREA, make_institutions
from geo.sample.places import make_camera_counts, make_places
from geo.sample.register import EDITIONS, STATISTICAL_UNIT, Unit, read_counties
from geo.sample.vintage import _shared_out, _shares, own_name
from geo.units import LIAOCHENG_EPSG

DATA_DATE = date(2026, 11, 20)
N_INSTITUTIONS = 40


@pytest.fixture(scope="module")
def older() -> Sample:
    return make_city(
        scale="district",
        seed=1,
        data_date=DATA_DATE,
        vintage="2019",
        n_institutions=N_INSTITUTIONS,
    )


@pytest.fixture(scope="module")
def newest() -> Sample:
    return make_city(scale="district", seed=1, data_date=DATA_DATE)


DIGEST = "0120c1570620943ea58bde970fe37c62b80065d0c4b4fe2a17e1ff01235efa1e"
"""Of the older district's villages, seed 1. A change of it is a change of the sample."""


def is_institution(boundaries: pd.DataFrame) -> pd.Series:
    """Enclaves in a village; their parent's code is as long as a village's."""
    return boundaries[Col.ADMIN_PARENT].str.len() == 12


def units(sample: Sample, level: Level) -> gpd.GeoDataFrame:
    boundaries = sample.layers.boundaries
    return boundaries[(boundaries[Col.LEVEL] == level) & ~is_institution(boundaries)]


# ---- vintages -----------------------------------------------------------------------------------
def test_the_older_register_counts_6363_villages_in_the_same_townships() -> None:
    then, now = read_counties(vintage="2019"), read_counties()
    n_villages = [sum(map(len, county.villages.values())) for county in then]
    assert sum(n_villages) == 6363
    assert [len(c.townships) for c in then] == [len(c.townships) for c in now]


def test_older_units_are_the_registers_and_meet_their_schema(older: Sample) -> None:
    boundaries = older.layers.boundaries
    require(boundaries, BOUNDARIES, source="boundaries")
    check_nesting(boundaries)
    county = read_counties(("371502",), vintage="2019")[0]
    listed = {u.code: u.name for found in county.villages.values() for u in found}
    village = units(older, Level.VILLAGE)
    assert dict(zip(village[Col.CODE], village[Col.NAME], strict=True)) == listed
    assert len(listed) == 1134
    listed = {u.code: u.name for u in (*county.townships, *county.extra)}
    township = units(older, Level.TOWNSHIP)
    assert dict(zip(township[Col.CODE], township[Col.NAME], strict=True)) == listed
    assert "广平乡" in listed.values()


def test_older_units_say_when_they_were_in_force(older: Sample, newest: Sample) -> None:
    then, now = older.layers.boundaries, newest.layers.boundaries
    assert older.layers.boundary_version == EDITIONS["2019"].version == "2019-10"
    assert set(then[Col.VALID_FROM]) == {pd.Timestamp("2019-10-31")}
    assert set(then[Col.VALID_TO]) == set(now[Col.VALID_FROM]) == {pd.Timestamp("2023-06-30")}
    assert now[Col.VALID_TO].isna().all()


def test_it_is_the_same_byte_for_byte(older: Sample) -> None:
    village = units(older, Level.VILLAGE)
    total = hashlib.sha256("\n".join(village[Col.CODE]).encode())
    total.update(b"".join(shapely.to_wkb(village.geometry.to_numpy(), byte_order=1)))
    assert total.hexdigest() == DIGEST


@pytest.mark.parametrize("level", [Level.TOWNSHIP, Level.VILLAGE])
def test_older_units_tile_the_county(older: Sample, level: Level) -> None:
    shapes = units(older, level).geometry.to_numpy()
    county = units(older, Level.COUNTY).geometry.iloc[0]
    assert shapely.coverage_is_valid(shapes)
    assert (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all()
    assert shapely.symmetric_difference(shapely.coverage_union_all(shapes), county).area < 1e-12


def test_each_older_village_lies_in_the_one_it_became(older: Sample, newest: Sample) -> None:
    then = units(older, Level.VILLAGE).set_index(Col.CODE).geometry
    now = units(newest, Level.VILLAGE).set_index(Col.CODE).geometry
    old, new = then[list(older.became)], now[list(older.became.values())]
    common = shapely.area(shapely.intersection(old.to_numpy(), new.to_numpy()))
    assert (common / shapely.area(old.to_numpy())).min() > 1 - 1e-6
    assert len(older.became) == 1110  # two subdistricts have more villages now than then
    assert set(older.became.values()) <= set(now.index)
    assert newest.became == {}


def test_namesakes_stay_where_they_were(older: Sample, newest: Sample) -> None:
    then = units(older, Level.VILLAGE)
    now = units(newest, Level.VILLAGE)
    both = then.merge(now, on=[Col.CODE, Col.NAME])
    both = both[both[Col.CODE].isin(older.became)]
    assert len(both) > 50
    assert all(older.became[code] == code for code in both[Col.CODE])


def test_township_lines_are_the_same_land(older: Sample, newest: Sample) -> None:
    pair = [units(s, Level.TOWNSHIP).geometry.to_numpy() for s in (older, newest)]
    assert shapely.equals(*pair).all()


def test_villages_have_homes(older: Sample) -> None:
    """Most of them: those beside a town's edge may have none, as in the newest register."""
    village = units(older, Level.VILLAGE).reset_index(drop=True)
    home, row = shapely.STRtree(village.geometry.to_numpy()).query(
        older.layers.buildings.geometry.to_numpy(), predicate="within"
    )
    held = np.bincount(row, older.layers.buildings[Col.HOUSEHOLDS].to_numpy()[home], len(village))
    assert older.layers.buildings[Col.HOUSEHOLDS].sum() == 521_154
    assert (held > 0).mean() > 0.94
    assert 150 < np.median(held) < 350


def test_shares_fill_the_room_there_is() -> None:
    assert _shares(5, np.array([1.0, 9.0]), np.array([9, 9])).tolist() == [1, 4]
    assert _shares(5, np.array([1.0, 9.0]), np.array([9, 2])).tolist() == [3, 2]


@settings(max_examples=100)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_every_older_unit_goes_to_one_newer(share, random) -> None:
    older_units = tuple(Unit(code=f"{k:03d}", name=f"村{k}村委会") for k in range(sum(share)))
    names = [random.choice(older_units).name if random.random() < 0.5 else "新" for _ in share]
    found = _shared_out(older_units, names, np.array(share))
    assert sorted(u.code for part in found for u in part) == [u.code for u in older_units]
    assert [len(part) for part in found] == share


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("王庄村委会", "王庄"),
        ("王庄村村民委员会", "王庄"),
        ("张庄新村村委会", "张庄"),
        ("古城社区居委会", "古城"),
        ("村委会", "村委会"),
    ],
)
def test_own_names(name: str, own: str) -> None:
    assert own_name(name) == own


# ---- independent grids --------------------------------------------------------------------------
def test_institutions_are_enclaves_of_one_village(older: Sample) -> None:
    boundaries = older.layers.boundaries
    alone = boundaries[is_institution(boundaries)]
    assert len(alone) == N_INSTITUTIONS
    assert (alone[Col.GRID_ROLE] == GridRole.INDEPENDENT).all()
    assert (alone[Col.ADMIN_PARENT] == alone[Col.CODE].str[:12]).all()
    assert alone[Col.CODE].is_unique
    village = boundaries.set_index(Col.CODE).geometry[alone[Col.ADMIN_PARENT]]
    assert shapely.covers(village.to_numpy(), alone.geometry.to_numpy()).all()
    area = alone.to_crs(LIAOCHENG_EPSG).area
    assert area.between(0.98 * BLOCK_AREA[0], 1.02 * BLOCK_AREA[1]).all()
    shapes = alone.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
    assert len(one) == len(other) == 0


def test_institutions_have_their_kind_by_column_and_by_name(older: Sample) -> None:
    boundaries = older.layers.boundaries
    stated = boundaries[Col.INSTITUTION]
    assert stated.value_counts().to_dict() == {
        "none": len(boundaries) - N_INSTITUTIONS,
        "residential": 16, "school": 8, "enterprise": 8, "market": 4, "hospital": 4,
    }  # fmt: skip
    is_alone = stated != InstitutionKind.NONE
    by_name = institution_kinds(boundaries.drop(columns=Col.INSTITUTION))
    assert by_name[is_alone].equals(stated[is_alone])


def test_institutions_are_the_same_every_time(newest: Sample) -> None:
    one, other = (make_institutions(newest.layers, n=12, seed=2) for _ in range(2))
    assert one.equals(other)
    assert (
        one[Col.INSTITUTION].tolist()
        != make_institutions(newest.layers, n=12, seed=3)[Col.INSTITUTION].tolist()
    )


# ---- layers beside streets ----------------------------------------------------------------------
@pytest.fixture(scope="module")
def places(newest: Sample):
    return make_places(newest.layers, seed=1)


@pytest.mark.parametrize(
    "layer",
    ["rail", "service_points", "parking", "hazards", "assets", "reaches", "resources"],
)
def test_layers_beside_streets_meet_their_schema(places, layer: str) -> None:
    require(places[layer], getattr(declared, layer.upper()), source=layer)
    assert (places[layer][Col.SOURCE] == "synthetic").all()


@pytest.mark.parametrize(
    ("layer", "suffix"),
    [
        *((layer, ".gpkg") for layer in ("rail", "service_points", "parking", "hazards", "assets")),
        *((layer, ".xlsx") for layer in ("reaches", "resources", "parking")),
    ],
)
def test_layers_beside_streets_are_read_back_equal(places, tmp_path, layer, suffix) -> None:
    read, _ = LAYERS[layer]
    path = write_file(places[layer], tmp_path / f"x{suffix}", layer=layer)[0]
    reading = read(path)
    assert reading.refused == ()
    for name in places[layer].columns:
        if name == Col.GEOMETRY:
            assert shapely.equals(reading.frame[name], places[layer][name]).all()
        else:
            pd.testing.assert_series_equal(reading.frame[name], places[layer][name])


def test_every_metre_of_a_river_has_one_post_at_each_level(places, newest: Sample) -> None:
    length = places["assets"].to_crs(LIAOCHENG_EPSG).length
    by_asset = dict(zip(places["assets"][Col.ASSET_ID], length, strict=True))
    for (asset, _), rows in places["reaches"].groupby([Col.ASSET_ID, Col.LEVEL]):
        assert rows[Col.FROM_M].iloc[0] == 0.0
        assert rows[Col.FROM_M].tolist()[1:] == rows[Col.TO_M].tolist()[:-1]
        assert rows[Col.TO_M].iloc[-1] == pytest.approx(by_asset[asset], abs=0.01)
    assert set(places["reaches"][Col.LEVEL]) == {"city", "county", "township"}


def test_each_township_has_two_teams_and_a_centre(places, newest: Sample) -> None:
    township = newest.layers.boundaries[
        newest.layers.boundaries[Col.GRID_ROLE] == GridRole.SUPERVISION
    ]
    teams = places["resources"].groupby(Col.CODE).size()
    assert set(teams.index) == set(township[Col.CODE])
    assert (teams == 2).all()
    assert (places["service_points"][Col.KIND] == "centre").sum() == len(township)
    assert STATISTICAL_UNIT not in teams.index


def test_places_lie_in_the_city(places, newest: Sample) -> None:
    city = units(newest, Level.COUNTY).geometry.iloc[0].buffer(1e-6)
    for layer in ("rail", "service_points", "parking", "hazards", "assets"):
        inside = shapely.covers(city, places[layer].geometry.to_numpy())
        assert inside.mean() > 0.99, layer


def test_camera_counts_have_no_place() -> None:
    cells = gpd.GeoDataFrame({Col.CELL_ID: [f"c{k}" for k in range(50)]})
    counts = make_camera_counts(cells, seed=1)
    require(counts, declared.CAMERA_COUNTS, source="camera_counts")
    assert not isinstance(counts, gpd.GeoDataFrame)
    assert counts[Col.N_CAMERAS].between(0, 9).all()


# ---- the whole city's statistical unit ----------------------------------------------------------
def test_the_statistical_unit_keeps_its_role(older: Sample) -> None:
    boundaries = older.layers.boundaries
    alone = boundaries[boundaries[Col.CODE].str.startswith(STATISTICAL_UNIT)]
    assert (alone[Col.GRID_ROLE] == GridRole.INDEPENDENT).all()
    assert len(alone) == 3  # the unit and its two communities of 2019
