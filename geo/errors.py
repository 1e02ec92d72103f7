"""The one error tree of patrolgrid.

::

    PatrolgridError
    ├── InputError                  something handed in is not as it should be
    │   ├── FileMissing             no such file
    │   ├── FileUnreadable          not the format its name says, damaged, or of a kind we refuse
    │   ├── FileEmpty               readable, but holds no row
    │   │   └── FileBlank           not one byte
    │   ├── ColumnMissing           a required column is absent
    │   ├── ValueInvalid            a value outside what its column allows
    │   │   └── RuleInvalid         a key or value of a rules file
    │   ├── CodeInvalid             a code column whose values are not codes
    │   ├── DatumMismatch           coordinates look like another datum than stated
    │   ├── OutsideBoundary         nothing lies where the boundary is
    │   ├── FarFromStreets          nothing lies near the streets
    │   ├── PersonalDataRefused     columns or values that name or describe persons
    │   ├── PersonalValuesRefused   such values in a column the layer cannot do without
    │   ├── PersonKindRefused       a kind, tag or layer of persons, or a dwelling
    │   ├── PositionRefused         where single cameras are; only counts per grid are kept
    │   ├── DemandInputRefused      an input of demand about who lives at a place
    │   ├── OptionInvalid           a setting or option that cannot be used
    │   └── PlanInvalid             a plan file that is not a plan
    ├── NetworkError                the streets cannot carry what is asked
    │   ├── NetworkEmpty            no usable street
    │   ├── StationUnreachable      stations or posts the network does not reach
    │   └── PlaceCutOff             places on streets that no way leads to and back from
    ├── InfeasibleError             limits that contradict each other before solving
    ├── CheckFailed                 a plan the independent verifier refuses
    ├── StoreError                  the store cannot do what is asked
    │   ├── StoreUnavailable        not there, not ours to read or write, not answering
    │   ├── StoreForeign            a file or database that is no store of patrolgrid
    │   ├── StoreOutdated           written by an older release: upgrade it
    │   ├── StoreTooNew             written by a newer release
    │   ├── LayerMissing            a layer that nothing can be planned without is empty
    │   ├── StoreFull               no space left
    │   └── StoreBusy               another writer held it too long
    ├── RequestError                a request that does not fit what is stored
    │   ├── RequestInvalid          its parameters, headers or body are not as documented
    │   ├── KeyRefused              no key, or one that is not known
    │   ├── NotFound                no such thing, or none this key may see
    │   ├── VersionMissing          a change without If-Match
    │   ├── VersionConflict         changed by somebody else meanwhile
    │   ├── StateConflict           not possible in the state it is in
    │   ├── RequestRepeated         an Idempotency-Key used for another request
    │   ├── BodyTooLarge            more bytes than are taken
    │   ├── HeadersTooLarge         more bytes of headers than are taken
    │   ├── MethodRefused           a path that does not take this method
    │   ├── MediaTypeRefused        a body of another kind than is taken
    │   ├── HostRefused             a request that names another host than this one
    │   ├── OriginRefused           a request that a page of another site makes
    │   └── TooMany                 more at once than is done
    ├── LimitExceeded               work that needed more time or memory than it was given
    ├── JobFailed                   a job that ended without a result
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
        Values of the template's fields; of a list, its members are told one after another. They
        never hold a personal value.
    """

    code: ClassVar[str] = "error"
    template: ClassVar[str] = "Something went wrong: {detail}."

    def __init__(self, **params: object) -> None:
        self.params = params
        told = {
            name: ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            for name, value in params.items()
        }
        super().__init__(self.template.format(**told))

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


class FileBlank(FileEmpty):
    """A file without a single byte, whatever its format: a copy or a download that broke off."""

    code = "input.file.blank"
    template = "{source}: the file has no content (0 bytes). Copy or export it again."


class ColumnMissing(InputError):
    """A required column is absent."""

    code = "input.column.missing"
    template = "{source}: column {column} is missing; found: {found}. Rename the column or add it."


class ValueInvalid(InputError):
    """A value outside what its column allows."""

    code = "input.value.invalid"
    template = "{source}, row {row}, column {column}: {value} is not allowed; expected {expected}."


class RuleInvalid(ValueInvalid):
    """A key of a rules file that is missing or unknown, or a value that it cannot have."""

    code = "input.rule.invalid"
    template = "{source}, {where}, key {column}: {fault}; expected {expected}."


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


