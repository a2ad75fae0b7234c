"""A Connection becomes a folder that is read, on this machine or in an object store."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, PyFileSystem

from rescore.connectors.connection import Connection
from rescore.errors import CrmRejectedCredentials, CrmUnavailable, SettingsIncomplete

REFUSED = (
    "403",
    "401",
    "AccessDenied",
    "Forbidden",
    "Unauthenticated",
    "PermissionDenied",
    "InvalidAccessKey",
)
"""What object stores say no with: their client tells no code of its own."""

PATIENCE = {"connect_timeout": "10s", "timeout": "60s", "max_retries": "3", "retry_timeout": "30s"}
"""Of the store's client, unless the Connection says otherwise; the next run tries again anyway."""


_BROKEN = (pa.ArrowException, UnicodeDecodeError, EOFError, zlib.error, gzip.BadGzipFile)
"""What tells of a file's content, wherever it is; an OSError may tell of the store instead."""


class FileBroken(Exception):
    """A file is not what its name says; the text is the kind of error that showed it, and quotes nothing."""


_CHUNK = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is now; one that changes is another. It `leads_out` where it is a link to elsewhere."""

    path: str
    size: int
    changed: datetime
    leads_out: bool = False

    @property
    def fingerprint(self) -> str:
        """Its name, size and time of change, as short as cursors need it."""
        said = f"{self.path}\0{self.size}\0{self.changed.isoformat()}"
        return blake2b(said.encode(), digest_size=8).hexdigest()


class Folder:
    """The files below a folder or an object-store URL, opened the way the lake opens its own."""

    def __init__(self, connection: Connection) -> None:
        self._id = connection.id
        self._root = _root(connection)
        self._options = _options(connection)

    def files(self) -> list[File]:
        """All of them, the one that changed first first.

        Raises:
            SettingsIncomplete: There is no such folder, or a link in it leads in a circle.
            CrmRejectedCredentials: The store does not let us in.
            CrmUnavailable: It does not answer.
        """
        with self._said_plainly():
            store = self._open()
            try:
                found = store.get_file_info(FileSelector("", recursive=True))
            except OSError:
                if circle := None if "://" in self._root else _circle(Path(self._root)):
                    raise SettingsIncomplete(
                        f"{circle} is a link that leads back to itself, so that nothing there can be listed; "
                        "take it away"
                    ) from None
                raise
        files = [
            File(info.path, info.size, info.mtime, self._leads_out(info.path))
            for info in found
            if info.is_file
        ]
        return sorted(files, key=lambda file: (file.changed, file.path))

    @contextmanager
    def reading(self, file: File) -> Iterator[Any]:
        """A file's bytes, anywhere in it; those of `.gz` uncompressed, from the beginning on.

        Raises:
            FileBroken: What was done with them shows that they are not what the file's name says.
            CrmRejectedCredentials, CrmUnavailable: As for `files`, with its name.
        """
        with self._said_plainly(file.path):
            store = self._open()
            try:
                with store.open_input_file(file.path) as opened:
                    if file.path.endswith(
                        ".gz"
                    ):  # Python's own tells apart who is to blame, the file or the store
                        with gzip.GzipFile(fileobj=opened) as unpacked:
                            yield unpacked
                    else:
                        yield opened
            except _BROKEN as error:
                raise FileBroken(type(error).__name__) from None
            except OSError as error:
                _read_through(store, file)  # decoders say so of what they cannot read, too
                raise FileBroken(type(error).__name__) from None

    def _leads_out(self, path: str) -> bool:
        root = Path(self._root)
        return "://" not in self._root and not (root / path).resolve().is_relative_to(root.resolve())

    def _open(self) -> PyFileSystem:
        if "://" not in self._root and not Path(self._root).is_dir():
            raise SettingsIncomplete(
                f"there is no folder {self._root}; make it, or correct the Connection `{self._id}`"
            )
        return PyFileSystem(DeltaStorageHandler(self._root, self._options))

    @contextmanager
    def _said_plainly(self, path: str = "") -> Iterator[None]:
        try:
            yield
            return
        except OSError as error:
            refused = isinstance(error, PermissionError) or any(word in str(error) for word in REFUSED)
        what = f"{self._root}/{path}" if path else self._root
        if refused:
            raise CrmRejectedCredentials(
                f"{what} is closed to us; put keys that may list and read it into the Connection `{self._id}`"
            ) from None
        raise CrmUnavailable(f"{what} cannot be read now; the next run tries again") from None


def _circle(root: Path) -> Path | None:
    """A link below a folder that leads in a circle, if there is one."""
    for folder, folders, files in os.walk(root):
        for link in (path for name in (*folders, *files) if (path := Path(folder, name)).is_symlink()):
            try:
                if link.parent.resolve().is_relative_to(link.resolve()):
                    return link
            except RuntimeError:  # Python 3.11 says so of links in a circle
                return link
    return None


def _read_through(store: PyFileSystem, file: File) -> None:
    """Raises what the store raises if it does not give all of a file's bytes."""
    with store.open_input_file(file.path) as opened:
        while opened.read(_CHUNK):
            pass


def _root(connection: Connection) -> str:
    given = connection.extra.get("url") or connection.extra.get("path") or connection.host
    if not isinstance(given, str) or not ("://" in given or given.startswith("/")):
        raise SettingsIncomplete(
            f"the Connection `{connection.id}` names no place; write a folder as `path`, or an address "
            "such as s3://bucket/folder as `url`, into its extra"
        )
    return given.rstrip("/") or "/"


def _options(connection: Connection) -> dict[str, str]:
    """What opens an object store: `storage_options`, as the store's client names them, and AWS's own."""
    extra: Mapping[str, Any] = connection.extra
    known = {
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
        "AWS_REGION": extra.get("region_name"),
        "AWS_ENDPOINT_URL": extra.get("endpoint_url"),
    }
    aws = known if connection.kind == "aws" else {}
    given = extra.get("storage_options") or {}
    return {name: str(value) for name, value in {**PATIENCE, **aws, **given}.items() if value}
