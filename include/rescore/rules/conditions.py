"""Conditions as people write them: `field: {operator: value}`, with `all`, `any` and `not` around them."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from rescore.rules.card import (
    ALWAYS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Kind,
    Not,
    Operator,
    Scalar,
)
from rescore.rules.list_use import OF_LISTS
from rescore.rules.lists import no_domain
from rescore.rules.moments import is_moment
from rescore.rules.names import FIELD, Names
from rescore.rules.values import days_of, is_number
from rescore.strict.messages import described
from rescore.strict.model import Path, Trouble, did_you_mean, nearest, refuse_all
from rescore.text import fold, words

MAX_NESTING: Final = 5  # `all`, `any` and `not` inside each other; nobody can read more
MAX_TEXT: Final = 500

ONE_TEXT: Final = {Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.HAS_WORD}
MANY_TEXTS: Final = {
    Operator.CONTAINS_ANY: Operator.CONTAINS,
    Operator.STARTS_WITH_ANY: Operator.STARTS_WITH,
    Operator.ENDS_WITH_ANY: Operator.ENDS_WITH,
    Operator.HAS_ANY_WORD: Operator.HAS_WORD,
}
NUMBERS: Final = [Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE, Operator.BELOW]
SCORE_OPERATORS: Final = [Operator.EQUALS, Operator.IN, *NUMBERS, Operator.BETWEEN]
LABELS: Final = ("band", "grade")
BAND_OPERATORS: Final = [Operator.EQUALS, Operator.IN]
AROUND: Final = ("all", "any", "not")
ELSEWHERE: Final = {
    "gte": "at_least",
    "min": "at_least",
    "gt": "above",
    "greater_than": "above",
    "lte": "at_most",
    "max": "at_most",
    "lt": "below",
    "less_than": "below",
    "eq": "equals",
    "one_of": "in",
    "any_of": "in",
    "begins_with": "starts_with",
    "includes": "contains",
    "is_set": "exists",
    "matches": "contains_any",
    "regex": "contains_any",
    "within": "newer_than",
}


class About(Enum):
    """What a condition speaks of."""

    FACTS = "the fields of an activity, or the attributes of a lead"
    SCORES = "`score`, `band`, `grade` and dimensions"


class _Reader:
    """Reads one condition and notes everything wrong with it.

    What stands under a misspelt word is read as if it were the word that is meant.
    """

    def __init__(self, about: About, names: Names) -> None:
        self.troubles: list[Trouble] = []
        self._about = about
        self._names = names

    def condition(self, value: Any, path: Path, depth: int = 0) -> Condition:
        if depth > MAX_NESTING:
            return self._bad(path, f"conditions nest more than {MAX_NESTING} deep; flatten them")
        if not isinstance(value, dict):
            message = (
                f"`{{name}}` takes conditions, not {described(value)}; write one such as {self._sample()}"
            )
            return self._bad(path, message)
        if not value:
            return self._bad(path, f"`{{name}}` is empty; write a condition such as {self._sample()}")
        parts = tuple(self._entry(key, item, (*path, key), depth) for key, item in value.items())
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _entry(self, key: str, value: Any, path: Path, depth: int) -> Condition:
        if meant := _meant_around(key, value):
            message = f"`{key}` is no word around conditions; did you mean `{meant}`?"
            self._bad(path, message, at_key=True)
            key = meant
        if key == "not":
            return Not(self.condition(value, path, depth + 1))
        if key not in AROUND:
            return self._field(key, value, path)
        if not isinstance(value, list) or not value:
            return self._bad(
                path, f"`{key}` takes a list of conditions; write `{key}: [{self._sample()[1:-1]}, ...]`"
            )
        parts = tuple(self.condition(item, (*path, index), depth + 1) for index, item in enumerate(value))
        return AllOf(parts) if key == "all" else AnyOf(parts)

    def _field(self, field: str, value: Any, path: Path) -> Condition:
        if trouble := self._trouble_with_field(field):
            self._bad(path, trouble, at_key=True)
            if self._about is About.SCORES:
                meant = nearest(field, self._known())
                if meant is None:
                    return ALWAYS
                field = meant
        if not isinstance(value, dict):
            return self._bad(path, f"`{field}` needs an operator; write `{field}: {_suggested(value)}`")
        if not value:
            return self._bad(path, f"`{field}` has no operator; write one, such as {self._sample()}")
        parts = tuple(self._comparison(field, word, item, (*path, word)) for word, item in value.items())
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _trouble_with_field(self, field: str) -> str | None:
        if self._about is About.FACTS:
            if FIELD.fullmatch(field):
                return None
            return (
                f"`{field[:60]}` cannot be the name of a field; use letters, digits, `_`, `-`, `.` and spaces"
            )
        known = self._known()
        if field in known or not self._names.dimensions:
            return None
        return f"`{field}` is neither `score`, `band`, `grade` nor a dimension; {did_you_mean(field, known)}"

    def _known(self) -> tuple[str, ...]:
        return ("score", *LABELS, *self._names.dimensions)

    def _comparison(self, field: str, word: str, value: Any, path: Path) -> Condition:
        allowed = list(Operator)
        if self._about is About.SCORES:
            allowed = BAND_OPERATORS if field in LABELS else SCORE_OPERATORS
        if word not in allowed:
            message = f"`{field}` cannot be compared by `{word}`; {_hint(word, allowed)}"
            self._bad(path, message, at_key=True)
            meant = _meant(word, allowed)
            if meant is None:
                return ALWAYS
            word = meant
        operator = Operator(word)
        read = _literal(operator, field, value)
        if isinstance(read, str):
            return self._bad(path, read)
        kind, values = read
        if self._about is About.SCORES and field in LABELS:
            kind, values = Kind.TEXT, tuple(map(str, values))  # a label may be written as a number
        if operator in OF_LISTS and (trouble := self._trouble_with_list(operator, str(values[0]))):
            return self._bad(path, trouble)
        if self._about is About.SCORES and (trouble := self._trouble_with_score(field, kind, values)):
            return self._bad(path, trouble)
        return Comparison(field, operator, kind, values)

    def _trouble_with_score(self, field: str, kind: Kind, values: tuple[Scalar, ...]) -> str | None:
        if field not in LABELS:
            return None if kind is Kind.NUMBER else f"`{field}` is a number; compare it with one"
        known = self._names.bands if field == "band" else self._names.grades
        for label in map(str, values):
            if label not in known:
                return f"there is no {field} `{label}`; {did_you_mean(label, known)}"
        return None

    def _trouble_with_list(self, operator: Operator, name: str) -> str | None:
        lists = self._names.lists
        if name not in lists:
            declare = f"declare it: `lists: {{{name}: lists/{name}.txt}}`"
            return f"there is no list `{name}`; {did_you_mean(name, lists) if lists else declare}"
        if operator is Operator.DOMAIN_IN_LIST and (value := no_domain(lists[name])):
            return f"the list `{name}` has {described(value)}, not a domain; write one such as `example.com`"
        return None

    def _sample(self) -> str:
        return (
            "`{score: {at_least: 100}}`" if self._about is About.SCORES else "`{country: {equals: Germany}}`"
        )

    def _bad(self, path: Path, message: str, *, at_key: bool = False) -> Condition:
        self.troubles.append(Trouble(path, message, at_key))
        return ALWAYS


def _literal(operator: Operator, field: str, value: Any) -> tuple[Kind, tuple[Scalar, ...]] | str:
    """The kind and values of an operator's literal, or what is wrong with it."""
    if value is None:
        return f"`{operator}` has no value; write one, or `{field}: {{exists: false}}` for a missing one"
    if operator in {Operator.IS, Operator.EXISTS}:
        if isinstance(value, bool):
            return (Kind.FLAG if operator is Operator.IS else Kind.ANY), (value,)
        return f"`{operator}` takes true or false, not {described(value)}; write `{operator}: true`"
    if operator in {Operator.NEWER_THAN, Operator.OLDER_THAN}:
        days = days_of(value, at_least=0)
        return days.replace("{name}", operator) if isinstance(days, str) else (Kind.DATE, (days,))
    if operator is Operator.BETWEEN:
        return _between(value)
    if operator is Operator.IN or operator in MANY_TEXTS:
        return _list(operator, value)
    return _one(operator, value)


