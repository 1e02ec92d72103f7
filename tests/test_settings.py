"""Every setting is documented, and nothing but PATROLGRID_* is read."""

from pathlib import Path

from api.settings import Settings

DOCS = (Path(__file__).resolve().parents[1] / "docs" / "settings.md").read_text("utf-8")


def test_every_setting_is_documented():
    for name in Settings.model_fields:
        assert f"`PATROLGRID_{name.upper()}`" in DOCS


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PATROLGRID_LANGUAGE", "en")
    monkeypatch.setenv("LANGUAGE", "fr")
    assert Settings().language == "en"
