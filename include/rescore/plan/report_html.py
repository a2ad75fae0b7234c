"""A plan as one page: self-contained, without scripts, safe against whatever a CRM holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from rescore.plan import figures, pictures
from rescore.plan.plan import LeadExample, Plan
from rescore.rules import readable
from rescore.scoring.explanation import Adjustment, Explanation, RuleLine

MANY_RULES: Final = 12
"""Rules that stay the same are folded when there are more rules than these."""


class Line(NamedTuple):
    """One line of a lead's account: both sides in thousandths, None where a side does not have it."""

    kind: str
    label: str
    old: int | None
    new: int | None
    note: str = ""


def html(plan: Plan) -> str:
    """The page, with leads by name: for a file or a login, for no log."""
    order = figures.most_changed(plan.rules)
    moved = [rule for rule in order if rule.change != "same" or rule.old != rule.new]
    shown = order if len(order) <= MANY_RULES else moved
    return _ENVIRONMENT.get_template("report.html.j2").render(
        plan=plan,
        versions=figures.versions(plan),
        verdict=figures.verdict(plan),
        wakes=figures.WAKES[plan.wakes],
        matrix=figures.matrix(plan.bands),
        rules=shown,
        rules_as_they_were=[rule for rule in order if rule not in shown],
        dead=figures.dead_rules(plan),
        quarantine=figures.quarantine(plan),
        ids=figures.ids(plan),
        band_names=list(dict.fromkeys((*plan.bands.old, *plan.bands.new))),
        split_bands=_split_bands(plan),
        lead_groups=[
            (title, examples)
            for title, examples in (
                ("Up the most", plan.examples.up),
                ("Down the most", plan.examples.down),
                ("Drawn at random", plan.examples.random),
            )
            if examples
        ],
    )


def _split_bands(plan: Plan) -> list[str]:
    """The bands that any group of the split has, from the highest to the lowest."""
    groups = plan.split.groups if plan.split else ()
    there = {name for group in groups for side in (group.old_bands, group.new_bands) for name in side}
    known = [name for name in dict.fromkeys((*plan.bands.new, *plan.bands.old)) if name in there]
    return known + sorted(there.difference(known))


def account(example: LeadExample) -> Iterator[Line]:
    """Both explanations of a lead in one table: dimensions, their rules, what bit, and the score."""
    old, new = example.old, example.new
    for name in dict.fromkeys(dimension.id for side in (new, old) for dimension in side.dimensions):
        sides = [_dimension(side, name) for side in (old, new)]
        wholes = [None if side is None or side.points is None else side.points * 1000 for side in sides]
        yield Line("dimension", name, wholes[0], wholes[1])
        yield from _rules(old, new, name)
        yield from _adjustments(*(side.adjustments if side else () for side in sides))
    scores = [None if side.score is None else side.score * 1000 for side in (old, new)]
    yield Line("total", "score", scores[0], scores[1])
    yield from _adjustments(old.adjustments, new.adjustments)


def _dimension(side: Explanation, name: str) -> Any:
    return next((dimension for dimension in side.dimensions if dimension.id == name), None)


def _rules(old: Explanation, new: Explanation, dimension: str) -> Iterator[Line]:
    sides = [{line.rule: line for line in side.rules if line.dimension == dimension} for side in (old, new)]
    for rule in dict.fromkeys((*sides[1], *sides[0])):
        before, after = sides[0].get(rule), sides[1].get(rule)
        if any(line is not None and (line.points or line.before_limit) for line in (before, after)):
            label = (after or before or sides[0][rule]).label
            points = [None if line is None else line.points for line in (before, after)]
            yield Line("rule", label, points[0], points[1], _note(after or before))


def _note(line: RuleLine | None) -> str:
    if line is None or line.matching is None:
        return ""
    counted = "" if line.counted in {None, line.matching} else f"{line.counted:,} of "
    latest = f", last on {line.latest:%-d %b %Y}" if line.latest else ""
    return f"{counted}{line.matching:,} activit{'y' if line.matching == 1 else 'ies'}{latest}"


def _adjustments(old: tuple[Adjustment, ...], new: tuple[Adjustment, ...]) -> Iterator[Line]:
    sides = [{adjustment.kind: adjustment.points for adjustment in side} for side in (old, new)]
    for kind in dict.fromkeys((*sides[0], *sides[1])):
        yield Line("adjustment", kind, sides[0].get(kind), sides[1].get(kind))


def _printable(value: Any) -> Any:
    """What a template writes: texts fit to stand there, anything else as it is."""
    return figures.printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(text: str) -> Markup:
    """A sentence of ours in which `ids` stand as code."""
    pieces = figures.OURS.split(figures.printable(text))
    return Markup().join(
        Markup("<code>{}</code>").format(piece.strip("`")) if at % 2 else escape(piece)
        for at, piece in enumerate(pieces)
    )


def _edit(change: str, ids: frozenset[str]) -> Markup:
    """A sentence of the diff, with what it is about as code when that is an id."""
    subject, space, rest = figures.printable(change).partition(" ")
    if subject not in ids:
        return escape(f"{subject}{space}{rest}")
    return Markup("<code>{}</code>{}{}").format(subject, space, rest)


def _rounded(thousandths: int | None) -> str:
    """A sum over many leads, whose decimals say nothing."""
    return "–" if thousandths is None else f"{round(thousandths / 1000):,}".replace("-", "−")


def _points(thousandths: int | None) -> str:
    if thousandths is None:
        return "–"
    whole, _, decimals = readable.points(abs(thousandths)).partition(".")
    sign = "−" if thousandths < 0 else ""
    return f"{sign}{int(whole):,}" + f".{decimals}" * bool(decimals)


def _change(line: Line) -> str:
    if line.old == line.new:
        return ""
    difference = (line.new or 0) - (line.old or 0)
    return ("+" if difference > 0 else "") + _points(difference)


_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_printable,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "number": lambda number: f"{number:,}",
    "signed": figures.signed,
    "span": figures.span,
    "prose": _prose,
    "edit": _edit,
    "points": _points,
    "rounded": _rounded,
    "change": _change,
}
_ENVIRONMENT.globals |= {"pictures": pictures, "account": account}
