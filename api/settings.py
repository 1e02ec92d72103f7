"""Settings, read once at entry and handed down."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
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
    store : str
        The city's store: path of a GeoPackage, or ``postgresql://...`` (extra ``postgis``).
    workers : int
        Jobs that run at the same time.
    job_seconds, job_memory_mb : int
        Most wall seconds and resident memory of one job.
    max_body_mb : int
        Largest body of a request that brings a file to import.
    engine : "osrm", "valhalla" or ""
        Kind of the routing server that `compare-times` asks; "" asks none.
    engine_url : str
        Its address.
    folder : str
        Where the admin key, the network file and uploads on their way are kept; beside the store
        unless set.
    """

    model_config = SettingsConfigDict(env_prefix="PATROLGRID_", extra="ignore", frozen=True)

    language: Language = "zh"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "WARNING"
    log_json: bool = False
    store: str = "patrolgrid-data/city.gpkg"
    workers: int = Field(default=1, ge=1, le=64)
    job_seconds: int = Field(default=3600, ge=1)
    job_memory_mb: int = Field(default=4096, ge=512)
    max_body_mb: int = Field(default=256, ge=1, le=4096)
    engine: Literal["", "osrm", "valhalla"] = ""
    engine_url: str = ""
    folder: str = ""

    @property
    def service_folder(self) -> Path:
        """Folder of the admin key and of uploads: stated, or beside the embedded store."""
        if self.folder:
            return Path(self.folder).absolute()
        if "://" in self.store:
            return Path("patrolgrid-data").absolute()
        return Path(self.store).absolute().parent


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
