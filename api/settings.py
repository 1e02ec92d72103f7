"""Settings, read once at entry and handed down."""

from typing import Literal

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.i18n import Language
from geo.errors import OptionInvalid


class Settings(BaseSettings):
    """What an installation may set, as ``PATROLGRID_*`` variables; see ``docs/settings.md``.

    Attributes
    ----------
    language : "zh" or "en"
        Language of console messages and the language a map opens in.
    log_level : str
        Least severe level that is logged to standard error.
    log_json : bool
        One JSON object a line instead of text.
    """

    model_config = SettingsConfigDict(env_prefix="PATROLGRID_", extra="ignore", frozen=True)

    language: Language = "zh"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "WARNING"
    log_json: bool = False


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    OptionInvalid
        A variable whose value cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise OptionInvalid(
            option=f"PATROLGRID_{str(first['loc'][0]).upper()}",
            value=first["input"],
            expected=first.get("ctx", {}).get("expected", first["msg"]),
        ) from error
