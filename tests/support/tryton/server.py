"""A live Tryton server on loopback, with a database of its own, and users to look into it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import string
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.support.tryton.installation import DATABASE, PASSWORD, configuration, installation

STARTED = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")
STARTING = 180.0
ALPHABET = string.digits + string.ascii_lowercase


class TrytonServer:
    """One server; `reset` gives its database back what it began with."""

    def __init__(self, url: str, database: Path, template: Path) -> None:
        self.url = url
        self._database = database
        self._template = template

    def reset(self) -> None:
        """As on the first day, for whoever is connected."""
        with sqlite3.connect(self._template) as first, sqlite3.connect(self._database, timeout=60) as now:
            first.backup(now)
        first.close()
        now.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        with sqlite3.connect(self._database, timeout=60) as connection:
            found = connection.execute(sql, values).fetchall()
        connection.close()
        return found

    def forget_sessions(self) -> None:
        """Whoever is let in has to say the password again."""
        with sqlite3.connect(self._database, timeout=60) as connection:
            connection.execute("DELETE FROM ir_session")
        connection.close()

    def visit(self, short: int) -> None:
        """Somebody follows a short address of an e-mail; where it leads to is not asked."""
        digits = ""
        while short:
            short, digit = divmod(short, len(ALPHABET))
            digits = ALPHABET[digit] + digits
        database = b64encode(DATABASE.encode()).decode().rstrip("=")
        address = f"{self.url}/s/{database}${digits}"
        answer = requests.get(address, allow_redirects=False, timeout=60)
        assert answer.status_code == 301, answer.status_code

    def as_user(self, login: str) -> User:
        """Somebody at a Tryton client."""
        return User(self.url, login, password_of(login))


class User:
    """Somebody at a Tryton client: calls methods of models over JSON-RPC."""

    def __init__(self, url: str, login: str, password: str) -> None:
        self._url = f"{url}/{DATABASE}/rpc/"
        self._login = login
        self.uid, self._token, *_ = self._post("common.db.login", [login, {"password": password}], None)

    def call(self, method: str, *params: Any) -> Any:
        """The result of a method, such as `model.ir.note.create`; fails where Tryton says no."""
        return self._post(method, [*params, {}], f"{self._login}:{self.uid}:{self._token}")

    def _post(self, method: str, params: list[Any], session: str | None) -> Any:
        headers = {"Authorization": f"Session {b64encode(session.encode()).decode()}"} if session else {}
        body = {"id": 1, "method": method, "params": params}
        answer = requests.post(self._url, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        said = answer.json()
        assert "error" not in said, said["error"]
        return said["result"]


def password_of(login: str) -> str:
    """Of the users that `seed.py` makes, and of the one that Tryton begins with."""
    return PASSWORD if login == "admin" else f"{login}-password-{len(login)}"


@contextmanager
def serving() -> Iterator[TrytonServer]:
    """A server for as long as the block lasts.

    Raises:
        TrytonMissing: There is no Tryton to start.
    """
    made = installation()
    template = made / "db" / f"{DATABASE}.sqlite"
    folder = Path(tempfile.mkdtemp(prefix="rescore-tryton-"))
    database = folder / template.name
    shutil.copy(template, database)
    log = folder / "log"
    program = [str(made / "env" / "bin" / "trytond"), "-c", str(configuration(folder)), "-d", DATABASE]
    with log.open("w") as written:
        process = subprocess.Popen(program, stdout=written, stderr=written, stdin=subprocess.DEVNULL)
    try:
        yield TrytonServer(_address(process, log), database, template)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    ends = time.monotonic() + STARTING
    while time.monotonic() < ends and process.poll() is None:
        if found := STARTED.search(log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"the Tryton server did not start: {log.read_text()[-500:]}")