class FarFromStreets(InputError):
    """Nothing of a layer lies near the streets."""

    code = "input.streets.far"
    template = (
        "{source}: none of the {n} rows lies within {metres} m of a street of {streets}. "
        "Check longitude, latitude and their order, and that both files are of one city."
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


class PositionRefused(InputError):
    """Where single cameras are; only counts per grid are kept."""

    code = "input.position.refused"
    template = (
        "{source}: {columns} say where single cameras are; only counts per grid are kept. "
        "Give one row per grid with cell_id and n_cameras, and nothing else."
    )


class DemandInputRefused(InputError):
    """An input of demand that describes the people of a place."""

    code = "input.demand.refused"
    template = (
        "{source}: {columns} tell(s) who lives at a place and is refused; demand rests on "
        "residents' reports, place layers and hours alone. Remove it."
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


class PlaceCutOff(NetworkError):
    """Places that a unit cannot get to and back from, though they lie on streets."""

    code = "network.place.cut_off"
    template = (
        "{source}: {n}/{total} of them cannot be reached from {starts} and left again "
        "({mode}): {places}. {cause}"
    )


class InfeasibleError(PatrolgridError):
    """Limits that contradict each other before solving."""

    code = "plan.infeasible"
    template = "No plan can meet these at once: {conflict}. {remedy}"


class CheckFailed(PatrolgridError):
    """A plan the independent verifier refuses."""

    code = "plan.check.failed"
    template = "The plan breaks {n} rule(s); the first: {first}."


class StoreError(PatrolgridError):
    """The store cannot do what is asked."""

    code = "store.invalid"
    template = "The store cannot do this: {detail}."


class StoreUnavailable(StoreError):
    """A store that is not there, not ours to read or write, or does not answer."""

    code = "store.unavailable"
    template = "The store {store} cannot be used: {reason}."


class StoreForeign(StoreError):
    """A file or database that is no store of patrolgrid."""

    code = "store.foreign"
    template = "{store} is not a patrolgrid store. Name another path, or an empty database."


class StoreOutdated(StoreError):
    """A store written by an older release."""

    code = "store.outdated"
    template = (
        "The store {store} is of an older release ({found}, needed {needed}). "
        "Run: patrolgrid upgrade"
    )


class StoreTooNew(StoreError):
    """A store written by a newer release."""

    code = "store.too_new"
    template = (
        "The store {store} was written by a newer patrolgrid ({found}); "
        "this release knows up to {needed}. Install the newer release."
    )


class LayerMissing(StoreError):
    """A layer that nothing can be planned without holds no row yet."""

    code = "store.layer.missing"
    template = "The store holds no {layer} yet. Import them first: patrolgrid import"


class StoreFull(StoreError):
    """No space left; nothing of the change was kept."""

    code = "store.full"
    template = "No space is left for the store; nothing was changed. Free some and try again."


class StoreBusy(StoreError):
    """Another writer held the store too long; nothing of the change was kept."""

    code = "store.busy"
    template = "Another process is writing to the store; nothing was changed. Try again."


class RequestError(PatrolgridError):
    """A request that does not fit what is stored."""

    code = "request.unfit"
    template = "The request cannot be met: {detail}."


class RequestInvalid(RequestError):
    """Parameters, headers or a body that are not as documented; never repeats their values."""

    code = "request.invalid"
    template = "{where}: {expected}."


class KeyRefused(RequestError):
    """No key, or one that is not known."""

    code = "request.key.refused"
    template = "A valid key is needed: Authorization: Bearer KEY."


class NotFound(RequestError):
    """No such thing, or none that this key may see."""

    code = "request.not_found"
    template = "There is no such {kind}."


class VersionMissing(RequestError):
    """A change without If-Match."""

    code = "request.version.missing"
    template = "A change needs If-Match with the ETag of the {kind} as it was read."


class VersionConflict(RequestError):
    """Changed by somebody else since it was read."""

    code = "request.version.conflict"
    template = "The {kind} was changed meanwhile. Read it again and repeat the change."


class StateConflict(RequestError):
    """Not possible in the state the thing is in."""

    code = "request.state.conflict"
    template = "The {kind} is {state}; {wanted} is not possible any more."


class RequestRepeated(RequestError):
    """An Idempotency-Key that was used for another request."""

    code = "request.key.reused"
    template = "This Idempotency-Key was used for another request. Use a new one."


class BodyTooLarge(RequestError):
    """More bytes than are taken."""

    code = "request.body.large"
    template = "The body is larger than {limit_mb} MB. Split it or raise the limit."


class HeadersTooLarge(RequestError):
    """More bytes of headers than are taken."""

    code = "request.headers.large"
    template = "The address and headers are larger than {limit_kb} kB. Send fewer."


class MethodRefused(RequestError):
    """A path that does not take this method."""

    code = "request.method.refused"
    template = "This address does not take that method; Allow names those it takes."


class MediaTypeRefused(RequestError):
    """A body of another kind than is taken."""

    code = "request.media.refused"
    template = "The body must be {expected}; say so in Content-Type."


class HostRefused(RequestError):
    """A request that names another host than this one."""

    code = "request.host.refused"
    template = "This service answers to {expected} only."


class OriginRefused(RequestError):
    """A request that a page of another site makes."""

    code = "request.origin.refused"
    template = "Requests made by pages of another site are refused."


class TooMany(RequestError):
    """More at once than is done."""

    code = "request.too_many"
    template = "Too many of these at once. Try again in {seconds} s."


class LimitExceeded(PatrolgridError):
    """Work that needed more time or memory than it was given."""

    code = "job.limit"
    template = "{what} needed more than {limit}; it was stopped and nothing was kept. {hint}"


class JobFailed(PatrolgridError):
    """A job that ended without a result."""

    code = "job.failed"
    template = "The job ended without a result after {attempts} attempts; see the log."


class ServiceUnavailable(PatrolgridError):
    """An outside service did not answer."""

    code = "service.unavailable"
    template = "{service} cannot be reached ({detail}). {hint}"


class Stopped(PatrolgridError):
    """A stop was asked for; nothing half-done is left behind."""

    code = "job.stopped"
    template = "Stopped; nothing was written."
