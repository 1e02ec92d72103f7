import csv
import random
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import PersonalDataRefused, PersonKindRefused
from geo.privacy import (
    AUDIENCE_LAYERS,
    Audience,
    Trust,
    Visible,
    allowed,
    is_credit_code,
    is_dwelling,
    is_dwelling_name,
    is_free_text,
    is_identity_number,
    is_person_kind,
    is_personal_header,
    refuse_person_kinds,
    refuse_personal,
    screen_table,
    suppress,
)
from geo.privacy.shapes import count_shapes, personal_shape

REGISTER = Path(__file__).parents[1] / "data" / "boundaries" / "register_371500_2023.csv"

PERSONAL = """
姓名 负责人 负责人姓名 法人 法人代表 法定代表人 经营者 经营者姓名 联系人 联系电话
身份证 身份证号码 证件号 证件号码 手机 手机号 手机号码 电话 固定电话 联系方式 车牌
车牌号 号牌号码 警号 民族 户籍 户籍地 宗教 宗教信仰 国籍 年龄 性别 出生日期 微信
微信号 邮箱 住址 家庭住址 报警人 报警电话 嫌疑人姓名 业主 房东 民警 网格员 人员类别
person owner owner_name Owner ownerName contact
contact_phone phone Phone mobile tel telephone
email wechat id_card ID_CARD idcard plate
license_plate officer officer_id badge_no gender
sex age birthday ethnicity religion nationality
full_name firstName legal_person suspect victim
caller driver tenant XM SFZH LXDH FZR sjhm cphm
"""

DWELLINGS = "住宅 民宅 居民楼 出租屋 dwelling residence residential house"

FINE = """
名称 店名 场所名称 单位名称 企业名称 法人单位 类别 类型 行业 等级 级别 经度 纬度
地址 街道 村居 派出所 编号 编码 代码 统一社会信用代码 上次检查 检查日期 户数 从业人数
人数 警力 班组 呼号 案发时间 报警时间 报警方式 来源 面积 楼层 备注 路名 单行
name kind tier lon lat code village_code cell_id
station_id unit_id headcount mode call_sign
stage page usage village image manage_level
category channel occurred_at last_inspection
households street_class oneway bridge lanes max_speed source
dwell n_units window_start cell grid_code
place_name surface message average
"""


PERSON_KINDS = """
重点人员 特殊人群 涉稳 信访 社区矫正 吸毒 精神障碍患者 刑满释放 流动人口 布控 轨迹 盘查 suspect
key_person petitioners mental_illness drug-users
"""


PLACE_KINDS = """
小商店 小餐饮场所 盗窃 家庭纠纷 交通事故 学校 治安 theft burglary school hotspot
fixed guest_house warehouse nursing_home 小旅馆
"""


@pytest.mark.parametrize("header", PERSONAL.split())
def test_personal_headers(header):
    assert is_personal_header(header)


@pytest.mark.parametrize("header", FINE.split())
def test_headers_of_places(header):
    assert not is_personal_header(header)


@pytest.mark.parametrize("header", ["手 机", "ＰＨＯＮＥ", " 姓名 ", "Contact Phone"])
def test_headers_in_other_dress(header):
    assert is_personal_header(header)


@pytest.mark.parametrize("header", ["简要案情", "警情内容", "备注", "description", "处理结果"])
def test_free_text_headers(header):
    assert is_free_text(header)


def _identity(rng):
    digits = "371502" + f"{rng.randint(1940, 2010)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    digits += f"{rng.randint(0, 999):03d}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return (
        digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]
    )


def test_identity_numbers():
    assert is_identity_number("11010519491231002X")  # GB 11643-1999, example
    assert is_identity_number("440524188001010014")  # GB 11643-1999, example
    assert not is_identity_number("110105194912310021")  # check digit
    assert not is_identity_number("11010519491331002X")  # month 13
    assert not is_identity_number("99010519491231002X")  # no such province


