"""Settings, read once at entry and handed down."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from api.i18n import Language


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
    log_level: str = "WARNING"
    log_json: bool = False
