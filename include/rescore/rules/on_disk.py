"""The rules files of a folder as they are now: what each says, or why nobody may read it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Final, NamedTuple

from rescore.rules import lists as list_files
from rescore.rules.lists import NO_LISTS, ListFiles, read_lists, sha256_of
from rescore.strict.yaml import MAX_BYTES

OUTSIDE: Final = "a link that leads out of the rules folder is not followed; put the file itself there"
CIRCLE: Final = "this link leads back to itself; put the file itself in its place"
NO_FILE: Final = "this is no file; give it a name that does not end in .yaml, or move it elsewhere"
BAD_NAME: Final = "a file name with a backslash, or with what cannot be printed; rename the file"


class RulesFile(NamedTuple):
    """One file: its bytes, one more than allowed of one that is too long, and the list files that it names.

    `name` is one printable line. `sha256` is of all that was read; where nothing may be read, of the reason,
    which `trouble` says.
    """

    name: str
    body: bytes
    lists: ListFiles
    sha256: str
    trouble: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every byte of it was read; else it can only be refused, and nothing of it be kept."""
        too_long = any(len(content) > list_files.MAX_BYTES for content in self.lists.values())
        return self.trouble is None and len(self.body) <= MAX_BYTES and not too_long


def rules_paths(folder: Path) -> dict[str, Path]:
    """Every rules file of a folder, whatever it is, by its name as messages and the ledger have it."""
    return {printable(path.name): path for path in sorted(folder.glob("*.yaml"))}


def rules_files(folder: Path) -> Iterator[RulesFile]:
    """Every rules file of a folder; one that is gone by now is left out."""
    for path in rules_paths(folder).values():
        if (file := read_rules(path, folder)) is not None:
            yield file


def read_rules(path: Path, folder: Path) -> RulesFile | None:
    """One rules file, or None when it is not there: an editor is replacing it, and the next look finds it.

    A link counts for what it leads to, and only while that is below the folder. Never raises for what a
    file, its name or its place is: one that cannot be read must not be in the way of the others.
    """
    name = printable(path.name)
    if name != path.name:
        return _unreadable(name, BAD_NAME)
    try:
        file = path.resolve()
        if not file.is_relative_to(folder.resolve()):
            return _unreadable(name, OUTSIDE)
        if not S_ISREG(file.stat().st_mode):  # before it is opened: a pipe would keep us waiting
            return _unreadable(name, NO_FILE)
        with file.open("rb") as opened:
            body = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except RuntimeError:  # Python 3.11 says so of links in a circle
        return _unreadable(name, CIRCLE)
    except OSError as error:
        return _unreadable(name, f"cannot be read ({error.strerror}); make it readable or remove it")
    lists = read_lists(body, folder)
    return RulesFile(name, body, lists, sha256_of(body, lists))


def printable(name: str) -> str:
    """A file's name as one line that can be shown and kept; two names never become the same."""
    text = os.fsencode(name).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _unreadable(name: str, trouble: str) -> RulesFile:
    reason = hashlib.sha256(f"\0{name}\0{trouble}".encode())  # no file that is let in has a NUL in it
    return RulesFile(name, b"", NO_LISTS, reason.hexdigest(), trouble)
