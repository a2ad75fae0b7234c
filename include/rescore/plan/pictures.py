"""The pictures of a plan's page: small SVG drawings that stretch with the page while their letters do not.

Across they are drawn in percent, up and down in pixels; colours are classes that the page's style sheet
fills, so that one drawing serves light, dark and paper. What is drawn is also in a table beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from markupsafe import Markup

from rescore.plan.figures import printable, signed
from rescore.plan.plan import AutomationEffect, Bar, RuleEffect, Week

LABELS, LONG_LABELS, LONG = 7, 5, 7
"""So many labels fit under an axis on a phone, fewer when one of them is longer than `LONG` characters."""
VALUES: Final = 12  # bars up to which each carries its number
THOUSAND: Final = 1000


def histogram(bars: Sequence[Bar]) -> Markup:
    """How many leads move by how much, from down to up."""
    plot, top = 190, 20
    slot = 100 / len(bars)
    most = max(bar.leads for bar in bars) or 1
    labelled = len(bars) <= VALUES
    ranges = [_range(bar) for bar in bars]
    step = -(-len(bars) // (LONG_LABELS if max(map(len, ranges)) > LONG else LABELS))
    shapes = [*_grid(most, plot, top, scale=not labelled)]
    for at, bar in enumerate(bars):
        height = _height(bar.leads, most, plot)
        x, middle, y = slot * (at + 0.12), slot * (at + 0.5), top + plot - height
        way = "up" if bar.low > 0 else "down"
        told = f"{ranges[at]} points: {_leads(bar.leads)}"
        shapes.append(_bar(way, x, y, slot * 0.76, height, told))
        if labelled and bar.leads:
            shapes.append(_text(middle, y - 6, compact(bar.leads), "value"))
        if at % step == 0:
            x, kind = (middle, "tick") if at else (0, "scale")
            shapes.append(_text(x, top + plot + 17, ranges[at], kind))
    turn = sum(bar.low < 0 for bar in bars) * slot
    if 0 < turn < 100:
        shapes.append(_line(turn, top - 8, turn, top + plot, "turn"))
    return _svg(shapes, top + plot + 26, "How many leads move by how many points")


def crossings(weeks: Sequence[Week], automation: str) -> Markup:
    """How often an automation fires, week by week, under the old and the new rules."""
    plot, top = 92, 16
    slot = 100 / len(weeks)
    most = max(max(week.old, week.new) for week in weeks) or 1
    shapes = [_line(0, top + plot, 100, top + plot, "axis")]
    for at, week in enumerate(weeks):
        for side, count in enumerate((week.old, week.new)):
            height = _height(count, most, plot)
            x, y = slot * (at + 0.14 + 0.37 * side), top + plot - height
            told = f"week to {week.until:%-d %b}: {count:,} under the {('old', 'new')[side]} rules"
            shapes.append(_bar(("old", "new")[side], x, y, slot * 0.35, height, told))
            if side and len(weeks) <= VALUES:
                shapes.append(_text(x + slot * 0.175, y - 5, compact(count), "value small"))
        if at % 2 == len(weeks) % 2:
            shapes.append(_text(slot * (at + 0.5), top + plot + 16, f"{week.until:%-d %b}", "tick"))
    return _svg(shapes, top + plot + 24, f"Crossings of {automation} a week, under the old and the new rules")


def meter(automation: AutomationEffect) -> Markup:
    """What fires at once, how much of it only by the edit, and where the limit is."""
    most = max(automation.fires, automation.limit or 0, 1) * 1.12
    own = automation.fires - automation.by_rules
    shapes = [_bar("track", 0, 8, 100, 14, "")]
    shapes.append(_bar("old", 0, 8, 100 * own / most, 14, f"{own:,} fire under the old rules, too"))
    by_rules = f"{automation.by_rules:,} fire only by the edit"
    shapes.append(_bar("new", 100 * own / most, 8, 100 * automation.by_rules / most, 14, by_rules))
    if automation.limit is not None:
        at = 100 * automation.limit / most
        shapes += [_line(at, 2, at, 28, kind) for kind in ("halo", "limit")]
    return _svg(shapes, 30, f"{automation.fires:,} crossings at once; {_limit(automation)}")


def pair(rule: RuleEffect, rules: Sequence[RuleEffect]) -> Markup:
    """What a rule gives in all, before and after, on one scale for all rules."""
    given = [side.points for one in rules for side in (one.old, one.new) if side is not None]
    low, high = min(0, *given), max(0, *given)
    reach = high - low or 1
    zero = -100 * low / reach
    shapes = [_line(zero, 0, zero, 20, "axis")] if low < 0 else []
    for at, (name, side) in enumerate((("old", rule.old), ("new", rule.new))):
        if side is not None:
            length = 100 * abs(side.points) / reach
            x = zero if side.points >= 0 else zero - length
            shapes.append(_bar(name, x, 2 + 9 * at, max(length, 0.4 if side.points else 0), 7, ""))
    return _svg(shapes, 20, f"points of {rule.id} before and after")


def bands(counts: Mapping[str, int], names: Sequence[str], what: str) -> Markup:
    """The shares of bands as one bar, from the highest band to the lowest."""
    total = sum(counts.values()) or 1
    shapes, x = [], 0.0
    for at, name in enumerate(names):
        width = 100 * counts.get(name, 0) / total
        if width:
            told = f"{name}: {_leads(counts[name])}"
            shapes.append(_bar("band", x, 0, width, 12, told, opacity=strength(at, names)))
        x += width
    return _svg(shapes, 12, what)


def strength(at: int, names: Sequence[str]) -> float:
    """How strongly a band is drawn: the highest fully, the lowest as a hint."""
    return 1 - 0.86 * at / max(1, len(names) - 1)


def compact(number: int) -> str:
    """Short enough for a narrow bar: 950, 1.2k, 48k, 1.1m."""
    for size, unit in ((THOUSAND**2, "m"), (THOUSAND, "k")):
        if number >= size:
            short = f"{number / size:.1f}" if number < 10 * size else f"{number / size:.0f}"
            return short.removesuffix(".0") + unit
    return str(number)


def _grid(most: int, plot: int, top: int, *, scale: bool) -> Iterator[Markup]:
    """Lines at nothing, half and all of the most, with their numbers where bars carry none."""
    for half in range(3):
        y = top + plot - plot * half / 2
        yield _line(0, y, 100, y, "grid" if half else "axis")
        if scale and half:
            yield _text(0, y - 4, compact(most * half // 2), "scale")


def _range(bar: Bar) -> str:
    near, far = sorted((bar.low, bar.high), key=abs)
    return signed(near) if near == far else f"{signed(near)}…{abs(far):,}"


def _leads(count: int) -> str:
    return f"{count:,} lead{'s' * (count != 1)}"


def _limit(automation: AutomationEffect) -> str:
    return "no limit" if automation.limit is None else f"limit {automation.limit:,}"


def _height(count: int, most: int, plot: int) -> float:
    """To scale, but never so low that something looks like nothing."""
    return max(plot * count / most, 1.5) if count else 0


def _svg(shapes: Sequence[Markup], height: float, label: str) -> Markup:
    return Markup('<svg role="img" aria-label="{}" width="100%" height="{}">{}</svg>').format(
        printable(label), round(height), Markup().join(shapes)
    )


def _bar(
    kind: str, x: float, y: float, width: float, height: float, told: str, *, opacity: float = 1
) -> Markup:
    title = Markup("<title>{}</title>").format(printable(told)) if told else Markup()
    faded = Markup(' fill-opacity="{:.2f}"').format(opacity) if opacity < 1 else Markup()
    return Markup(
        '<rect class="{}" x="{:.2f}%" y="{:.1f}" width="{:.2f}%" height="{:.1f}" rx="2"{}>{}</rect>'
    ).format(kind, x, y, width, height, faded, title)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.2f}%" y1="{:.1f}" x2="{:.2f}%" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2
    )


def _text(x: float, y: float, text: str, kind: str) -> Markup:
    return Markup('<text class="{}" x="{:.2f}%" y="{:.1f}">{}</text>').format(kind, x, y, text)
