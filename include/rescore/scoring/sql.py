"""The few SQL expressions the scoring query is made of; names are always quoted, literals always literals."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from sqlglot import exp

DIALECT = "duckdb"

Sql = exp.Expr
"""Any expression of the query."""


def column(name: str, relation: str | None = None) -> exp.Column:
    """A column by its exact name."""
    return exp.column(name, relation, quoted=True)


def table(name: str) -> exp.Table:
    """A relation by its exact name."""
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def text(value: str) -> exp.Literal:
    """A text literal."""
    return exp.Literal.string(value)


def number(value: int) -> Sql:
    """A whole number."""
    return exp.convert(value)


def double(value: Decimal) -> Sql:
    """The double nearest to a decimal."""
    return cast(text(repr(float(value))), "DOUBLE")


def day(value: date) -> Sql:
    """A date literal."""
    return cast(text(value.isoformat()), "DATE")


def timestamp(value: datetime) -> Sql:
    """A literal of a naive UTC time."""
    return cast(text(value.isoformat(" ")), "TIMESTAMP")


def cast(value: Sql, type_name: str) -> Sql:
    """CAST."""
    return exp.Cast(this=own(value), to=_type(type_name).copy())


def try_cast(value: Sql, type_name: str) -> Sql:
    """TRY_CAST: null where the value does not fit."""
    return exp.TryCast(this=own(value), to=_type(type_name).copy())


def own(value: Sql) -> Sql:
    """The value itself the first time it is built into something, a copy from then on.

    Copying every time was half of what it takes to compile a scorecard.
    """
    return value if value.parent is None else value.copy()


@cache
def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect=DIALECT)


def named(value: Sql, name: str) -> exp.Alias:
    """The value under a name, AS."""
    return exp.Alias(this=own(value), alias=exp.to_identifier(name, quoted=True))


def call(name: str, *arguments: Sql) -> Sql:
    """A function of the engine, by its name there."""
    return exp.Anonymous(this=name, expressions=[own(argument) for argument in arguments])


def coalesce(value: Sql, otherwise: Sql) -> Sql:
    """The value, or another where it is null."""
    return exp.Coalesce(this=own(value), expressions=[otherwise])


def is_one_of(value: Sql, texts: Sequence[str]) -> Sql:
    """Whether the value is one of some texts."""
    return value.eq(text(texts[0])) if len(texts) == 1 else value.isin(*map(text, texts))


def is_null(value: Sql) -> Sql:
    """Whether the value is null."""
    return exp.Is(this=own(value), expression=exp.null())


def case(*branches: tuple[Sql, Sql], otherwise: Sql | None = None) -> Sql:
    """CASE WHEN condition THEN value ... ELSE otherwise END; without branches, `otherwise`."""
    if not branches:
        return otherwise or exp.null()
    whens = [exp.If(this=condition, true=value) for condition, value in branches]
    return exp.Case(ifs=whens, default=otherwise)


def concatenated(*parts: Sql) -> Sql:
    """Texts one after the other; null where one is."""
    joined, *others = (own(part) for part in parts)
    for other in others:
        joined = exp.DPipe(this=joined, expression=other)
    return joined


def added(parts: Sequence[Sql]) -> Sql:
    """The sum of some values of a row; 0 for none."""
    if not parts:
        return cast(number(0), "BIGINT")
    total, *others = (own(part) for part in parts)
    for other in others:
        total = exp.Add(this=total, expression=other)
    return total


def clamped(value: Sql, low: int | None, high: int | None) -> Sql:
    """The value, kept between bounds; None is no bound."""
    if high is not None:
        value = call("LEAST", value, number(high))
    if low is not None:
        value = call("GREATEST", value, number(low))
    return value
