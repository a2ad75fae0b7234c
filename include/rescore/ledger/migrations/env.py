"""Runs the revisions on the connection, and inside the transaction, that `migrate` hands in."""

from alembic import context

from rescore.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,
)
context.run_migrations()
