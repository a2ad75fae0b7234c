"""The ledger's tables through time: Alembic revisions, run by `rescore.ledger.migrate`."""
