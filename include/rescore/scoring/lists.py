"""Is a value, or its domain, in one of the lists? They are small tables that the query looks values up in."""

from collections.abc import Iterable, Iterator, Sequence

from sqlglot import exp

from rescore.rules.card import ValueList
from rescore.scoring.moments import BLANKS
from rescore.scoring.sql import Sql, call, case, column, number, table, text

VALUE = "value"
"""The column of a list."""

_LIST = "list "
_ENDS = r"/?#:> \t"
"""What ends a domain."""


def relation_of(name: str) -> str:
    """What the query calls the table of a list; no id holds a blank."""
    return _LIST + name


def steps(lists: Sequence[ValueList], used_in: Iterable[Sql]) -> Iterator[tuple[str, exp.Select]]:
    """The named subqueries of the lists that some expressions look into: a row for each value."""
    if not lists:  # looking through everything takes a third as long as making it
        return
    used = {found.name for expression in used_in for found in expression.find_all(exp.Table)}
    for values in lists:
        name = relation_of(values.id)
        if name in used:
            lines = call("STRING_SPLIT", text("\n".join(sorted(values.values))), text("\n"))
            yield name, exp.select(exp.Explode(this=lines).as_(VALUE, quoted=True))


def is_in(value: Sql, name: str) -> Sql:
    """Whether a folded text is a value of a list; null where it is missing."""
    return value.isin(query=exp.select(column(VALUE)).from_(table(relation_of(name))))


def domain_is_in(domain: Sql, values: ValueList) -> Sql:
    """Whether a domain, or one above it, is a value of a list.

    The last labels of the domain are looked up, as many as some value of the list has.
    """
    lengths = sorted({value.count(".") + 1 for value in values.values})
    return exp.or_(*(is_in(_last_labels(domain, length), values.id) for length in lengths))


def domain_of(folded: Sql) -> Sql:
    """The domain of a folded e-mail address, URL or host, without port and final dots; empty for none."""
    is_url = call("CONTAINS", folded, text("://"))
    authority = case(
        (is_url, call("REGEXP_EXTRACT", folded, text("://([^/?#]*)"), number(1))), otherwise=folded.copy()
    )
    host = call("SPLIT_PART", authority, text("@"), number(-1))
    return call("REGEXP_EXTRACT", call("TRIM", host, text(BLANKS)), text(f"^[^{_ENDS}]*[^{_ENDS}.]"))


def _last_labels(domain: Sql, count: int) -> Sql:
    pattern = rf"(?:[^.]*\.){{{count - 1}}}[^.]*$" if count > 1 else "[^.]*$"
    return call("REGEXP_EXTRACT", domain, text(pattern))
