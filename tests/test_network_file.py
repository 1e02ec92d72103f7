"""The network file: equal after reading, the same bytes again, one clear error for all else."""

import json
import runpy
import zipfile
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from api.i18n import explain
from geo.errors import FileBlank, FileMissing, FileUnreadable, OptionInvalid
from geo.units import LIAOCHENG_EPSG
from routing.io import network_file as files
from routing.io.network_file import (
    NetworkFile,
    open_network,
    read_network,
    require_streets,
    streets_digest,
    write_network,
)
from routing.model import Mode, Place
from routing.network import NIGHT, build_network
from routing.travel import Travel

TOWN = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("network_town.py"))))
# C ── 柳园路 ── D ── loop     B ── path ── X
# 东昌路 (one-way)             A ── lane ── B
ROWS = [
    ("s-1", "东昌路", TOWN.ART, True, [(0, 0), (0, 500)]),
    ("s-2", "柳园路", TOWN.LANE, False, [(0, 500), (200, 520), (500, 500)]),
    ("s-3", "", TOWN.LANE, False, [(500, 500), (500, 0)]),
    ("s-4", "东昌路", TOWN.LANE, False, [(500, 0), (0, 0)]),
    ("s-5", "𠮷巷 \n第二行", TOWN.LANE, False, [(500, 500), (550, 550), (550, 450), (500, 500)]),
    ("s-6", "", TOWN.PATH, False, [(500, 0), (900, 0)]),
]


@pytest.fixture(scope="module")
def streets():
    return TOWN.street_frame(ROWS, lanes=[4, 2, 0, 2, 0, 0], max_speed=[60.0, 0, 0, 30.5, 0, 0])


@pytest.fixture(scope="module")
def made(streets):
    profile = replace(NIGHT, version="own-7", corridor={"东昌路": 45.0})
    network, report = build_network(streets, epsg=LIAOCHENG_EPSG, profile=profile)
    return NetworkFile(
        network=network,
        topology=Travel(network).topology,
        report=report,
        source="streets.gpkg",
        data_date=date(2026, 11, 1),
        streets=streets_digest(streets),
    )


@pytest.fixture
def path(made, tmp_path):
    write_network(tmp_path / "city.npz", made)
    return tmp_path / "city.npz"


def same(one, other):
    for name in one.__slots__:
        left, right = getattr(one, name), getattr(other, name)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype, name
            assert np.array_equal(left, right), name
        else:
            assert left == right, name


def test_equal_after_reading(made, path):
    again = open_network(path)
    same(made.network, again.network)
    same(made.topology, again.topology)
    assert (again.report, again.source, again.data_date) == (
        made.report,
        "streets.gpkg",
        date(2026, 11, 1),
    )
    network, topology = read_network(path)
    corner = [
        Place(place_id=n, name=n, lon=x, lat=y)
        for n, (x, y) in zip("abc", TOWN.lonlat([(0, 0), (500, 500), (550, 500)]), strict=True)
    ]
    times = [
        Travel(net, topology=top).times(corner, (Mode.CAR, Mode.FOOT)).seconds
        for net, top in ((made.network, None), (network, topology))
    ]
    assert np.array_equal(*times)
    with pytest.raises(ValueError, match="read-only"):
        network.length[0] = 1.0


def test_the_same_network_gives_the_same_bytes(made, path, tmp_path):
    write_network(tmp_path / "again.npz", open_network(path))
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_nothing_in_it_is_executed(path):
    with zipfile.ZipFile(path) as archive:
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


def test_every_flipped_byte_is_found(path):
    whole = path.read_bytes()
    rng = np.random.default_rng(7)
    for position in rng.integers(0, len(whole), 60).tolist():
        damaged = bytearray(whole)
        damaged[position] ^= 0x55
        path.write_bytes(bytes(damaged))
        try:
            again = open_network(path)
        except FileUnreadable:
            continue
        # bytes that carry nothing: padding of headers, dates and attributes of the archive
        assert again.streets == streets_digest(
            TOWN.street_frame(ROWS, lanes=[4, 2, 0, 2, 0, 0], max_speed=[60.0, 0, 0, 30.5, 0, 0])
        )


@pytest.mark.parametrize("keep", [0.2, 0.9, 0.999])
def test_a_file_cut_short(path, keep):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(FileUnreadable) as caught:
        open_network(path)
    assert "patrolgrid network" in explain(caught.value, "zh")
    assert "city.npz" in explain(caught.value, "en")


