"""The error tree: drawn where it is defined, one code per class, whole across processes."""

import pickle
import string

import pytest

from api.i18n import explain
from geo import errors

CLASSES = list(errors.error_classes())


def fields(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_class_is_drawn_in_the_tree_and_documented(cls):
    assert f" {cls.__name__} " in errors.__doc__.replace("\n", " \n") or cls is CLASSES[0]
    assert cls.__doc__


def test_codes_are_unique():
    codes = [cls.code for cls in CLASSES]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_error_survives_a_process_border_and_speaks_both_languages(cls):
    params = dict.fromkeys(fields(cls.template), 7)
    again = pickle.loads(pickle.dumps(cls(**params)))
    assert type(again) is cls
    assert again.params == params
    assert explain(again, "en") == str(again)
    assert explain(again, "zh") != str(again)
