"""What leads carry of their accounts: each lead's row has its company's attributes when it lands.

So whoever reads leads needs to know nothing of accounts. Which of the two lands first does not matter: a
lead takes over what is known of its account, and a changed account gives new rows to all its leads.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import NamedTuple

import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.reading import FOLDED, CurrentRows, connect, keep, listed, texts
from rescore.lake.screen import BECAME_TEXT, DELETED_FLAG
from rescore.lake.standing import ACCOUNT, Attributes, current_attributes
from rescore.lake.tables import ACCOUNTS, LEADS, columns_of
from rescore.model import lead_key


class AccountOf(NamedTuple):
    """How leads are told by account: the columns that say it, and in SQL what leads of one share."""

    columns: frozenset[str]
    key: str


def account_of(attributes: Mapping[str, str]) -> AccountOf | None:
    """From the columns of leads; None where nothing says whose a lead is."""
    name, folded = ACCOUNT[0], ACCOUNT[0] + FOLDED
    if name not in attributes:
        return None
    said = f"trim(\"{folded}\", ' \t')" if folded in attributes else f'"{name}"::VARCHAR'
    return AccountOf(frozenset(attributes) & {name, folded}, f"nullif({said}, '')")


class Carried(NamedTuple):
    """A lead's own attributes, what its account brings, and that account where it is gone."""

    own: Attributes
    brought: Attributes
    lost: str | None


class Carrying:
    """The attributes of a source's leads with those of their accounts.

    Args:
        source: The source of both.
        accounts: The accounts, as they are now.
    """

    def __init__(self, source: str, accounts: DeltaTable) -> None:
        self._source, self._accounts = source, accounts

    def key(self, account_id: str) -> str:
        """The key of an account in the lake."""
        return lead_key(self._source, account_id)

    def carried(self, leads: Mapping[str, Attributes]) -> dict[str, Carried]:
        """By lead what it has; a name that it has itself is its own.

        Its account is the one that is left where the one it names was merged, and none where it is gone.
        """
        now = self._now({account for own in leads.values() if (account := own.get(ACCOUNT))})
        found = {}
        for lead, own in leads.items():
            if (named := own.get(ACCOUNT)) is None:
                found[lead] = Carried(own, {}, None)
                continue
            account, told = now[named]
            own = {column: value for column, value in own.items() if column != ACCOUNT}
            if DELETED_FLAG in told:
                found[lead] = Carried(own, {}, account)
                continue
            own[ACCOUNT] = account
            names = {name for name, _ in own} if told else set()
            brought = {column: value for column, value in told.items() if column[0] not in names}
            found[lead] = Carried(own, brought, None)
        return found

    def _now(self, ids: Collection[str]) -> dict[str, tuple[str, Attributes]]:
        """By account the one that it is now, and the attributes of that one.

        Merges lead in no circle: whoever says that accounts were merged into it is there itself.
        """
        known: dict[str, Attributes] = {}
        asked = {*ids}
        while asked:
            keys = {account: self.key(account) for account in asked}
            found = current_attributes(self._accounts, keys.values(), ACCOUNTS)
            known |= {account: found.get(key, {}) for account, key in keys.items()}
            asked = {of[BECAME_TEXT] for of in known.values() if BECAME_TEXT in of} - known.keys()
        return {account: _at_last(account, known) for account in ids}

    def leads_of(self, leads: DeltaTable, account_ids: Collection[str]) -> list[str]:
        """The source's leads whose account is one of these, or was until it was lost."""
        if not account_ids:
            return []
        columns = [c for c in ("__".join(ACCOUNT), "lost_account") if c in columns_of(leads).names]
        with connect() as connection:
            keep(connection, "asked_accounts", pa.table({"account": texts(account_ids)}))
            rows = CurrentRows(connection, leads, LEADS, {"lead", "revision", "source", *columns}).read()
            named = f"SELECT lead, coalesce({listed(columns)}) AS account FROM ({rows}) WHERE source = ?"
            found = connection.execute(
                f"SELECT lead FROM ({named}) SEMI JOIN asked_accounts USING (account)", [self._source]
            )
            return [lead for (lead,) in found.fetchall()]


def _at_last(account: str, known: Mapping[str, Attributes]) -> tuple[str, Attributes]:
    while BECAME_TEXT in known[account]:
        account = known[account][BECAME_TEXT]
    return account, known[account]


def names_of(carried: Mapping[tuple[str, str], object]) -> str | None:
    """What a lead's row notes of the attributes that its account brought; None when it brought none."""
    return json.dumps(sorted({name for name, _ in carried})) if carried else None
