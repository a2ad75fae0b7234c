"""What a layer of the harness has done: how much of its target, and every promise it saw broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

Say = Callable[[str], None]
"""Told one line of progress."""


@dataclass
class Layer:
    """One row of the report.

    `target` is how much the form that ran, short or full, sets itself; `done` is what was really done, each
    point, pair, kill, cell or schedule once. `violations` are sentences that name the case, so that it can be
    run again; `seconds` is filled in by whoever ran it.
    """

    name: str
    target: int
    done: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether all was done and nothing broke."""
        return not self.violations and self.done >= self.target


def as_table(layers: Sequence[Layer]) -> str:
    """One line a layer, and a sum."""
    rows = [("layer", "target", "done", "violations", "seconds")]
    rows += [
        (each.name, f"{each.target:,}", f"{each.done:,}", f"{len(each.violations):,}", f"{each.seconds:.0f}")
        for each in layers
    ]
    rows.append(_sum(layers))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        " | ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    rule = "-+-".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def as_list(layers: Iterable[Layer], at_most: int = 20) -> str:
    """Every violation under its layer's name, and what falls short of its target."""
    lines = []
    for layer in layers:
        lines += [f"{layer.name}: {problem}" for problem in layer.violations[:at_most]]
        if len(layer.violations) > at_most:
            lines.append(f"{layer.name}: and {len(layer.violations) - at_most:,} more")
        if layer.done < layer.target:
            lines.append(f"{layer.name}: {layer.done:,} of {layer.target:,} done")
    return "\n".join(lines)


def _sum(layers: Sequence[Layer]) -> tuple[str, str, str, str, str]:
    violations = sum(len(each.violations) for each in layers)
    return (
        "all",
        f"{sum(each.target for each in layers):,}",
        f"{sum(each.done for each in layers):,}",
        f"{violations:,}",
        f"{sum(each.seconds for each in layers):.0f}",
    )
