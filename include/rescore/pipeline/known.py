"""Whom does this deployment know, of the keys and addresses that somebody names?"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from rescore.erased import hash_of_address
from rescore.ledger import tables
from rescore.ledger.people import tombstones
from rescore.owed_marks import make_owed_marks
from rescore.workspace import Workspace


def known_leads(ws: Workspace, keys: Collection[str]) -> frozenset[str]:
    """Those of which lake or ledger has anything; one that was merged away is known as who is left."""
    if not keys:
        return frozenset()
    make_owed_marks(ws)
    families = {key: ws.lake.family([key]) for key in keys}
    everybody = {member for family in families.values() for member in family}
    here = {lead for lead in everybody if ws.lake.first_known(lead)}
    with ws.ledger.reading() as connection:
        for table in (tables.score, tables.dirty):
            here |= set(connection.scalars(select(table.c.lead).where(table.c.lead.in_(everybody))))
    return frozenset(key for key, family in families.items() if family & here)


def known_addresses(ws: Workspace, addresses: Collection[str]) -> frozenset[str]:
    """Those for which activities wait, or that a lead is known by where a mapping asks for addresses."""
    if not addresses:
        return frozenset()
    with ws.ledger.transaction() as connection:
        salt = tombstones.salt(connection)
    hashes = {hash_of_address(salt, address): address for address in addresses}
    return frozenset(hashes[each] for each in ws.lake.claimed_hashes(hashes)) | ws.lake.waited_for(addresses)


def sources_read(ws: Workspace) -> set[str]:
    """Every source that was ever read, whether it has a mapping still or not."""
    with ws.ledger.reading() as connection:
        return set(connection.scalars(select(tables.stream.c.source)))
