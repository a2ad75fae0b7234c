"""The story's verdicts: one sentence each, that either holds or does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from demo.talk import console


class DoesNotHold(Exception):
    """A line of the story turned out false; the text says what was seen instead."""


def holds(sentence: str, truth: bool, seen: object = "") -> None:
    """Say that a sentence holds.

    Raises:
        DoesNotHold: It does not.
    """
    if not truth:
        raise DoesNotHold(f"{sentence} (seen: {seen})" if seen != "" else sentence)
    if isinstance(seen, Mapping):
        seen = ", ".join(f"{name} {count:,}" for name, count in seen.items())
    detail = f" [dim]{seen}[/]" if seen != "" else ""
    console.print(f"    [green]✓[/] {sentence}{detail}", soft_wrap=True)


def eventually(
    what: str,
    truth: Callable[[], bool],
    *,
    seconds: float = 300,
    every: float = 0.5,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Wait until something is true, looking again `every` so many seconds.

    Raises:
        DoesNotHold: It was not, all that time.
    """
    deadline = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > deadline:
            raise DoesNotHold(f"{what}: not within {seconds:.0f} s")
        say(f"waiting: {what}")
        time.sleep(every)
