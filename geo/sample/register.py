"""What is real in the sample: county polygons, the register of names and codes, the census.

Files of ``data/boundaries``; origin, licence and date of each in ``data/README.md``.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.frames import Col, Level
from geo.io import read_boundaries, read_register
from geo.sample.exact import Floats
from geo.sample.lines import Ints

DIRECTORY: Final = Path(__file__).resolve().parents[2] / "data" / "boundaries"
CITY_CODE: Final = "371500"
DISTRICT_CODE: Final = "371502"

COUNTY_SOURCE: Final = "tianditu GS(2024)0650"
ATTRIBUTION: Final = (
    "县界: 天地图 审图号 GS(2024)0650 · County lines: Tianditu, map number GS(2024)0650",
)

STATISTICAL_UNIT: Final = "371502400"
"""香江光彩大市场服务中心: no township but a unit the statistics keep apart, with one village."""

Vintage = Literal["2019", "2023"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One vintage of the register.

    Attributes
    ----------
    file : str
    version : str
        Boundary version.
    valid_from : date
        Cut-off day.
    valid_to : date, optional
        Cut-off day of the next one we hold; the day in between when a line moved is not known.
    """

    file: str
    version: str
    valid_from: date
    valid_to: date | None


NEWEST: Final[Vintage] = "2023"

EDITIONS: Final[dict[Vintage, Edition]] = {
    "2023": Edition(
        file=f"register_{CITY_CODE}_2023.csv",
        version="2023-06",
        valid_from=date(2023, 6, 30),
        valid_to=None,
    ),
    "2019": Edition(
        file=f"register_{CITY_CODE}_2019.csv",
        version="2019-10",
        valid_from=date(2019, 10, 31),
        valid_to=date(2023, 6, 30),
    ),
}
"""2,408 villages now; 6,363 before most of them were merged."""

RESIDENTS: Final = {
    "371502": 1_488_900,
    "371503": 517_600,
    "371521": 702_400,
    "371522": 930_400,
    "371524": 346_100,
    "371525": 714_000,
    "371526": 457_100,
    "371581": 795_600,
}
"""Residents by county; they add up to 5,952,100.

Seventh census (2020-11-01), 聊城市第七次全国人口普查公报 as quoted in the press, in 10,000:
city 595.21, 东昌府区 with its three development zones 148.89, 茌平区 51.76, 东阿县 34.61. The
other five counties share the remaining 359.95 in the ratio of their residents at the end of 2023.
"""

HOUSEHOLDS_PER_RESIDENT: Final = 494_160 / 1_411_780
"""Family households per resident in China, seventh census: 494.16 M of 1,411.78 M residents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One line of the register."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """A real county polygon with its part of the register.

    Attributes
    ----------
    polygon : Polygon
        WGS-84 degrees.
    townships : tuple of Unit
        Without the statistical unit.
    extra : tuple of Unit
        The statistical unit, where the county has it.
    villages : dict
        Units by code of the township, or of the statistical unit.
    """

    code: str
    name: str
    polygon: BaseGeometry
    townships: tuple[Unit, ...]
    extra: tuple[Unit, ...]
    villages: dict[str, tuple[Unit, ...]]

    @property
    def households(self) -> int:
        """Stated total of family households."""
        return round(RESIDENTS[self.code] * HOUSEHOLDS_PER_RESIDENT)


def read_counties(
    codes: tuple[str, ...] = (), *, vintage: Vintage = NEWEST, directory: Path = DIRECTORY
) -> tuple[County, ...]:
    """Read counties by code, in the order of codes; all of them when no code is given.

    Raises
    ------
    FileMissing
        The folder does not hold the two files.
    """
    polygons = read_boundaries(directory / f"counties_{CITY_CODE}.geojson").frame
    polygons = polygons.set_index(Col.CODE).geometry
    register = read_register(directory / EDITIONS[vintage].file)
    return tuple(
        _county(code, polygons[code], register) for code in codes or sorted(polygons.index)
    )


def _county(code: str, polygon: BaseGeometry, register: pd.DataFrame) -> County:
    mine = register[register[Col.CODE].str.startswith(code)]
    level = mine[Col.LEVEL]
    townships = _units(mine[level == Level.TOWNSHIP])
    villages = mine[level == Level.VILLAGE]
    parents = villages[Col.CODE].str[:9]
    return County(
        code=code,
        name=_units(mine[level == Level.COUNTY])[0].name,
        polygon=polygon,
        townships=tuple(unit for unit in townships if unit.code != STATISTICAL_UNIT),
        extra=tuple(unit for unit in townships if unit.code == STATISTICAL_UNIT),
        villages={str(parent): _units(rows) for parent, rows in villages.groupby(parents)},
    )


def _units(rows: pd.DataFrame) -> tuple[Unit, ...]:
    return tuple(
        Unit(code=code, name=name)
        for code, name in zip(rows[Col.CODE], rows[Col.NAME], strict=True)
    )


def apportion(total: int, weight: Floats, *, least: int = 0) -> Ints:
    """Share a total out in whole numbers, by largest remainder.

    Parameters
    ----------
    total : int
    weight : ndarray of float64, shape (n,)
    least : int
        What each row gets in any case; ``least * n <= total``.

    Returns
    -------
    ndarray of int64, shape (n,)
        Adds up to `total`.
    """
    spare = total - least * len(weight)
    exact = spare * (weight / weight.sum())
    share: Ints = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - share), kind="stable")
    share[order[: spare - int(share.sum())]] += 1
    share += least
    return share
