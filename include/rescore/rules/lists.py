"""Lists of values in files of their own, below the folder of the rules file that names them."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from rescore.strict.messages import control_character
from rescore.strict.yaml import UNPRINTABLE, read_document
from rescore.text import fold

MAX_BYTES: Final = 1024 * 1024
MAX_VALUE: Final = 500
MAX_LISTS: Final = 20
MAX_TROUBLES: Final = 20
PATH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\.txt")
"""Below the rules folder, never hidden, never upwards."""

COMMENT: Final = re.compile(r"(^|[ \t])#.*")
DOMAIN: Final = re.compile(r"[^\s@/?#:>.]+(\.[^\s@/?#:>.]+)*")

ListFiles = Mapping[str, bytes]
"""The bytes of each list file by its path as the rules file says; one that cannot be read is not there."""

NO_LISTS: Final[ListFiles] = MappingProxyType({})


class ListText(NamedTuple):
    """What a list file says: its values, folded, and the first things wrong with it in words."""

    values: frozenset[str]
    troubles: tuple[str, ...]


@lru_cache(maxsize=64)
def list_paths(body: bytes) -> tuple[str, ...]:
    """The list files that a rules file names, as far as can be made out: a broken part names none."""
    document, _ = read_document(body)
    named = document.data.get("lists") if document else None
    paths = named.values() if isinstance(named, dict) else ()
    return tuple(sorted({path for path in paths if isinstance(path, str) and PATH.fullmatch(path)}))


def read_lists(body: bytes, folder: Path) -> dict[str, bytes]:
    """Every list file that a rules file of this folder names and that is there, as it is now.

    A link counts for what it leads to, and only while that is below the folder. Of a file that is too long
    there is just enough to tell.
    """
    found = {}
    for path in list_paths(body):
        try:
            file = (folder / path).resolve()
            if file.is_relative_to(folder.resolve()) and file.is_file():
                with file.open("rb") as opened:
                    found[path] = opened.read(MAX_BYTES + 1)
        except (OSError, RuntimeError):  # of links in a circle Python 3.11 says the latter
            continue  # not there for us; the check says so at its place in the rules file
    return found


def sha256_of(body: bytes, lists: ListFiles) -> str:
    """What identifies a version: the bytes of the rules file and of the list files that it names."""
    digest = hashlib.sha256(body)
    for path in sorted(lists):
        digest.update(f"\0{path}\0{hashlib.sha256(lists[path]).hexdigest()}".encode())
    return digest.hexdigest()


def lists_as_json(lists: ListFiles) -> str | None:
    """The files as one text that gives back their very bytes; None when there are none."""
    return (
        json.dumps({path: lists[path].decode("utf-8", "surrogateescape") for path in lists})
        if lists
        else None
    )


def lists_from_json(text: str | None) -> dict[str, bytes]:
    """The files from `lists_as_json`."""
    return {path: said.encode("utf-8", "surrogateescape") for path, said in json.loads(text or "{}").items()}


@lru_cache(maxsize=32)
def list_text(content: bytes) -> ListText:
    """Read a list file: UTF-8, one value a line; a comment begins at a `#` after nothing or a blank."""
    if len(content) > MAX_BYTES:
        return ListText(frozenset(), (f"has more than {MAX_BYTES:,} bytes; split it",))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return ListText(frozenset(), (f"line {line} is not UTF-8; save the file with the encoding UTF-8",))
    lines = [(number, COMMENT.sub("", line).strip()) for number, line in enumerate(text.split("\n"), start=1)]
    troubles = tuple(islice(_troubles(lines), MAX_TROUBLES))
    values = frozenset(fold(value) for _, value in lines if value)
    if not values:
        troubles = ("has no values, so it can never hold; write one a line",)
    return ListText(values, troubles)


def no_domain(values: frozenset[str]) -> str | None:
    """The first value that cannot be a domain."""
    return min((value for value in values if not DOMAIN.fullmatch(value)), default=None)


def _troubles(lines: list[tuple[int, str]]) -> Iterator[str]:
    for number, value in lines:
        if found := UNPRINTABLE.search(value):
            yield f"line {number}: {control_character(found[0])}"
        elif len(value) > MAX_VALUE:
            yield f"line {number} has more than {MAX_VALUE} characters; write one value a line"
