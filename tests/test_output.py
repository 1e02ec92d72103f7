"""Where commands write to: asked before the work, made when missing, clean whatever ends them."""

import signal
import threading

import pytest
import typer

from api.cli.output import require_outputs, say_refused
from api.cli.session import Session, open_session
from api.console import unwind_on_signal
from api.i18n import LANGUAGES, explain
from geo.errors import OptionInvalid
from geo.io import Refusal, staging
from geo.io.hints import Hint
from routing.io.document import write_text

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def test_a_folder_that_is_not_there_is_made(tmp_path):
    """Issue 6: `matrix --out nodir/m.csv` ended in a traceback, after the work."""
    out = tmp_path / "none" / "deep" / "m.csv"
    require_outputs({"--out": out}, suffixes=(".csv",))
    assert not out.parent.exists()  # asking makes nothing
    with staging(out.parent) as stage:
        (stage / out.name).write_text("whole")
    assert out.read_text() == "whole"
    assert [path.name for path in out.parent.iterdir()] == ["m.csv"]
    write_text("plan", tmp_path / "other" / "plan.json")
    assert (tmp_path / "other" / "plan.json").read_text() == "plan"


def test_a_folder_where_the_file_should_be_is_refused_before_the_work(tmp_path):
    (tmp_path / "m.csv").mkdir()
    with pytest.raises(OptionInvalid) as caught:
        require_outputs({"--out": tmp_path / "m.csv"}, suffixes=(".csv",))
    assert caught.value.params["expected"] is Hint.NO_FOLDER
    assert "文件夹" in explain(caught.value, "zh")


def test_a_file_where_the_folder_should_be_is_refused_in_both_languages(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(OptionInvalid) as caught:
        require_outputs({"--out": tmp_path / "taken" / "m.csv"}, suffixes=(".csv",))
    assert {lang: explain(caught.value, lang).split("taken")[1] for lang in LANGUAGES} == {
        "zh": "；应为 可以写入的文件夹。",
        "en": " cannot be used; expected a folder that can be written.",
    }


def test_refused_rows_find_their_folder(tmp_path):
    row = Refusal(source="p.csv", row=1, column="name", code="refusal.blank", params={"value": ""})
    say_refused(Session("en"), [row], beside=tmp_path / "none" / "m.csv")
    assert "p.csv" in (tmp_path / "none" / "m-refused.csv").read_text("utf-8-sig")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_leaves_no_half_written_folder(tmp_path, number):
    """Issue 6: a killed matrix left a hidden folder of 1.6 GB."""
    before = signal.getsignal(number)

    def write():
        with open_session("en"), staging(tmp_path / "out") as stage:
            (stage / "m.csv").write_text("half")
            signal.raise_signal(number)

    with pytest.raises(SystemExit) as ended:
        write()
    assert ended.value.code == 128 + number
    assert list((tmp_path / "out").iterdir()) == []
    assert signal.getsignal(number) is before


def test_a_signal_that_somebody_takes_is_left_alone():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(True))
    try:
        with unwind_on_signal():
            signal.raise_signal(signal.SIGTERM)
        assert heard == [True]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_beside_the_main_thread_nothing_is_taken():
    seen = []

    def work():
        with unwind_on_signal():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


def test_an_error_still_ends_with_its_status():
    with pytest.raises(typer.Exit) as ended, open_session("en"):
        raise OptionInvalid(option="--x", value=1, expected="2")
    assert ended.value.exit_code == 2
