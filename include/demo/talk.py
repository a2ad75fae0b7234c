"""How the demo and the story talk: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(highlight=False)
EVERY = 10
"""Seconds between lines of a log."""


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """One step with its running time; the function given tells where it is.

    On a terminal the line moves; in a log a new message is a line of its own, every few seconds.
    """
    started = time.monotonic()
    last, told_at = "", started - EVERY

    def say(message: str) -> None:
        nonlocal last, told_at
        if console.is_terminal:
            status.update(f"{title}  [dim]{message}[/]")
        elif message != last and time.monotonic() - told_at >= EVERY:
            last, told_at = message, time.monotonic()
            console.print(f"  … {title}: {message}")

    with console.status(title) as status:
        yield say
    console.print(f"[green]✓[/] {title} [dim]({time.monotonic() - started:.0f} s)[/]")
