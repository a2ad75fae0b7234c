"""Values as Tryton's JSON writes them, and as an attribute, a text that is shown, or a condition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from rescore.connectors.base import FieldValue
from rescore.lake.records import AttributeValue
from rescore.mapping import AttributeType

PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
KINDS: dict[str, type[Any] | tuple[type[Any], ...]] = {
    "flag": bool,
    "number": (int, float, Decimal),
    "date": (date, datetime),
    "timestamp": datetime,
}


def moment(value: datetime) -> dict[str, Any]:
    """A moment as Tryton reads it: UTC, in parts."""
    utc = value.astimezone(UTC)
    return {"__class__": "datetime", **{part: getattr(utc, part) for part in PARTS}}


def decoded(value: Mapping[str, Any]) -> Any:
    """What an object of Tryton's JSON stands for; itself where it is an object only. For `json.loads`.

    Raises:
        ValueError: A moment beyond the calendar, or a number that is none.
    """
    try:
        match value.get("__class__"):
            case "datetime":
                return datetime(**{part: int(value[part]) for part in PARTS}, tzinfo=UTC)
            case "date":
                return date(*(int(value[part]) for part in PARTS[:3]))
            case "Decimal":
                return Decimal(value["decimal"])
            case "timedelta":
                return float(value["seconds"])
    except (KeyError, TypeError, ArithmeticError):
        raise ValueError(f"no {value['__class__']}") from None
    return value


def read_plain(value: Any, kind: AttributeType) -> AttributeValue:
    """One value of a field, which is not empty.

    Raises:
        ValueError: It is not what the mapping says.
    """
    if kind == "text":
        if isinstance(value, dict | list):
            raise ValueError("not a single value")
        return text(value)
    if not isinstance(value, KINDS[kind]) or (kind == "number" and isinstance(value, bool)):
        raise ValueError(f"not a {kind}")
    if kind == "number":
        if not math.isfinite(value):
            raise ValueError("not finite")
        return float(value)
    if kind == "date":
        return value.date() if isinstance(value, datetime) else value
    found: AttributeValue = value
    return found


def text(value: Any) -> str | None:
    """As a text that is shown; None where there is nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


def written(value: FieldValue) -> Any:
    """A value of ours for Tryton, whose moments have whole seconds."""
    return moment(value.replace(microsecond=0)) if isinstance(value, datetime) else value


def at_path(row: Mapping[str, Any], path: str) -> Any:
    """What a row holds at a dotted path: `party.addresses.city`; of several records the first value."""
    first, _, rest = path.partition(".")
    if not rest:
        return row.get(first)
    related = row.get(f"{first}.")
    for one in related if isinstance(related, list) else [related]:
        value = at_path(one, rest) if isinstance(one, Mapping) else None
        if value not in (None, ""):
            return value
    return None


def says_yes(value: Any) -> bool:
    """Anything a person may have put there but a clear no: whom we are not sure of is not profiled."""
    return str(text(value) or "").strip().lower() not in ("", "false", "no", "0")
