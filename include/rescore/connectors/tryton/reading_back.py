"""What leads show now, by id, and who changed it, from the history that Tryton keeps of leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rescore.connectors.readback import Edit, Shown
from rescore.connectors.tryton.changes import rows_of
from rescore.connectors.tryton.client import Client, Fault, Row
from rescore.connectors.tryton.leads import LEAD
from rescore.connectors.tryton.refusals import explain, record_id
from rescore.connectors.tryton.values import moment, text

ROOT = 0
"""Tryton's own user, as whom its schedules and queues work."""

FAR_BACK = 20
"""So many changes of a lead are looked at: one call each."""


def read_shown(client: Client, lead_ids: Sequence[str], names: Sequence[str]) -> dict[str, Shown | None]:
    """See `ReadBack.read`; one call for each batch."""
    shown: dict[str, Shown | None] = dict.fromkeys(lead_ids)
    for batch in _batches(lead_ids, client.limits.batch):
        wanted = [*names, "id"]
        try:
            rows = rows_of(client, LEAD, "search_read", [["id", "in", batch]], 0, None, None, wanted)
        except Fault as fault:
            raise explain(client, fault, model=LEAD, names=names) from fault
        for row in rows:
            shown[str(row["id"])] = {name: text(row.get(name)) for name in names}
    return shown


def read_edits(
    client: Client, lead_ids: Sequence[str], names: Sequence[str]
) -> dict[tuple[str, str], list[Edit]]:
    """See `ReadBack.edits`; one call for a batch, and one for each of a lead's last changes."""
    edits: dict[tuple[str, str], list[Edit]] = {}
    for batch in _batches(lead_ids, client.limits.batch):
        try:
            found = client.call(f"model.{LEAD}.history_revisions", batch)
        except Fault as fault:
            raise explain(client, fault, model=LEAD, names=names) from fault
        for lead in batch:
            moments = sorted({at for at, number, _ in found if number == lead}, reverse=True)[: FAR_BACK + 1]
            versions = [(at, _as_of(client, lead, at, names)) for at in moments]
            for name in names:
                edits[str(lead), name] = list(_changes(versions, name, client.uid))
    return edits


def _as_of(client: Client, lead: int, at: datetime, names: Sequence[str]) -> Row:
    wanted = [*names, "write_uid", "create_uid"]
    try:
        [row] = rows_of(client, LEAD, "read", [lead], wanted, context={"_datetime": moment(at)})
    except Fault as fault:
        raise explain(client, fault, model=LEAD, names=names) from fault
    return row


def _changes(versions: Sequence[tuple[datetime, Row]], name: str, ours: int) -> Iterator[Edit]:
    """The versions, newest first, in which a value differs from the one before."""
    befores: list[Any] = [version for _, version in versions[1:]]
    if len(versions) <= FAR_BACK:
        befores.append({})  # the record was made in the last of them
    for (at, version), before in zip(versions, befores, strict=False):
        if version.get(name) != before.get(name):
            user = version.get("write_uid") or version.get("create_uid") or ROOT
            yield Edit(text(version.get(name)), at, f"Tryton user {user}", user not in (ROOT, ours))


def _batches(lead_ids: Sequence[str], size: int) -> Iterator[list[int]]:
    """Tryton refuses a whole batch with an id twice."""
    distinct = [number for lead in dict.fromkeys(lead_ids) if (number := record_id(lead))]
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]
