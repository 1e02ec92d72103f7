"""Rules of venues: what comes with patrolgrid, and what a file of one's own may not say."""

from dataclasses import replace
from importlib.resources import files

import pytest

from api.i18n import LANGUAGES, catalogue, explain
from geo.errors import (
    FileEmpty,
    FileMissing,
    FileUnreadable,
    OptionInvalid,
    PersonKindRefused,
    ValueInvalid,
)
from geo.frames import Remedy, Tier, VenueKind
from geo.io.rules import read_rules, read_venue_rules, shipped_rules, shipped_venue_rules
from geo.io.rules.read import Wanted as FileWanted
from geo.io.venues import kind_words
from geo.venue import CADENCE, KindClass
from geo.venue.rules import Clause, FactType, Wanted

RULES = shipped_venue_rules()
SHIPPED = (files("geo.io.rules") / "venues-2024-1.toml").read_text("utf-8")


def own(tmp_path, text):
    path = tmp_path / "venues-own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_nine_kinds_come_first_in_the_official_order_each_with_a_threshold():
    assert [kind.kind for kind in RULES.kinds[:9]] == [kind.value for kind in VenueKind]
    assert all(KindClass.NINE in kind.classes and kind.key_at for kind in RULES.kinds[:9])


def test_published_thresholds():
    """公通字〔2001〕97号: shop 1,000 m2, entertainment 200 m2, 50 hospital beds, 100 workers."""
    limits = {kind.kind: dict(kind.key_at) for kind in RULES.kinds}
    assert limits["shop"] == {"floor_area": 1000}
    assert limits["entertainment"] == limits["net_cafe"] == {"floor_area": 200}
    assert limits["clinic"] == {"beds": 50}
    assert limits["workshop"] == {"workers": 100}


def test_the_cadence_is_that_of_the_code():
    assert RULES.cadence == CADENCE
    assert RULES.version == "2024-1"


def test_restricted_kinds_have_a_ladder_and_lodging_needs_its_registration():
    goods = RULES.kind("dangerous_goods")
    assert goods.is_restricted
    assert [step.step for step in goods.ladder][-1] == "revocation"
    assert RULES.kind("online_lodging").needs == "registered"
    assert RULES.kind("nothing") is None


def test_a_file_of_ones_own_reads_like_the_shipped_one(tmp_path):
    changed = SHIPPED.replace('version = "2024-1"', 'version = "local-2"', 1)
    rules = read_venue_rules(own(tmp_path, changed))
    assert rules.version == rules.cadence.version == "local-2"
    assert rules.kinds == RULES.kinds


def test_no_such_version_names_those_there_are():
    with pytest.raises(OptionInvalid, match="2024-1"):
        shipped_rules("venues", "1999-1")


WRONG = {
    "a misspelt key": ('remedy = "wait"', 'remedi = "wait"'),
    "an unknown key": ("[ramp]", 'colour = "red"\n[ramp]'),
    "a threshold of 0": ("key_at = { seats = 100 }", "key_at = { seats = 0 }"),
    "a threshold as text": ("key_at = { seats = 100 }", 'key_at = { seats = "100" }'),
    "a threshold of an unknown fact": ("key_at = { seats = 100 }", "key_at = { chairs = 100 }"),
    "a threshold of a flag": ("key_at = { seats = 100 }", "key_at = { uses_gas = 1 }"),
    "a small kind without a threshold": ("key_at = { seats = 100 }\n", ""),
    "a kind twice": ('kind = "courier"', 'kind = "hotel"'),
    "a kind with a blank": ('kind = "courier"', 'kind = "the post"'),
    "a class unknown": ('classes = ["restricted"]', 'classes = ["secret"]'),
    "a green rule": ('rule = "key_unit"\ntier = "yellow"', 'rule = "key_unit"\ntier = "green"'),
    "a rule about everything": ('size = "key"\n', ""),
    "a rule of an unknown kind": ('"hotel", "food"]\nwhen', '"hotels", "food"]\nwhen'),
    "a rule of two tests": ("at_least = 1 }]\nremedy", "at_least = 1, below = 2 }]\nremedy"),
    "a rule of the wrong test": ('"below_ground", is = true', '"below_ground", at_least = 1'),
    "a wait that never ends": ('is = true }]\nremedy = "none"', 'is = true }]\nremedy = "wait"'),
    "a ramp of no day": ("working_days = 60", "working_days = 0"),
    "a cadence of no month": ("red = 1\n", "red = 0\n"),
    "a limit of no visit": ("not_found_limit = 2", "not_found_limit = 0"),
    "a day that is none": ("valid_from = 2024-01-01", 'valid_from = "soon"'),
    "a fact called like a column": ('fact = "beds"', 'fact = "name"'),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_rules_file_is_said_in_both_languages(tmp_path, what):
    good, bad = WRONG[what]
    assert good in SHIPPED
    with pytest.raises((ValueInvalid, OptionInvalid)) as caught:
        read_venue_rules(own(tmp_path, SHIPPED.replace(good, bad, 1)))
    for lang in LANGUAGES:
        assert "{" not in explain(caught.value, lang)


def test_a_ladder_has_at_least_two_steps():
    goods = replace(RULES.kind("dangerous_goods"), ladder=RULES.kind("dangerous_goods").ladder[:1])
    with pytest.raises(ValueInvalid, match="ladder"):
        replace(RULES, kinds=(*RULES.kinds[:-1], goods))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('zh = "寄递物流网点"', 'zh = "重点人员"'),
        ('zh = "寄递物流网点"', 'zh = "出租屋"'),
        ('words = ["寄递"', 'words = ["矫正对象"'),
        ('words = ["寄递"', 'words = ["住宅"'),
    ],
)
def test_kinds_of_persons_and_dwellings_are_refused(tmp_path, good, bad):
    with pytest.raises(PersonKindRefused):
        read_venue_rules(own(tmp_path, SHIPPED.replace(good, bad, 1)))


