"""Transactions: the only way in, no update lost, and errors that say what to do."""

import ast
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from rescore.errors import LedgerBusy, SettingsIncomplete
from rescore.ledger import tables, transaction
from rescore.ledger.migrate import migrate
from rescore.ledger.rules import activations
from rescore.ledger.scores import streams
from rescore.ledger.transaction import Ledger
from tests.ledger.world import MONDAY, World

CORE = Path(transaction.__file__).parents[1]
NOT_THE_LEDGER = CORE / "connectors" / "sql" / "database.py"  # reads somebody else's tables
WAYS_IN = {"begin", "begin_nested", "raw_connection", "create_engine", "sessionmaker", "_engine"}
DRIVERS = {"sqlite3.connect", "psycopg.connect", "engine.connect"}


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE)))
def test_nothing_else_in_the_core_opens_a_connection_to_the_ledger(path):
    if path in (Path(transaction.__file__), NOT_THE_LEDGER):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            whole = ast.unparse(node)
            assert node.attr not in WAYS_IN, f"line {node.lineno}: use Ledger.transaction()"
            assert whole not in DRIVERS, f"line {node.lineno}: use Ledger.transaction()"
        if isinstance(node, ast.ImportFrom):
            assert not WAYS_IN & {name.name for name in node.names}, f"line {node.lineno}: use Ledger"


def test_four_threads_that_read_then_write_lose_no_update(ledger):
    with ledger.transaction() as connection:
        connection.execute(insert(tables.counter).values(name="n", value=0))

    def count_up(_):
        def work(connection):
            row = select(tables.counter.c.value).where(tables.counter.c.name == "n").with_for_update()
            value = connection.scalar(row)
            connection.execute(update(tables.counter).values(value=value + 1))

        for _ in range(25):
            ledger.in_transaction(work)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count_up, range(4)))
    with ledger.reading() as connection:
        assert connection.scalar(select(tables.counter.c.value)) == 100


def test_four_threads_landing_side_by_side_number_their_landings_without_a_gap(ledger):
    world = World(ledger)
    world.adopt()

    def land(worker):
        numbers = []
        with ledger.transaction() as connection:
            lease = streams.take_fence(connection, "crm", f"stream {worker}")
        for _ in range(10):
            with ledger.transaction() as connection:
                lease = streams.commit_landing(connection, lease, cursor={}, dirty={"crm:1": None})
            numbers.append(lease.input_ver)
        return numbers

    with ThreadPoolExecutor(4) as threads:
        numbers = [number for found in threads.map(land, range(4)) for number in found]
    assert sorted(numbers) == list(range(1, 41))
    assert world.rows(tables.dirty, "input_ver") == [(40,)]


def test_promotions_side_by_side_bump_every_version_once(ledger):
    world = World(ledger)
    leads = [f"crm:{number}" for number in range(40)]
    world.first_load(**dict.fromkeys(leads, 0))
    runs = [world.stage(world.start(), dict.fromkeys(leads, 10 + n)) for n in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda run: world.promote(run, chunk=3), runs))
    versions = world.rows(tables.score, "lead", "ver")
    deltas = world.rows(tables.delta, "lead", "ver")
    assert world.scores() == dict.fromkeys(leads, 13)
    for lead, version in versions:
        assert [ver for owner, ver in deltas if owner == lead] == list(range(1, version + 1))


def test_a_collision_is_tried_again(ledger):
    """Two transactions lock two rows crosswise: PostgreSQL ends one of them, which then goes again."""
    with ledger.transaction() as connection:
        connection.execute(insert(tables.counter), [{"name": n, "value": 0} for n in ("a", "b")])
    both_hold_one = threading.Barrier(2)

    def cross(first, second):
        met = []

        def work(connection):
            for name in (first, second):
                row = tables.counter.c.name == name
                connection.execute(update(tables.counter).where(row).values(value=tables.counter.c.value + 1))
                if not met and ledger.dialect == "postgresql":  # SQLite lets only one in at a time
                    met.append(both_hold_one.wait(60))

        ledger.in_transaction(work)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(cross, "ab", "ba"))
    with ledger.reading() as connection:
        assert list(connection.scalars(select(tables.counter.c.value))) == [2, 2]


def test_an_error_inside_rolls_everything_back(ledger):
    def half_done():
        with ledger.transaction() as connection:
            activations.pause(connection, "b2b", at=MONDAY, by="test")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    with ledger.reading() as connection:
        assert connection.execute(select(tables.control)).all() == []


