"""Plan files: the same bytes for the same plan, nothing half-written, every fault named."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from geo.errors import FileMissing, FileUnreadable, OptionInvalid, PlanInvalid
from geo.privacy import Audience
from routing.check import Rule
from routing.io import check_plan_file, read_plan, read_plan_file, write_plan
from routing.model import UNREACHABLE, Mode


@pytest.fixture
def plan_path(town_plan, tmp_path):
    path = tmp_path / "plan.json"
    write_plan(town_plan, path, audience=Audience.COMMAND, attribution=("审图号：GS(2024)0650号",))
    return path


def _codes(path) -> set[Rule]:
    return {violation.code for violation in check_plan_file(path)}


def _leaves(value: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(member, (*path, key))
    elif isinstance(value, list):
        for k, member in enumerate(value):
            yield from _leaves(member, (*path, k))
    else:
        yield path, value


def _with(document: Any, path: tuple, value: object) -> str:
    changed = json.loads(json.dumps(document))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(changed, ensure_ascii=False)


def _refused_or_named(path, text: str) -> bool:
    path.write_text(text, encoding="utf-8")
    try:
        return bool(check_plan_file(path))
    except PlanInvalid:
        return True


def test_a_plan_comes_back_as_it_was(town_plan, plan_path):
    file = read_plan_file(plan_path)
    known = file.plan.problem.travel
    assert (file.audience, file.attribution) == (Audience.COMMAND, ("审图号：GS(2024)0650号",))
    assert replace(file.plan, problem=town_plan.problem) == town_plan
    assert replace(file.plan.problem, travel=town_plan.problem.travel) == town_plan.problem
    assert known.between(Mode.CAR, "GATE", "SCHOOL") == 900
    assert known.between(Mode.EBIKE, "GATE", "SCHOOL") == UNREACHABLE
    assert file.plan.problem.digest() == town_plan.problem_hash


def test_a_sound_file_breaks_no_rule(plan_path):
    assert check_plan_file(plan_path) == ()


def test_the_same_plan_gives_the_same_bytes(town_plan, plan_path, tmp_path):
    again = tmp_path / "again.json"
    file = read_plan_file(plan_path)
    write_plan(file.plan, again, audience=file.audience, attribution=file.attribution)
    assert again.read_bytes() == plan_path.read_bytes()
    assert list(tmp_path.glob(".*")) == []


def test_the_file_says_what_the_contract_asks_for(plan_path):
    document = json.loads(plan_path.read_text(encoding="utf-8"))
    assert document["format"] == "patrolgrid.plan/1"
    assert (document["state"], document["night"]) == ("draft", "2026-11-21")
    assert document["gap"] == round((40 - -9) / 40, 6)
    assert document["routes"][0]["start"] == "2026-11-21T20:00:00+08:00"
    assert document["routes"][0]["stops"][4]["arrive"] == "2026-11-21T23:10:00+08:00"
    assert document["routes"][0]["stops"][0]["travel_s"] == 300


def test_every_number_of_the_file_is_guarded(plan_path):
    document = json.loads(plan_path.read_text(encoding="utf-8"))
    numbers = [
        (path, value)
        for path, value in _leaves(document)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    unnamed = [
        path
        for path, value in numbers
        if not _refused_or_named(plan_path, _with(document, path, value + 1))
    ]
    assert len(numbers) > 190
    assert unnamed == []


def test_every_text_of_the_file_is_guarded(plan_path):
    document = json.loads(plan_path.read_text(encoding="utf-8"))
    texts = [path for path, value in _leaves(document) if isinstance(value, str)]
    unnamed = [p for p in texts if not _refused_or_named(plan_path, _with(document, p, "Q"))]
    assert len(texts) > 220
    assert unnamed == []


def test_every_member_is_required(plan_path):
    document = json.loads(plan_path.read_text(encoding="utf-8"))
    for key in document:
        shorter = {name: value for name, value in document.items() if name != key}
        plan_path.write_text(json.dumps(shorter), encoding="utf-8")
        with pytest.raises(PlanInvalid):
            read_plan(plan_path)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1, column 1"),
        ("名称,地址\n1,2", "line 1, column 1"),
        ('{"format": "patrolgrid.plan/1"', "line 1, column 31"),
        ("[]", "$.format"),
        ("{}", "$.format"),
        ('{"format": "patrolgrid.plan/9"}', "$.format"),
        ('{"format": "patrolgrid.schedule/1"}', "$.format"),
        ('{"format": "patrolgrid.plan/1"}', "$"),
        ('{"format": 1, "format": 1}', "$"),
        ('{"format": NaN}', "$"),
        ("[" * 100_000, "$"),
        ("1" * 10_000, "$"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path, text, where):
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanInvalid) as refused:
        read_plan(path)
    assert refused.value.params["where"] == where


def test_every_truncation_is_refused(plan_path):
    whole = plan_path.read_text(encoding="utf-8")
    for end in range(0, len(whole) - 2, 997):
        plan_path.write_text(whole[:end], encoding="utf-8")
        with pytest.raises(PlanInvalid):
            read_plan(plan_path)


def test_files_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(FileMissing):
        read_plan(tmp_path / "none.json")
    with pytest.raises(FileUnreadable):
        read_plan(tmp_path)
    (tmp_path / "gbk.json").write_bytes('{"format": "巡逻"}'.encode("gbk"))
    with pytest.raises(FileUnreadable):
        read_plan(tmp_path / "gbk.json")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("routes", 0, "start"), "2026-02-31T20:00:00+08:00"),
        (("problem", "shift", "start"), "2026-11-21T20:00:00"),
        (("problem", "stops", 0, "floor"), 4),
        (("problem", "units", 0, "headcount"), 1),
        (("problem", "units", 0, "phone"), "13800000000"),
        (("routes", 0, "stops", 0, "lon"), 1e300),
    ],
)
def test_values_the_model_refuses_are_refused_without_repeating_them(plan_path, path, value):
    document = json.loads(plan_path.read_text(encoding="utf-8"))
    plan_path.write_text(_with(document, path, value), encoding="utf-8")
    with pytest.raises(PlanInvalid) as refused:
        read_plan(plan_path)
    assert "13800000000" not in str(refused.value)


def test_a_failed_write_leaves_the_old_file(town_plan, plan_path):
    before = plan_path.read_bytes()
    unwritable = replace(town_plan, bound=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        write_plan(unwritable, plan_path, audience=Audience.COMMAND)
    assert plan_path.read_bytes() == before
    assert [path.name for path in plan_path.parent.iterdir()] == ["plan.json"]


@pytest.mark.parametrize("audience", [Audience.TEAM, Audience.PARTNER, Audience.PUBLIC])
def test_all_routes_of_a_night_are_for_the_command_only(town_plan, tmp_path, audience):
    with pytest.raises(OptionInvalid):
        write_plan(town_plan, tmp_path / "plan.json", audience=audience)
    assert list(tmp_path.iterdir()) == []


def test_a_leg_that_no_car_could_drive_is_named(town_plan, tmp_path):
    far = tuple(
        replace(place, lon=place.lon + 1.0) if place.place_id == "GATE" else place
        for place in town_plan.problem.places
    )
    problem = replace(town_plan.problem, places=far)
    plan = replace(town_plan, problem=problem, problem_hash=problem.digest())
    write_plan(plan, tmp_path / "plan.json", audience=Audience.COMMAND)
    assert _codes(tmp_path / "plan.json") == {Rule.TRAVEL_TOO_FAST}
