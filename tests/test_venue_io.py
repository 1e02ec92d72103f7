"""Files of the register: ledgers with facts, visits, exemptions, points of interest, areas."""

from datetime import date

import numpy as np
import pytest

from geo.errors import PersonalDataRefused, PersonKindRefused, ValueInvalid
from geo.frames import EXEMPTIONS, POIS, VENUE_LEDGER, VENUE_VISITS, require
from geo.io.rules import shipped_venue_rules
from geo.io.venues import (
    read_areas,
    read_exemptions,
    read_pois,
    read_venue_ledger,
    read_venue_visits,
)

RULES = shipped_venue_rules()
AT = "115.97,36.45"


def written(tmp_path, text, name="in.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def ledger(tmp_path, header, *rows, **more):
    lines = [f"场所编号,场所名称,{header},经度,纬度"]
    lines += [f"v{k},样例商店 {k:05d},{row},{AT}" for k, row in enumerate(rows)]
    return read_venue_ledger(written(tmp_path, "\n".join(lines)), RULES, **more)


def refused(reading):
    return [(one.row, one.column, one.code) for one in reading.refused]


def test_facts_are_read_by_their_chinese_headers(tmp_path):
    done = ledger(
        tmp_path,
        "类型,风险等级,建筑面积,三合一,未整改重大隐患,最近隐患日期",
        "小商店,绿,1200,否,0,2026-09-01",
        "快递网点,,80.5,是,,",
        "烟花爆竹专营店,红,,,2,",
    )
    require(done.frame, VENUE_LEDGER, source="ledger")
    assert done.frame.kind.tolist() == ["shop", "courier", "dangerous_goods"]
    assert done.frame.tier.tolist() == ["green", "", "red"]
    assert done.frame.floor_area.fillna(-1).tolist() == [1200, 80.5, -1]
    assert done.frame.sleeps_on_site.fillna(-1).tolist() == [0, 1, -1]
    assert done.frame.major_hazards.fillna(-1).tolist() == [0, -1, 2]
    assert done.frame.last_hazard.dt.strftime("%Y-%m-%d").fillna("").tolist() == [
        "2026-09-01",
        "",
        "",
    ]
    assert "beds" not in done.frame.columns
    assert refused(done) == []


@pytest.mark.parametrize(
    ("header", "row", "fault"),
    [
        ("类型,建筑面积", "商店,-5", (2, "floor_area", "refusal.value")),
        ("类型,建筑面积", "商店,很大", (2, "floor_area", "refusal.value")),
        ("类型,建筑面积", "商店,inf", (2, "floor_area", "refusal.value")),
        ("类型,三合一", "商店,大概", (2, "sleeps_on_site", "refusal.word")),
        ("类型,最近隐患日期", "商店,1826-01-01", (2, "last_hazard", "refusal.year")),
        ("类型,建筑面积", "公园,5", (2, "kind", "refusal.word")),
        ("类型,风险等级", "商店,紫", (2, "tier", "refusal.word")),
    ],
)
def test_a_row_that_cannot_be_used_is_listed(tmp_path, header, row, fault):
    done = ledger(tmp_path, header, "商店,", row)
    assert refused(done) == [fault]
    assert len(done.frame) == 1


def test_lodging_booked_online_is_a_venue_only_as_a_registered_business(tmp_path):
    done = ledger(tmp_path, "类型,是否登记", "网约房,是", "网约房,否", "网约房,", "旅馆,")
    assert refused(done) == [
        (2, "kind", "refusal.unregistered"),
        (3, "kind", "refusal.unregistered"),
    ]
    assert done.frame.kind.tolist() == ["online_lodging", "hotel"]
    bare = ledger(tmp_path, "类型", "网约房", "旅馆")
    assert bare.frame.kind.tolist() == ["hotel"]


def test_a_register_without_tiers_can_be_graded_but_not_scheduled(tmp_path):
    assert ledger(tmp_path, "类型", "商店").frame.tier.tolist() == [""]
    with pytest.raises(ValueInvalid):
        ledger(tmp_path, "类型,等级", "商店,", needs_tier=True)


@pytest.mark.parametrize(
    ("header", "row", "error"),
    [
        ("类型,负责人", "商店,甲乙", PersonalDataRefused),
        ("类型,建筑面积", "商店,13812345678", PersonalDataRefused),
        ("类型,备用", "商店,13812345678", PersonalDataRefused),
        ("类型,建筑面积", "重点人员,5", PersonKindRefused),
        ("类型,建筑面积", "出租屋,5", PersonKindRefused),
    ],
)
def test_persons_and_dwellings_are_refused_as_always(tmp_path, header, row, error):
    with pytest.raises(error):
        ledger(tmp_path, header, row)


def test_visits_in_everyday_words(tmp_path):
    text = (
        "场所编号,检查日期,检查结果\nv0,2026-10-01,合格\nv1,2026/10/2,发现隐患\nv2,2026-10-03,未找到\n"
        "v3,2026-10-04,已关停\nv4,2026-10-05,done\nv5,2026-10-06,未发现隐患\nv6,2026-10-07,天气好\n"
    )
    done = read_venue_visits(written(tmp_path, text))
    require(done.frame, VENUE_VISITS, source="visits")
    assert done.frame.outcome.tolist() == [
        "done", "hazard", "not_found", "closed", "done", "done",
    ]  # fmt: skip
    assert refused(done) == [(7, "outcome", "refusal.word")]


@pytest.mark.parametrize("header", ["检查人", "民警", "备注"])
def test_visits_say_nothing_of_who_went(tmp_path, header):
    text = f"场所编号,检查日期,检查结果,{header}\nv0,2026-10-01,合格,甲乙丙\n"
    with pytest.raises(PersonalDataRefused):
        read_venue_visits(written(tmp_path, text))


def test_exemptions_by_title_or_word(tmp_path):
    text = "场所编号,免检原因,复核日期\nv0,季节性停业,2027-03-01\nv1,building_works,2027-01-01\n"
    done = read_exemptions(written(tmp_path, text), RULES, as_of=date(2026, 11, 20))
    require(done.frame, EXEMPTIONS, source="exemptions")
    assert done.frame.reason.tolist() == ["seasonal", "building_works"]
    with pytest.raises(ValueInvalid, match="reason"):
        read_exemptions(
            written(tmp_path, text.replace("季节性停业", "熟人")), RULES, as_of=date(2026, 11, 20)
        )


def test_points_of_interest_keep_kinds_of_venues_and_count_the_rest(tmp_path):
    text = (
        "id,名称,类型,lon,lat\n"
        "1,南门超市,购物服务;超级市场;超市,115.97,36.45\n"
        "2,人民公园,风景名胜;公园广场;公园,115.97,36.45\n"
        "3,阳光花园,商务住宅;住宅区;住宅小区,115.97,36.45\n"
        "4,城南加油站,汽车服务;加油站,115.97,36.45\n"
        "5,,购物服务,115.97,36.45\n"
    )
    done = read_pois(written(tmp_path, text), RULES)
    require(done.frame, POIS, source="pois")
    assert done.frame.kind.tolist() == ["shop", "", "dangerous_goods"]
    assert refused(done) == [(3, "kind", "refusal.dwelling"), (5, "name", "refusal.blank")]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("名称,类型,lon,lat\n甲,重点人员,115.97,36.45\n", PersonKindRefused),
        ("名称,类型,电话,lon,lat\n甲,超市,0635-8241234,115.97,36.45\n", PersonalDataRefused),
    ],
)
def test_points_about_persons_are_refused_as_always(tmp_path, text, error):
    with pytest.raises(error):
        read_pois(written(tmp_path, text), RULES)


