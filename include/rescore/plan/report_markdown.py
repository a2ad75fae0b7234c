"""A plan as Markdown for a pull request: what happens first, details folded, no lead by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, Final

from rescore.model import MILLI
from rescore.plan import figures
from rescore.plan.plan import AutomationEffect, Plan, RuleEffect

MOST: Final = {"changes": 40, "automations": 20, "rules": 25, "bands": 12, "text": 200}
"""How much is shown of each, so that a report fits the 65,536 characters of a comment."""
BAR: Final = 24
SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#!|~$]|^[+-])")
UNSUSPICIOUS: Final = " .,:()-\u200b"
LINKED: Final = re.compile(r"(@|#(?=\d)|:(?=//)|\bwww(?=\.))")


def markdown(plan: Plan) -> str:
    """The report; leads by name are on the page only (`report_html`), because comments are kept for ever."""
    parts = [
        f"### Plan for `{plan.scorecard}`: {figures.versions(plan)}",
        f"**{_text(plan.opening_line())}**",
        _verdict(plan),
        *_changes(plan),
        _leads(plan),
        *_automations(plan),
        *_folded(plan),
        f"<sub>as of {plan.as_of:%Y-%m-%d %H:%M} UTC, made by {_text(plan.made_by)}, "
        f"plan <code>{plan.plan_hash[:12]}</code>; {figures.WAKES[plan.wakes]}</sub>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _text(text: str) -> str:
    """A text as itself: no markup, no mention, no link, no line break; `ids` of ours stay in code."""
    pieces = figures.OURS.split(_line(text))
    return "".join(
        piece if at % 2 else SPECIAL.sub(r"\\\1", _inert(piece)) for at, piece in enumerate(pieces)
    )


def _line(text: str) -> str:
    line = " ".join(figures.printable(text).split())
    return line if len(line) <= MOST["text"] else f"{line[: MOST['text']]}…"


def _inert(line: str) -> str:
    return LINKED.sub("\\1\u200b", escape(line, quote=False))


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The first column is text, the others are numbers; cells are Markdown already."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _fold(title: str, body: str) -> str:
    """Some read Markdown in a summary and some do not: whatever could look like any is an entity there."""
    line = LINKED.sub("\\1\u200b", _line(title))
    inert = "".join(c if c.isalnum() or c in UNSUSPICIOUS else f"&#{ord(c)};" for c in line)
    return f"<details><summary>{inert}</summary>\n\n{body}\n\n</details>"


def _rest(shown: int, all_of_them: int, what: str) -> str:
    return f"\n\n…and {all_of_them - shown:,} more {what}" if all_of_them > shown else ""


def _verdict(plan: Plan) -> str:
    mark = "⏸️" if plan.verdict.reasons else "✅"
    lines = [
        f"{mark} **{figures.verdict(plan)}**",
        *(f"- {_text(reason)}" for reason in plan.verdict.reasons),
    ]
    return "\n".join(f"> {line}" for line in lines)


def _changes(plan: Plan) -> Iterator[str]:
    if plan.changes:
        ids = figures.ids(plan)
        shown = plan.changes[: MOST["changes"]]
        lines = [f"- {_change(change, ids)}" for change in shown]
        yield "**What changes**\n\n" + "\n".join(lines) + _rest(len(shown), len(plan.changes), "changes")


def _change(change: str, ids: frozenset[str]) -> str:
    subject, _, rest = change.partition(" ")
    return f"`{subject}` {_text(rest)}" if subject in ids else _text(change)


def _leads(plan: Plan) -> str:
    leads = plan.leads
    rows = [
        ("leads with a score", f"{leads.scored_old:,}", f"{leads.scored_new:,}"),
        ("mean score", f"{leads.mean_old:.1f}", f"{leads.mean_new:.1f}"),
    ]
    told = (
        f"{leads.changed:,} of {leads.everybody:,} leads change ({leads.up:,} up, {leads.down:,} down); "
        f"{leads.band_moves:,} of {leads.banded:,} change band"
    )
    told += f", {leads.first_bands:,} get their first" * bool(leads.first_bands)
    return f"{_table(('', 'now', 'then'), rows)}\n\n{told}. {figures.quarantine(plan)}".rstrip()


def _automations(plan: Plan) -> Iterator[str]:
    if plan.automations:
        heads = ("automation", "fires at once", "by the edit", "a week now", "a week then", "limit")
        shown = plan.automations[: MOST["automations"]]
        table = _table(heads, map(_automation, shown))
        replay = plan.replay
        note = ""
        if replay is not None:
            note = "\n\nA week: the mean of the last eight, replayed"
            note += f" on {replay.leads:,} of {replay.everybody:,} leads." if replay.sampled else "."
        yield table + _rest(len(shown), len(plan.automations), "automations") + note


def _automation(one: AutomationEffect) -> tuple[str, ...]:
    weeks = max(1, len(one.weeks))
    old, new = (sum(getattr(week, side) for week in one.weeks) / weeks for side in ("old", "new"))
    limit = "" if one.limit is None else f"{one.limit:,}" + " ⚠️" * one.over_limit
    name = f"`{one.id}`" + f" ({one.change})" * (one.change in {"new", "removed"})
    week = (f"{old:,.0f}", f"{new:,.0f}") if one.weeks else ("", "")
    return (name, f"{one.fires:,}", f"{one.by_rules:,}", *week, limit)


def _folded(plan: Plan) -> Iterator[str]:
    if plan.histogram:
        yield _fold("How far scores move", f"```text\n{_histogram(plan)}\n```")
    shown = figures.matrix(plan.bands)
    if shown.most and max(len(shown.old), len(shown.new)) <= MOST["bands"]:
        rows = [
            (
                f"**{_text(name)}**",
                *(_cell(count, same=name == shown.new[at]) for at, count in enumerate(row)),
            )
            for name, row in zip(shown.old, shown.leads, strict=True)
        ]
        yield _fold("From band (rows) to band", _table(("", *map(_text, shown.new)), rows))
    if plan.rules:
        yield _fold("What each rule gives", _rules(plan))
    if plan.split is not None:
        heads = (_text(plan.split.attribute), "leads", "up", "down", "change band")
        groups = [
            (_text(one.value), *(f"{n:,}" for n in (one.leads, one.up, one.down, one.band_moves)))
            for one in plan.split.groups
        ]
        yield _fold(f"By {plan.split.attribute}", _table(heads, groups))
    if plan.targets:
        heads = ("target", "leads", "calls", "takes about", "fields")
        targets = [
            (
                _text(one.target) + " (shadow: nothing is written)" * (one.mode == "shadow"),
                f"{one.leads:,}",
                f"{one.calls:,}",
                figures.span(one.seconds),
                ", ".join(map(_text, one.fields)),
            )
            for one in plan.targets
        ]
        yield _fold("What the CRM gets to see", _table(heads, targets))
    idle = [f"`{rule.id}` gives nobody anything" for rule in figures.dead_rules(plan)]
    if sentences := [*map(_text, plan.unreachable), *idle]:
        yield _fold("Out of reach", "\n".join(f"- {sentence}" for sentence in sentences))


def _histogram(plan: Plan) -> str:
    most = max(bar.leads for bar in plan.histogram) or 1
    lines = []
    for bar in reversed(plan.histogram):
        low, high = figures.signed(bar.low), figures.signed(bar.high)
        name = low if low == high else f"{low} to {high}"
        length = max(round(BAR * bar.leads / most), 1 if bar.leads else 0)
        lines.append(f"{name:>14}  {'█' * length:<{BAR}}  {bar.leads:,}")
    return "\n".join(lines)


def _cell(count: int, *, same: bool) -> str:
    return "" if not count else f"{count:,}" if same else f"**{count:,}**"


def _rules(plan: Plan) -> str:
    heads = ("rule", "leads now", "leads then", "points now", "points then")
    order = figures.most_changed(plan.rules)
    shown = order[: MOST["rules"]]
    return _table(heads, map(_rule, shown)) + _rest(len(shown), len(order), "rules")


def _rule(rule: RuleEffect) -> tuple[str, ...]:
    sides = (rule.old, rule.new)
    leads = ("" if side is None else f"{side.leads:,}" for side in sides)
    points = ("" if side is None else f"{round(side.points / MILLI):,}" for side in sides)
    return (f"`{rule.id}`" + f" ({rule.change})" * (rule.change != "same"), *leads, *points)
