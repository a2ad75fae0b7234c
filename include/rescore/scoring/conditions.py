"""A condition of the rules file as a SQL expression with two-valued logic."""

from collections.abc import Sequence
from decimal import Decimal

from sqlglot import exp

from rescore.rules.card import AllOf, AnyOf, Comparison, Condition, Kind, Not, Operator
from rescore.scoring.reading import Reader
from rescore.scoring.sql import Sql, call, coalesce, double, number, text
from rescore.text import fold, word_line


def holds(condition: Condition, reader: Reader, *, negated: bool = False) -> Sql:
    """An expression that is true exactly where the condition holds.

    Where it does not, the expression is false or null, which CASE and WHERE treat alike; inside a
    `not` (`negated`) every comparison is made plainly false instead.
    """
    match condition:
        case AllOf(parts):
            every = [holds(part, reader, negated=negated) for part in parts]
            return exp.and_(*every, copy=False) if every else exp.true()
        case AnyOf(parts):
            some = [holds(part, reader, negated=negated) for part in parts]
            return exp.or_(*some, copy=False) if some else exp.false()
        case Not(part):
            return exp.not_(holds(part, reader, negated=True))
        case Comparison():
            compared = _compared(condition, reader)
            return coalesce(compared, exp.false()) if negated else compared


def _compared(comparison: Comparison, reader: Reader) -> Sql:
    field, values = comparison.field, comparison.values
    match comparison.operator:
        case Operator.EXISTS:
            there = reader.exists(field)
            return there if values[0] else exp.not_(there)
        case Operator.NEWER_THAN:
            return reader.age(field) < _days(values[0])
        case Operator.OLDER_THAN:
            return reader.age(field) >= _days(values[0])
    match comparison.kind:
        case Kind.TEXT:
            return _text_compared(comparison, reader)
        case Kind.FLAG:
            flags = [exp.convert(bool(value)) for value in values]
            return _is_one_of(reader.flag(field), flags)
        case Kind.NUMBER:
            return _number_compared(comparison.operator, reader.number(field), values)
    raise AssertionError(f"{comparison.operator} does not read a field as {comparison.kind}")


def _number_compared(operator: Operator, value: Sql, literals: Sequence[object]) -> Sql:
    doubles = [double(literal) for literal in literals if isinstance(literal, Decimal)]
    match operator:
        case Operator.EQUALS | Operator.IN:
            return _is_one_of(value, doubles)
        case Operator.AT_LEAST:
            return value >= doubles[0]
        case Operator.AT_MOST:
            return value <= doubles[0]
        case Operator.ABOVE:
            return value > doubles[0]
        case Operator.BELOW:
            return value < doubles[0]
        case Operator.BETWEEN:
            return value.between(doubles[0], doubles[1])
    raise AssertionError(f"{operator} does not compare numbers")


_TEXT_TESTS = {
    Operator.CONTAINS: "CONTAINS",
    Operator.CONTAINS_ANY: "CONTAINS",
    Operator.STARTS_WITH: "STARTS_WITH",
    Operator.STARTS_WITH_ANY: "STARTS_WITH",
    Operator.ENDS_WITH: "ENDS_WITH",
    Operator.ENDS_WITH_ANY: "ENDS_WITH",
}


def _text_compared(comparison: Comparison, reader: Reader) -> Sql:
    folded = [fold(str(value)) for value in comparison.values]
    match comparison.operator:
        case Operator.EQUALS | Operator.IN:
            return _is_one_of(reader.folded(comparison.field), [text(value) for value in folded])
        case Operator.IN_LIST:
            return reader.in_list(comparison.field, str(comparison.values[0]))
        case Operator.DOMAIN_IN_LIST:
            return reader.domain_in_list(comparison.field, str(comparison.values[0]))
        case Operator.HAS_WORD | Operator.HAS_ANY_WORD:
            line = reader.word_line(comparison.field)
            return exp.or_(*(call("CONTAINS", line, text(word_line(value))) for value in folded))
    test, value = _TEXT_TESTS[comparison.operator], reader.folded(comparison.field)
    return exp.or_(*(call(test, value, text(literal)) for literal in folded))


def _is_one_of(value: Sql, literals: Sequence[Sql]) -> Sql:
    return value.eq(literals[0]) if len(literals) == 1 else value.isin(*literals)


def _days(value: object) -> Sql:
    assert isinstance(value, int)  # noqa: S101  the card's contract for ages
    return number(value)
