"""A PostgreSQL cluster of the test run's own: a temporary folder, a socket in it, no port.

Nothing is shared between two runs, so that they cannot meet. The server is started as a user
that is not root (it refuses root) and ends with the run, killed or not.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}
INITDB_OPTIONS = ("-U", "patrolgrid", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
STARTING_SECONDS = 60

EMPTY = """DO $$ DECLARE name text; BEGIN
    SET LOCAL session_replication_role = replica;  -- no guard, no foreign key
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
        AND tablename NOT IN ('spatial_ref_sys', 'patrolgrid_revision')
    LOOP
        EXECUTE format('DELETE FROM %I', name);
        PERFORM setval(pg_get_serial_sequence(name, 'fid'), 1, false);
    END LOOP;
END $$"""


def find_binaries():
    """Return the newest folder that holds initdb, or None."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    on_path = shutil.which("initdb")
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((f for f in reversed(folders) if (f / "initdb").exists()), None)


class Cluster:
    """A running server and the databases made in it.

    Attributes
    ----------
    folder : Path
        Data and socket of the server.
    process : subprocess.Popen
        The postmaster.
    """

    def __init__(self, binaries, folder, owner):
        self.binaries, self.folder, self._owner = binaries, folder, owner
        self._n = 0
        self._free = []
        self.process = None

    def url(self, database):
        """Return the setting that names a database of the cluster."""
        return f"postgresql://patrolgrid@/{database}?host={self.folder}"

    def connect(self, database="postgres"):
        return psycopg.connect(self.url(database), autocommit=True)

    def start(self):
        """Start the server (again) and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        command = [self.binaries / "postgres", "-D", self.folder / "data", "-k", self.folder]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command + options,
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no lock
                **self._owner,
            )
        end = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how=signal.SIGINT):
        """End the sessions, then the server."""
        self.process.send_signal(how)
        self.process.wait(STARTING_SECONDS)

    def new_database(self, template="template1"):
        """Make a database as a copy of `template` and return its name."""
        self._n += 1
        name = f"pg_test_{self._n}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def lend(self, template):
        """Return the name of an empty store: one that was given back, or a copy of `template`."""
        return self._free.pop() if self._free else self.new_database(template)

    def take_back(self, database, revision):
        """Empty a lent store for the next test; one of another revision goes.

        Making and dropping databases costs ten times as much: each waits for a checkpoint.
        """
        with self.connect() as connection:
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(end, [database])
        with self.connect(database) as connection:
            found = connection.execute("SELECT version_num FROM patrolgrid_revision").fetchone()
            if found == (revision,):
                connection.execute(EMPTY)
                self._free.append(database)
                return
        self.drop(database)

    def drop(self, database):
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def _die_with_parent():
    """Ask the kernel to end this child with the thread that started it (prctl 1, Linux alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _owner():
    """Return how a child process is run as somebody who is not root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def running_cluster() -> Iterator[Cluster | None]:
    """Run a cluster as long as the block lasts; None where PostgreSQL or PostGIS is absent."""
    binaries = find_binaries()
    if binaries is None:
        yield None
        return
    folder, owner = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp")), _owner()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    cluster = Cluster(binaries, folder, owner)
    try:
        subprocess.run(
            [binaries / "initdb", "-D", folder / "data", *INITDB_OPTIONS],
            check=True,
            capture_output=True,
            cwd="/",
            **owner,
        )
        cluster.start()
        with cluster.connect() as connection:
            postgis = "SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'"
            has_postgis = connection.execute(postgis).fetchone() is not None
        yield cluster if has_postgis else None
    finally:
        if cluster.process is not None and cluster.process.poll() is None:
            cluster.stop(signal.SIGQUIT)  # at once: nothing of it is kept
        shutil.rmtree(folder)