@given(st.integers(0, 10**9))
def test_one_check_character_of_eleven_fits(seed):
    number = _identity(random.Random(seed))
    assert is_identity_number(number)
    assert sum(is_identity_number(number[:17] + c) for c in "0123456789X") == 1


def test_credit_codes():
    assert is_credit_code("91350100M000100Y43")  # GB 32100-2015, example
    assert not is_credit_code("91350100M000100Y44")
    assert not is_credit_code("11010519491231002X")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("13812345678", "phone"),
        ("138 1234 5678", "phone"),
        ("+86-138-1234-5678", "phone"),
        ("老王烧烤13812345678", "phone"),
        ("0635-8212345", "phone"),
        ("(0635)8212345", "phone"),
        ("电话:010-12345678", "phone"),
        ("11010519491231002X", "identity"),
        ("身份证11010519491231002x", "identity"),
        ("鲁P12345", "plate"),
        ("鲁P·A1234", "plate"),
        ("鲁PD12345", "plate"),
        ("someone@example.com", "email"),
    ],
)
def test_personal_values(text, shape):
    assert personal_shape(text) == shape


@pytest.mark.parametrize(
    "text",
    [
        "聊城饭店",
        "2025-03-01T20:15:00+08:00",
        "20250301201500",
        "116.13812345678",
        "371502001001",
        "371502001001001",
        "鲁西大厦A座1001",
        "东昌路138号",
        "样例商店 00123",
        "91350100M000100Y43",
        "110105194912310021",
        "400-820-8820",
        "S0001380013",
    ],
)
def test_values_of_places(text):
    assert personal_shape(text) is None


def _table(**columns):
    return pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()})


def test_a_table_with_a_phone_column_is_refused_with_the_option_to_repeat():
    table = _table(名称=["甲", "乙"], 负责人=["张三", ""], 联系电话=["13812345678", "x"])
    with pytest.raises(PersonalDataRefused) as caught:
        refuse_personal(screen_table(table, trust={}), source="venues.csv")
    said = str(caught.value)
    assert "--drop 负责人,联系电话" in said
    assert "负责人 (1)" in said
    assert "联系电话 (2)" in said
    assert "张三" not in said
    assert "13812345678" not in said


def test_values_are_found_under_an_innocent_header():
    table = _table(名称=["甲", "乙"], 附注=["无", "找13812345678"])
    (finding,) = screen_table(table, trust={})
    assert (finding.column, finding.reason, finding.n) == ("附注", "phone", 1)


def test_full_width_digits_are_found():
    (finding,) = screen_table(_table(附注=["１３８１２３４５６７８"]), trust={})
    assert finding.reason == "phone"


def test_old_identity_numbers_are_found_where_most_cells_are():
    (finding,) = screen_table(_table(号=["371502800101001", "371502791231002"]), trust={})
    assert finding.reason == "identity"


def test_columns_of_sentences_are_refused_for_incidents_only():
    table = _table(案发时间=["2025-03-01 20:00"], 简要案情=["某某"])
    assert screen_table(table, trust={}) == ()
    (finding,) = screen_table(table, trust={}, free_text=False)
    assert finding.column == "简要案情"


def test_village_codes_that_hold_a_date_pass():
    # 255 of the 2,408 village codes with three digits more look like 15-digit identity numbers
    with REGISTER.open(encoding="utf-8") as stream:
        codes = [r["code"] for r in csv.DictReader(stream) if len(r["code"]) == 12]
    assert len(codes) == 2408
    grids = [code + "001" for code in codes]
    for trust in ({}, {"网格编码": Trust.CODE}):
        assert screen_table(_table(网格编码=grids), trust=trust) == ()
        assert screen_table(_table(网格编码=codes), trust=trust) == ()


def test_ids_of_18_digits_pass_and_identity_numbers_as_ids_do_not():
    rng = random.Random(1)
    running = [f"371502{20250301 + k % 28}{k:04d}" for k in range(500)]
    assert sum(map(is_identity_number, running)) > 20
    assert screen_table(_table(id=running), trust={"id": Trust.CODE}) == ()
    people = sorted({_identity(rng) for _ in range(500)})
    (finding,) = screen_table(_table(id=people), trust={"id": Trust.CODE})
    assert (finding.reason, finding.n) == ("identity", len(people))


