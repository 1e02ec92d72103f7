"""Which part of the city a call may see: a unit and everything under it.

Every call of the repositories takes a scope. Who gets which one is decided by the roles.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import CTE, ColumnElement, select, true

from api.store.tables import BOUNDARIES, CITY, WITHDRAWN
from geo.frames import Col


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A unit's subtree in the current boundary version; the whole store when `unit_code` is "".

    Attributes
    ----------
    unit_code : str
        Code of the unit at the top.
    """

    unit_code: str = ""

    def holds(self, unit_code: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that a row's unit lies in the scope.

        A row outside of all boundaries has the unit "" and is seen by `EVERYWHERE` alone.
        """
        if not self.unit_code:
            return true()
        units = self._units()
        return unit_code.in_(select(units.c.code))

    def _units(self) -> CTE:
        current = select(CITY.c[Col.BOUNDARY_VERSION]).scalar_subquery()
        alive = (BOUNDARIES.c[Col.BOUNDARY_VERSION] == current) & (BOUNDARIES.c.status != WITHDRAWN)
        top = select(BOUNDARIES.c[Col.CODE]).where(BOUNDARIES.c[Col.CODE] == self.unit_code, alive)
        units = top.cte("units_in_scope", recursive=True)
        under = select(BOUNDARIES.c[Col.CODE]).where(
            BOUNDARIES.c[Col.ADMIN_PARENT] == units.c.code, alive
        )
        return units.union(under)


EVERYWHERE: Final = Scope()
"""The whole store."""
