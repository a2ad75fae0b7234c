"""A scorer written from DESIGN.md alone: one lead at a time, one activity at a time, slow and obvious.

It shares with the engine only the scorecard's shape and the text functions that the design names.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from rescore.rules.actions import OncePer
from rescore.rules.card import (
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
    Kind,
    LeadRule,
    Linear,
    Not,
    Operator,
    QuarantineEntry,
    Range,
    Rule,
    Scorecard,
    SilenceRule,
    SoonAfter,
    Steps,
)
from rescore.text import fold, words

Row = Mapping[str, Any]
RELEASED = "rescore_quarantine_released"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

RESERVED = {
    "rescore_deleted": "deleted",
    "rescore_objection": "objection",
    "rescore_objection_noted": "objection",
}
"""Who is marked with one of these is outside every audience, and why."""


def reference_scores(
    card: Scorecard,
    leads: Iterable[Row],
    activities: Iterable[Row],
    *,
    as_of: datetime,
    known_as_of: datetime | None = None,
) -> list[dict[str, Any]]:
    """What `rescore.scoring.engine.score` has to give, as a list of rows in the order of `leads`."""
    leads = list(leads)
    by_lead: dict[str, list[Row]] = defaultdict(list)
    for activity in _latest_of_each(activities):
        known_in_time = known_as_of is None or activity["known_at"] <= _naive(known_as_of)
        if activity["occurred_at"] <= _naive(as_of) and known_in_time:
            by_lead[activity["lead"]].append(activity)
    calendar = _Calendar(card.timezone, as_of, {named.id: named.values for named in card.lists})
    for lead in leads:
        by_lead[lead["lead"]] = _left(card, lead, by_lead[lead["lead"]], calendar)
    return [
        _score_lead(card, lead, by_lead[lead["lead"]], _done_at(lead, leads, by_lead), as_of)
        for lead in leads
    ]


def _left(card: Scorecard, lead: Row, activities: list[Row], calendar: "_Calendar") -> list[Row]:
    """What no entry of the quarantine takes; of a lead that a person released, everything."""
    if _flag(lead.get(RELEASED)):
        return activities
    return [
        activity
        for activity in activities
        if not any(_takes(entry, activity, activities, calendar) for entry in card.quarantine)
    ]


def _takes(entry: QuarantineEntry, one: Row, activities: list[Row], calendar: "_Calendar") -> bool:
    matching = [a for a in activities if a["type"] in entry.activities and _holds(entry.where, a, calendar)]
    if not any(activity is one for activity in matching):
        return False
    at = one["occurred_at"]
    match entry.pattern:
        case None:
            return True
        case SoonAfter(types, seconds):
            before = timedelta(seconds=seconds)
            return any(a["type"] in types and at - before <= a["occurred_at"] <= at for a in activities)
        case Burst(count, seconds, field):
            length = timedelta(seconds=seconds)
            ends = [a["occurred_at"] for a in matching]
            for start in [*ends, *(end - length for end in ends)]:
                inside = [a for a in matching if start <= a["occurred_at"] <= start + length]
                values = {_comparable(a.get(field)) for a in inside} - {None}
                enough = (len(inside) if field is None else len(values)) >= count
                if enough and start <= at <= start + length:
                    return True
            return False


def _done_at(lead: Row, leads: Sequence[Row], by_lead: Mapping[str, list[Row]]) -> list[Row]:
    """What all leads of the lead's account did, or it alone where it has none; withheld leads did nothing."""
    if _is_withheld(lead):
        return []
    mine = account_of(lead)
    if not mine:
        return by_lead[lead["lead"]]
    together = [one for one in leads if account_of(one) == mine and not _is_withheld(one)]
    return [activity for one in together for activity in by_lead[one["lead"]]]


def account_of(lead: Mapping[str, Any]) -> str:
    """What leads of one account share; empty for none."""
    return (_text(lead.get("account")) or "").strip(" \t")


def _is_withheld(lead: Row) -> bool:
    return any(_flag(lead.get(name)) for name in RESERVED)


def _latest_of_each(activities: Iterable[Row]) -> Iterable[Row]:
    latest: dict[tuple[str, str], Row] = {}
    for activity in activities:
        key = (activity["source"], activity["activity_id"])
        if key not in latest or activity["known_at"] > latest[key]["known_at"]:
            latest[key] = activity
    return latest.values()