def _one(operator: Operator, value: Any) -> tuple[Kind, tuple[Scalar, ...]] | str:
    if operator in OF_LISTS and not isinstance(value, str):
        return f"`{operator}` takes the name of a list, not {described(value)}; for values write `in: [...]`"
    if isinstance(value, bool):
        return f"`{operator}` cannot take a flag; write `is: {described(value)[1:-1]}`"
    if isinstance(value, list):
        many = {one: many for many, one in MANY_TEXTS.items()} | {Operator.EQUALS: Operator.IN}
        way_out = f"write `{many[operator]}: [...]`" if operator in many else "write one number"
        return f"`{operator}` takes one value, not a list; {way_out}"
    if isinstance(value, dict):
        return f"`{operator}` takes one value, not a map; write it plainly"
    if operator in NUMBERS and isinstance(value, str):
        if is_moment(value) or isinstance(days_of(value), int):
            return f"`{operator}` takes a number; compare dates by `newer_than: 30d` or `older_than: 30d`"
        return f"`{operator}` takes a number, not {described(value)}; write it without quotes or unit"
    if operator in ONE_TEXT and not isinstance(value, str):
        return f"`{operator}` takes a text, not {described(value)}; put it in quotes"
    if isinstance(value, str):
        return trouble if (trouble := _trouble_with_text(operator, value)) else (Kind.TEXT, (value,))
    return Kind.NUMBER, (Decimal(value),)


