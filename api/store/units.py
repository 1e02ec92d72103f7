"""Units: planned teams with a call-sign made from their station's code and a number."""

import re
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, func, select

from api.store import chain
from api.store.expected import Expected
from api.store.tables import STATIONS, UNITS, WITHDRAWN
from geo.errors import NotFound, ValueInvalid
from geo.frames import Col

FEWEST: Final = 2
"""Headcount of a unit at least: nobody goes alone."""

MOST_UNITS: Final = 99
"""Units of one station at most: a call-sign has two digits."""

_CODE: Final = re.compile(r"[0-9A-Z]{1,8}")

_NUMBERED: Final = re.compile(r"(\d+)\s*号?\s*(?:派出)?所$")


def call_sign(station_code: str, number: int) -> str:
    """Return the call-sign of a station's unit: stable, and nobody's name.

    Parameters
    ----------
    station_code : str
        1 to 8 digits or capital letters.
    number : int
        From 1 to 99, counted within the station.

    Raises
    ------
    ValueInvalid

    Examples
    --------
    >>> call_sign("07", 3)
    '07-03'
    """
    if not _CODE.fullmatch(station_code):
        _refuse("code", station_code, Expected.STATION_CODE)
    if not 1 <= number <= MOST_UNITS:
        _refuse("number", number, Expected.UNIT_NUMBER)
    return f"{station_code}-{number:02d}"


def next_numbers(connection: Connection, station_id: str, n: int = 1) -> list[int]:
    """Return numbers for new units of a station: never one that was given before.

    Until the transaction ends no other one gets any, so that two at once cannot get the same.

    Raises
    ------
    ValueInvalid
        The station has no number left.
    """
    chain.hold(connection)
    last = connection.scalar(
        select(func.max(UNITS.c.number)).where(UNITS.c[Col.STATION_ID] == station_id)
    )
    numbers = [(last or 0) + k for k in range(1, n + 1)]
    if numbers and numbers[-1] > MOST_UNITS:
        _refuse("number", numbers[-1], Expected.UNIT_NUMBER)
    return numbers


def new_call_signs(connection: Connection, station_id: str, n: int = 1) -> list[tuple[int, str]]:
    """Return numbers and call-signs for new units of a station.

    Raises
    ------
    NotFound
        No such station.
    ValueInvalid
        It has no number left.
    """
    numbers = next_numbers(connection, station_id, n)
    known = (STATIONS.c[Col.STATION_ID] == station_id) & (STATIONS.c.status != WITHDRAWN)
    code: str | None = connection.scalar(select(STATIONS.c.code).where(known))
    if code is None:
        raise NotFound(kind="station")
    return [(number, call_sign(code, number)) for number in numbers]


def new_station_codes(connection: Connection, names: Iterable[str]) -> list[str]:
    """Return short codes for new stations, none of which was given before.

    A number in the name is the code, so that 样例7号所 has the teams 07-01, 07-02; else, and where
    that one is taken, the next free number.
    """
    chain.hold(connection)
    taken = set(connection.scalars(select(STATIONS.c.code)))
    codes = []
    for name in names:
        match = _NUMBERED.search(name.strip())
        code = f"{int(match.group(1)):02d}" if match else ""
        if not _CODE.fullmatch(code) or code in taken:
            code = _next_free(taken)
        taken.add(code)
        codes.append(code)
    return codes


def require_headcount(headcount: int, *, row: int | str = "–") -> None:
    """Refuse a unit of one, in our words and before the database does.

    Raises
    ------
    ValueInvalid
    """
    if headcount < FEWEST:
        _refuse(Col.HEADCOUNT, headcount, Expected.HEADCOUNT, row=row)


def _next_free(taken: Iterable[str]) -> str:
    numbers = {int(code) for code in taken if code.isdecimal()}
    return f"{max(numbers, default=0) + 1:02d}"


def _refuse(column: str, value: object, expected: Expected, *, row: int | str = "–") -> None:
    raise ValueInvalid(source="units", row=row, column=column, value=value, expected=expected)
