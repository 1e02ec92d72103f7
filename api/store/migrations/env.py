"""Alembic's entry: runs the revisions on the connection it is given, in its transaction.

Batch mode is never used: it rebuilds a table, and with it go the triggers of the R*Tree.
"""

from alembic import context

from api.store.migrations import VERSION_TABLE
from api.store.tables import METADATA


def run() -> None:
    """Go where the command wants to."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table=VERSION_TABLE,
        render_as_batch=False,
        transactional_ddl=True,
    )
    context.run_migrations()


if hasattr(context, "config"):  # Alembic runs it; whoever else imports it wants nothing done
    run()
