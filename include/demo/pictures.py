"""What people would rather look at than read: bands as bars, a run as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

WIDTH = 44
COLOURS = ("green", "cyan", "yellow", "bright_black", "magenta", "blue")


def bands(counts: Mapping[str, int]) -> Table:
    """A bar per band, best first; the longest bar is `WIDTH` wide."""
    table = Table.grid(padding=(0, 2))
    most = max(counts.values(), default=0) or 1
    for position, (band, count) in enumerate(counts.items()):
        bar = Text(
            "█" * max(round(WIDTH * count / most), 1 if count else 0), COLOURS[position % len(COLOURS)]
        )
        table.add_row(f"  {band}", f"{count:>6,}", bar)
    return table


def facts(rows: Mapping[str, object]) -> Table:
    """Names and values, aligned."""
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(f"  [dim]{name}[/]", str(value))
    return table


def table(headings: Sequence[str], *columns: Mapping[str, int]) -> Table:
    """Counts side by side: one row a name, one column a run."""
    grid = Table(box=None, padding=(0, 2))
    grid.add_column(headings[0])
    for heading in headings[1:]:
        grid.add_column(heading, justify="right")
    for name in columns[0]:
        grid.add_row(name, *(f"{column.get(name, 0):,}" for column in columns))
    return grid
