"""How a long step says where it is: one short line at a time, to whoever listens."""

from collections.abc import Callable

Progress = Callable[[str], None]
"""Receives a line such as `contacts: 2,400 landed`; lines hold counts and ids, never lead data."""


def silent(line: str) -> None:
    """Nobody listens."""
