"""The sample city: the same every time, and like a real one."""

import hashlib
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import NetworkEmpty, Stopped
from geo.frames import (
    BOUNDARIES,
    BUILDINGS,
    INCIDENTS,
    POSTS,
    STATIONS,
    STREETS,
    UNITS,
    VENUES,
    WATER,
    Channel,
    Col,
    DueState,
    GridRole,
    Level,
    StreetClass,
    Tier,
    VenueKind,
    require,
)
from geo.sample import Sample, exact, make_city, populate
from geo.sample.atoms import Atoms, cut_atoms
from geo.sample.ground import share_holding, smoothed_density
from geo.sample.lines import Lines, Origin, Rank, node, straight_lines
from geo.sample.measure import (
    TARGETS,
    measure_streets,
    neighbour_correlation,
    street_middles,
    strong_share,
)
from geo.sample.network import make_net
from geo.sample.plane import LocalPlane
from geo.sample.register import (
    RESIDENTS,
    STATISTICAL_UNIT,
    apportion,
    read_counties,
)
from geo.sample.seats import SEATS
from geo.sample.stream import Stream, pick
from geo.sample.urban import EAST_WEST, NORTH_SOUTH
from geo.units import LIAOCHENG_EPSG
from geo.venue import due_venues

DATA_DATE = date(2026, 11, 20)
LAYERS = (BOUNDARIES, STREETS, WATER, BUILDINGS, VENUES, INCIDENTS, STATIONS, UNITS, POSTS)
DIGEST = "78e0e9a16483da7e2054ebeea357ffad4748e19435d341a4da9541dd52956f1b"
"""Of the district, seed 1. A change of it is a change of the sample: say so in the changelog."""


@pytest.fixture(scope="module")
def district() -> Sample:
    return make_city(scale="district", seed=1, data_date=DATA_DATE)


@pytest.fixture(scope="module")
def source_county() -> shapely.Polygon:
    return read_counties(("371502",))[0].polygon


def digest(sample: Sample) -> str:
    total = hashlib.sha256()
    for schema in LAYERS:
        frame = getattr(sample.layers, schema.layer)
        for name in schema.columns:
            column = frame[name]
            is_time = column.dtype.kind == "M"
            total.update(
                "\n".join((column.astype("int64") if is_time else column).map(str)).encode()
            )
        if schema.geometry:
            shapes = frame.geometry.to_numpy()
            total.update(b"".join(shapely.to_wkb(shapes, byte_order=1)))
    total.update(np.ascontiguousarray(np.round(sample.intensity, 6)).tobytes())
    return total.hexdigest()


def test_it_is_the_same_byte_for_byte(district: Sample) -> None:
    assert digest(district) == DIGEST


@pytest.mark.parametrize("schema", LAYERS, ids=lambda schema: schema.layer)
def test_every_layer_meets_its_schema(district: Sample, schema) -> None:
    frame = getattr(district.layers, schema.layer)
    require(frame, schema, source=schema.layer)
    made_up = frame[Col.SOURCE] == "synthetic"
    if schema is BOUNDARIES:
        assert made_up.equals(frame[Col.LEVEL] != Level.COUNTY)
    else:
        assert made_up.all()
    if schema.geometry:
        written = shapely.get_coordinates(frame.geometry.to_numpy())
        assert np.array_equal(written, np.round(written, 7))


# ------------------------------------------------------------------------------ boundaries
def units(sample: Sample, level: Level) -> gpd.GeoDataFrame:
    boundaries = sample.layers.boundaries
    return boundaries[boundaries[Col.LEVEL] == level]


