"""The parts of a scorecard in the words of the people who read about them: plans, diffs, warnings."""

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from rescore.model import MILLI
from rescore.rules.card import (
    ALWAYS,
    ActivityRule,
    AllOf,
    AnyOf,
    Burst,
    Comparison,
    Condition,
    Decay,
    FirstOfRule,
    FrequencyRule,
    HalfLife,
    LeadRule,
    Limit,
    Linear,
    Not,
    Operator,
    QuarantineEntry,
    Rule,
    Scalar,
    SilenceRule,
    SoonAfter,
    Steps,
)

PHRASES: Final = {
    Operator.EQUALS: "is",
    Operator.IN: "is one of",
    Operator.CONTAINS: "contains",
    Operator.CONTAINS_ANY: "contains any of",
    Operator.STARTS_WITH: "starts with",
    Operator.STARTS_WITH_ANY: "starts with any of",
    Operator.ENDS_WITH: "ends with",
    Operator.ENDS_WITH_ANY: "ends with any of",
    Operator.HAS_WORD: "has the word",
    Operator.HAS_ANY_WORD: "has any word of",
    Operator.AT_LEAST: "at least",
    Operator.AT_MOST: "at most",
    Operator.ABOVE: "above",
    Operator.BELOW: "below",
    Operator.BETWEEN: "between",
    Operator.IS: "is",
    Operator.EXISTS: "is known",
    Operator.NEWER_THAN: "newer than",
    Operator.OLDER_THAN: "older than",
    Operator.IN_LIST: "is in the list",
    Operator.DOMAIN_IN_LIST: "has its domain in the list",
}
PLAIN: Final = re.compile(r"(?!(true|false)$)[^\W\d_][\w.@+-]*|/[\w./+-]*", re.IGNORECASE)
WHOSE: Final = {"lead": "", "account": "of the account"}
DAYS: Final = {Operator.NEWER_THAN, Operator.OLDER_THAN}


