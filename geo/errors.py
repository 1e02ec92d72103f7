"""The one error tree of patrolgrid.

::

    PatrolgridError
    ├── InputError                  something handed in is not as it should be
    │   ├── FileMissing             no such file
    │   ├── FileUnreadable          not the format its name says, damaged, or of a kind we refuse
    │   ├── FileEmpty               readable, but holds no row
    │   ├── ColumnMissing           a required column is absent
    │   ├── ValueInvalid            a value outside what its column allows
    │   ├── CodeInvalid             a code column whose values are not codes
    │   ├── DatumMismatch           coordinates look like another datum than stated
    │   ├── OutsideBoundary         nothing lies where the boundary is
    │   ├── PersonalDataRefused     columns or values that name or describe persons
    │   ├── PersonalValuesRefused   such values in a column the layer cannot do without
    │   ├── PersonKindRefused       a kind, tag or layer of persons, or a dwelling
    │   ├── OptionInvalid           a setting or option that cannot be used
    │   └── PlanInvalid             a plan file that is not a plan
    ├── NetworkError                the streets cannot carry what is asked
    │   ├── NetworkEmpty            no usable street
    │   └── StationUnreachable      stations or posts the network does not reach
    ├── InfeasibleError             limits that contradict each other before solving
    ├── CheckFailed                 a plan the independent verifier refuses
    ├── ServiceUnavailable          an outside service (only ``fetch-roads`` has one) did not answer
    └── Stopped                     a stop was asked for; nothing half-done is left behind

Every class carries a ``code`` and an English ``template``; the values are in ``params``.
`api.i18n` renders code and parameters in both languages.
"""

from collections.abc import Iterator
from typing import ClassVar


class PatrolgridError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    **params
        Values of the template's fields. They never hold a personal value.
    """

    code: ClassVar[str] = "error"
    template: ClassVar[str] = "Something went wrong: {detail}."

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.template.format(**params))

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from parameters, so that errors cross process borders."""
        return _rebuild, (type(self), self.params)


def _rebuild(cls: type[PatrolgridError], params: dict[str, object]) -> PatrolgridError:
    return cls(**params)


def error_classes(root: type[PatrolgridError] = PatrolgridError) -> Iterator[type[PatrolgridError]]:
    """Yield `root` and every class below it, in the order of definition."""
    yield root
    for child in root.__subclasses__():
        yield from error_classes(child)


class InputError(PatrolgridError):
    """Something handed in is not as it should be."""

    code = "input.invalid"
    template = "{source}: {detail}."


class FileMissing(InputError):
    """No such file."""

    code = "input.file.missing"
    template = "{source}: no such file. Check the path."


class FileUnreadable(InputError):
    """A file that is not what its name says, damaged, or of a kind that is not accepted."""

    code = "input.file.unreadable"
    template = "{source}: cannot be read as {expected}. {hint}"


class FileEmpty(InputError):
    """A file without a single row."""

    code = "input.file.empty"
    template = "{source}: the file holds no row. Export it again with at least one row."


class ColumnMissing(InputError):
    """A required column is absent."""

    code = "input.column.missing"
    template = "{source}: column {column} is missing; found: {found}. Rename the column or add it."


class ValueInvalid(InputError):
    """A value outside what its column allows."""

    code = "input.value.invalid"
    template = "{source}, row {row}, column {column}: {value} is not allowed; expected {expected}."


class CodeInvalid(InputError):
    """A code column whose values are not codes."""

    code = "input.code.invalid"
    template = "{source}, row {row}, column {column}: not a code; expected {expected}."


class DatumMismatch(InputError):
    """Coordinates that look like another datum than the one stated."""

    code = "input.datum.mismatch"
    template = (
        "{source}: the points are stated as {stated} but lie like {likely} "
        "(about {offset_m} m off). Repeat with {remedy}."
    )


class OutsideBoundary(InputError):
    """Nothing of a layer lies inside the boundary."""

    code = "input.boundary.outside"
    template = (
        "{source}: none of the {n} rows lies inside the boundary {boundary}. "
        "Check longitude, latitude and their order."
    )


class PersonalDataRefused(InputError):
    """Columns or values that name or describe persons; never holds a value."""

    code = "input.personal.refused"
    template = (
        "{source}: {n} column(s) describe persons and are refused: {columns}. "
        "Repeat with {remedy} to leave them out."
    )


class PersonalValuesRefused(InputError):
    """Personal values in a column the layer cannot do without; never holds a value."""

    code = "input.personal.values"
    template = (
        "{source}: {n} value(s) in the required column {column} look like phone or identity "
        "numbers, plates or mail addresses and are refused. Take them out of the column."
    )


class PersonKindRefused(InputError):
    """A kind, tag or layer of persons, or a dwelling as a place of work."""

    code = "input.kind.refused"
    template = (
        "{source}, row {row}: kind {kind} is about persons or dwellings and is refused; "
        "patrolgrid holds places only. Remove it."
    )


class OptionInvalid(InputError):
    """A setting or option that cannot be used."""

    code = "input.option.invalid"
    template = "{option}: {value} cannot be used; expected {expected}."


class PlanInvalid(InputError):
    """A plan file that is not a plan."""

    code = "input.plan.invalid"
    template = "{source}: not a patrolgrid plan at {where}: {detail}."


class NetworkError(PatrolgridError):
    """The streets cannot carry what is asked."""

    code = "network.invalid"
    template = "{source}: {detail}."


class NetworkEmpty(NetworkError):
    """No usable street."""

    code = "network.empty"
    template = "{source}: no usable street is left after cleaning. {hint}"


class StationUnreachable(NetworkError):
    """Stations or posts the network does not reach."""

    code = "network.station.unreachable"
    template = (
        "{source}: the roads do not reach {n}/{total} of them: {stations} "
        "(nearest street over {limit_m} m away). Add the missing roads or correct the position."
    )


class InfeasibleError(PatrolgridError):
    """Limits that contradict each other before solving."""

    code = "plan.infeasible"
    template = "No plan can meet these at once: {conflict}. {remedy}"


class CheckFailed(PatrolgridError):
    """A plan the independent verifier refuses."""

    code = "plan.check.failed"
    template = "The plan breaks {n} rule(s); the first: {first}."


class ServiceUnavailable(PatrolgridError):
    """An outside service did not answer."""

    code = "service.unavailable"
    template = "{service} cannot be reached ({detail}). {hint}"


class Stopped(PatrolgridError):
    """A stop was asked for; nothing half-done is left behind."""

    code = "job.stopped"
    template = "Stopped; nothing was written."
