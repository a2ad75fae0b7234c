"""Rules about whole accounts: what all leads of an account did counts as if they were one lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlglot import exp

from rescore.rules.card import ActivityBased, ValueList
from rescore.rules.scope import ACCOUNT
from rescore.scoring import withheld
from rescore.scoring.activity_sums import ActivitySums
from rescore.scoring.columns import MOMENT, PERSON, Columns, ColumnType
from rescore.scoring.local_days import LocalDays
from rescore.scoring.moments import trimmed
from rescore.scoring.quarantine import Quarantine
from rescore.scoring.reading import Reader
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
    table,
    text,
)

OF_ACCOUNTS = "of accounts"
"""What the query calls the subquery with a row for each lead, and what each such rule gives it."""

PEOPLE, MEMBERS, TOGETHER = "people", "members", "together"


class AccountSums:
    """The part of a scoring query that reads what whole accounts did.

    Leads that are withheld belong to no account: what they did counts for nobody.

    Args:
        rules: The rules about accounts.
        columns: What the two relations hold.
        days: The scoring time and the zone's days.
        quarantine: What it leaves of the activities of whole accounts is what counts.
        leads: The relation of leads, in which the accounts are whole.
        known_as_of: When given (naive UTC), what became known later does not exist.
        values: The scorecard's lists.
    """

    def __init__(
        self,
        rules: Sequence[ActivityBased],
        *,
        columns: Columns,
        days: LocalDays,
        quarantine: Quarantine,
        leads: str,
        known_as_of: datetime | None,
        values: Sequence[ValueList],
    ) -> None:
        self._rules = rules
        self._columns = columns
        self._quarantine, self._leads = quarantine, leads
        self._people = Reader(PEOPLE, columns.leads, days)
        self._sums = ActivitySums(
            rules,
            types={**columns.activities, PERSON: ColumnType.TEXT},
            days=days,
            relation=TOGETHER,
            known_as_of=known_as_of,
            values=values,
            restart=None,
            before=self._gathered(),
        )

    def by_lead(self) -> exp.Select:
        """One row for each lead that may be scored: `lead`, and the points of each rule, in thousandths."""
        points = [named(cast(self._sums.points(rule), "BIGINT"), rule.id) for rule in self._rules]
        found = exp.select(column("lead", MEMBERS), *points).from_(table(MEMBERS), copy=False)
        for name in self._sums.joined:
            same = column("lead", name).eq(column(ACCOUNT, MEMBERS))
            found = found.join(table(name), on=same, join_type="LEFT", copy=False)
        for name, step in self._sums.steps():
            found = found.with_(exp.to_identifier(name, quoted=True), step, copy=False)
        return found

    def details(self, leads: str) -> exp.Select:
        """What `ActivitySums.details` tells of each of the leads' accounts, and how many people did it.

        It is in `<rule> people`. `leads` is the relation of those who are asked about.
        """
        details = self._sums.details()
        steps = details.args.pop("with_")
        shown = [column(name, "d") for name in (found.alias_or_name for found in details.expressions)]
        found = exp.select(column("lead", MEMBERS), *(one for one in shown if one.name != "lead"))
        same_account = column("lead", "d").eq(column(ACCOUNT, MEMBERS))
        asked = exp.select(column("lead")).from_(table(leads))
        found = (
            found.from_(table(MEMBERS))
            .join(details.subquery("d"), on=same_account, copy=False)
            .where(column("lead", MEMBERS).isin(query=asked), copy=False)
        )
        found.set("with_", steps)
        return found

    def _gathered(self) -> Iterator[tuple[str, exp.Query]]:
        """Whom each account has, and what they did, under the account's name."""
        key, why_not = self._key(), withheld.reason(self._people)
        members = exp.select(self._people.raw("lead"), named(key, ACCOUNT)).from_(table(PEOPLE), copy=False)
        if why_not is not None:
            members = members.where(is_null(why_not), copy=False)
        yield PEOPLE, self._people.selected(self._leads, [members], "lead")
        yield MEMBERS, members
        yield from self._quarantine.steps()
        left = self._quarantine.left
        own = [column(name, left) for name in self._columns.activities if name != "lead"]
        lead = column("lead", left)
        yield (
            TOGETHER,
            exp.select(column(ACCOUNT, MEMBERS).as_("lead", quoted=True), named(lead, PERSON), *own)
            .from_(table(left), copy=False)
            .join(table(MEMBERS), on=column("lead", MEMBERS).eq(lead.copy()), copy=False),
        )

    def _key(self) -> Sql:
        """What the leads of an account share and nobody else has; a lead without one is alone."""
        account = call("NULLIF", trimmed(self._people.folded(ACCOUNT)), text(""))
        key = case(
            (is_null(account), concatenated(text("lead "), self._people.raw("lead"))),
            otherwise=concatenated(text("account "), account),
        )
        return concatenated(self._people.raw(MOMENT), key) if MOMENT in self._columns.leads else key


def points_of(rule: ActivityBased) -> Sql:
    """The thousandths that a rule about accounts gives a lead, from the joined subquery."""
    return coalesce(column(rule.id, OF_ACCOUNTS), number(0))
