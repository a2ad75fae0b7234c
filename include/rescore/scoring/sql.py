"""The few SQL expressions the scoring query is made of; names are always quoted, literals always literals."""

from decimal import Decimal

from sqlglot import exp

DIALECT = "duckdb"


def column(name: str, relation: str | None = None) -> exp.Column:
    """A column by its exact name."""
    return exp.column(name, relation, quoted=True)


def text(value: str) -> exp.Literal:
    """A text literal."""
    return exp.Literal.string(value)


def number(value: int) -> exp.Expression:
    """A whole number."""
    return exp.convert(value)


def double(value: Decimal) -> exp.Expression:
    """The double nearest to a decimal."""
    return cast(text(repr(float(value))), "DOUBLE")


def cast(value: exp.Expression, type_name: str) -> exp.Expression:
    """CAST, copying its argument so that expressions can be used more than once."""
    return exp.Cast(this=value.copy(), to=exp.DataType.build(type_name, dialect=DIALECT))


def try_cast(value: exp.Expression, type_name: str) -> exp.Expression:
    """TRY_CAST: null where the value does not fit."""
    return exp.TryCast(this=value.copy(), to=exp.DataType.build(type_name, dialect=DIALECT))


def call(name: str, *arguments: exp.Expression) -> exp.Expression:
    """A function of the engine, by its name there."""
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def case(
    *branches: tuple[exp.Expression, exp.Expression], otherwise: exp.Expression | None = None
) -> exp.Expression:
    """CASE WHEN condition THEN value ... ELSE otherwise END; without branches, `otherwise`."""
    if not branches:
        return otherwise or exp.null()
    whens = exp.Case()
    for condition, value in branches:
        whens = whens.when(condition, value)
    return whens.else_(otherwise) if otherwise is not None else whens