def _score_lead(
    card: Scorecard, lead: Row, activities: Sequence[Row], of_account: Sequence[Row], as_of: datetime
) -> dict[str, Any]:
    calendar = _Calendar(card.timezone, as_of, {named.id: named.values for named in card.lists})
    restarted_at = _restarted_at(card, activities, calendar)
    points = {}
    for rule in card.rules:
        history = of_account if getattr(rule, "scope", "lead") == "account" else activities
        points[rule.id] = _rule_points(rule, lead, history, calendar, _discount(card, rule, restarted_at))
    sums = {
        dimension.id: _clamp(
            sum(points[rule.id] for rule in card.rules if rule.dimension == dimension.id), dimension.range
        )
        for dimension in card.dimensions
    }
    total = _clamp(sum(sums[d.id] for d in card.dimensions if d.in_total), card.total)
    inside = _holds(card.audience, lead, calendar) and not _is_withheld(lead)
    score = _round(Fraction(total, 1000)) if inside else None
    row: dict[str, Any] = {"lead": lead["lead"], "score": score, "band": None, "grade": None}
    row["restarted_at"] = restarted_at
    if score is not None:
        reached = [band for band in card.bands if Fraction(band.bound, 1000) <= score]
        row["band"] = max(reached, key=lambda band: band.bound).id if reached else None
        row["grade"] = _grade(card, {name: _round(Fraction(value, 1000)) for name, value in sums.items()})
    row |= {name: _round(Fraction(value, 1000)) if inside else None for name, value in sums.items()}
    row |= points
    for rule in card.rules:
        if isinstance(rule, FirstOfRule):
            row[f"{rule.id}__choice"] = _choice(rule, lead, calendar)
    if any(name in lead for name in RESERVED):
        row["withheld"] = next((why for name, why in RESERVED.items() if _flag(lead.get(name))), None)
    for automation in card.automations:
        for name in ("unless", "already_fired"):
            asked = getattr(automation, name)
            if asked is not None:
                row[f"{automation.id}__{name}"] = _holds(asked, lead, calendar)
        if automation.once_per is not None:
            row[f"{automation.id}__once"] = _account(automation.once_per, card, lead)
    return row


def _grade(card: Scorecard, points: Mapping[str, int]) -> str | None:
    grade = card.grades.label if card.grades else None
    for dimension, bands in card.grades.dimensions if card.grades else ():
        reached = [band for band in bands if Fraction(band.bound, 1000) <= points[dimension]]
        if not reached or grade is None:
            return None
        grade = grade.replace("{" + dimension + "}", max(reached, key=lambda band: band.bound).id)
    return grade


def _restarted_at(card: Scorecard, activities: Sequence[Row], calendar: "_Calendar") -> datetime | None:
    restart = card.restart
    return max(
        (
            activity["occurred_at"]
            for activity in activities
            if restart
            and activity["type"] in restart.activities
            and _holds(restart.where, activity, calendar)
        ),
        default=None,
    )


def _discount(card: Scorecard, rule: Rule, restarted_at: datetime | None) -> tuple[datetime, Fraction]:
    """What happened before this time counts by this share."""
    if card.restart is None or restarted_at is None or rule.dimension not in card.restart.dimensions:
        return datetime.min, Fraction(1)  # noqa: DTZ901  naive UTC throughout
    return restarted_at, card.restart.keep


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────


def _rule_points(
    rule: Rule,
    lead: Row,
    activities: Sequence[Row],
    calendar: "_Calendar",
    discount: tuple[datetime, Fraction],
) -> int:
    if isinstance(rule, LeadRule):
        return rule.points if _holds(rule.condition, lead, calendar) else 0
    if isinstance(rule, FirstOfRule):
        choice = _choice(rule, lead, calendar)
        return 0 if choice is None else rule.choices[choice].points
    matching = [
        activity
        for activity in activities
        if activity["type"] in rule.activities and _holds(rule.where, activity, calendar)
    ]
    if isinstance(rule, ActivityRule):
        return _activity_points(rule, matching, calendar, discount)
    matching = [activity for activity in matching if activity["occurred_at"] >= discount[0]]
    if isinstance(rule, FrequencyRule):
        return rule.points if _frequency(rule, matching, calendar) >= rule.at_least else 0
    assert isinstance(rule, SilenceRule)
    recent = [a for a in matching if calendar.age(a["occurred_at"]) < rule.none_within]
    return rule.points if matching and not recent else 0


def _choice(rule: FirstOfRule, lead: Row, calendar: "_Calendar") -> int | None:
    for index, choice in enumerate(rule.choices):
        if _holds(choice.when, lead, calendar):
            return index
    return None


