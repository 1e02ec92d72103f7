"""Why a store cannot be used, and what to do: one clause each."""

from enum import StrEnum


class Reason(StrEnum):
    """English clauses; the catalogue has each in both languages under its `code`."""

    NO_FILE = "there is no such file; check the path, or import a layer to begin one"
    NO_TABLES = "it holds no store yet; import a layer to begin one"
    FOLDER = "that is a folder; name a file in it"
    NO_FOLDER = "its folder cannot be made; check the path"
    DENIED = "it may not be read and written; check the permissions of the file and its folder"
    READ_ONLY = "it can only be read; check the permissions of the file, its folder and the disk"
    MOVED = "the file was moved or deleted while it was open; start again"
    DAMAGED = "the file is damaged; restore a backup"
    DISK = "the disk reports an error; check it"
    MEMORY = "there is not enough memory"
    NO_DRIVER = 'the package psycopg is missing; run: python -m pip install "psycopg[binary]"'
    NO_ANSWER = "the server does not answer; check address, port and that it runs"
    LOGIN = "the server refuses the login; check user and password"
    NO_DATABASE = "the server has no database of that name; create it"
    NO_POSTGIS = (
        "the database has no PostGIS; install it and let an administrator run: "
        "CREATE EXTENSION postgis"
    )
    RIGHTS = "the user lacks a right in the database; make it the owner"
    CONNECTIONS = "the server has no free connection; raise max_connections"
    OLD_SQLITE = "this Python's SQLite lacks R*Tree or is older than 3.37; use another Python"
    NO_PROGRAM = "PostgreSQL's own programs (pg_dump, pg_restore) are missing or too old"
    PROGRAM = "PostgreSQL's own program failed; see the log"
    EXISTS = "a store is there already; name another one, or add --replace, which keeps it beside"
    FILE_EXISTS = "a file of that name is there already; name another one"
    OTHER_KIND = "it is a backup of the other kind of database; restore it into that kind"
    NO_BACKUP = "it is not a backup of a patrolgrid store, or it is damaged"
    COPY_DIFFERS = "the copy does not hold what it was made from; nothing was kept, try again"
    IN_USE = "another process has it open; stop the service first"
    UNKNOWN = "the database reports an unexpected error; see the log"

    @property
    def code(self) -> str:
        """Message code of the clause."""
        return f"store.reason.{self.name.lower()}"
