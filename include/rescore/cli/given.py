"""What every command is given: files, and the person who gives them."""

import getpass
import os
from collections.abc import Iterable
from pathlib import Path

from rescore.errors import InputUnreadable
from rescore.strict.yaml import MAX_BYTES

LARGEST = 2**31 - 1
"""The largest number that an option may be: of a version, or of how many; databases keep no larger one."""


def read_bytes(path: Path) -> bytes:
    """The bytes of a file of rules; of one that is too long for any only so many that it shows.

    Raises:
        InputUnreadable: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise InputUnreadable(f"{path}: cannot be read ({problem.strerror})") from None


def refuse_overwriting(out: Path, inputs: Iterable[Path]) -> None:
    """Refuse a result in the place of something it is made of.

    Raises:
        InputUnreadable: `out` is one of the inputs.
    """
    if out.exists() and any(out.samefile(given) for given in inputs if given.exists()):
        raise InputUnreadable(
            f"{out}: is one of the inputs and would be overwritten; give --out another name"
        )


def user() -> str:
    """The user of this machine; in a container the id may have no name."""
    try:
        return getpass.getuser().encode(errors="backslashreplace").decode()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
