"""The one admin key: made at first start into a file that its owner alone may read.

The store keeps only the key's SHA-256. The key itself is in the file and nowhere else: not in a
log, not on a screen, not in an error.
"""

import hashlib
import os
import re
import secrets
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from api import audit
from api.store import Store, new_id
from api.store.tables import API_KEYS
from geo.errors import OptionInvalid

FILE_NAME: Final = "admin.key"
ROLE: Final = "admin"

_BYTES: Final = 32
_WRITTEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def hash_of(key: str) -> str:
    """Return what the store keeps of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def ensure_key(store: Store, folder: Path) -> Path | None:
    """Make the admin key at the very first start of a store.

    Parameters
    ----------
    store : Store
    folder : Path
        Where `admin.key` goes; made when it is not there.

    Returns
    -------
    Path or None
        The file; none when the store had a key before, whose file may be anywhere by now.

    Raises
    ------
    OptionInvalid
        There is an `admin.key` that is no key, or that others can read.
    """
    with store.read() as connection:
        if connection.scalar(select(func.count()).select_from(API_KEYS)):
            return None
    # the file comes first: killed in between, the next start takes it over
    key = _make_file(folder / FILE_NAME)
    store.write(lambda connection: _enter(connection, key))
    return folder / FILE_NAME


def renew_key(store: Store, folder: Path) -> Path:
    """Make a new admin key and let every older one lapse."""
    path = folder / FILE_NAME
    path.unlink(missing_ok=True)
    key = _make_file(path)

    def change(connection: Connection) -> None:
        lapse = update(API_KEYS).where(API_KEYS.c.role == ROLE, API_KEYS.c.revoked_at.is_(None))
        connection.execute(lapse.values(revoked_at=datetime.now(UTC)))
        _enter(connection, key)

    store.write(change)
    return path


def has_active_key(connection: Connection) -> bool:
    """Return whether any key opens this store."""
    active = select(API_KEYS.c.key_id).where(API_KEYS.c.revoked_at.is_(None))
    return connection.scalar(active.limit(1)) is not None


def _enter(connection: Connection, key: str) -> None:
    """Keep a key's hash, unless another process that started at the same time already did."""
    digest = hash_of(key)
    if connection.scalar(select(API_KEYS.c.key_id).where(API_KEYS.c.sha256 == digest)):
        return
    key_id = new_id("key")
    connection.execute(
        insert(API_KEYS).values(
            key_id=key_id, sha256=digest, role=ROLE, unit_code="", created_at=datetime.now(UTC)
        )
    )
    audit.record(connection, actor="serve", action="key.made", subject=key_id, details={})


def _make_file(path: Path) -> str:
    """Write a new key, whole or not at all; return the one that is there when there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    key = secrets.token_urlsafe(_BYTES)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails where the name is taken, and never shows half a key
    except FileExistsError:
        return _read_file(path)
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return key


def _read_file(path: Path) -> str:
    found = path.read_text(encoding="ascii", errors="replace").strip()
    if _WRITTEN.fullmatch(found) is None:
        raise OptionInvalid(option=path, value="this file", expected="a key, or no such file")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise OptionInvalid(
            option=path, value="a file that others can open", expected="mode 0600 (chmod 600)"
        )
    return found


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
