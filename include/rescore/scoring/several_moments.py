"""The same leads at several moments in one query: each moment has its own copy of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from rescore.rules.card import Scorecard
from rescore.scoring.columns import MOMENT, TODAY, Columns
from rescore.scoring.engine import accounts_of, prepared
from rescore.scoring.facts import Facts
from rescore.scoring.pair import OLD, pair_query
from rescore.scoring.sql import DIALECT, Sql, column, table

_ACTIVITIES, _LEADS, _MOMENTS = "activities of moments", "leads of moments", "moments"
_IN_ACCOUNTS = " of whole accounts"
_DIGITS = 4


def score_pair_at(
    old: Scorecard, new: Scorecard, facts: Facts, moments: Sequence[datetime]
) -> list[pa.Table]:
    """What `score_pair` gives at each of the moments (aware), every table sorted by lead.

    What an activity is worth, and what dates of a lead mean, is measured back from each moment; what is
    known is what the facts say.
    """
    if old.timezone.key == new.timezone.key:
        rows = _scored(old, new, facts, moments, new.timezone)
    else:
        theirs = _scored(old, old, facts, moments, old.timezone)
        rows = _scored(new, new, facts, moments, new.timezone)
        own = [name for name in theirs.column_names if name.startswith(OLD)]
        rows = rows.drop_columns([name for name in rows.column_names if name.startswith(OLD)])
        for name in own:
            rows = rows.append_column(name, theirs[name])
    lead = pc.utf8_slice_codeunits(rows["lead"], _DIGITS)
    number = pc.utf8_slice_codeunits(rows["lead"], 0, _DIGITS)
    rows = rows.set_column(rows.column_names.index("lead"), "lead", lead)
    return [rows.filter(pc.equal(number, _name(place))) for place in range(len(moments))]


def _scored(
    old: Scorecard, new: Scorecard, facts: Facts, moments: Sequence[datetime], zone: ZoneInfo
) -> pa.Table:
    """Everybody at every moment, sorted by moment and lead; the name of the moment is before the lead's."""
    connection = facts.connection
    utc = [moment.astimezone(UTC).replace(tzinfo=None) for moment in moments]
    told = pa.table(
        {
            "number": [_name(place) for place in range(len(moments))],
            "as_of": pa.array(utc, pa.timestamp("us")),
            "today": [moment.astimezone(zone).date() for moment in moments],
        }
    )
    connection.register(_MOMENTS, told)
    try:
        whole = accounts_of(facts, old, new)
        for activities, leads, suffix in (
            (facts.activities, facts.leads, ""),
            *([(*whole, _IN_ACCOUNTS)] if whole else []),
        ):
            _copy(connection, activities, _ACTIVITIES + suffix, "a.occurred_at <= m.as_of")
            _copy(connection, leads, _LEADS + suffix, "true", column("number", "m").as_(MOMENT, quoted=True))
        pair = pair_query(
            old,
            new,
            as_of=max(moments),
            columns=Columns.of(connection, activities=_ACTIVITIES, leads=_LEADS),
            activities=_ACTIVITIES,
            leads=_LEADS,
            accounts=(_ACTIVITIES + _IN_ACCOUNTS, _LEADS + _IN_ACCOUNTS) if whole else None,
            row_by_row=True,
        )
        return connection.sql(prepared(pair.query, facts)).to_arrow_table().sort_by("lead")
    finally:
        connection.unregister(_MOMENTS)


def _copy(connection: duckdb.DuckDBPyConnection, source: str, made: str, when: str, *also: Sql) -> None:
    """A view with a copy of the relation for each moment."""
    today = column("today", "m").as_(TODAY, quoted=True)
    copies = exp.select("a.* REPLACE (m.number || a.lead AS lead)", today, *also)
    copies = copies.from_(table(source).as_("a")).join(table(_MOMENTS).as_("m"), on=when)
    connection.execute(f'CREATE OR REPLACE TEMP VIEW "{made}" AS {copies.sql(DIALECT)}')


def _name(place: int) -> str:
    return str(place).zfill(_DIGITS)
