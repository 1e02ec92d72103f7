"""Places, never people: no frame, enum, field or message tracks or grades a person."""

import dataclasses
import inspect
import re
from enum import Enum
from importlib import import_module
from pathlib import Path

import pytest

from api.i18n import catalogue
from geo.frames import Col, Schema

ROOT = Path(__file__).resolve().parents[1]

FORBIDDEN_WORDS = re.compile(
    r"重点人|特殊人群|布控|轨迹|盘查|人脸|嫌疑|前科|身份证号码为|在位|到位率",
)
FORBIDDEN_FIELDS = re.compile(
    r"(?:^|_)(?:person|people|citizen|suspect|offender|resident_name|plate|licen[cs]e_plate|face_id|face_image|facial|"
    r"phone|mobile|id_card|officer_id|badge_number|live_position|actual_position|current_position|"
    r"gps_track|trajectory|ethnicity|religion|nationality|gender|age)(?:_|$)",
)
REFUSAL_ROOMS = ("geo/privacy",)
"""The one place where such words stand: the list of what is refused."""


def modules():
    for room in ("geo", "routing", "api"):
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if name and not name.startswith("geo.privacy"):
                yield name


def names_of(module):
    for owner, thing in vars(module).items():
        if dataclasses.is_dataclass(thing) and inspect.isclass(thing):
            yield from ((f"{owner}.{f.name}", f.name) for f in dataclasses.fields(thing))
        elif inspect.isclass(thing) and issubclass(thing, Enum):
            for member in thing:
                yield f"{owner}.{member.name}", member.name.lower()
                yield f"{owner}.{member.name}", str(member.value)
        elif isinstance(thing, Schema):
            yield from ((f"{owner}.{column}", column) for column in thing.columns)
        elif inspect.isfunction(thing):
            yield from ((f"{owner}({p})", p) for p in inspect.signature(thing).parameters)


@pytest.mark.parametrize("name", list(modules()))
def test_no_field_enum_or_parameter_is_about_a_person(name):
    found = [
        where
        for where, word in names_of(import_module(name))
        if FORBIDDEN_FIELDS.search(word) or FORBIDDEN_WORDS.search(word)
    ]
    assert found == []


def test_no_column_is_about_a_person():
    columns = [value for key, value in vars(Col).items() if key.isupper()]
    assert [c for c in columns if FORBIDDEN_FIELDS.search(c) or FORBIDDEN_WORDS.search(c)] == []


def test_no_message_tracks_or_grades_a_person():
    found = [
        (code, lang)
        for code, entry in catalogue().items()
        for lang, words in entry.items()
        if FORBIDDEN_WORDS.search(words)
        or re.search(r"\b(suspect|offender|trajectory|live position)\b", words, re.IGNORECASE)
    ]
    assert found == []


def test_the_walk_sees_a_planted_field():
    @dataclasses.dataclass
    class Planted:
        officer_id: str

    class Module:
        pass

    Module.Planted = Planted
    assert any(FORBIDDEN_FIELDS.search(word) for _, word in names_of(Module))
