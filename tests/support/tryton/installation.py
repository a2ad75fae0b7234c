"""A Tryton of the tests' own: made once from the package index, with a database that every run copies.

It lies in `.tryton/` of the project, under a name made of everything that it is made of.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".tryton"
MODULE = "sale_opportunity_score"
DATABASE = "crm"
PASSWORD = "admin-of-the-tests"


class TrytonMissing(Exception):
    """No Tryton for the tests, in one sentence."""


def installation(cache: Path = CACHE) -> Path:
    """The folder with `env/`, the programs, and `db/`, the filled database; the first caller makes it.

    Raises:
        TrytonMissing: It cannot be made.
    """
    folder = cache / _digest()
    cache.mkdir(exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers want it at once
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            try:
                _make(folder)
            except subprocess.CalledProcessError as error:
                lines = (error.stderr or error.stdout or "").strip().splitlines()
                raise TrytonMissing(
                    _sentence(lines[-1] if lines else f"exit code {error.returncode}")
                ) from None
            except (OSError, subprocess.SubprocessError) as error:
                raise TrytonMissing(_sentence(str(error))) from None
            (folder / "ready").touch()
    return folder


def configuration(folder: Path) -> Path:
    """A configuration file for the databases in a folder; its server takes any free port of the loopback."""
    file = folder / "trytond.conf"
    file.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:0\n")
    return file


def _make(folder: Path) -> None:
    databases = folder / "db"
    databases.mkdir(parents=True)
    uv, env = Path(sys.executable).parent / "uv", folder / "env"
    _run(uv, "venv", "--quiet", "--python", sys.executable, env)
    requirements = HERE / "requirements.txt"
    python = env / "bin" / "python"
    _run(uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", requirements)
    [modules] = env.glob("lib/python*/site-packages/trytond/modules")
    shutil.copytree(HERE / MODULE, modules / MODULE)
    file = configuration(databases)
    (databases / f"{DATABASE}.sqlite").touch()  # Tryton makes no SQLite file by itself
    (folder / "password").write_text(PASSWORD)
    _run(
        *(env / "bin" / "trytond-admin", "-c", file, "-d", DATABASE, "-u", MODULE, "--activate-dependencies"),
        *("--email", "admin@example.com"),
        TRYTONPASSFILE=str(folder / "password"),
    )
    _run(python, HERE / "seed.py", file, DATABASE)


def _run(*command: str | Path, **environment: str) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        capture_output=True,
        text=True,
        timeout=1800,
        env={**os.environ, **environment},
    )


def _digest() -> str:
    made_of = [
        HERE / "requirements.txt",
        HERE / "seed.py",
        Path(__file__),
        *sorted((HERE / MODULE).rglob("*.*")),
    ]
    digest = hashlib.sha256(sys.version.encode())
    for file in made_of:
        if file.is_file() and file.suffix != ".pyc":
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _sentence(reason: str) -> str:
    return (
        "the tests need a Tryton, which they install from the package index into .tryton/ once; see that the "
        f"index can be reached and run them again ({' '.join(reason.split())[:300]})"
    )
