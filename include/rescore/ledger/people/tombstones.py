"""Tombstones: who was erased, as hashes salted with a secret of this ledger."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, select

from rescore.erased import NOBODY, Erased, Person, hash_of_address, hash_of_lead
from rescore.ledger import tables
from rescore.ledger.automations import used_numbers
from rescore.ledger.upsert import insert

SALT = "tombstone_salt"


def read(connection: Connection) -> Erased:
    """All tombstones there are, and whom they bar."""
    hashes = frozenset(connection.scalars(select(tables.tombstone.c.hash)))
    rows = connection.execute(select(tables.barred.c.lead, tables.barred.c.let_in_at)).all()
    barred = frozenset(row.lead for row in rows if row.let_in_at is None)
    if not hashes and not barred:
        return NOBODY
    salt = _kept_salt(connection) if hashes else b""
    return Erased(salt, hashes, barred, frozenset(row.lead for row in rows) - barred)


def since(connection: Connection, moment: datetime) -> Erased:
    """The tombstones of people whom somebody who began to read facts at a moment may have read.

    Those set a day before it or later (clocks differ, and facts go a while after the tombstone stands), and
    all while an erasure is under way. None is set until the end of this transaction.
    """
    _hold(connection, alone=False)
    tombstone, erasure = tables.tombstone, tables.erasure
    hashes = select(tombstone.c.hash)
    if not connection.scalar(select(exists().where(erasure.c.state.in_(("begun", "swept"))))):
        hashes = hashes.where(tombstone.c.erased_at >= moment - timedelta(days=1))
    found = frozenset(connection.scalars(hashes))
    return Erased(_kept_salt(connection), found) if found else NOBODY


def add(
    connection: Connection, person: Person, *, at: datetime, by: str, hashes: Collection[str] = ()
) -> None:
    """Set the tombstones of a person, or set them anew; waits for whoever has asked `since`.

    `hashes` are those of further addresses, made with the `salt` of this ledger.
    """
    _hold(connection, alone=True)
    everything = sorted({*hashes, *_hashes(_kept_salt(connection), person)})
    if not everything:
        return
    rows = [{"hash": each, "erased_at": at, "erased_by": by} for each in everything]
    stones = insert(connection, tables.tombstone)
    connection.execute(
        stones.on_conflict_do_update(index_elements=["hash"], set_={"erased_at": stones.excluded.erased_at}),
        rows,
    )


def lift(connection: Connection, person: Person, *, at: datetime) -> int:
    """Take tombstones away, so that whoever comes with these keys or addresses may land again; how many."""
    if not connection.scalar(select(tables.tombstone.c.hash).limit(1)):
        return 0
    salt, stones = _kept_salt(connection), tables.tombstone
    mine = stones.c.hash.in_(_hashes(salt, person))
    lifted = set(connection.scalars(delete(stones).where(mine).returning(stones.c.hash)))
    back = [key for key in person.leads if hash_of_lead(salt, key) in lifted]
    used_numbers.begin_behind_used(connection, back, at)
    return len(lifted)


def salt(connection: Connection) -> bytes:
    """The secret of this ledger that goes into hashes of addresses; made at its first use."""
    _hold(connection, alone=False)
    return _kept_salt(connection)


def _hashes(salt: bytes, person: Person) -> set[str]:
    leads: Iterable[str] = (hash_of_lead(salt, key) for key in person.leads)
    addresses = (hash_of_address(salt, address) for address in person.addresses)
    return {*leads, *addresses}


def _hold(connection: Connection, *, alone: bool) -> None:
    """Lock the salt's row, made at its first use, together with others or alone."""
    installation = tables.installation
    connection.execute(
        insert(connection, installation)
        .values(name=SALT, value=secrets.token_hex(32))
        .on_conflict_do_nothing()
    )
    salt = select(installation.c.name).where(installation.c.name == SALT)
    connection.execute(salt.with_for_update(read=not alone))


def _kept_salt(connection: Connection) -> bytes:
    installation = tables.installation
    value = connection.scalars(select(installation.c.value).where(installation.c.name == SALT)).one()
    return bytes.fromhex(value)
