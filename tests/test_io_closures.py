"""Files of closures: words, shares, spans, places, and what is refused."""

import json
from datetime import datetime
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from api.i18n import text
from geo.errors import ColumnMissing, FileBlank, InputError, PersonalDataRefused, ValueInvalid
from geo.frames import CLOSURES, Col, require
from geo.io.closures import read_closures
from geo.units import CITY_ZONE, HOUR
from routing.network import conditions_at

HEAD = "编号,类型,名称,路段编号,开始时间,结束时间,限行对象,剩余速度,lon,lat"


def table(tmp_path, *rows, head=HEAD, encoding="utf-8"):
    path = tmp_path / "closures.csv"
    path.write_bytes("\n".join([head, *rows]).encode(encoding))
    return path


def refusals(reading):
    return {(one.row, one.column): one.code for one in reading.refused}


def test_words_shares_and_spans(tmp_path):
    path = table(
        tmp_path,
        "f1,道路封闭,东昌路,s-1,2026-11-21 18:00,2026/11/22 06:00,,,,",
        "f2,占道施工,柳园路,,2026-11-01,2026-11-30,机动车,50%,115.97,36.45",
        "f3,大雪,全城,s-2,,,全部,0.6,,",
        "f4,庙会,古城,s-3,2026年11月21日,2026年11月21日,汽车、摩托车；电动车,,,",
        "f5,封路,便道,s-4,2026-11-21T12:00:00Z,20261122,步行/非机动车,0,,",
        encoding="gb18030",
    )
    reading = read_closures(path)
    frame = reading.frame
    require(frame, CLOSURES, source="closures")
    assert reading.refused == ()
    assert frame[Col.KIND].tolist() == ["closure", "works", "weather", "event", "closure"]
    assert frame[Col.SPEED_SHARE].tolist() == [0.0, 0.5, 0.6, 0.0, 0.0]
    assert frame[Col.MODES].tolist() == [
        "",
        "car,motorbike",
        "",
        "car,motorbike,ebike",
        "foot,ebike",
    ]
    # a last day counts whole, with or without dashes; an instant with its zone is converted
    ends = [None if pd.isna(end) else end.isoformat() for end in frame[Col.VALID_TO]]
    assert ends == [
        "2026-11-22T06:00:00+08:00",
        "2026-12-01T00:00:00+08:00",
        None,
        "2026-11-22T00:00:00+08:00",
        "2026-11-23T00:00:00+08:00",
    ]
    assert frame[Col.VALID_FROM].iloc[4].isoformat() == "2026-11-21T20:00:00+08:00"
    assert frame.geometry.iloc[0] is None
    assert frame.geometry.iloc[1].equals(shapely.Point(115.97, 36.45))


def test_every_kind_of_geometry(tmp_path):
    shapes = [
        shapely.box(115.9, 36.4, 116.0, 36.5),
        shapely.LineString([(115.9, 36.4), (116.0, 36.5)]),
        shapely.MultiPoint([(115.9, 36.4), (116.0, 36.5)]),
    ]
    path = tmp_path / "closures.geojson"
    gpd.GeoDataFrame({"kind": ["event", "closure", "closure"]}, geometry=shapes, crs=4326).to_file(
        path
    )
    frame = read_closures(path).frame
    assert frame.geom_type.tolist() == ["Polygon", "LineString", "MultiPoint"]
    assert frame[Col.CLOSURE_ID].tolist() == ["c000001", "c000002", "c000003"]


def test_a_column_of_dates_counts_its_last_days_whole(tmp_path):
    path = tmp_path / "closures.gpkg"
    days = pd.to_datetime(["2026-11-21", "2026-11-22"])
    rows = {"kind": ["event", "event"], "valid_from": days, "valid_to": days}
    gpd.GeoDataFrame(rows, geometry=[shapely.Point(116, 36)] * 2, crs=4326).to_file(path)
    ends = [end.isoformat() for end in read_closures(path).frame[Col.VALID_TO]]
    assert ends == ["2026-11-22T00:00:00+08:00", "2026-11-23T00:00:00+08:00"]
    beside_clocks = table(
        tmp_path,
        "f1,封闭,,s-1,2026-11-21,2026-11-22T00:00:00,,,,",
        "f2,封闭,,s-1,2026-11-21,2026-11-22T06:00:00,,,,",
    )
    assert read_closures(beside_clocks).frame[Col.VALID_TO].iloc[0].day == 22