def _activity_points(
    rule: ActivityRule, matching: list[Row], calendar: "_Calendar", discount: tuple[datetime, Fraction]
) -> int:
    # "newest" goes by the local day first: in a handful of nights before 2012 two zones set their clocks
    # back across midnight, and there a later time has an earlier day
    newest_first = sorted(
        matching,
        key=lambda a: (
            calendar.age(a["occurred_at"]),
            -_micros(a["occurred_at"]),
            a["source"],
            a["activity_id"],
        ),
    )
    kept = newest_first
    if rule.limit.first:
        kept = newest_first[-1:]
    elif rule.limit.count is not None and rule.limit.per_day:
        kept, days = [], defaultdict(int)
        for activity in newest_first:
            day = calendar.local_day(activity["occurred_at"])
            days[day] += 1
            if days[day] <= rule.limit.count:
                kept.append(activity)
    elif rule.limit.count is not None:
        kept = newest_first[: rule.limit.count]
    restarted_at, share = discount
    total = sum(
        worth(
            rule.points,
            rule.decay,
            calendar.age(activity["occurred_at"]),
            share if activity["occurred_at"] < restarted_at else Fraction(1),
        )
        for activity in kept
    )
    if rule.limit.points is not None:
        total = max(-rule.limit.points, min(rule.limit.points, total))
    return total


def _frequency(rule: FrequencyRule, matching: Sequence[Row], calendar: "_Calendar") -> int:
    recent = [a for a in matching if calendar.age(a["occurred_at"]) < rule.within]
    if rule.measure == "count":
        return len(recent)
    if rule.measure == "days":
        return len({calendar.local_day(a["occurred_at"]) for a in recent})
    if rule.measure == "people":
        return len({a["lead"] for a in recent})
    values = [_comparable(a.get(rule.field)) for a in recent]
    return len({value for value in values if value is not None})


def _comparable(value: Any) -> Any:
    if isinstance(value, str):
        return fold(value) or None
    return value if _exists(value) else None


# ── worth ────────────────────────────────────────────────────────────────────────────────────────────


@cache
def worth(whole: int, decay: Decay, age: int, share: Fraction = Fraction(1)) -> int:
    """Thousandths of one activity: points x w(age) x share, exactly, then rounded half away from zero."""
    points = whole * share
    age = min(max(age, 0), 36_525)
    if decay.expires is not None and age >= decay.expires:
        return 0
    match decay.shape:
        case None:
            return _round(points)
        case HalfLife(days):
            size = _half_life(abs(points), age, days)
            return size if points > 0 else -size
        case Linear(days):
            return _round(points * max(Fraction(0), 1 - Fraction(age, days)))
        case Steps(steps):
            keep = Fraction(1)
            for after, share in sorted(steps):
                if after <= age:
                    keep = share
            return _round(points * keep)


def _half_life(points: Fraction, age: int, days: int) -> int:
    """The largest n with n - 1/2 <= points x 0.5^(age/days): both sides to the power `days` are whole."""
    low, high = 0, math.ceil(points)
    while low < high:
        n = (low + high + 1) // 2
        if (2 * n - 1) ** days * 2**age <= (2 * points) ** days:
            low = n
        else:
            high = n - 1
    return low


def _round(exact: Fraction | int) -> int:
    exact = Fraction(exact)
    size = math.floor(abs(exact) + Fraction(1, 2))
    return size if exact >= 0 else -size


def _clamp(points: int, bounds: Range) -> int:
    if bounds.ceiling is not None:
        points = min(points, bounds.ceiling)
    if bounds.floor is not None:
        points = max(points, bounds.floor)
    return points


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────


def _holds(condition: Condition, row: Row, calendar: "_Calendar") -> bool:
    match condition:
        case AllOf(parts):
            return all(_holds(part, row, calendar) for part in parts)
        case AnyOf(parts):
            return any(_holds(part, row, calendar) for part in parts)
        case Not(part):
            return not _holds(part, row, calendar)
        case Comparison():
            return _compares(condition, row.get(condition.field), calendar)


def _compares(comparison: Comparison, value: Any, calendar: "_Calendar") -> bool:
    literals = comparison.values
    if comparison.operator is Operator.EXISTS:
        return _exists(value) == literals[0]
    if not _exists(value):
        return False
    if comparison.operator in {Operator.NEWER_THAN, Operator.OLDER_THAN}:
        age = calendar.age_of_field(value)
        if age is None:
            return False
        newer = age < literals[0]
        return newer if comparison.operator is Operator.NEWER_THAN else not newer
    if comparison.operator is Operator.IN_LIST:
        return _text(value) in calendar.lists[str(literals[0])]
    if comparison.operator is Operator.DOMAIN_IN_LIST:
        return _domain_in(value, calendar.lists[str(literals[0])])
    if comparison.kind is Kind.TEXT:
        return _compares_text(comparison.operator, value, [fold(str(literal)) for literal in literals])
    if comparison.kind is Kind.FLAG:
        return _flag(value) is not None and _flag(value) in literals
    number = _number(value)
    return number is not None and _compares_number(comparison.operator, number, [float(x) for x in literals])


def _exists(value: Any) -> bool:
    if value is None or value == "":
        return False
    return not isinstance(value, float) or math.isfinite(value)