@pytest.mark.parametrize("level", [Level.TOWNSHIP, Level.VILLAGE])
def test_units_tile_the_county_as_written(district: Sample, level: Level) -> None:
    shapes = units(district, level).geometry.to_numpy()
    county = units(district, Level.COUNTY).geometry.iloc[0]
    assert shapely.coverage_is_valid(shapes)
    assert shapely.is_valid(shapes).all()
    assert (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all()
    assert shapely.symmetric_difference(shapely.coverage_union_all(shapes), county).area < 1e-12


def test_villages_lie_in_the_township_of_their_code(district: Sample) -> None:
    township = units(district, Level.TOWNSHIP).set_index(Col.CODE).geometry
    for code, rows in units(district, Level.VILLAGE).groupby(Col.ADMIN_PARENT):
        whole = shapely.coverage_union_all(rows.geometry.to_numpy())
        assert shapely.equals(whole, township[code])


def test_the_county_line_is_the_source_line(district: Sample, source_county) -> None:
    # In a plane where a straight line of the source's degrees is straight.
    plane = LocalPlane()
    made = shapely.transform(units(district, Level.COUNTY).geometry.iloc[0], plane.to_xy)
    source = shapely.transform(source_county, plane.to_xy)
    assert made.boundary.hausdorff_distance(source.boundary) < 0.1


def test_codes_and_names_are_the_registers(district: Sample) -> None:
    county = read_counties(("371502",))[0]
    township, village = units(district, Level.TOWNSHIP), units(district, Level.VILLAGE)
    listed = {unit.code: unit.name for unit in (*county.townships, *county.extra)}
    assert dict(zip(township[Col.CODE], township[Col.NAME], strict=True)) == listed
    listed = {unit.code: unit.name for found in county.villages.values() for unit in found}
    assert dict(zip(village[Col.CODE], village[Col.NAME], strict=True)) == listed
    assert (village[Col.ADMIN_PARENT] == village[Col.CODE].str[:9]).all()


def test_the_statistical_unit_is_an_enclave_with_one_village(district: Sample) -> None:
    boundaries = district.layers.boundaries
    alone = boundaries[boundaries[Col.GRID_ROLE] == GridRole.INDEPENDENT]
    assert alone[Col.CODE].tolist() == [STATISTICAL_UNIT, "371502400498"]
    area = alone.to_crs(LIAOCHENG_EPSG).area
    assert area.between(0.2e6, 1.0e6).all()
    roles = boundaries[Col.GRID_ROLE].value_counts()
    assert (roles[GridRole.SUPERVISION], roles[GridRole.RESPONSIBILITY]) == (23, 337)


def test_townships_are_as_large_as_real_ones(district: Sample) -> None:
    township = units(district, Level.TOWNSHIP)
    township = township[township[Col.GRID_ROLE] == GridRole.SUPERVISION]
    area = township.to_crs(LIAOCHENG_EPSG).area.sort_values().to_numpy() / 1e6
    urban, rural = np.split(area, [SEATS["371502"].n_urban])
    assert urban[0] > 4
    assert urban[-1] < 21
    assert ((rural > 40) & (rural < 110)).mean() > 0.8


def test_the_whole_register_counts_135_townships_and_2408_villages() -> None:
    counties = read_counties()
    assert len(counties) == 8
    assert sum(len(county.townships) for county in counties) == 135
    villages = [unit for county in counties for found in county.villages.values() for unit in found]
    assert len(villages) == 2408
    assert sum(unit.code.startswith(STATISTICAL_UNIT) for unit in villages) == 1
    assert set(RESIDENTS) == {county.code for county in counties} == set(SEATS)
    assert sum(RESIDENTS.values()) == 5_952_100


# --------------------------------------------------------------------------------- streets
def test_street_statistics_are_a_chinese_citys(district: Sample) -> None:
    found = measure_streets(district.layers.streets, epsg=LIAOCHENG_EPSG)
    outside = {
        name: round(getattr(found, name), 3)
        for name, (low, high) in TARGETS.items()
        if not low <= getattr(found, name) <= high
    }
    assert outside == {}


def test_streets_are_one_strongly_connected_net(district: Sample) -> None:
    assert strong_share(district.layers.streets) == 100.0


def test_the_district_has_its_nodes_and_bridges(district: Sample) -> None:
    streets = district.layers.streets
    shapes = streets.geometry.to_numpy()
    ends = np.concatenate([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)])
    n_nodes = len(np.unique(shapely.get_coordinates(ends), axis=0))
    assert 10_000 <= n_nodes <= 14_000
    assert 8 <= streets[Col.BRIDGE].sum() <= 15
    canal = district.layers.water.geometry.union_all()
    assert shapely.intersects(canal, shapes[streets[Col.BRIDGE].to_numpy()]).all()
    assert not shapely.crosses(shapes[~streets[Col.BRIDGE].to_numpy()], canal.buffer(-1e-6)).any()


