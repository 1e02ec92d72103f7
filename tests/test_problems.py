"""One table from error to status; problems in two languages that repeat nothing of a request."""

import re

import pytest

from api.app import ROUTERS
from api.i18n import LANGUAGES, catalogue
from api.language import preferred
from api.problems import TABLE, answer_to, document_of, title_of
from geo import errors
from geo.errors import error_classes

CLASSES = [cls for cls in error_classes() if cls.__module__ == errors.__name__]
MARK = "Zq7marker"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_has_a_status_and_a_title(cls):
    assert cls in TABLE, "add a row to api.problems.TABLE"
    assert 400 <= TABLE[cls].status < 600
    assert all(title_of(cls.code, lang) for lang in LANGUAGES)


def test_the_table_has_no_row_of_something_else():
    assert set(TABLE) == set(CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_parameter_that_may_hold_input_is_never_shown(cls, lang):
    names = re.findall(r"{(\w+)", cls.template)
    row = TABLE[cls]
    params = {name: "ours" if name in row.shown else MARK for name in names}
    document = document_of(cls(**params), lang)
    assert MARK not in str(document)
    assert document["status"] == row.status
    assert set(document) == {"type", "title", "status", "detail", "code", "params"}


def test_words_of_ours_are_said_in_the_language_asked_for():
    error = errors.StateConflict(kind="plan", state="approved", wanted="approval")
    assert document_of(error, "zh")["detail"] == "方案的状态是已批准，不能再批准。"
    assert document_of(error, "en")["params"] == {
        "kind": "plan",
        "state": "approved",
        "wanted": "approval",
    }


def test_a_refused_key_names_both_ways_to_state_one():
    answer = answer_to(errors.KeyRefused(), "en")
    assert answer.status_code == 401
    challenges = answer.headers.getlist("WWW-Authenticate")
    assert [one.partition(" ")[0] for one in challenges] == ["Basic", "Bearer"]
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("EN-gb;q=0.9, zh;q=0.1", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, de", "zh"),
        ("fr, *", "zh"),
        ("en;q=0", "zh"),
        ("en;q=nan, zh;q=x", "zh"),
        (";;;,,,=", "zh"),
    ],
)
def test_language_follows_accept_language(accepted, language):
    assert preferred(accepted, "zh") == language


def test_no_finding_says_a_value():
    for code, entry in catalogue().items():
        if code.startswith("problem.finding."):
            fields = set(re.findall(r"{(\w+)", entry["en"]))
            assert fields <= {"expected", "ge", "le", "lt", "max_length", "min_length", "rule"}


def test_every_route_declares_the_problems_any_request_may_meet():
    for router in ROUTERS:
        for route in router.routes:
            if route.include_in_schema:
                assert {400, 403, 421, 431, 500, 503} <= set(route.responses), route.path
