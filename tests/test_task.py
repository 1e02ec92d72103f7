"""Task types: versioned, with minutes and kinds of place; anything else is refused."""

from dataclasses import replace
from importlib.resources import files

import pytest

from api.i18n import LANGUAGES, catalogue, explain
from geo.errors import PersonKindRefused, ValueInvalid
from geo.frames import TASKS, require
from geo.io.rules import read_task_rules, shipped_task_rules
from geo.task import TaskType, Wanted, make_tasks, require_tasks

RULES = shipped_task_rules()
SHIPPED = (files("geo.io.rules") / "tasks-2024-1.toml").read_text("utf-8")


def tasks(*rows, **more):
    return make_tasks(
        RULES,
        kinds=[row[0] for row in rows],
        place_ids=[f"p{k}" for k in range(len(rows))],
        place_kinds=[row[1] for row in rows],
        **more,
    )


def test_the_types_the_issue_names_are_there():
    assert {"patrol", "door_check", "environment", "hazard", "venue_check", "post", "escort"} <= {
        one.kind for one in RULES.types
    }
    assert RULES.version == "2024-1"
    assert RULES.type("nothing") is None


def test_minutes_are_those_of_the_type_unless_stated():
    frame = tasks(("patrol", "street"), ("venue_check", "venue"), minutes=[0, 45])
    require(frame, TASKS, source="tasks")
    assert frame.minutes.tolist() == [12, 45]
    assert frame.task_id.tolist() == ["t000001", "t000002"]
    assert len(tasks()) == 0


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("patrol", "street"), ("stroll", "street")], "row 2, column kind"),
        ([("venue_check", "street")], "row 1, column place_kind"),
        ([("patrol", "moon")], "row 1, column place_kind"),
    ],
)
def test_anything_else_is_refused(rows, expected):
    with pytest.raises(ValueInvalid, match=expected) as caught:
        tasks(*rows)
    for lang in LANGUAGES:
        assert explain(caught.value, lang)


@pytest.mark.parametrize(
    "row", [("走访重点人员", "venue"), ("patrol", "出租屋"), ("patrol", "dwelling")]
)
def test_no_task_is_about_a_person_or_a_dwelling(row):
    with pytest.raises(PersonKindRefused):
        tasks(row)


@pytest.mark.parametrize("minutes", [-1, 721])
def test_minutes_out_of_bounds(minutes):
    frame = tasks(("patrol", "street")).assign(minutes=minutes)
    with pytest.raises(ValueInvalid, match="minutes"):
        require_tasks(frame, RULES, source="tasks")


@pytest.mark.parametrize(
    "type_",
    [
        TaskType(kind="patrol", zh="巡", en="p", minutes=5, place_kinds=("street",)),
        TaskType(kind="new", zh="新", en="n", minutes=0, place_kinds=("street",)),
        TaskType(kind="new", zh="新", en="n", minutes=5, place_kinds=("moon",)),
        TaskType(kind="new", zh="新", en="n", minutes=5, place_kinds=()),
    ],
)
def test_what_is_wrong_with_a_type_is_said(type_):
    with pytest.raises(ValueInvalid):
        replace(RULES, types=(*RULES.types, type_))


@pytest.mark.parametrize("word", ["上访接待", "tracking people", "入户走访住户家"])
def test_no_type_is_about_persons(word):
    bad = TaskType(kind="x", zh=word, en="x", minutes=5, place_kinds=("street",))
    if "住户" in word:
        bad = replace(bad, kind="dwelling")
    with pytest.raises(PersonKindRefused):
        replace(RULES, types=(*RULES.types, bad))


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "tasks.toml"
    path.write_text(SHIPPED.replace("minutes = 12", "minutes = 9"), encoding="utf-8")
    assert read_task_rules(path).type("patrol").minutes == 9
    path.write_text(SHIPPED.replace("minutes = 12", "minutes = 12\nofficer = 1"), encoding="utf-8")
    with pytest.raises(ValueInvalid, match="officer"):
        read_task_rules(path)


def test_every_phrase_has_both_languages():
    assert [one for one in Wanted if set(catalogue()[one.code]) != set(LANGUAGES)] == []