def test_other_files(tmp_path):
    with pytest.raises(FileMissing):
        open_network(tmp_path / "no.npz")
    (tmp_path / "empty.npz").touch()
    with pytest.raises(FileBlank):
        open_network(tmp_path / "empty.npz")
    np.savez(tmp_path / "foreign.npz", numbers=np.arange(3))
    with pytest.raises(FileUnreadable):
        open_network(tmp_path / "foreign.npz")
    np.save(tmp_path / "bare.npy", np.arange(3))
    (tmp_path / "bare.npy").rename(tmp_path / "bare.npz")
    with pytest.raises(FileUnreadable):
        open_network(tmp_path / "bare.npz")
    np.savez(tmp_path / "object.npz", meta=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FileUnreadable):
        open_network(tmp_path / "object.npz")


@pytest.mark.parametrize("name", ["streets.gpkg", "streets.zip", "town.osm", "streets.csv"])
def test_streets_in_the_place_of_a_network_say_what_to_do(tmp_path, name):
    """Issue 6: `matrix --network streets.gpkg` called the file damaged."""
    file = tmp_path / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("streets.shp", "lines")
    else:
        file.write_text("streets, not a network")
    with pytest.raises(FileUnreadable) as caught:
        open_network(file)
    assert "patrolgrid network STREETS --out city.npz" in explain(caught.value, "en")
    assert "damaged" not in explain(caught.value, "en")
    assert "损坏" not in explain(caught.value, "zh")


def rewritten(path, change):
    """Write the columns of a file again after a change, with a digest that fits them."""
    columns = files._load(path)
    columns.pop("digest")
    change(columns)
    columns["digest"] = np.frombuffer(files._digest(columns), dtype=np.uint8)
    with path.open("wb") as stream:
        files._save(stream, columns)
    return path


def test_another_version_of_the_format(path):
    def newer(columns):
        meta = json.loads(columns["meta"].tobytes())
        columns["meta"] = np.frombuffer(
            json.dumps(meta | {"format": "patrolgrid.network/9"}).encode(), np.uint8
        )

    with pytest.raises(FileUnreadable) as caught:
        open_network(rewritten(path, newer))
    assert "another release" in explain(caught.value, "en")
    assert "其他版本" in explain(caught.value, "zh")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network.tail", 10_000),
        ("network.head", -1),
        ("network.name", 99),
        ("network.street_class", 77),
        ("topology.rank", 10_000),
        ("topology.head", -3),
        ("topology.shortcut", 10_000),
    ],
)
def test_numbers_that_point_outside_are_refused_however_well_sealed(path, name, value):
    def point_outside(columns):
        column = columns[name].copy()
        column[0] = value
        columns[name] = column

    with pytest.raises(FileUnreadable):
        open_network(rewritten(path, point_outside))


def test_a_column_cut_short_or_missing_is_refused(path):
    whole = path.read_bytes()
    for name in ("network.length", "network.junction", "topology.parent", "network.names.end"):
        path.write_bytes(whole)
        with pytest.raises(FileUnreadable):
            open_network(rewritten(path, lambda c, name=name: c.__setitem__(name, c[name][:-1])))
        path.write_bytes(whole)
        with pytest.raises(FileUnreadable):
            open_network(rewritten(path, lambda c, name=name: c.pop(name)))


def test_a_failed_write_leaves_the_old_file(made, path, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr(files, "_save", lambda stream, columns: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_network(path, made)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["city.npz"]


def test_only_npz(made, tmp_path):
    with pytest.raises(OptionInvalid, match=r"\.npz"):
        write_network(tmp_path / "city.gpkg", made)


def test_a_network_of_other_streets_is_refused(made, streets):
    require_streets(made, streets, option="--network")
    one_way = streets.assign(oneway=True)
    moved = streets.set_geometry(streets.geometry.translate(1e-6), crs=4326)
    for other in (one_way, moved, streets.iloc[:-1], streets.assign(max_speed=20.0)):
        with pytest.raises(OptionInvalid) as caught:
            require_streets(made, other, option="--network")
        assert "patrolgrid network" in explain(caught.value, "zh")


def test_the_report_is_kept(made, path):
    assert asdict(open_network(path).report) == asdict(made.report)
