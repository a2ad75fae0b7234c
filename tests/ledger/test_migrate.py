"""Migrations: what they build is what the code says, and nobody works on anything else."""

import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from rescore.errors import LedgerBehind, SettingsIncomplete
from rescore.ledger.migrate import MIGRATIONS, REVISION, migrate, require_current
from rescore.ledger.tables import metadata
from rescore.ledger.transaction import Ledger


def test_the_migrated_database_equals_the_tables_in_the_code(empty_database):
    ledger = Ledger(empty_database)
    migrate(ledger)
    with ledger.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    ledger.close()


def test_migrating_twice_changes_nothing(empty_database):
    ledger = Ledger(empty_database)
    assert migrate(ledger) == "new, tables at revision 0001"
    assert migrate(ledger) == "already current"
    require_current(ledger)
    ledger.close()


def test_the_revision_in_the_code_is_the_newest_migration():
    revisions = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert revisions[0] == REVISION
    assert revisions == sorted(revisions, reverse=True)


def test_an_unmigrated_ledger_says_what_to_run(empty_database):
    ledger = Ledger(empty_database)
    with pytest.raises(LedgerBehind, match="run `rescore setup ledger`"):
        require_current(ledger)
    ledger.close()


def test_looking_for_a_ledger_does_not_make_one(tmp_path):
    with pytest.raises(LedgerBehind, match="there is no ledger at"):
        require_current(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"))
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_of_a_newer_build_is_left_alone(ledger):
    with ledger.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        for look in (require_current, migrate):
            with pytest.raises(LedgerBehind, match="newer Rescore"):
                look(ledger)
    finally:
        with ledger.transaction() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def test_the_database_of_another_program_is_left_alone(empty_database):
    ledger = Ledger(empty_database)
    with ledger.transaction() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('e39a26ac59f6')"))
    for look in (require_current, migrate):
        with pytest.raises(SettingsIncomplete, match="another program's, such as Airflow's own"):
            look(ledger)
    ledger.close()


def test_a_file_without_a_byte_is_not_taken_for_a_ledger_that_is_behind(tmp_path):
    (tmp_path / "ledger.db").touch()
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with pytest.raises(LedgerBehind, match="is empty; if it held a ledger, restore it from a backup"):
        require_current(ledger)
    assert migrate(ledger) == "new, tables at revision 0001"
    ledger.close()


def test_the_sqlite_file_is_readable_by_its_owner_alone(tmp_path):
    path = tmp_path / "a" / "b" / "ledger.db"
    ledger = Ledger(f"sqlite:///{path}")
    migrate(ledger)
    with ledger.transaction():
        modes = {stat.S_IMODE(Path(file).stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}