def number(exact: int | Decimal | Fraction) -> str:
    """Exact, without needless zeros."""
    if isinstance(exact, Fraction):
        exact = Decimal(exact.numerator) / Decimal(exact.denominator)
    written = format(Decimal(exact) or Decimal(0), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def points(thousandths: int, *, signed: bool = False) -> str:
    """Exact points: 6163 -> 6.163, -500 -> -0.5; `signed`: +5."""
    whole, rest = divmod(abs(thousandths), MILLI)
    sign = "-" if thousandths < 0 else "+" * (signed and thousandths > 0)
    return f"{sign}{whole}" + (f".{rest:03}".rstrip("0") if rest else "")


def with_unit(thousandths: int, *, signed: bool = False) -> str:
    """Points with their unit: `1 point`, `+2.5 points`."""
    return f"{points(thousandths, signed=signed)} point{'s' * (abs(thousandths) != MILLI)}"


def bound(thousandths: int | None) -> str:
    """A floor or a ceiling; none is `none`."""
    return "none" if thousandths is None else points(thousandths)


def share(kept: Fraction) -> str:
    """A share as a percentage."""
    return f"{number(kept * 100)}%"


def days(count: int) -> str:
    """A duration as the rules file writes it."""
    return f"{count}d"


def span(seconds: int) -> str:
    """A short duration as the rules file writes it: 10s, 2m, 1h."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def quoted(text: str) -> str:
    """A text as it is when it cannot be misread, else in quotes."""
    return text if PLAIN.fullmatch(text) else f"“{text}”"


def either(texts: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    *others, last = texts
    return f"{', '.join(others)} or {last}" if others else last


def literal(operator: Operator, value: Scalar) -> str:
    """One value that a comparison names."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case int() if operator in DAYS:
            return days(value)
        case _:
            return number(value)


def condition(meant: Condition) -> str:
    """A condition as a clause: `asset starts with /pricing and value at least 5`."""
    match meant:
        case Comparison():
            return _comparison(meant)
        case AllOf(parts):
            return " and ".join(map(_inner, parts)) if parts else "always"
        case AnyOf(parts):
            return " or ".join(map(_inner, parts)) if parts else "never"
        case Not(part):
            return f"not {_inner(part)}"


def _inner(part: Condition) -> str:
    return condition(part) if isinstance(part, Comparison | Not) else f"({condition(part)})"


def _comparison(comparison: Comparison) -> str:
    field, operator = quoted(comparison.field), comparison.operator
    texts = [literal(operator, value) for value in comparison.values]
    if operator is Operator.EXISTS:
        return f"{field} is {'known' if comparison.values[0] else 'missing'}"
    if operator is Operator.BETWEEN:
        return f"{field} between {texts[0]} and {texts[-1]}"
    return f"{field} {PHRASES[operator]} {', '.join(texts)}"


def limit(meant: Limit) -> str:
    """What of a rule counts; `none` without a limit."""
    parts = ["only the first"] * meant.first
    if meant.count is not None:
        parts.append(f"the newest {meant.count:,}" + " of each day" * meant.per_day)
    if meant.points is not None:
        parts.append(f"at most {with_unit(meant.points)}")
    return ", ".join(parts) or "none"


def shape(meant: HalfLife | Linear | Steps | None) -> str:
    """How worth falls with age."""
    match meant:
        case None:
            return "none"
        case HalfLife(length):
            return f"half-life {days(length)}"
        case Linear(length):
            return f"linear {days(length)}"
        case Steps(steps):
            return "steps " + ", ".join(f"{share(keep)} after {days(after)}" for after, keep in steps)


def decay(meant: Decay) -> str:
    """How worth falls with age and when it ends; `none` where it never does."""
    parts = [shape(meant.shape)] * (meant.shape is not None)
    if meant.expires is not None:
        parts.append(f"expires {days(meant.expires)}")
    return ", ".join(parts) or "none"


def how_often(rule: FrequencyRule) -> str:
    """What a frequency rule asks for: `on 3 days within 7d`."""
    match rule.measure:
        case "count":
            what = f"{rule.at_least:,} times"
        case "days":
            what = f"on {rule.at_least:,} days"
        case "people":
            what = f"by {rule.at_least:,} people"
        case "distinct":
            what = f"with {rule.at_least:,} different values of {quoted(rule.field or '')}"
    return f"{what} within {days(rule.within)}"


def rule(meant: Rule) -> str:
    """A whole rule: `+5 points for each page_view where asset starts with /pricing, the newest 6`."""
    match meant:
        case ActivityRule():
            text = f"{with_unit(meant.points, signed=True)} for each {_what(meant)}"
            text += f", {limit(meant.limit)}" * (limit(meant.limit) != "none")
            return text + f", {decay(meant.decay)}" * (decay(meant.decay) != "none")
        case FrequencyRule():
            return f"{with_unit(meant.points, signed=True)} for {_what(meant)}, {how_often(meant)}"
        case SilenceRule():
            silence = days(meant.none_within)
            return f"{with_unit(meant.points, signed=True)} after {silence} without {_what(meant)}"
        case LeadRule():
            return f"{with_unit(meant.points, signed=True)} while {condition(meant.condition)}"
        case FirstOfRule():
            return "the first of: " + "; ".join(
                f"{with_unit(choice.points, signed=True)} if {condition(choice.when)}"
                for choice in meant.choices
            )


def pattern(meant: Burst | SoonAfter | None) -> str:
    """Which of the matching activities a quarantine takes: `4 of them within 10s`."""
    match meant:
        case None:
            return "all of them"
        case SoonAfter():
            return f"within {span(meant.within)} after {either(map(quoted, meant.activities))}"
        case Burst(field=None):
            return f"{meant.count:,} of them within {span(meant.within)}"
        case Burst():
            values = f"different values of {quoted(meant.field or '')}"
            return f"{meant.count:,} {values} within {span(meant.within)}"


def quarantined(meant: QuarantineEntry) -> str:
    """What an entry takes: `email_click where channel is email, 4 of them within 10s`."""
    return _what(meant) + (f", {pattern(meant.pattern)}" if meant.pattern else "")


def _what(meant: ActivityRule | FrequencyRule | SilenceRule | QuarantineEntry) -> str:
    what = either(quoted(name) for name in meant.activities)
    if not isinstance(meant, QuarantineEntry):
        what += f" {WHOSE[meant.scope]}".rstrip()
    return what if meant.where == ALWAYS else f"{what} where {condition(meant.where)}"