def test_arterials_of_the_centre_have_their_real_names(district: Sample) -> None:
    streets = district.layers.streets
    wide = streets[streets[Col.STREET_CLASS].isin([StreetClass.ARTERIAL, StreetClass.EXPRESSWAY])]
    real = {*NORTH_SOUTH, *EAST_WEST}
    assert len(real) == 11
    assert real <= set(wide[Col.NAME])
    assert (wide[Col.NAME] != "").all()
    collectors = streets[streets[Col.STREET_CLASS] == StreetClass.COLLECTOR]
    assert (collectors[Col.NAME] != "").all()
    assert streets[Col.NAME].str.startswith("样例").any()


# ---------------------------------------------------------------------------------- points
def test_households_add_up_to_the_stated_total(district: Sample) -> None:
    buildings = district.layers.buildings
    assert buildings[Col.HOUSEHOLDS].sum() == read_counties(("371502",))[0].households == 521_154
    assert buildings[Col.HOUSEHOLDS].min() >= 1


@pytest.mark.parametrize("layer", ["buildings", "venues", "incidents", "stations", "posts"])
def test_points_lie_in_the_county(district: Sample, layer: str) -> None:
    county = units(district, Level.COUNTY).geometry.iloc[0]
    shapely.prepare(county)
    xy = shapely.get_coordinates(getattr(district.layers, layer).geometry.to_numpy())
    assert shapely.contains_xy(county, xy).all()


def metric(frame: gpd.GeoDataFrame) -> np.ndarray:
    return frame.to_crs(LIAOCHENG_EPSG).geometry.to_numpy()


def nearest_counts(points: gpd.GeoDataFrame, streets: gpd.GeoDataFrame) -> np.ndarray:
    nearest = shapely.STRtree(metric(streets)).nearest(metric(points))
    return np.bincount(nearest, minlength=len(streets)).astype(float)


def test_venues_cluster_along_streets(district: Sample) -> None:
    counts = nearest_counts(district.layers.venues, district.layers.streets)
    assert 0.04 <= share_holding(counts, 0.5) <= 0.07


def test_venue_kinds_tiers_and_inspections(district: Sample) -> None:
    venues = district.layers.venues
    assert set(venues[Col.KIND]) == {kind.value for kind in VenueKind}
    tier = venues[Col.TIER].value_counts(normalize=True)
    assert tier[Tier.RED] == pytest.approx(0.04, abs=0.01)
    assert tier[Tier.YELLOW] == pytest.approx(0.26, abs=0.02)
    assert venues[Col.NAME].str.fullmatch(r"样例\w+ \d{5}").all()
    assert 0.01 < venues[Col.LAST_INSPECTION].isna().mean() < 0.05
    assert (venues[Col.LAST_INSPECTION].dropna() <= pd.Timestamp(DATA_DATE)).all()
    state = due_venues(venues, as_of=DATA_DATE)[Col.DUE_STATE].value_counts(normalize=True)
    assert 0.01 < state[DueState.OVERDUE] < 0.15
    assert state[DueState.LATER] > 0.4


