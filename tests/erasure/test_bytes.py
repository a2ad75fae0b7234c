"""Bytes of deleted rows: what a database leaves in its files is gone after `compact`."""

from sqlalchemy import delete, insert

from rescore.ledger import tables
from rescore.ledger.transaction import Ledger


def test_a_sqlite_file_and_its_log_hold_nothing_of_deleted_rows(tmp_path, migrated_file):
    path = tmp_path / "ledger.db"
    path.write_bytes(migrated_file.read_bytes())
    ledger = Ledger(f"sqlite:///{path}")
    with ledger.transaction() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")  # some builds of SQLite overwrite by default
        rows = [{"name": f"forget-me-{number}", "value": number} for number in range(500)]
        connection.execute(insert(tables.counter), rows)
    with ledger.transaction() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        connection.execute(delete(tables.counter))

    def left() -> bool:
        return any(b"forget-me" in file.read_bytes() for file in tmp_path.iterdir())

    assert left()
    ledger.compact()
    assert not left()
    ledger.close()
