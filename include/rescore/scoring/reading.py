"""How one field is read as text, a number, a flag or a date; what cannot be read is null, that is missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlglot import exp

from rescore.errors import ConfigurationError
from rescore.scoring.columns import FOLDED, WORDS, ColumnType
from rescore.scoring.local_days import LocalDays
from rescore.scoring.sql import call, case, cast, column, number, text, try_cast

NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
DATE = r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
DATE_TIME = (
    r"(" + DATE + r")[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))?"
)
"""Texts that count as numbers, dates and times; spaces and tabs around them do not matter."""

_WHOLE_DOUBLES = 2**53
"""Beyond this a double no longer tells one whole number from the next."""


@dataclass(frozen=True)
class Reader:
    """Reads the fields of one relation; a field that is not there is always missing."""

    relation: str
    types: Mapping[str, ColumnType]
    days: LocalDays

    def knows(self, field: str) -> bool:
        """Whether the relation has the field at all."""
        return field in self.types

    def folded(self, field: str) -> exp.Expression:
        """The text in its comparable form; whole numbers count as their digits."""
        return self._as_text(field, FOLDED)

    def word_line(self, field: str) -> exp.Expression:
        """The words of the text, each between single spaces."""
        return self._as_text(field, WORDS)

    def number(self, field: str) -> exp.Expression:
        """A finite double."""
        return number_in(self.raw(field), self.types.get(field))

    def flag(self, field: str) -> exp.Expression:
        """True or false."""
        match self.types.get(field):
            case ColumnType.FLAG:
                return self.raw(field)
            case ColumnType.TEXT:
                trimmed = _trimmed(self.folded(field))
                return case((trimmed.eq(text("true")), exp.true()), (trimmed.eq(text("false")), exp.false()))
        return exp.null()

    def date(self, field: str) -> exp.Expression:
        """A calendar day in the scorecard's zone."""
        raw = self.raw(field)
        match self.types.get(field):
            case ColumnType.DATE:
                return raw
            case ColumnType.TIMESTAMP:
                return self.local_date(raw)
            case ColumnType.TEXT:
                return self._date_in_text(_trimmed(raw))
        return exp.null()

    def exists(self, field: str) -> exp.Expression:
        """Whether the field holds anything: an empty text and a number that is not finite are nothing."""
        raw = self.raw(field)
        match self.types.get(field):
            case None:
                return exp.false()
            case ColumnType.TEXT:
                return exp.and_(raw.is_(exp.null()).not_(), raw.neq(text("")))
            case ColumnType.DOUBLE:
                return exp.func("COALESCE", call("ISFINITE", raw), exp.false())
        return raw.is_(exp.null()).not_()

    def distinct(self, field: str) -> exp.Expression:
        """What `frequency: {distinct: field}` counts: texts in their comparable form, all else as it is."""
        match self.types.get(field):
            case ColumnType.TEXT:
                return self.folded(field)
            case ColumnType.DOUBLE:
                return self.number(field)
            case None:
                return exp.null()
        return self.raw(field)

    def age(self, date: exp.Expression) -> exp.Expression:
        """Whole calendar days from a local date to the local date of scoring; negative in the future."""
        return exp.Sub(this=cast(text(self.days.today.isoformat()), "DATE"), expression=date)

    def local_date(self, moment: exp.Expression) -> exp.Expression:
        """The local date of a naive UTC timestamp, by the zone's own offsets."""
        *earlier, latest = self.days.changes
        micros: exp.Expression
        if earlier:
            newest_first = [latest, *reversed(earlier[1:])]
            branches = [
                (
                    moment.copy() >= cast(text(change.since.isoformat(" ")), "TIMESTAMP"),
                    _micros(change.offset),
                )
                for change in newest_first
            ]
            micros = case(*branches, otherwise=_micros(earlier[0].offset))
        elif latest.offset:
            micros = _micros(latest.offset)
        else:
            return cast(moment, "DATE")
        local = exp.Add(this=call("EPOCH_US", moment), expression=micros)
        return cast(call("MAKE_TIMESTAMP", local), "DATE")

    def raw(self, field: str) -> exp.Column:
        """The column itself."""
        return column(field, self.relation)

    def _as_text(self, field: str, form: str) -> exp.Expression:
        match self.types.get(field):
            case ColumnType.TEXT:
                if field + form not in self.types:
                    raise ConfigurationError(
                        f"The facts hold the text field {field!r} without its column {field + form!r}; "
                        "make them with rescore.scoring.facts.with_text_forms."
                    )
                return self.raw(field + form)
            case ColumnType.INTEGER:
                return _spelled(form)(self.raw(field))
            case ColumnType.DOUBLE | ColumnType.DECIMAL:
                read = self.number(field)
                whole = exp.and_(
                    call("ABS", read) <= number(_WHOLE_DOUBLES), read.eq(call("TRUNC", read.copy()))
                )
                return case((whole, _spelled(form)(cast(read, "BIGINT"))))
        return exp.null()

    def _date_in_text(self, trimmed: exp.Expression) -> exp.Expression:
        return case(
            (_matches(trimmed, DATE), try_cast(trimmed, "DATE")),
            (_matches(trimmed, DATE_TIME), self.local_date(_moment_in_text(trimmed))),
        )


