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

from rescore.lake.reading import FOLDED, CurrentRows, connect, keep, texts
from rescore.lake.standing import Attributes, current_attributes
from rescore.lake.tables import ACCOUNTS, LEADS, columns_of
from rescore.model import lead_key

ACCOUNT = ("account", "text")
"""The attribute of a lead that says whose it is, by (name, kind)."""


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

    def carried(self, leads: Mapping[str, Attributes]) -> dict[str, Attributes]:
        """By lead what its account brings; a name that the lead has itself is the lead's own."""
        ids = {account for attributes in leads.values() if (account := attributes.get(ACCOUNT))}
        if not ids:
            return {}
        known = current_attributes(self._accounts, {self.key(account) for account in ids}, ACCOUNTS)
        found = {}
        for lead, attributes in leads.items():
            own = {name for name, _ in attributes}
            brought = known.get(self.key(attributes.get(ACCOUNT) or ""), {})
            found[lead] = {column: value for column, value in brought.items() if column[0] not in own}
        return {lead: brought for lead, brought in found.items() if brought}

    def leads_of(self, leads: DeltaTable, account_ids: Collection[str]) -> list[str]:
        """The source's leads whose account is one of these."""
        column = "__".join(ACCOUNT)
        if not account_ids or column not in columns_of(leads).names:
            return []
        with connect() as connection:
            keep(connection, "asked_accounts", pa.table({column: texts(account_ids)}))
            rows = CurrentRows(connection, leads, LEADS, {"lead", "revision", "source", column}).read()
            found = connection.execute(
                f"SELECT lead FROM ({rows}) SEMI JOIN asked_accounts USING ({column}) WHERE source = ?",
                [self._source],
            )
            return [lead for (lead,) in found.fetchall()]


def names_of(carried: Mapping[tuple[str, str], object]) -> str | None:
    """What a lead's row notes of the attributes that its account brought; None when it brought none."""
    return json.dumps(sorted({name for name, _ in carried})) if carried else None
