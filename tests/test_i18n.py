"""One catalogue, two languages, the same fields in both."""

import ast
import string
from pathlib import Path

import pytest

from api.i18n import LANGUAGES, both, catalogue, explain, text
from geo.errors import DemandInputRefused

ROOT = Path(__file__).resolve().parents[1]


def fields(template):
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name)


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_code_has_both_languages_with_the_same_fields(code):
    entry = catalogue()[code]
    assert set(entry) == set(LANGUAGES), f"{code} lacks a language"
    assert set(fields(entry["zh"])) == set(fields(entry["en"]))
    assert all(entry[lang].strip() for lang in LANGUAGES)


def test_text_fills_fields():
    assert text("cli.fetch.done", "en", n=3, path="x") == "3 street segments written to x."
    assert "·" in both("cli.check")


def test_lists_are_told_with_the_mark_of_the_language():
    # Issue 6: English sentences joined the columns of a file with a Chinese mark.
    for columns in (("面积", "电话"), ["面积", "电话"]):
        english = text("note.ignored", "en", source="v.csv", columns=columns)
        assert "面积, 电话" in english
        assert "、" not in english
        assert "面积、电话" in text("note.ignored", "zh", source="v.csv", columns=columns)
    refused = DemandInputRefused(source="d.csv", columns=("a", "b"))
    assert "a, b" in str(refused)
    assert "a、b" in explain(refused, "zh")


def test_every_code_the_sources_name_is_in_the_catalogue():
    """A literal passed to text(), both(), or as code=/reason=/cause= must exist."""
    missing = []
    for path in [p for room in ("geo", "routing", "api") for p in (ROOT / room).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            named = [k.value for k in node.keywords if k.arg in {"code", "reason", "cause"}]
            first = node.args[:1] if name in {"text", "both"} else []
            codes = [v.value for v in [*named, *first] if isinstance(v, ast.Constant)]
            missing += [
                f"{path.relative_to(ROOT)}: {code}"
                for code in codes
                if isinstance(code, str) and "." in code and code not in catalogue()
            ]
    assert missing == []
