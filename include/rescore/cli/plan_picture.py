"""A plan in a terminal: what happens first, then pictures that fit eighty columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rescore.plan import figures
from rescore.plan.plan import AutomationEffect, Plan

BAR = 36
MOST_RULES = 12
MOST_BANDS = 8
WIDEST_BAND = 14
LEVELS = "▁▂▃▄▅▆▇█"


def plan_picture(plan: Plan) -> RenderableType:
    """The opening line and the verdict, how scores and bands move, automations, rules, the CRM; no lead."""
    return Group(*_parts(plan))


def _parts(plan: Plan) -> Iterator[RenderableType]:
    reasons = [Text(f"· {_plain(reason)}") for reason in plan.verdict.reasons]
    leads = plan.leads
    first = f" and {leads.first_bands:,} to their first" if leads.first_bands else ""
    moves = (
        f"{leads.changed:,} of {leads.everybody:,} leads change: {leads.up:,} up, {leads.down:,} down, "
        f"{leads.band_moves:,} to another band{first}; "
        f"the mean goes from {leads.mean_old:g} to {leads.mean_new:g}"
    )
    kept_out = [Text(told)] if (told := figures.quarantine(plan)) else []
    opening = Text(_plain(plan.opening_line()), "bold")
    yield Panel(
        Group(opening, Text(moves), *kept_out, Text(), Text(figures.verdict(plan)), *reasons),
        title=f"{plan.scorecard} {figures.versions(plan)}",
        subtitle=f"as of {plan.as_of:%Y-%m-%d %H:%M} UTC, plan {plan.plan_hash[:8]}",
        title_align="left",
        subtitle_align="left",
        style="yellow" if reasons else "green",
    )
    if plan.changes:
        yield Panel(Group(*(Text(_plain(one)) for one in plan.changes)), title="changes", title_align="left")
    if plan.histogram:
        yield Panel(_histogram(plan), title="leads by how far their score moves", title_align="left")
    shown = figures.matrix(plan.bands)
    if shown.most and max(len(shown.old), len(shown.new)) <= MOST_BANDS:
        yield Panel(_matrix(shown), title="from band (rows) to band", title_align="left")
    if plan.automations:
        yield Panel(_automations(plan.automations), title="automations", title_align="left")
    if rules := [rule for rule in figures.most_changed(plan.rules) if rule.old != rule.new][:MOST_RULES]:
        table = _table("rule", "points now", "then", "leads now", "then")
        for rule in rules:
            sides = (rule.old, rule.new)
            sums = ["" if side is None else f"{side.points / 1000:,.0f}" for side in sides]
            table.add_row(
                Text(rule.id), *sums, *("" if side is None else f"{side.leads:,}" for side in sides)
            )
        yield Panel(table, title="rules that give something else", title_align="left")
    if plan.split is not None:
        table = _table("", "leads", "up", "down", "change band")
        for group in plan.split.groups:
            counts = (group.leads, group.up, group.down, group.band_moves)
            table.add_row(Text(_plain(group.value)), *(f"{count:,}" for count in counts))
        title = Text(f"by {_plain(plan.split.attribute)}")
        yield Panel(table, title=title, title_align="left")
    if plan.targets:
        table = _table("target", "leads", "calls", "takes about")
        for one in plan.targets:
            name = _plain(one.target) + " (shadow)" * (one.mode == "shadow")
            table.add_row(Text(name), f"{one.leads:,}", f"{one.calls:,}", figures.span(one.seconds))
        yield Panel(table, title="CRM", title_align="left")
    idle = [f"{rule.id} gives nobody anything" for rule in figures.dead_rules(plan)]
    if notes := [*map(_plain, plan.unreachable), *idle]:
        yield Panel(Group(*map(Text, notes)), title="out of reach", title_align="left")


def _plain(text: str) -> str:
    return figures.printable(text)


def _short(name: str) -> str:
    return _plain(name)[:WIDEST_BAND]


def _table(first: str, *others: str) -> Table:
    """Texts are added as `Text`: a square bracket in a plain one would be read as markup."""
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column(first, overflow="fold", min_width=14)
    for heading in others:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    return table


def _histogram(plan: Plan) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    most = max(bar.leads for bar in plan.histogram) or 1
    for bar in reversed(plan.histogram):
        low, high = figures.signed(bar.low), figures.signed(bar.high)
        length = max(round(BAR * bar.leads / most), 1 if bar.leads else 0)
        name = low if low == high else f"{low} to {high}"
        table.add_row(name, f"{bar.leads:,}", Text("█" * length, "green" if bar.low > 0 else "red"))
    return table


def _matrix(shown: figures.Matrix) -> Table:
    order = list(dict.fromkeys((*shown.old, *shown.new)))
    table = _table("", *map(_short, shown.new))
    for name, row in zip(shown.old, shown.leads, strict=True):
        cells = []
        for target, count in zip(shown.new, row, strict=True):
            way = order.index(target) - order.index(name)
            style = "bright_black" if not way else "green" if way < 0 else "red"
            cells.append(Text(f"{count:,}" if count else "·", style if count else "bright_black"))
        table.add_row(Text(_short(name)), *cells)
    return table


def _automations(automations: tuple[AutomationEffect, ...]) -> Table:
    table = _table("automation", "fires", "by edit", "limit", "a week", "8 weeks: now, then")
    for one in automations:
        most = max((max(week.old, week.new) for week in one.weeks), default=0) or 1
        lines = [_sparkline([week.old for week in one.weeks], most)]
        lines.append(_sparkline([week.new for week in one.weeks], most))
        table.add_row(
            Text(one.id),
            Text(f"{one.fires:,}", "bold yellow" if one.over_limit else ""),
            f"{one.by_rules:,}",
            "" if one.limit is None else f"{one.limit:,}",
            figures.signed(one.a_week) if one.weeks else "",
            " ".join(lines),
        )
    return table


def _sparkline(counts: list[int], most: int) -> str:
    return "".join(LEVELS[round((len(LEVELS) - 1) * count / most)] for count in counts)