def test_reports_are_as_concentrated_as_real_ones(district: Sample) -> None:
    counts = nearest_counts(district.layers.incidents, district.layers.streets)
    assert 0.04 <= share_holding(counts, 0.5) <= 0.05
    assert 0.007 <= share_holding(counts, 0.25) <= 0.015


def test_neighbouring_cells_differ_as_real_ones_do(district: Sample) -> None:
    xy = shapely.get_coordinates(metric(district.layers.incidents))
    middle = street_middles(district.layers.streets, epsg=LIAOCHENG_EPSG)
    assert 0.35 <= neighbour_correlation(xy, middle) <= 0.6


def test_reports_come_at_the_hours_and_days_they_should(district: Sample) -> None:
    instant = district.layers.incidents[Col.OCCURRED_AT]
    night = (instant.dt.hour >= 20) | (instant.dt.hour < 2)
    assert 0.30 <= night.mean() <= 0.32
    assert instant.is_monotonic_increasing
    assert (instant.dt.minute == 0).all()
    days = instant.dt.date
    assert (days.min(), days.max()) == (date(2023, 11, 21), DATA_DATE)
    channel = district.layers.incidents[Col.CHANNEL].value_counts(normalize=True)
    assert channel[Channel.RESIDENT] > 0.8
    assert len(channel) == len(Channel)


