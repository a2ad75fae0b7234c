"""The values a rules file counts with: points in thousandths, durations in days or seconds, shares."""

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final, TypeGuard

from pydantic import PlainValidator, WithJsonSchema

from rescore.model import MILLI
from rescore.strict.messages import described
from rescore.strict.model import refuse

MAX_POINTS: Final = 100_000
MAX_DAYS: Final = 3660  # ten years: a table of what an activity is worth has a row for every day
DURATION: Final = re.compile(r"([0-9]{1,6})([dw])")
UNIT: Final = {"d": 1, "w": 7}
SPAN: Final = re.compile(r"([0-9]{1,5})([smh])")
SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
MAX_SPAN: Final = 24 * 3600  # longer ones are days, which rules count with
PERCENT: Final = re.compile(r"(100|[0-9]{1,2}(?:\.[0-9]{1,3})?)%")


def is_number(value: Any) -> TypeGuard[int | Decimal]:
    """A number of the file; flags are none, whatever Python says."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def days_of(value: Any, *, at_least: int = 1) -> int | str:
    """Days of `14d` or `2w`; or what is wrong, with `{name}` for the key it belongs to."""
    if is_number(value) and value == int(value):
        return f"`{{name}}` has no unit; write `{{name}}: {value}d`"
    if not isinstance(value, str):
        return (
            f"`{{name}}` takes a duration, not {described(value)}; write days or weeks, such as `14d` or `2w`"
        )
    if not (parts := DURATION.fullmatch(value)):
        if value.isdigit():
            return f"`{{name}}` has no unit; write `{{name}}: {value[:6]}d`"
        return f"`{{name}}` cannot be {described(value)}; write whole days or weeks, such as `14d` or `2w`"
    days = int(parts[1]) * UNIT[parts[2]]
    if not at_least <= days <= MAX_DAYS:
        return f"`{{name}}` is {days} days; write {at_least} to {MAX_DAYS}"
    return days


def seconds_of(value: Any) -> int | str:
    """Seconds of `10s`, `2m` or `1h`; or what is wrong."""
    if is_number(value) and value == int(value):
        return f"`{{name}}` has no unit; write `{{name}}: {value}s`"
    parts = SPAN.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        return (
            f"`{{name}}` cannot be {described(value)}; write whole seconds, minutes or hours, such as `10s`, "
            "`2m` or `1h`"
        )
    seconds = int(parts[1]) * SECONDS[parts[2]]
    if not 1 <= seconds <= MAX_SPAN:
        return f"`{{name}}` is {value}; write `1s` to `24h`"
    return seconds


def thousandths_of(value: Any) -> int | str:
    """Thousandths of a point; or what is wrong."""
    if not is_number(value):
        way_out = "write it without quotes" if isinstance(value, str) else "write a number"
        return f"`{{name}}` takes points, not {described(value)}; {way_out}"
    if not -MAX_POINTS <= value <= MAX_POINTS:
        return f"`{{name}}` is {value}; write at most {MAX_POINTS} points"
    exact = Decimal(value) * MILLI
    if exact != exact.to_integral_value():
        return f"`{{name}}` is {value}; points have at most three decimals"
    return int(exact)


def _positive_thousandths(value: Any) -> int | str:
    read = thousandths_of(value)
    if isinstance(read, int) and read <= 0:
        return f"`{{name}}` is {value}; write a number above 0"
    return read


def share_of(value: Any) -> Fraction | str:
    """The exact share that is kept, of a number or of `25%`; or what is wrong."""
    percent = PERCENT.fullmatch(value) if isinstance(value, str) else None
    share = Fraction(percent[1]) / 100 if percent else Fraction(value) if is_number(value) else None
    if share is None or not 0 <= share <= 1:
        return f"`{{name}}` takes a number from 0 to 1, not {described(value)}; write `0.5` or `50%` for half"
    return share


def _or_refuse(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def validate(value: Any) -> Any:
        result = read(value)
        if isinstance(result, str):
            refuse(result)
        return result

    return validate


DURATION_SCHEMA: Final = {
    "type": "string",
    "pattern": "^[0-9]{1,6}[dw]$",
    "description": "Whole days or weeks: 14d, 2w.",
}
Days = Annotated[int, PlainValidator(_or_refuse(days_of)), WithJsonSchema(DURATION_SCHEMA)]
Span = Annotated[
    int,
    PlainValidator(_or_refuse(seconds_of)),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{SPAN.pattern}$",
            "description": "Whole seconds, minutes or hours: 10s, 2m, 1h; at most 24h.",
        }
    ),
]
Points = Annotated[
    int,
    PlainValidator(_or_refuse(thousandths_of)),
    WithJsonSchema(
        {
            "type": "number",
            "minimum": -MAX_POINTS,
            "maximum": MAX_POINTS,
            "description": "At most three decimals.",
        }
    ),
]
PositivePoints = Annotated[
    int,
    PlainValidator(_or_refuse(_positive_thousandths)),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": MAX_POINTS}),
]
Share = Annotated[
    Fraction,
    PlainValidator(_or_refuse(share_of)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": f"^{PERCENT.pattern}$"},
            ]
        }
    ),
]
