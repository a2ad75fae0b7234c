"""Which account each Connection led to when it was first used, and to which it must go on leading."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from rescore.errors import ConnectionLeadsElsewhere, InputUnreadable
from rescore.ledger import installation, tables
from rescore.ledger.upsert import insert

LEADS_TO, REFUSED = " leads to", " was refused as"


def require(connection: Connection, name: str, fingerprint: str) -> None:
    """Note an account at its first use, and hold every later one against it.

    Raises:
        ConnectionLeadsElsewhere: It is another account. Which one is noted by `refuse`, in a transaction of
            its own, for a person to accept.
    """
    table = tables.installation
    connection.execute(
        insert(connection, table)
        .values(name=name + LEADS_TO, value=json.dumps(fingerprint))
        .on_conflict_do_nothing()
    )
    compare(connection, name, fingerprint)


def compare(connection: Connection, name: str, fingerprint: str) -> None:
    """Hold an account against the one of the first use, if there was any.

    Raises:
        ConnectionLeadsElsewhere: As `require`.
    """
    known = installation.read(connection, name + LEADS_TO)
    if known not in (None, fingerprint):
        raise ConnectionLeadsElsewhere(
            f"the Connection of `{name}` led to {known} and leads to {fingerprint} now: nothing is read "
            f"or written; set it right, or accept the change with `rescore connections accept {name}`"
        )


def refuse(connection: Connection, name: str, fingerprint: str) -> None:
    """Note the account that was refused."""
    installation.write(connection, name + REFUSED, fingerprint)


def accept(connection: Connection, name: str) -> tuple[str, str]:
    """Let a Connection lead where it was refused to lead last; where it led before, and where it does now.

    Raises:
        InputUnreadable: Nothing was refused under that name.
    """
    refused = installation.read(connection, name + REFUSED)
    if refused is None:
        raise InputUnreadable(
            f"no account was refused for `{name}`; `rescore connections` lists where each leads"
        )
    before = installation.read(connection, name + LEADS_TO)
    installation.write(connection, name + LEADS_TO, refused)
    installation.forget(connection, name + REFUSED)
    return before, refused


def all_of_them(connection: Connection) -> dict[str, str]:
    """Where each Connection leads, by the name of the CRM."""
    table = tables.installation
    rows = connection.execute(select(table).where(table.c.name.endswith(LEADS_TO)).order_by(table.c.name))
    return {row.name.removesuffix(LEADS_TO): json.loads(row.value) for row in rows}