def number_in(value: exp.Expression, column_type: ColumnType | None) -> exp.Expression:
    """A finite double; null where a value of that type is none."""
    match column_type:
        case ColumnType.DOUBLE:
            return case((call("ISFINITE", value), cast(value, "DOUBLE")))
        case ColumnType.INTEGER:
            return cast(value, "DOUBLE")
        case ColumnType.DECIMAL:
            return cast(cast(value, "TEXT"), "DOUBLE")  # through its digits: the nearest double
        case ColumnType.TEXT:
            trimmed = _trimmed(value)
            read = try_cast(trimmed, "DOUBLE")
            return case((exp.and_(_matches(trimmed, NUMBER), call("ISFINITE", read)), read))
    return exp.null()


def moment(value: exp.Expression, column_type: ColumnType | None) -> exp.Expression:
    """A naive UTC timestamp; a bare date is its midnight in UTC."""
    match column_type:
        case ColumnType.TIMESTAMP | ColumnType.ZONED | ColumnType.DATE:
            return cast(value, "TIMESTAMP")
        case ColumnType.TEXT:
            trimmed = _trimmed(value)
            return case(
                (_matches(trimmed, DATE), cast(try_cast(trimmed, "DATE"), "TIMESTAMP")),
                (_matches(trimmed, DATE_TIME), _moment_in_text(trimmed)),
            )
    return cast(exp.null(), "TIMESTAMP")


def _moment_in_text(trimmed: exp.Expression) -> exp.Expression:
    def group(index: int) -> exp.Expression:
        return call("REGEXP_EXTRACT", trimmed, text(DATE_TIME), number(index))

    date_and_clock = exp.DPipe(this=exp.DPipe(this=group(1), expression=text(" ")), expression=group(2))
    micros = exp.Add(
        this=call("EPOCH_US", try_cast(date_and_clock, "TIMESTAMP")), expression=_fraction(group(3))
    )
    minutes = try_cast(group(5), "BIGINT") * number(60) + try_cast(group(6), "BIGINT")
    ahead = exp.paren(minutes) * number(60_000_000)
    offset = case(
        (group(4).eq(text("+")), ahead),
        (group(4).eq(text("-")), exp.Neg(this=exp.paren(ahead))),
        otherwise=number(0),
    )
    return call("MAKE_TIMESTAMP", exp.Sub(this=micros, expression=offset))


def _fraction(digits: exp.Expression) -> exp.Expression:
    """Microseconds of the digits after the decimal point; what is finer is cut off."""
    return cast(call("RPAD", digits, number(6), text("0")), "BIGINT")


def _spelled(form: str) -> Callable[[exp.Expression], exp.Expression]:
    """A whole number as text: its digits, or for words the digits between spaces without the sign."""

    def digits(value: exp.Expression) -> exp.Expression:
        return cast(value, "TEXT")

    def words(value: exp.Expression) -> exp.Expression:
        unsigned = call("LTRIM", cast(value, "TEXT"), text("-"))
        return exp.DPipe(this=exp.DPipe(this=text(" "), expression=unsigned), expression=text(" "))

    return digits if form == FOLDED else words


def _trimmed(value: exp.Expression) -> exp.Expression:
    return call("TRIM", value, text(" \t"))


def _matches(value: exp.Expression, pattern: str) -> exp.Expression:
    return call("REGEXP_FULL_MATCH", value, text(pattern))


def _micros(offset: timedelta) -> exp.Expression:
    return number(offset // timedelta(microseconds=1))