def test_reports_are_drawn_from_the_stored_intensity(district: Sample) -> None:
    layers, intensity = district.layers, district.intensity
    assert intensity.shape == (len(layers.streets), 24)
    assert 3 * intensity.sum() == pytest.approx(len(layers.incidents))
    hour = layers.incidents[Col.OCCURRED_AT].dt.hour
    drawn = np.bincount(hour, minlength=24) / len(hour)
    assert np.abs(drawn - intensity.sum(axis=0) / intensity.sum()).max() < 0.003
    counts = nearest_counts(layers.incidents, layers.streets)
    busiest = np.argsort(-intensity.sum(axis=1))[: len(intensity) // 20]
    expected = 3 * intensity[busiest].sum()
    assert counts[busiest].sum() == pytest.approx(expected, rel=0.1)


def test_stations_teams_and_posts(district: Sample) -> None:
    layers = district.layers
    kinds = layers.stations[Col.KIND].value_counts()
    assert kinds.to_dict() == {"township": 23, "urban": 2, "special": 2}
    assert 24 <= len(layers.units) <= 60
    assert (layers.units[Col.HEADCOUNT] == 4).all()
    assert set(layers.units[Col.STATION_ID]) == set(layers.stations[Col.STATION_ID])
    assert layers.units[Col.CALL_SIGN].is_unique
    assert set(layers.units[Col.MODE]) == {"car", "motorbike", "ebike", "foot"}
    posts = layers.posts.set_index(Col.KIND)
    assert posts.loc["fixed", Col.WINDOW_START] == "22:00"
    assert 20 * 60 <= posts.loc["fixed", Col.DWELL] <= 30 * 60
    assert posts.loc["pair", Col.N_UNITS] == 2
    gap = shapely.STRtree(metric(layers.streets)).query_nearest(
        metric(layers.stations), return_distance=True
    )[1]
    assert gap.max() < 30


# ------------------------------------------------------------------------------- behaviour
def test_progress_is_reported_and_a_stop_is_obeyed() -> None:
    seen: list[tuple[int, int]] = []

    class AfterTwo:
        def is_set(self) -> bool:
            return len(seen) == 2

    with pytest.raises(Stopped):
        make_city(
            scale="district",
            seed=1,
            data_date=DATA_DATE,
            progress=lambda done, total, best=None: seen.append((done, total)),
            stop=AfterTwo(),
        )
    assert seen == [(1, 9), (2, 9)]


def small_town() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Two squares of 400 m side by side, a one-way spur that leads out, and a lane far outside.

    ::

        +---+---+
        |   |   |->-        ---
        +---+---+
    """
    x, y = 116.0, 36.5
    e, n = 400 / 89_700, 400 / 111_000
    at = [(x + e * i, y + n * j) for j in range(2) for i in range(3)]
    pairs = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)]
    lines = [shapely.LineString([at[a], at[b]]) for a, b in pairs]
    lines.append(shapely.LineString([at[5], (x + 2.5 * e, y + n)]))
    lines.append(shapely.LineString([(x + 9 * e, y), (x + 10 * e, y)]))
    k = len(lines)
    streets = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(k)], dtype="str"),
            Col.NAME: pd.Series([""] * k, dtype="str"),
            Col.STREET_CLASS: pd.Series([StreetClass.LANE.value] * k, dtype="str"),
            Col.ONEWAY: pd.Series([False] * 7 + [True, False]),
            Col.BRIDGE: pd.Series([False] * k),
            Col.LANES: pd.Series([0] * k),
            Col.MAX_SPEED: pd.Series([0.0] * k),
            Col.SOURCE: pd.Series(["test"] * k, dtype="str"),
        },
        geometry=gpd.GeoSeries(lines, crs=4326),
    )
    none = pd.Series([pd.NaT]).astype("datetime64[s]")
    boundaries = gpd.GeoDataFrame(
        {
            Col.CODE: pd.Series(["371502"], dtype="str"),
            Col.NAME: pd.Series(["东昌府区"], dtype="str"),
            Col.LEVEL: pd.Series(["county"], dtype="str"),
            Col.ADMIN_PARENT: pd.Series([""], dtype="str"),
            Col.GRID_ROLE: pd.Series(["none"], dtype="str"),
            Col.BOUNDARY_VERSION: pd.Series(["1"], dtype="str"),
            Col.VALID_FROM: none,
            Col.VALID_TO: none,
            Col.SOURCE: pd.Series(["test"], dtype="str"),
        },
        geometry=gpd.GeoSeries([shapely.box(x - e, y - n, x + 4 * e, y + 3 * n)], crs=4326),
    )
    return streets, boundaries


def populated(streets: gpd.GeoDataFrame, boundaries: gpd.GeoDataFrame) -> Sample:
    return populate(
        streets,
        boundaries,
        epsg=LIAOCHENG_EPSG,
        seed=3,
        n_venues=300,
        n_incidents=500,
        n_stations=2,
        n_units=5,
        data_date=date(2024, 2, 29),
    )


def test_populate_puts_points_only_where_teams_can_go() -> None:
    sample = populated(*small_town())
    layers = sample.layers
    assert [len(layers.venues), len(layers.incidents)] == [300, 500]
    assert [len(layers.stations), len(layers.units)] == [2, 5]
    for schema in LAYERS:
        require(getattr(layers, schema.layer), schema, source=schema.layer, allow_empty=True)
    assert (sample.intensity[:7].sum(axis=1) > 0).all()
    assert sample.intensity[7:].sum() == 0
    assert layers.incidents[Col.OCCURRED_AT].dt.date.min() >= date(2021, 3, 1)
    assert digest(sample) == digest(populated(*small_town()))


def test_populate_says_when_no_street_is_left() -> None:
    streets, boundaries = small_town()
    with pytest.raises(NetworkEmpty):
        populated(streets.iloc[8:].reset_index(drop=True), boundaries)


# ----------------------------------------------------------------------------------- parts
def test_a_stream_gives_the_same_values_one_by_one_and_all_at_once() -> None:
    one, many = Stream(7, "test", 12), Stream(7, "test", 12)
    assert np.array_equal([one.uniform() for _ in range(50)], many.uniforms(50))
    assert one.uniform() == many.uniform()
    assert Stream(7, "test", 13).uniform() != Stream(7, "test", 12).uniform()


def test_a_stream_is_uniform_and_normal() -> None:
    stream = Stream(1, "moments")
    uniform = stream.uniforms(200_000)
    assert uniform.mean() == pytest.approx(0.5, abs=0.003)
    assert np.histogram(uniform, 10)[0].std() < 300
    normal = stream.normals(200_000)
    assert [normal.mean(), normal.std()] == pytest.approx([0.0, 1.0], abs=0.01)


def test_rounding_swallows_the_last_bits() -> None:
    values = np.exp(np.linspace(-20, 20, 10_001))
    assert np.array_equal(exact.settle(values), exact.settle(np.nextafter(values, np.inf)))
    assert exact.settle(values) == pytest.approx(values, rel=2e-8)


def test_pick_never_draws_a_row_without_weight() -> None:
    row = pick(np.array([0.0, 2.0, 0.0, 1.0, 0.0]), np.linspace(0, 1, 1001, endpoint=False))
    assert np.bincount(row, minlength=5)[[0, 2, 4]].sum() == 0
    assert np.bincount(row)[1] == pytest.approx(667, abs=2)


def test_apportion_adds_up() -> None:
    assert apportion(10, np.array([1.0, 1.0, 1.0])).tolist() == [4, 3, 3]
    assert apportion(290, np.array([5.0, 0.1, 0.1]), least=1).sum() == 290
    assert apportion(3, np.array([9.0, 1.0, 1.0]), least=1).tolist() == [1, 1, 1]


def cross() -> Lines:
    """Two lanes that cross at (50, 0), and a stub of 3 m.

    ::

              |
        ------+------.
              |
    """
    return straight_lines(
        [(0, 0, 100, 0), (50, -50, 50, 50), (100, 0, 103, 0)],
        [
            (Rank.LANE, Origin.GRID, 1),
            (Rank.COLLECTOR, Origin.GRID, 2),
            (Rank.LANE, Origin.GRID, 3),
        ],
    )


def test_noding_cuts_lines_and_keeps_what_they_know() -> None:
    noded = node(cross())
    assert sorted(noded.name.tolist()) == [1, 1, 2, 2, 3]
    assert shapely.length(noded.shape).sum() == pytest.approx(203.0)


def test_a_net_is_merged_and_loses_its_stubs() -> None:
    nothing = cross().take(np.zeros(3, dtype=bool))
    net = make_net(nothing, cross(), shapely.Polygon(), seed=1)
    assert net.n_nodes == 5
    assert shapely.length(net.lines.shape).tolist() == [50.0] * 4


def test_density_is_kilometres_per_square_kilometre() -> None:
    # A street of 250 m in every cell of 250 m is 4 km per km2 wherever no edge is near.
    axis = np.arange(125.0, 10_000.0, 250.0)
    xy = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = smoothed_density(xy, np.full(len(xy), 250.0), radius=2)
    middle = np.abs(xy - 5000.0).max(axis=1) < 2000
    assert density[middle] == pytest.approx(4.0)


def test_atoms_tile_what_they_are_cut_from() -> None:
    county = shapely.box(0, 0, 6000, 5000)
    town = shapely.box(2000, 2000, 2500, 2500)
    road = straight_lines([(0, 900, 6000, 1300)], [(Rank.ARTERIAL, Origin.MAIN, 0)])
    streets = node(
        straight_lines(
            [(2000, 2250, 2500, 2250), (2250, 2000, 2250, 2500)],
            [(Rank.LANE, Origin.GRID, 0)] * 2,
        )
    )
    atoms: Atoms = cut_atoms([county], streets, road, town, [], seed=1)
    assert shapely.coverage_is_valid(atoms.shape)
    assert atoms.area.sum() == pytest.approx(county.area, rel=1e-6)
    assert atoms.is_barrier.any()
    assert (atoms.is_town & shapely.within(atoms.shape, town)).sum() == 4


def test_share_holding_counts_the_fullest_rows() -> None:
    assert share_holding(np.array([1.0, 6.0, 1.0, 2.0]), 0.5) == 0.25
    assert share_holding(np.ones(10), 0.5) == 0.5
