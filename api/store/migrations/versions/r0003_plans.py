"""Plans, the working calendar, jobs, imports, keys, repeated requests and the audit.

Revision ID: 0003
Revises: 0002

The database itself refuses to change or delete an entry of the audit, and to change a plan in
anything but its state: draft, then approved, then superseded.
"""

from typing import Final

from alembic import op
from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, Text

from api.store.column import Instant, Json, Long, Real
from api.store.database import is_embedded
from api.store.geometry import Geometry
from api.store.migrations.first import create, drop, new_metadata, one_of, table, unique

revision = "0003"
down_revision = "0002"

_TABLES: Final = new_metadata()

# tables
table(
    _TABLES,
    "imports",
    Column("import_id", Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("file_hash", Text, nullable=False),
    Column("options", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("base", Integer, nullable=False),
    Column("n_rows", Integer, nullable=False, server_default="0"),
    Column("n_added", Integer, nullable=False, server_default="0"),
    Column("n_changed", Integer, nullable=False, server_default="0"),
    Column("n_moved", Integer, nullable=False, server_default="0"),
    Column("n_missing", Integer, nullable=False, server_default="0"),
    Column("n_unchanged", Integer, nullable=False, server_default="0"),
    Column("n_refused", Integer, nullable=False, server_default="0"),
    Column("notes", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("applied_at", Instant),
    Column("undone_at", Instant),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("import_id"),
    one_of("state", "previewed", "applied", "undone", "discarded"),
    Index(None, "layer"),
)
table(
    _TABLES,
    "import_changes",
    Column("import_id", Text, ForeignKey("imports.import_id"), nullable=False),
    Column("row", Integer),
    Column("change", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("column", Text),
    Column("code", Text),
    Column("params", Json),
    Column("before", Json),
    Column("after", Json),
    Column("geom_before", Geometry("GEOMETRY", is_layer=False)),
    Column("geom_after", Geometry("GEOMETRY", is_layer=False)),
    one_of("change", "added", "changed", "moved", "missing", "refused"),
    Index(None, "import_id", "change", "fid"),
)
table(
    _TABLES,
    "jobs",
    Column("job_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit_code", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("request", Json, nullable=False),
    Column("seed", Long, nullable=False, server_default="0"),
    Column("input_hash", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("worker_id", Text),
    Column("lease_until", Instant),
    Column("heartbeat", Long, nullable=False, server_default="0"),
    Column("cancel", Text),
    Column("step", Text),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("best", Real),
    Column("result", Json),
    Column("result_hash", Text),
    Column("error", Json),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("job_id"),
    one_of("state", "queued", "running", "done", "failed", "cancelled"),
    one_of("cancel", "drop", "keep_best"),
    Index(None, "state", "fid"),
)
table(
    _TABLES,
    "job_events",
    Column("job_id", Text, ForeignKey("jobs.job_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("event", Text, nullable=False),
    Column("data", Json, nullable=False),
    Column("is_last", Boolean, nullable=False),
    unique("job_id", "number"),
)
table(
    _TABLES,
    "plans",
    Column("plan_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("night", Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("seed", Long, nullable=False),
    Column("input_hash", Text, nullable=False),
    Column("result_hash", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("job_id", Text),
    Column("created_at", Instant, nullable=False),
    Column("approved_at", Instant),
    Column("approved_by", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("plan_id"),
    unique("kind", "unit_code", "night", "number"),
    one_of("state", "draft", "approved", "superseded"),
    one_of("kind", "patrol", "inspection"),
)
table(
    _TABLES,
    "plan_products",
    Column("plan_id", Text, ForeignKey("plans.plan_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    unique("plan_id", "name", "audience"),
)
table(
    _TABLES,
    "calendar_years",
    Column("year", Integer, nullable=False),
    Column("notice", Text, nullable=False),
    Column("published_on", Date),
    Column("import_id", Text),
    unique("year"),
)
table(
    _TABLES,
    "calendar_days",
    Column("day", Date, nullable=False),
    Column("year", Integer, ForeignKey("calendar_years.year"), nullable=False),
    Column("name", Text, nullable=False),
    Column("is_working", Boolean, nullable=False),
    unique("day"),
    Index(None, "year"),
)
table(
    _TABLES,
    "api_keys",
    Column("key_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("unit_code", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    unique("key_id"),
    unique("sha256"),
)
table(
    _TABLES,
    "idempotency",
    Column("key", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("body_hash", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    unique("key_id", "key"),
)
table(
    _TABLES,
    "audit",
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Json, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    unique("hash"),
)
# end of tables

_KEPT: Final = (
    *("fid", "plan_id", "kind", "unit_code", "night", "number", "seed", "input_hash"),
    *("result_hash", "document", "job_id", "created_at"),
)
"""Columns of a plan that never change."""

_STEP: Final = (
    "(OLD.state = 'draft' AND NEW.state IN ('approved', 'superseded')) "
    "OR (OLD.state = 'approved' AND NEW.state = 'superseded')"
)
_APPROVES: Final = "(OLD.state = 'draft' AND NEW.state = 'approved')"

_AUDIT_IS_KEPT: Final = "the audit is append-only"
_PLAN_IS_KEPT: Final = "a plan is never changed or deleted"
_PLAN_STEPS: Final = "a plan goes from draft to approved to superseded"


def _sqlite_guards() -> list[str]:
    """Return the triggers of a GeoPackage; REPLACE deletes without asking, so inserts look too."""

    def refuse(name: str, event: str, message: str, when: str = "1") -> str:
        return (
            f"CREATE TRIGGER {name} BEFORE {event} WHEN {when} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )

    differs = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _KEPT)
    signed = "NEW.approved_at IS NOT OLD.approved_at OR NEW.approved_by IS NOT OLD.approved_by"
    taken = "EXISTS (SELECT 1 FROM {table} WHERE fid = NEW.fid OR {key} = NEW.{key})"
    numbered = (
        "EXISTS (SELECT 1 FROM plans WHERE kind = NEW.kind AND unit_code = NEW.unit_code "
        "AND night = NEW.night AND number = NEW.number)"
    )
    return [
        refuse("audit_update", "UPDATE ON audit", _AUDIT_IS_KEPT),
        refuse("audit_delete", "DELETE ON audit", _AUDIT_IS_KEPT),
        refuse(
            "audit_replace",
            "INSERT ON audit",
            _AUDIT_IS_KEPT,
            taken.format(table="audit", key="hash"),
        ),
        refuse("plans_update", "UPDATE ON plans", _PLAN_IS_KEPT, differs),
        refuse("plans_delete", "DELETE ON plans", _PLAN_IS_KEPT),
        refuse(
            "plans_replace",
            "INSERT ON plans",
            _PLAN_IS_KEPT,
            f"{taken.format(table='plans', key='plan_id')} OR {numbered}",
        ),
        refuse("plans_begin", "INSERT ON plans", _PLAN_STEPS, "NEW.state != 'draft'"),
        refuse(
            "plans_state",
            "UPDATE ON plans",
            _PLAN_STEPS,
            f"NEW.state != OLD.state AND NOT ({_STEP})",
        ),
        refuse("plans_signed", "UPDATE ON plans", _PLAN_IS_KEPT, f"({signed}) AND NOT {_APPROVES}"),
    ]


def _postgis_guards() -> list[str]:
    """Return the trigger functions of PostgreSQL and the triggers that call them."""

    def function(name: str, body: str) -> str:
        return (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body} RETURN NEW; END $$"
        )

    def trigger(name: str, event: str, level: str) -> str:
        return (
            f"CREATE TRIGGER {name} BEFORE {event} "
            f"FOR EACH {level} EXECUTE FUNCTION patrolgrid_{name}()"
        )

    def refuse(message: str) -> str:
        return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation';"

    differs = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _KEPT)
    signed = (
        "NEW.approved_at IS DISTINCT FROM OLD.approved_at "
        "OR NEW.approved_by IS DISTINCT FROM OLD.approved_by"
    )
    changed = (
        f"IF {differs} OR (({signed}) AND NOT {_APPROVES}) THEN {refuse(_PLAN_IS_KEPT)} END IF; "
        f"IF NEW.state <> OLD.state AND NOT ({_STEP}) THEN {refuse(_PLAN_STEPS)} END IF;"
    )
    begun = f"IF NEW.state <> 'draft' THEN {refuse(_PLAN_STEPS)} END IF;"
    return [
        function("patrolgrid_audit_kept", refuse(_AUDIT_IS_KEPT)),
        function("patrolgrid_plan_kept", refuse(_PLAN_IS_KEPT)),
        function("patrolgrid_plan_changed", changed),
        function("patrolgrid_plan_begun", begun),
        trigger("audit_kept", "UPDATE OR DELETE OR TRUNCATE ON audit", "STATEMENT"),
        trigger("plan_kept", "DELETE OR TRUNCATE ON plans", "STATEMENT"),
        trigger("plan_changed", "UPDATE ON plans", "ROW"),
        trigger("plan_begun", "INSERT ON plans", "ROW"),
    ]


def upgrade() -> None:
    """Add plans, jobs, imports and records, with the guards of what must stay."""
    connection = op.get_bind()
    create(connection, _TABLES)
    for guard in _sqlite_guards() if is_embedded(connection) else _postgis_guards():
        connection.exec_driver_sql(guard)


def downgrade() -> None:
    """Take them away again."""
    connection = op.get_bind()
    drop(connection, _TABLES)
    if not is_embedded(connection):
        for name in ("audit_kept", "plan_kept", "plan_changed", "plan_begun"):
            connection.exec_driver_sql(f"DROP FUNCTION patrolgrid_{name}()")
