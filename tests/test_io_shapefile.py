"""A Shapefile whose parts are cut short or of two exports is refused, never read by half (issue 6).

The trial of issue 6: a .shp of 3,000 streets cut to half of its bytes gave a network of 1,489, and
1,511 rows refused for having no position.
"""

import pickle
import shutil

import geopandas as gpd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from api.i18n import explain
from geo.errors import FileMissing, FileUnreadable
from geo.io import read_streets
from geo.io.opening import open_table
from geo.io.shapefile import CutShort, require_whole

N = 40
PARTS = (".shp", ".shx", ".dbf")


def streets(path, n=N):
    lines = [shapely.LineString([(116, 36 + k / 100), (116.01, 36 + k / 100)]) for k in range(n)]
    rows = {"highway": ["residential"] * n, "name": [f"第{k}街" for k in range(n)]}
    gpd.GeoDataFrame(rows, geometry=lines, crs=4326).to_file(path, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return streets(tmp_path_factory.mktemp("whole") / "roads.shp")


@pytest.fixture
def own(whole, tmp_path):
    for part in whole.parent.iterdir():
        shutil.copy(part, tmp_path)
    return tmp_path / whole.name


def cut(path, part, share):
    target = path.with_suffix(part)
    data = target.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])


def test_a_whole_one_is_read(own):
    assert len(read_streets(own).frame) == N
    for part in PARTS[1:]:
        own.with_suffix(part).rename(own.with_suffix(part.upper()))
    assert require_whole(own, source=own.name) is None


@pytest.mark.parametrize("part", PARTS)
def test_a_part_cut_in_half_is_named_with_its_counts(own, part):
    cut(own, part, 0.5)
    with pytest.raises(FileUnreadable) as caught:
        read_streets(own)
    hint = caught.value.params["hint"]
    assert (hint.part, hint.total) == (part, N)
    assert 0 < hint.n < N
    for language in ("zh", "en"):
        said = explain(caught.value, language)
        assert all(word in said for word in ("roads.shp", part, str(hint.n), str(N), ".prj"))
    assert str(caught.value) == explain(caught.value, "en")
    assert pickle.loads(pickle.dumps(caught.value)).params == caught.value.params


@settings(max_examples=60)
@given(part=st.sampled_from(PARTS), lost=st.integers(2, 3000))
def test_no_cut_goes_unseen(whole, tmp_path_factory, part, lost):
    folder = tmp_path_factory.mktemp("cut")
    for one in whole.parent.iterdir():
        shutil.copy(one, folder)
    target = folder / f"roads{part}"
    data = target.read_bytes()
    # two bytes at least: the last one of a .dbf only marks its end, and may be missing
    target.write_bytes(data[: max(0, len(data) - lost)])
    with pytest.raises(FileUnreadable):
        require_whole(folder / "roads.shp", source="roads.shp")


def test_parts_of_two_exports_are_refused(own, tmp_path):
    other = streets(tmp_path / "other.shp", n=N - 5)
    shutil.copy(other.with_suffix(".dbf"), own.with_suffix(".dbf"))
    with pytest.raises(FileUnreadable, match=r"\.dbf holds 35 of 40"):
        open_table(own)
    shutil.copy(other.with_suffix(".shx"), own.with_suffix(".shx"))
    assert (
        len(open_table(own)) == N - 5
    )  # the .shp holds more than they say: none is lost of theirs


def test_rows_without_a_shape_are_no_cut(tmp_path):
    path = tmp_path / "gaps.shp"
    shapes = [shapely.Point(116, 36), None, shapely.Point(116, 36.1), None]
    gpd.GeoDataFrame({"id": range(4)}, geometry=shapes, crs=4326).to_file(path)
    assert len(open_table(path)) == 4


@pytest.mark.parametrize("part", PARTS[1:])
def test_a_missing_part_is_named(own, part):
    own.with_suffix(part).unlink()
    with pytest.raises(FileMissing, match=rf"roads\{part}"):
        open_table(own)


def test_counts_are_printed_with_their_thousands():
    assert "1,489 of 3,000" in str(CutShort(".shp", 1489, 3000))
