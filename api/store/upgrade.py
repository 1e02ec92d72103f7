"""Bring a store of an older release to this one."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from api.store import geopackage_copy
from api.store.contents import time_stamp
from api.store.database import database_url, is_file, make_engine
from api.store.failure import shown
from api.store.identity import identify
from api.store.migrations import NEWEST, REVISIONS
from api.store.opening import in_turn, require_ours, require_place
from api.store.revision import migrate
from geo.errors import OptionInvalid, StoreTooNew
from geo.progress import NEVER, Progress, StopToken, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What an upgrade did.

    Attributes
    ----------
    store : str
        The store as it is shown.
    before, after : str
        Revisions.
    copy : Path, optional
        Backup made before; an embedded store alone has one, and only where something changed.
    """

    store: str
    before: str
    after: str
    copy: Path | None = None


def upgrade_store(
    setting: str,
    *,
    revision: str = NEWEST,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Upgrade:
    """Bring a store to a revision, in one transaction; its tables change or nothing does.

    Parameters
    ----------
    setting : str
        Path of a GeoPackage, or ``postgresql://...``.
    revision : str
        Where to go. Going down drops the tables that the older release did not have.
    progress, stop
        Of the backup that is made before.

    Raises
    ------
    OptionInvalid
        No such revision.
    StoreUnavailable, StoreForeign, StoreTooNew
        It cannot be opened.
    """
    if revision not in REVISIONS:
        raise OptionInvalid(option="--to", value=revision, expected=", ".join(REVISIONS))
    url = database_url(setting)
    require_place(url, create=False)
    engine = make_engine(url)

    def found(connection: Connection) -> str:
        identity = identify(connection)
        require_ours(url, identity)
        if identity.revision not in REVISIONS:
            raise StoreTooNew(store=shown(url), found=identity.revision, needed=NEWEST)
        return identity.revision

    def change(connection: Connection) -> None:
        if found(connection) != revision:  # another process may have been faster
            migrate(connection, revision)

    try:
        before = in_turn(engine, found)
        copy = None
        if before != revision:
            copy = _copy(url, before, progress, stop) if is_file(url) else None
            in_turn(engine, change)
    finally:
        engine.dispose()
    return Upgrade(store=shown(url), before=before, after=revision, copy=copy)


def _copy(url: URL, revision: str, progress: Progress, stop: StopToken) -> Path:
    path = Path(str(url.database))
    copy = path.with_name(f"{path.stem}-of-{revision}-{time_stamp()}{path.suffix}")
    geopackage_copy.back_up(url, copy, progress=progress, stop=stop)
    return copy
