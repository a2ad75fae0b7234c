"""Processes that outlive the command that started them, and are ended by name."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil


class Process:
    """One background process with its log and a pid file below `folder`; a leader of its own session."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._pid_file = folder / f"{name}.pid"

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it detached from this terminal; output goes to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            child = subprocess.Popen(  # noqa: S603
                command,
                env=dict(environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._pid_file.write_text(f"{child.pid} {psutil.Process(child.pid).create_time()}")

    def is_alive(self) -> bool:
        """Whether the process we started still runs (a recycled pid is somebody else's)."""
        return self._pid() is not None

    def stop(self, patience: float = 8) -> bool:
        """End it and everything it started; True if there was something to end."""
        pid = self._pid()
        if pid is None:
            self._pid_file.unlink(missing_ok=True)
            return False
        members = _group(pid)
        for process in members:
            _quietly(process.terminate)
        _, stubborn = psutil.wait_procs(members, timeout=patience)
        stubborn = [*{*stubborn, *_group(pid)}]
        for process in stubborn:
            _quietly(process.kill)
        psutil.wait_procs(stubborn, timeout=patience)
        self._pid_file.unlink(missing_ok=True)
        return True

    def members(self) -> list[psutil.Process]:
        """Every live process of its group."""
        pid = self._pid()
        return [] if pid is None else _group(pid)

    def last_lines(self, count: int = 5) -> str:
        """The end of its log, for the sentence that says why it did not come up."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.strip().splitlines()[-count:])

    def _pid(self) -> int | None:
        try:
            pid, started = self._pid_file.read_text().split()
            process = psutil.Process(int(pid))
            alive = str(process.create_time()) == started and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, psutil.Error):
            return None
        return process.pid if alive else None


def _group(leader: int) -> list[psutil.Process]:
    """What still runs of a process group; zombies do not."""
    members = []
    for process in psutil.process_iter(["status"]):
        try:
            if os.getpgid(process.pid) == leader and process.info["status"] != psutil.STATUS_ZOMBIE:
                members.append(process)
        except ProcessLookupError:
            continue
    return members


def _quietly(end: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        end()
