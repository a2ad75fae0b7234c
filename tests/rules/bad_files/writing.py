"""How a rules file that must be refused is written down: with its place and words of every problem.

`¶` stands right before the place where a problem is reported; the messages follow in the order of the file.
"""

from typing import NamedTuple

HEAD = """\
scorecard: test
dimensions: {engagement: {floor: 0, ceiling: 100}, fit: {}}
bands: {A: 80, B: 0}
"""
FINE = "  - {id: fine, dimension: engagement, activity: page_view, points: 1}\n"


class BadFile(NamedTuple):
    """A file with `¶` at each problem, and a part of each message."""

    name: str
    text: str
    says: tuple[str, ...]


def rule(fields: str, *says: str) -> BadFile:
    return BadFile(fields, f"{HEAD}rules:\n{FINE}  - {{id: x, dimension: engagement, {fields}}}\n", says)


def visit(fields: str, *says: str) -> BadFile:
    return rule(f"activity: page_view, points: 1, {fields}", *says)


def lead(condition: str, *says: str) -> BadFile:
    return rule(f"points: 1, lead: {condition}", *says)


def whole_rule(text: str, *says: str) -> BadFile:
    return BadFile(text, f"{HEAD}rules:\n{FINE}  - {text}\n", says)


def top(lines: str, *says: str) -> BadFile:
    return BadFile(lines, f"{HEAD}rules:\n{FINE}{lines}\n", says)


def automation(fields: str, *says: str) -> BadFile:
    return top(f"automations:\n  - {{id: x, do: [{{webhook: {{connection: c}}}}], {fields}}}", *says)


def policy(fields: str, *says: str) -> BadFile:
    return automation(f"fire_when: {{score: {{above: 1}}}}, {fields}", *says)


def action(text: str, *says: str) -> BadFile:
    return top(f"automations:\n  - {{id: x, fire_when: {{score: {{at_least: 1}}}}, do: {text}}}", *says)


def example(fields: str, *says: str) -> BadFile:
    return top(f"examples:\n  - {{name: n, as_of: 2026-11-01, {fields}}}", *says)


def head(text: str, *says: str) -> BadFile:
    return BadFile(text, f"{text}\nrules:\n{FINE}", says)
