"""Brings a ledger's tables to those of this build, and says when they are not."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from rescore.errors import LedgerBehind, SettingsIncomplete
from rescore.ledger.transaction import Ledger

REVISION = "0001"
"""The newest migration; revisions are numbers of four digits, so that their order is that of their names."""
REVISIONS = "[0-9]{4}"

MIGRATIONS = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 7_266_673  # the key of the lock under which a PostgreSQL ledger is migrated


def migrate(ledger: Ledger) -> str:
    """Make or update every table, in one transaction; on a current ledger it changes nothing.

    Returns:
        What was done, in a few words.
    """
    from alembic import command  # takes half a second, and looking at a ledger needs none of it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with ledger.transaction() as connection:
        if ledger.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        before = _revision(connection)
        _refuse_foreign(ledger, before)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        after = _revision(connection)
    if before == after:
        return "already current"
    return f"{'new' if before is None else 'upgraded'}, tables at revision {after}"


def require_current(ledger: Ledger) -> None:
    """Pass when the tables are those of this build.

    Raises:
        LedgerBehind: They are not, with what to run.
        SettingsIncomplete: The database is another program's.
    """
    if ledger.dialect == "sqlite":
        path = Path(str(ledger.url.database))
        if not path.exists():
            raise LedgerBehind(f"there is no ledger at {ledger.name} yet; run `rescore setup ledger`")
        if path.is_file() and not path.stat().st_size:
            raise LedgerBehind(
                f"the ledger's file {ledger.name} is empty; if it held a ledger, restore it from a backup, "
                "else run `rescore setup ledger`"
            )
    with ledger.reading() as connection:
        found = _revision(connection)
    if found == REVISION:
        return
    _refuse_foreign(ledger, found)
    raise LedgerBehind(f"the tables of the ledger {ledger.name} are behind; run `rescore setup ledger`")


def _refuse_foreign(ledger: Ledger, found: str | None) -> None:
    """Refuse tables that no migration of this build leads on from."""
    if found is None:
        return
    if not re.fullmatch(REVISIONS, found):
        raise SettingsIncomplete(
            f"the database {ledger.name} is another program's, such as Airflow's own; "
            "point RESCORE_LEDGER_URL at a database for the ledger alone"
        )
    if found > REVISION:
        raise LedgerBehind(
            f"the ledger {ledger.name} is of a newer Rescore than this one; update this installation"
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
