"""How the demo and the story talk: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(highlight=False)


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """One step with its running time; the function given tells where it is.

    On a terminal the line moves; in a log every new message is a line of its own.
    """
    started = time.monotonic()
    last = ""

    def say(message: str) -> None:
        nonlocal last
        if message != last:
            last = message
            if console.is_terminal:
                status.update(f"{title}  [dim]{message}[/]")
            else:
                console.print(f"  … {title}: {message}")

    with console.status(title) as status:
        yield say
    console.print(f"[green]✓[/] {title} [dim]({time.monotonic() - started:.0f} s)[/]")