def test_points_in_gcj02_are_converted(tmp_path):
    text = "名称,类型,lon,lat\n南门超市,超市,115.97,36.45\n"
    path = written(tmp_path, text)
    as_is, moved = read_pois(path, RULES), read_pois(path, RULES, datum="GCJ-02")
    east = as_is.frame.geometry.x[0] - moved.frame.geometry.x[0]
    assert 0.004 < east < 0.007  # some 500 m


def test_areas_are_grids_or_villages(tmp_path):
    text = (
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":'
        '{"网格编码":"371502001001001"},"geometry":{"type":"Polygon","coordinates":'
        "[[[115.9,36.4],[116,36.4],[116,36.5],[115.9,36.4]]]}},"
        '{"type":"Feature","properties":{"网格编码":"371502001001002"},"geometry":'
        '{"type":"Point","coordinates":[115.9,36.4]}}]}'
    )
    done = read_areas(written(tmp_path, text, "grids.geojson"))
    assert done.frame.cell_id.tolist() == ["371502001001001"]
    assert refused(done) == [(2, "geometry", "refusal.geometry.kind")]


def test_flags_are_numbers_and_blank_is_unknown(tmp_path):
    done = ledger(
        tmp_path, "类型,用气,燃气报警", "餐馆,是,无", "餐馆,1,0", "餐馆,TRUE,已装", "餐馆,,"
    )
    assert done.frame.uses_gas.tolist()[:3] == [1, 1, 1]
    assert done.frame.has_gas_alarm.tolist()[:3] == [0, 0, 1]
    assert np.isnan(done.frame.uses_gas[3])