def _paused(connection):
    return connection.scalar(select(tables.control.c.paused).where(tables.control.c.scorecard == "b2b"))


def test_a_reader_does_not_wait_for_a_writer_and_sees_one_moment(ledger):
    with ledger.transaction() as writing:
        activations.pause(writing, "b2b", at=MONDAY, by="test")
        with ledger.reading() as reading:
            assert not _paused(reading)
    with ledger.reading() as reading:
        assert _paused(reading)


def test_an_error_of_the_database_never_shows_lead_data(ledger):
    with (
        pytest.raises(IntegrityError) as raised,
        ledger.transaction() as connection,
    ):
        connection.execute(insert(tables.dirty).values(scorecard=None, lead="crm:ann@example.com"))
    assert "parameters hidden" in str(raised.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("mysql://host/db", "cannot live in `mysql`", id="another database"),
        pytest.param("sqlite://", "cannot live in `sqlite`", id="memory"),
        pytest.param("no url at all", "cannot be read", id="no URL"),
        pytest.param("postgresql://[::1", "cannot be read", id="an open bracket"),
        pytest.param(
            "postgresql+psycopg2://u:secret@h/db", "cannot live in `postgresql", id="another driver"
        ),
    ],
)
def test_a_url_that_names_no_ledger_is_refused_with_what_to_write(url, says):
    with pytest.raises(SettingsIncomplete, match=says) as raised:
        Ledger(url)
    assert "postgresql://user@host/database" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_accepted(scheme):
    assert Ledger(f"{scheme}://u@h/db").url.drivername == "postgresql+psycopg"


def test_a_server_that_is_not_there_is_busy_and_the_password_stays_secret():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ledger = Ledger(f"postgresql://rescore:hunter2@127.0.0.1:{port}/rescore")
    with (
        pytest.raises(LedgerBusy, match="cannot be reached; is its PostgreSQL server running") as raised,
        ledger.transaction(),
    ):
        pass
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.postgres
def test_a_database_that_the_server_does_not_have_is_a_setting_to_correct(migrated_postgresql):
    url = migrated_postgresql.url.set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(SettingsIncomplete, match="correct RESCORE_LEDGER_URL"), Ledger(url).transaction():
        pass


@pytest.mark.postgres
def test_a_server_that_is_a_standby_now_is_busy(migrated_postgresql):
    def write(connection):
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.execute(insert(tables.installation).values(name="x", value="{}"))

    with pytest.raises(LedgerBusy, match="takes no writes now"):
        migrated_postgresql.in_transaction(write)


def test_a_disk_that_fails_is_busy(tmp_path):
    """In a process of its own, whose files may not grow."""
    migrate(ledger := Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"))
    ledger.close()
    somebody = f"""
import resource, signal
from rescore.ledger.transaction import Ledger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
try:
    with Ledger({f"sqlite:///{tmp_path / 'ledger.db'}"!r}).transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE more (content TEXT)")
except Exception as error:
    print(type(error).__name__, error)
"""
    told = subprocess.run([sys.executable, "-c", somebody], check=True, capture_output=True, text=True).stdout
    assert (
        told
        == f"LedgerBusy the disk of the ledger {tmp_path / 'ledger.db'} fails; see to it, then try again\n"
    )


def test_a_folder_that_cannot_be_made_is_a_setting_to_correct(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SettingsIncomplete, match="make the folder writable"),
        Ledger(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}").transaction(),
    ):
        pass


def test_a_file_that_is_no_database_is_a_setting_to_correct(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_text("this is a shopping list, not a database " * 100)
    with pytest.raises(SettingsIncomplete, match="is no ledger"), Ledger(f"sqlite:///{path}").transaction():
        pass
    assert path.stat().st_size > 1000


def test_a_second_connection_in_this_process_drops_no_lock(tmp_path):
    """POSIX locks are the process's: closing any descriptor of the file drops them all."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    with ledger.reading() as held:
        held.execute(select(tables.control)).all()
        with ledger.reading() as second:
            second.execute(select(tables.control)).all()
        somebody = f"import sqlite3; c = sqlite3.connect({str(tmp_path / 'ledger.db')!r}); "
        somebody += "c.execute('PRAGMA user_version = 7'); c.commit(); c.close()"
        subprocess.run([sys.executable, "-c", somebody], check=True)
        # had the lock been dropped, they would have thought themselves alone and deleted our journal
        assert (tmp_path / "ledger.db-wal").exists()