def _compares_text(operator: Operator, value: Any, literals: list[str]) -> bool:
    text = _text(value)
    if text is None:
        return False
    match str(operator).removesuffix("_any"):
        case "equals" | "in":
            return text in literals
        case "contains":
            return any(literal in text for literal in literals)
        case "starts_with":
            return any(text.startswith(literal) for literal in literals)
        case "ends_with":
            return any(text.endswith(literal) for literal in literals)
    found = list(words(text))
    return any(_is_run(list(words(literal)), found) for literal in literals)


def _domain_in(value: Any, domains: frozenset[str]) -> bool:
    if not isinstance(value, str):
        return False
    domain = _domain(value)
    return any(domain == entry or domain.endswith(f".{entry}") for entry in domains)


def _account(once: OncePer, card: Scorecard, lead: Mapping[str, Any]) -> str | None:
    """The hash of what stands for the lead's account."""
    if once.key == "account":
        value = lead.get("account")
        said = "" if value is None or isinstance(value, bool) else fold(str(value)).strip(" \t")
    else:
        value = lead.get("email_domain")
        said = _domain(value) if isinstance(value, str) else ""
        listed = {values.id: values.values for values in card.lists}.get(once.unless_in or "", frozenset())
        if _domain_in(value, listed):
            return None
    return sha256(f"{once.key}|{said}".encode()).hexdigest() if said else None


def _domain(value: str) -> str:
    domain = fold(value)
    if "://" in domain:
        domain = re.split(r"[/?#]", domain.split("://", 1)[1])[0]
    domain = domain.split("@")[-1].strip(" \t")
    return re.split(r"[/?#:> \t]", domain)[0].rstrip(".")


def _is_run(run: list[str], found: list[str]) -> bool:
    return any(found[start : start + len(run)] == run for start in range(len(found) - len(run) + 1))


def _compares_number(operator: Operator, number: float, literals: list[float]) -> bool:
    match operator:
        case Operator.EQUALS | Operator.IN:
            return number in literals
        case Operator.AT_LEAST:
            return number >= literals[0]
        case Operator.AT_MOST:
            return number <= literals[0]
        case Operator.ABOVE:
            return number > literals[0]
        case Operator.BELOW:
            return number < literals[0]
        case Operator.BETWEEN:
            return literals[0] <= number <= literals[1]
    raise AssertionError(operator)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return fold(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value == int(value) and abs(value) <= 2**53 else None


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(fold(value).strip(" \t"))
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return float(value)
    if isinstance(value, str) and re.fullmatch(
        r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", value.strip(" \t")
    ):
        number = float(value.strip(" \t"))
        return number if math.isfinite(number) else None
    return None


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────


class _Calendar:
    """Local days of one zone, as ordinals, seen from one scoring time; and the lists that conditions name."""

    def __init__(self, zone: ZoneInfo, as_of: datetime, lists: Mapping[str, frozenset[str]]) -> None:
        self.lists = lists
        self._zone = zone
        self._today = as_of.astimezone(zone).date().toordinal()

    def local_day(self, moment: datetime) -> int:
        aware = moment.replace(tzinfo=UTC)
        if aware < EPOCH:  # before 1970 the offset of 1970 counts
            offset = EPOCH.astimezone(self._zone).utcoffset()
            assert offset is not None
            return (aware + offset).date().toordinal()
        if aware.year >= 9999:
            return aware.date().toordinal()
        return aware.astimezone(self._zone).date().toordinal()

    def age(self, moment: datetime) -> int:
        return self._today - self.local_day(moment)

    def age_of_field(self, value: Any) -> int | None:
        day = self._day(value)
        return None if day is None else self._today - day

    def _day(self, value: Any) -> int | None:
        if isinstance(value, datetime):
            return self.local_day(value)
        if isinstance(value, date):
            return value.toordinal()
        if not isinstance(value, str):
            return None
        text = value.strip(" \t")
        if re.fullmatch(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}", text):
            return _ordinal(text)
        parts = re.fullmatch(
            r"([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]+)?"
            r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))?",
            text,
        )
        if parts is None or _ordinal(parts[1]) is None:
            return None
        hour, minute, second, ahead, behind = (int(parts[index] or 0) for index in (2, 3, 4, 6, 7))
        if hour > 23 or minute > 59 or second > 59 or ahead > 23 or behind > 59:
            return None
        offset = timedelta(hours=ahead, minutes=behind) * (-1 if parts[5] == "-" else 1)
        midnight = datetime.fromordinal(_ordinal(parts[1]) or 0)
        try:
            return self.local_day(midnight + timedelta(hours=hour, minutes=minute, seconds=second) - offset)
        except OverflowError:
            return date.max.toordinal() + 1


def _ordinal(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001  naive UTC throughout
