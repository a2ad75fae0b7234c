"""How one field is read as text, a number, a flag or a date; what cannot be read is null, that is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from rescore.errors import ConfigurationError
from rescore.rules.card import ValueList
from rescore.scoring import lists
from rescore.scoring.columns import AS_DATE, AS_DOMAIN, AS_MOMENT, FOLDED, WORDS, ColumnType
from rescore.scoring.local_days import LocalDays
from rescore.scoring.moments import age, local_date, local_date_in_text, matches, moment, trimmed
from rescore.scoring.sql import (
    Sql,
    call,
    case,
    cast,
    coalesce,
    column,
    concatenated,
    is_null,
    named,
    number,
    text,
    try_cast,
)
from rescore.scoring.sql import table as relation_named

NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
"""Texts that count as numbers, with spaces and tabs around them."""

_WHOLE_DOUBLES = 2**53
"""Beyond this a double no longer tells one whole number from the next."""


@dataclass(frozen=True)
class Reader:
    """Reads the fields of one relation of the query; a field that is not there is always missing.

    Every expression names only columns of `relation`, which is a selection (`selected`) from the
    facts: the columns that are used, and a column more for each field that is read as a date or domain.
    """

    relation: str
    types: Mapping[str, ColumnType]
    days: LocalDays
    lists: Mapping[str, ValueList] = field(default_factory=dict)

    def folded(self, field: str) -> Sql:
        """The text in its comparable form; whole numbers count as their digits."""
        if self.types.get(field) is ColumnType.TEXT:
            return self._form(field, FOLDED)
        return self._digits(field)

    def word_line(self, field: str) -> Sql:
        """The words of the text, each between single spaces."""
        if self.types.get(field) is ColumnType.TEXT:
            return self._form(field, WORDS)
        return concatenated(text(" "), call("LTRIM", self._digits(field), text("-")), text(" "))

    def number(self, field: str) -> Sql:
        """A finite double."""
        return number_in(self.raw(field), self.types.get(field))

    def flag(self, field: str) -> Sql:
        """True or false."""
        match self.types.get(field):
            case ColumnType.FLAG:
                return self.raw(field)
            case ColumnType.TEXT:
                word = trimmed(self._form(field, FOLDED))
                return case((word.eq(text("true")), exp.true()), (word.eq(text("false")), exp.false()))
        return cast(exp.null(), "BOOLEAN")

    def date(self, field: str) -> Sql:
        """A calendar day in the scorecard's zone."""
        match self.types.get(field):
            case ColumnType.DATE:
                return self.raw(field)
            case ColumnType.TIMESTAMP | ColumnType.TEXT:
                return column(field + AS_DATE, self.relation)
        return cast(exp.null(), "DATE")

    def in_list(self, field: str, name: str) -> Sql:
        """Whether the text is a value of the list."""
        return lists.is_in(self.folded(field), name)

    def domain(self, field: str) -> Sql:
        """The domain of an e-mail address, URL or host; empty or null where there is none."""
        if self.types.get(field) is not ColumnType.TEXT:
            return cast(exp.null(), "TEXT")
        return column(field + AS_DOMAIN, self.relation)

    def domain_in_list(self, field: str, name: str) -> Sql:
        """Whether the domain of the text, or one above it, is in the list; a number has none."""
        if self.types.get(field) is not ColumnType.TEXT:
            return cast(exp.null(), "BOOLEAN")
        return lists.domain_is_in(column(field + AS_DOMAIN, self.relation), self.lists[name])

    def age(self, field: str) -> Sql:
        """How many calendar days ago the field's date was; negative in the future."""
        return age(self.date(field), self.days)

    def exists(self, field: str) -> Sql:
        """Whether the field holds anything: an empty text and a number that is not finite are nothing."""
        raw = self.raw(field)
        match self.types.get(field):
            case None:
                return exp.false()
            case ColumnType.TEXT:
                return coalesce(raw.neq(text("")), exp.false())
            case ColumnType.DOUBLE:
                return coalesce(call("ISFINITE", raw), exp.false())
        return exp.not_(is_null(raw))

    def distinct(self, field: str) -> Sql:
        """What `frequency: {distinct: field}` counts: texts in their comparable form, all else as it is."""
        match self.types.get(field):
            case ColumnType.TEXT:
                return self._form(field, FOLDED)
            case ColumnType.DOUBLE:
                return self.number(field)
            case None:
                return exp.null()
        return self.raw(field)

    def raw(self, field: str) -> exp.Column:
        """The column itself."""
        return column(field, self.relation)

    def selected(self, source: str, used_in: Iterable[Sql], *always: str) -> exp.Select:
        """The selection from the relation `source` that expressions of this reader speak of.

        Args:
            source: The relation of facts.
            used_in: The expressions.
            always: Columns to select whether used or not.
        """
        columns = (found for expression in used_in for found in expression.find_all(exp.Column))
        used = {found.name for found in columns if found.table == self.relation} | set(always)
        dates = sorted(name.removesuffix(AS_DATE) for name in used if name.endswith(AS_DATE))
        texts = [field for field in dates if self.types[field] is ColumnType.TEXT]
        plain = [column(name, source) for name in sorted(used & self.types.keys())]
        rows: exp.Table | exp.Subquery = relation_named(source)
        if texts:
            moments = (named(moment(column(f), ColumnType.TEXT), f + AS_MOMENT) for f in texts)
            rows = (
                exp.select(exp.Star(), *moments).from_(rows).subquery(exp.to_identifier(source, quoted=True))
            )
        made = [self._dated(field, source) for field in dates]
        domains = sorted(name.removesuffix(AS_DOMAIN) for name in used if name.endswith(AS_DOMAIN))
        made += [self._with_domain(field, source) for field in domains]
        return exp.select(*plain, *made).from_(rows, copy=False)

    def _dated(self, field: str, source: str) -> Sql:
        raw = column(field, source)
        if self.types[field] is ColumnType.TEXT:
            date = local_date_in_text(raw, column(field + AS_MOMENT, source), self.days)
        else:
            date = local_date(raw, self.days)
        return named(date, field + AS_DATE)

    def _with_domain(self, field: str, source: str) -> Sql:
        self._form(field, FOLDED)
        return lists.domain_of(column(field + FOLDED, source)).as_(field + AS_DOMAIN, quoted=True)

    def _form(self, field: str, form: str) -> Sql:
        if field + form not in self.types:
            raise ConfigurationError(
                f"The facts hold the text field {field!r} without its column {field + form!r}; "
                "make them with rescore.scoring.facts.with_text_forms."
            )
        return self.raw(field + form)

    def _digits(self, field: str) -> Sql:
        """A whole number as text; any other value has none."""
        match self.types.get(field):
            case ColumnType.INTEGER:
                return cast(self.raw(field), "TEXT")
            case ColumnType.DOUBLE | ColumnType.DECIMAL:
                read = self.number(field)
                whole = read.eq(call("TRUNC", read))
                tellable = exp.LTE(this=call("ABS", read), expression=number(_WHOLE_DOUBLES))
                return case((exp.and_(tellable, whole), cast(cast(read, "BIGINT"), "TEXT")))
        return cast(exp.null(), "TEXT")


def number_in(value: Sql, column_type: ColumnType | None) -> Sql:
    """A finite double; null where a value of that type is none."""
    match column_type:
        case ColumnType.DOUBLE:
            return case((call("ISFINITE", value), cast(value, "DOUBLE")))
        case ColumnType.INTEGER:
            return cast(value, "DOUBLE")
        case ColumnType.DECIMAL:
            return cast(cast(value, "TEXT"), "DOUBLE")  # through its digits: the nearest double
        case ColumnType.TEXT:
            read = try_cast(trimmed(value), "DOUBLE")
            return case((exp.and_(matches(trimmed(value), NUMBER), call("ISFINITE", read)), read))
    return cast(exp.null(), "DOUBLE")
