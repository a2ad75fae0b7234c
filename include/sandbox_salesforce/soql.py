"""The part of SOQL that is understood: an object, its and its parents' fields, conditions, an order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sandbox_salesforce.records import Records, Row
from sandbox_salesforce.schema import Field, SObject
from sandbox_salesforce.vendor import Refusal

TOKEN: Final = re.compile(
    r"\s*(?:(?P<moment>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d))|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|'(?P<text>(?:[^'\\]|\\.)*)'|(?P<sign><=|>=|!=|<>|[=<>(),])"
    r"|(?P<word>[A-Za-z][A-Za-z0-9_.]*))"
)
KINDS: Final = {"moment": "datetime", "date": "date", "number": "double", "text": "string"}
Test = Callable[[Row], bool]


@dataclass(frozen=True)
class Query:
    """What a query asks for."""

    object: str
    fields: list[str]
    rows: list[Row]


class _Parser:
    def __init__(self, soql: str, records: Records) -> None:
        self.records = records
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(soql.rstrip()):
            found = TOKEN.match(soql, place)
            if not found:
                raise malformed(f"unexpected token: '{soql[place : place + 10]}'")
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind]))
            place = found.end()
        self.tokens.append(("end", ""))

    def take(self, *words: str) -> bool:
        """Consume a keyword or a sign when it is next."""
        kind, text = self.tokens[0]
        if kind in ("word", "sign") and text.upper() in words:
            self.tokens.pop(0)
            return True
        return False

    def need(self, *words: str) -> None:
        if not self.take(*words):
            raise malformed(f"unexpected token: '{self.tokens[0][1]}', expecting {words[0]}")

    def word(self) -> str:
        kind, text = self.tokens.pop(0)
        if kind != "word":
            raise malformed(f"unexpected token: '{text}'")
        return text

    def words(self) -> list[str]:
        found = [self.word()]
        while self.take(","):
            found.append(self.word())
        return found

    def condition(self, about: SObject) -> Test:
        tests, joined = [self.term(about)], ""
        while word := next((one for one in ("AND", "OR") if self.take(one)), ""):
            if joined not in ("", word):
                raise malformed("AND and OR need parentheses between them")
            joined = word
            tests.append(self.term(about))
        together = any if joined == "OR" else all
        return lambda row: together(test(row) for test in tests)

    def term(self, about: SObject) -> Test:
        if self.take("("):
            inner = self.condition(about)
            self.need(")")
            return inner
        path = self.word()
        known = field_at(path, about, self.records.objects)
        if self.take("IN"):
            self.need("(")
            values = {self.literal(known)}
            while self.take(","):
                values.add(self.literal(known))
            self.need(")")
            return lambda row: value_at(path, row, about, self.records) in values
        sign = self.tokens.pop(0)[1]
        if sign not in ("=", "!=", "<>", "<", "<=", ">", ">="):
            raise malformed(f"unexpected token: '{sign}'")
        wanted = self.literal(known)
        return lambda row: _compare(sign, value_at(path, row, about, self.records), wanted)

    def literal(self, known: Field) -> Any:
        kind, text = self.tokens.pop(0)
        if kind == "word" and text.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text.lower()]
        expected = "string" if known.type in ("id", "reference", "any") else known.type
        if kind not in KINDS or KINDS[kind] != expected:
            raise Refusal(
                400,
                "INVALID_FIELD",
                f"value of filter criterion for field '{known.name}' must be of type {expected}",
            )
        return _moment(text) if kind == "moment" else float(text) if kind == "number" else text


def run(soql: str, records: Records, *, deleted: bool) -> Query:
    """Everything that a query finds, in its order.

    Raises:
        Refusal: MALFORMED_QUERY, INVALID_TYPE or INVALID_FIELD.
    """
    parser = _Parser(soql, records)
    parser.need("SELECT")
    counting = parser.take("COUNT")
    if counting:
        parser.need("(")
        parser.need(")")
    fields = [] if counting else parser.words()
    if len(set(map(str.lower, fields))) < len(fields):
        raise Refusal(400, "INVALID_FIELD", "duplicate field selected")
    parser.need("FROM")
    name = parser.word()
    about = next((one for one in records.objects.values() if one.name.lower() == name.lower()), None)
    if about is None or not about.visible:
        raise Refusal(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    for path in fields:
        field_at(path, about, records.objects)
    test = parser.condition(about) if parser.take("WHERE") else lambda _: True
    order: list[tuple[str, bool]] = []
    if parser.take("ORDER"):
        parser.need("BY")
        while True:
            path = parser.word()
            field_at(path, about, records.objects)
            order.append((path, parser.take("DESC")))
            parser.take("ASC")
            if not parser.take(","):
                break
    limit = int(parser.tokens.pop(0)[1]) if parser.take("LIMIT") else None
    if parser.tokens[0][0] != "end":
        raise malformed(f"unexpected token: '{parser.tokens[0][1]}'")
    rows = [row for row in records.all(about.name, deleted=deleted) if test(row)]
    for path, descending in reversed(order):
        rows.sort(key=lambda row: _sortable(value_at(path, row, about, records)), reverse=descending)
    return Query(about.name, fields, rows[:limit])


def field_at(path: str, about: SObject, objects: dict[str, SObject]) -> Field:
    """The field at a path; INVALID_FIELD when there is none that we may see."""
    first, _, rest = path.partition(".")
    if rest:
        through = next((one for one in about.fields.values() if one.relation == first and one.to), None)
        if through is None or not objects[str(through.to)].visible:
            raise Refusal(
                400,
                "INVALID_FIELD",
                f"Didn't understand relationship '{first}' in field path. If you are attempting to use a "
                "custom relationship, be sure to append the '__r' after the custom relationship name.",
            )
        return field_at(rest, objects[str(through.to)], objects)
    known = about.known(first)
    if known is None:
        raise Refusal(
            400, "INVALID_FIELD", f"\nSELECT {path} ...\nNo such column '{first}' on entity '{about.name}'."
        )
    return known


def value_at(path: str, row: Row | None, about: SObject, records: Records) -> Any:
    """A value for comparing: moments as moments."""
    first, _, rest = path.partition(".")
    if row is None:
        return None
    if rest:
        through = next(one for one in about.fields.values() if one.relation == first and one.to)
        parent = records.rows[str(through.to)].get(row.get(through.name) or "")
        return value_at(rest, parent, records.objects[str(through.to)], records)
    known = about.known(first)
    value = row.get(known.name) if known else None
    return _moment(value) if known and known.type == "datetime" and value else value


def malformed(message: str) -> Refusal:
    """A query that cannot be read."""
    return Refusal(400, "MALFORMED_QUERY", message)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _compare(sign: str, value: Any, wanted: Any) -> bool:
    if sign == "=":
        return bool(value == wanted)
    if sign in ("!=", "<>"):
        return bool(value != wanted)
    if value is None or wanted is None:
        return False
    return bool(
        {"<": value < wanted, "<=": value <= wanted, ">": value > wanted, ">=": value >= wanted}[sign]
    )


def _sortable(value: Any) -> tuple[bool, Any]:
    """Empty values come first, as they do there."""
    return (value is not None, value if value is not None else "")