def _list(operator: Operator, value: Any) -> tuple[Kind, tuple[Scalar, ...]] | str:
    if not isinstance(value, list):
        single = MANY_TEXTS.get(operator, Operator.EQUALS)
        return (
            f"`{operator}` takes a list, not {described(value)}; write `{operator}: [...]` or `{single}: ...`"
        )
    if not value:
        return f"`{operator}` has an empty list, so it can never hold; write at least one value"
    for item in value:
        if isinstance(item, bool | dict | list) or item is None:
            return f"`{operator}` takes texts or numbers, not {described(item)}; put a text in quotes"
        if operator is not Operator.IN and not isinstance(item, str):
            return f"`{operator}` takes texts, not {described(item)}; put it in quotes"
        if isinstance(item, str) and (trouble := _trouble_with_text(operator, item)):
            return trouble
    if len({isinstance(item, str) for item in value}) > 1:
        return f"`{operator}` mixes texts and numbers; put all of them in quotes, or none"
    if twice := [item for item, times in Counter(value).items() if times > 1]:
        return f"`{operator}` lists {described(twice[0])} twice; keep one"
    if isinstance(value[0], str):
        return Kind.TEXT, tuple(value)
    return Kind.NUMBER, tuple(Decimal(item) for item in value)


def _between(value: Any) -> tuple[Kind, tuple[Scalar, ...]] | str:
    if not isinstance(value, list) or len(value) != 2 or not all(map(is_number, value)):
        return "`between` takes two numbers; write `between: [10, 50]`, both included"
    low, high = map(Decimal, value)
    if low > high:
        return f"`between` runs from {low} down to {high}; write the smaller number first"
    return Kind.NUMBER, (low, high)


def _trouble_with_text(operator: Operator, text: str) -> str | None:
    if not text:
        return f"`{operator}` has an empty text; a missing value is `exists: false`"
    if len(text) > MAX_TEXT:
        return f"`{operator}` has a text of more than {MAX_TEXT} characters; shorten it"
    if operator in {Operator.HAS_WORD, Operator.HAS_ANY_WORD} and not any(words(fold(text))):
        return f"`{operator}` has {described(text)}, not a word; write letters or digits, or use `contains`"
    return None


def _meant_around(key: str, value: Any) -> str | None:
    """`all`, `any` or `not` where a misspelling of it stands around conditions; no field looks like that."""
    inside = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    if key in AROUND or not inside or not all(isinstance(item, dict) for item in inside):
        return None
    return nearest(key, AROUND[:2] if isinstance(value, list) else AROUND[2:])


def _meant(word: str, allowed: list[Operator]) -> str | None:
    """The operator whose literal stands under a misspelt one."""
    word = word.removeprefix("not_")
    if word in {"matches", "regex"}:
        return None  # a pattern is no literal of ours
    return nearest(ELSEWHERE.get(word, word), allowed)


def _hint(word: str, allowed: list[Operator]) -> str:
    if word.startswith("not_"):
        return f"write `not: {{...: {{{word.removeprefix('not_')}: ...}}}}`"
    if ELSEWHERE.get(word) in allowed:
        return f"did you mean `{ELSEWHERE[word]}`?"
    return did_you_mean(word, allowed)


def _suggested(value: Any) -> str:
    """The likeliest operator for a bare value."""
    match value:
        case bool():
            return f"{{is: {str(value).lower()}}}"
        case list():
            return "{in: [...]}"
        case None:
            return "{exists: true}"
        case _:
            return f"{{equals: {described(value).strip('`').removeprefix('the number ')}}}"


def _validator(about: About) -> Callable[[Any, ValidationInfo], Condition]:
    def read(value: Any, info: ValidationInfo) -> Condition:
        reader = _Reader(about, info.context or Names())
        condition = reader.condition(value, ())
        refuse_all(reader.troubles)
        return condition

    return read


FactsCondition = Annotated[
    Condition,
    PlainValidator(_validator(About.FACTS)),
    WithJsonSchema({"condition": "Condition"}),
]
"""Over an activity's fields or a lead's attributes."""

ScoresCondition = Annotated[
    Condition,
    PlainValidator(_validator(About.SCORES)),
    WithJsonSchema({"condition": "ScoresCondition"}),
]
"""Over `score`, `band`, `grade` and dimension ids."""
