"""What whoever imports a file says about it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Self

import pyproj
from pyproj.exceptions import CRSError

from geo.crs import Datum, datum_of
from geo.errors import OptionInvalid
from geo.frames import Channel
from geo.incident import SNAP_REACH
from geo.privacy.kinds import is_person_kind, is_person_name
from geo.privacy.shown import NOT_SHOWN, has_personal_shape


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file is to be read and compared.

    Attributes
    ----------
    datum : str
        What its coordinates are in; a column of the file that states one wins.
    drop : tuple of str
        Headers to leave out before anything is looked at.
    source : str
        Source of rows whose file states none; the file's name by default.
    data_date : date, optional
        Day the data was true; today by default.
    boundary_version : str
        Version of boundaries whose file states none; year and month of the data date by default.
    makes_current : bool
        Boundaries become the version in force; the first one does so by itself.
    is_partial : bool
        The file holds a part of its layer, so that nothing is missing from it.
    channel : str
        Channel of reports whose file states none; residents' own by default.
    epsg : int, optional
        The city's metric CRS, with its first boundaries; their UTM zone by default.
    reach : float
        Metres from a street beyond which a report is refused.
    """

    datum: str = Datum.WGS84.value
    drop: tuple[str, ...] = ()
    source: str = ""
    data_date: date | None = None
    boundary_version: str = ""
    makes_current: bool = False
    is_partial: bool = False
    channel: str = ""
    epsg: int | None = None
    reach: float = SNAP_REACH

    def __post_init__(self) -> None:
        datum_of(self.datum)
        if not 0.0 < self.reach <= 1000.0:
            raise OptionInvalid(option="reach", value=self.reach, expected="up to 1000 m")
        if self.channel and self.channel not in list(Channel):
            expected = ", ".join(channel.value for channel in Channel)
            raise OptionInvalid(option="--channel", value=self.channel, expected=expected)
        _require_impersonal("--source", self.source)
        _require_impersonal("--boundary-version", self.boundary_version)
        if self.epsg is not None:
            _require_metric(self.epsg)

    def as_json(self) -> dict[str, Any]:
        """Return the options that differ from the defaults, as JSON values."""
        stated = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }
        if self.data_date is not None:
            stated["data_date"] = self.data_date.isoformat()
        if self.drop:
            stated["drop"] = list(self.drop)
        return stated

    @classmethod
    def from_json(cls, stated: Mapping[str, Any]) -> Self:
        """Return the options of `as_json`.

        Raises
        ------
        OptionInvalid
            An option that is not known, or a value it cannot take.
        """
        known = {field.name for field in fields(cls)}
        for name in stated:
            if name not in known:
                raise OptionInvalid(option="options", value=name, expected=", ".join(sorted(known)))
        values = dict(stated)
        if values.get("data_date") is not None:
            values["data_date"] = _day(values["data_date"])
        if "drop" in values:
            values["drop"] = tuple(map(str, values["drop"]))
        return cls(**values)

    def dated(self, today: date) -> Self:
        """Return the options with a data date: today where none was stated."""
        return replace(self, data_date=self.data_date or today)

    @property
    def version(self) -> str:
        """Version of boundaries whose file states none."""
        return self.boundary_version or f"{self.data_date:%Y-%m}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise OptionInvalid(option="data_date", value=text, expected="YYYY-MM-DD") from error


def _require_impersonal(option: str, value: str) -> None:
    """Refuse words that every row would carry and that point at a person.

    Raises
    ------
    OptionInvalid
    """
    if has_personal_shape(value) or is_person_name(value) or is_person_kind(value):
        expected = "no name, number or kind of a person"
        raise OptionInvalid(option=option, value=NOT_SHOWN, expected=expected)


def _require_metric(epsg: int) -> None:
    """Refuse a coordinate system that is not a plane in metres.

    Raises
    ------
    OptionInvalid
    """
    try:
        crs = pyproj.CRS.from_epsg(epsg)
    except CRSError:
        crs = None
    if crs is None or not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        expected = "a projected coordinate system in metres, such as 32650"
        raise OptionInvalid(option="--epsg", value=epsg, expected=expected)