def test_what_is_refused_and_where(tmp_path):
    path = table(
        tmp_path,
        "f1,封闭,甲,s-1,,,,,,",
        "f2,施工,乙,s-1,,,,,,",  # works must state a share
        "f3,施工,丙,s-1,,,,1.5,,",
        "f4,封闭,丁,s-1,,,,-0.5,,",
        "f5,封闭,戊,,,,,,,",  # nowhere
        "f6,封闭,己,s-1,2026-11-22,2026-11-20,,,,",
        "f7,封闭,庚,s-1,昨天,,,,,",
        "f8,封闭,辛,s-1,,,飞船,,,",
        "f9,外星人,壬,s-1,,,,,,",
        "f1,封闭,癸,s-1,,,,,,",
    )
    reading = read_closures(path)
    assert reading.frame[Col.CLOSURE_ID].tolist() == ["f1"]
    assert refusals(reading) == {
        (2, Col.SPEED_SHARE): "refusal.closure.unstated",
        (3, Col.SPEED_SHARE): "refusal.closure.share",
        (4, Col.SPEED_SHARE): "refusal.closure.share",
        (5, Col.GEOMETRY): "refusal.closure.place",
        (6, Col.VALID_TO): "refusal.closure.span",
        (7, Col.VALID_FROM): "refusal.date",
        (8, Col.MODES): "refusal.word",
        (9, Col.KIND): "refusal.word",
        (10, Col.CLOSURE_ID): "refusal.repeated",
    }
    for one in reading.refused:
        for language in ("zh", "en"):
            assert text(one.code, language, **one.params)


def test_damaged_areas_are_refused(tmp_path):
    bow = [[[115.9, 36.4], [116.0, 36.5], [116.0, 36.4], [115.9, 36.5], [115.9, 36.4]]]
    good = [[[115.9, 36.4], [116.0, 36.4], [116.0, 36.5], [115.9, 36.4]]]
    features = [
        {
            "type": "Feature",
            "properties": {"kind": "event"},
            "geometry": {"type": "Polygon", "coordinates": ring},
        }
        for ring in (bow, good)
    ]
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    reading = read_closures(path)
    assert refusals(reading) == {(1, Col.GEOMETRY): "refusal.geometry.damaged"}
    assert len(reading.frame) == 1


def test_all_refused_is_one_error(tmp_path):
    with pytest.raises(ValueInvalid, match="row 1"):
        read_closures(table(tmp_path, "f1,施工,甲,s-1,,,,,,"))


def test_places_not_people(tmp_path):
    with pytest.raises(PersonalDataRefused):
        read_closures(table(tmp_path, "f1,s-1,13800138000", head="编号,路段编号,手机号"))
    with pytest.raises(InputError):
        read_closures(tmp_path / "none.csv")


def test_a_file_of_headings_only_is_a_night_with_nothing_closed(tmp_path):
    """Issue 6: it was refused as if a night without closures were a fault."""
    reading = read_closures(table(tmp_path))
    require(reading.frame, CLOSURES, source="closures", allow_empty=True)
    assert len(reading.frame) == 0
    assert [note.code for note in reading.notes] == ["note.empty"]
    network = SimpleNamespace(n_segments=3)
    start = datetime(2026, 11, 21, 20, tzinfo=CITY_ZONE)
    held = conditions_at(network, reading.frame, start=start, length=6 * HOUR)
    assert held.closure_ids == ()
    assert not held.is_closed.any()
    (tmp_path / "closures.csv").write_bytes(b"")
    with pytest.raises(FileBlank):
        read_closures(tmp_path / "closures.csv")


def test_columns_that_say_nowhere_are_named(tmp_path):
    """Issue 6: it said that row 1, column geometry, needs a number or date."""
    with pytest.raises(ColumnMissing) as caught:
        read_closures(table(tmp_path, "1,2", head="a,b"))
    said = str(caught.value)
    assert all(word in said for word in ("lon", "lat", "segment_id", "路段编号", "found: a, b"))


def test_rows_without_a_position_lie_on_their_street(tmp_path):
    """Issue 6: closures were "placed by address or village", the refused row among them."""
    path = table(
        tmp_path,
        "f1,封闭,,s-1,,,,,,",
        "f2,封闭,,,,,,,,",
        "f3,封闭,,,,,,,116,36",
        "f1,封闭,,s-2,,,,,,",
    )
    reading = read_closures(path)
    noted = [(note.code, note.params) for note in reading.notes]
    assert ("note.closure.segment", {"n": 2, "total": 4}) in noted
    assert not [code for code, _ in noted if "position" in code or "repeated" in code]
    assert sorted(refusals(reading)) == [(2, Col.GEOMETRY), (4, Col.CLOSURE_ID)]