def test_grid_codes_that_hold_a_date_pass():
    codes = [f"371502001001{number:03d}" for number in (1, 2, 3, 5, 6, 9)]
    assert count_shapes(codes, codes=True) == {}


def test_old_identity_numbers_of_one_birthday_are_no_grid_codes():
    numbers = [f"371502640101{number:03d}" for number in (1, 214, 347, 802)]
    assert count_shapes(numbers, codes=True) == {"identity": 4}


def test_a_few_grids_of_a_map_pass_as_codes():
    # Issue 6: an outline of grid 003 alone was refused as the number of somebody born in 1900.
    for codes in (["371502001001003"], ["371502101001007", "371502201101012"]):
        assert count_shapes(codes, codes=True) == {}
        assert count_shapes(codes) == {"identity": len(codes)}
    numbers = [f"371502{year}0101{k:03d}" for k, year in enumerate((28, 31, 55, 79, 92), 214)]
    assert count_shapes(numbers, codes=True) == {"identity": 4}


def test_identity_numbers_among_credit_codes_are_found():
    codes = ["91350100M000100Y43"] * 3 + ["11010519491231002X"]
    trust = {"统一社会信用代码": Trust.CREDIT}
    (finding,) = screen_table(_table(统一社会信用代码=codes), trust=trust)
    assert (finding.reason, finding.n) == ("identity", 1)
    assert screen_table(_table(统一社会信用代码=codes[:3]), trust=trust) == ()


@pytest.mark.parametrize(
    "word",
    PERSON_KINDS.split(),
)
def test_kinds_of_person(word):
    assert is_person_kind(word)
    with pytest.raises(PersonKindRefused):
        refuse_person_kinds(["小商店", word], source="rules.toml")


@pytest.mark.parametrize(
    "word",
    PLACE_KINDS.split(),
)
def test_kinds_of_place_and_event(word):
    assert not is_person_kind(word)
    assert not is_dwelling(word)
    refuse_person_kinds([word], source="rules.toml", allow_dwellings=False)


@pytest.mark.parametrize("word", DWELLINGS.split())
def test_no_dwelling_is_a_place_of_work(word):
    refuse_person_kinds([word], source="buildings.csv")
    with pytest.raises(PersonKindRefused) as caught:
        refuse_person_kinds(["shop", word], source="venues.csv", allow_dwellings=False)
    assert caught.value.params["row"] == 2


def test_names_of_dwellings():
    assert is_dwelling_name("某小区3号楼2单元501室")
    assert is_dwelling_name("东关街出租屋")
    for name in ("幸福小区张伟强家", "阳光花园3号楼502", "东关街18号李家", "阳光住宅"):
        assert is_dwelling_name(name)
    for name in (
        "阳光住宅小区超市",
        "老家饭店",
        "家家乐超市",
        "宜家",
        "科技园3号楼502",
        "大院人家",
    ):
        assert not is_dwelling_name(name)


def test_command_alone_sees_what_would_give_a_patrol_away():
    secret = {
        Visible.FUTURE_ROUTES,
        Visible.ROTAS,
        Visible.RESTRICTED_PLACES,
        Visible.CAMERA_COUNTS,
    }
    for layer in secret:
        assert [a for a in Audience if allowed(a, layer)] == [Audience.COMMAND]
    assert allowed(Audience.TEAM, Visible.OWN_ROUTE)
    assert set(AUDIENCE_LAYERS) == set(Audience)
    assert AUDIENCE_LAYERS[Audience.PUBLIC] < AUDIENCE_LAYERS[Audience.PARTNER]


@given(st.integers(0, 50))
def test_small_counts_are_suppressed_outside(count):
    for audience in (Audience.COMMAND, Audience.TEAM):
        assert suppress(count, audience) == count
    for audience in (Audience.PARTNER, Audience.PUBLIC):
        assert suppress(count, audience) == (None if 0 < count < 5 else count)