def test_files_that_are_no_rules(tmp_path):
    with pytest.raises(FileMissing):
        read_rules(tmp_path / "none.toml")
    with pytest.raises(FileEmpty):
        read_rules(own(tmp_path, ""))
    with pytest.raises(FileUnreadable):
        read_rules(own(tmp_path, "version = "))
    with pytest.raises(FileUnreadable):
        read_rules(own(tmp_path, "a = " + "[" * 40 + "]" * 40))
    with pytest.raises(FileUnreadable):
        read_rules(own(tmp_path, "x = 1\n" * 300_000))


def test_every_phrase_has_both_languages():
    codes = [one.code for vocabulary in (Wanted, FileWanted) for one in vocabulary]
    assert [code for code in codes if set(catalogue()[code]) != set(LANGUAGES)] == []


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("小餐饮场所", "food"),
        ("餐饮服务;中餐厅;综合酒楼", "food"),
        ("生活服务;物流速递;物流速递", "courier"),
        ("快递驿站", "courier"),
        ("网约房", "online_lodging"),
        ("民宿", "hotel"),
        ("汽车服务;加油站;中国石化", "dangerous_goods"),
        ("烟花爆竹零售", "dangerous_goods"),
        ("amenity=fuel", "dangerous_goods"),
        ("parcel_locker", "courier"),
        ("expressway", None),
        ("fuelling up", None),
        ("courier", "courier"),
        ("风景名胜;公园", None),
    ],
)
def test_words_of_files_and_maps_for_kinds(said, kind):
    assert kind_words(RULES)(said) == kind


def test_a_clause_tests_one_thing():
    assert Clause(fact="x", at_least=1).type is FactType.NUMBER
    assert Clause(fact="x", is_true=False).type is FactType.FLAG
    assert Clause(fact="x", within_months=6).type is FactType.DAY
    assert Clause(fact="x").type is Clause(fact="x", at_least=1, below=2).type is None


def test_every_rule_says_what_clears_it_unless_nothing_does():
    for grade in RULES.grades:
        assert grade.tier is not Tier.GREEN
        assert grade.zh_remedy
        assert grade.en_remedy
        assert grade.remedy in set(Remedy) - {Remedy.RECORD}


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ('kind = "shop"', 'kind = "shop', ("line", "column")),
        ("escalation]", "escalation", ("line", "column")),
        (
            'version = "2024-1"',
            'versio = "2024-1"',
            ("top of the file", "key version", "missing; is it versio?"),
        ),
        (
            "closure_review_months",
            "closure_review_monthss",
            ("table states", "key closure_review_monthss", "no such key"),
        ),
        ("not_found_limit = 2", "not_found_limit = true", ("table states", "true is not allowed")),
    ],
)
def test_a_slip_of_the_pen_is_shown_where_it_is(tmp_path, good, bad, said):
    """Issue 5: a rules file was "damaged", and a misspelt key was not shown."""
    with pytest.raises((FileUnreadable, ValueInvalid)) as caught:
        read_venue_rules(own(tmp_path, SHIPPED.replace(good, bad, 1)))
    for word in said:
        assert word in explain(caught.value, "en")
    shown = explain(caught.value, "zh")
    assert not {"missing", "not allowed", "line", "table"} & set(shown.replace("，", " ").split())


def test_the_line_of_a_syntax_slip_is_the_right_one(tmp_path):
    with pytest.raises(FileUnreadable) as caught:
        read_venue_rules(own(tmp_path, 'version = "1"\nvalid_from 2024-01-01\n'))
    assert "第 2 行第 12 列" in explain(caught.value, "zh")


def test_a_list_names_its_row(tmp_path):
    text = SHIPPED.replace("[[kinds]]", '[[kinds]]\nklasses = ["nine"]', 1)
    with pytest.raises(ValueInvalid) as caught:
        read_venue_rules(own(tmp_path, text))
    shown = "venues-own.toml，列表 kinds 第 1 项，键 klasses：没有这个键"
    assert explain(caught.value, "zh").startswith(shown)
