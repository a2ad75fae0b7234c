"""What people would rather look at than read, at the end of the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table


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
