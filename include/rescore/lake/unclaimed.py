"""Activities of which only an e-mail address is known wait here until a lead with that address appears.

They wait as the source gave them. A page that brings a lead brings the activities that wait for its addresses
with it, so they land, are screened and mark the lead like all others. Addresses are compared and never leave
the lake.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from rescore.erased import folded
from rescore.lake.reading import connect, keep, rows_in, texts
from rescore.lake.records import ActivityRecord, Page, Unclaimed
from rescore.lake.tables import ACTIVITIES, SCHEMAS, UNCLAIMED, Storage, files
from rescore.text import is_whole

IDS_A_DELETE = 1000


def with_claimed(storage: Storage, source: str, page: Page) -> tuple[Page, frozenset[str]]:
    """The page with the activities that waited for its leads, each now its lead's, and their ids."""
    owners: dict[str, str] = {}
    for lead in page.leads:
        for address in map(folded, lead.addresses):
            if address and is_whole(address):  # for no other can anything wait
                owners.setdefault(address, lead.lead_id)
    claimed = [
        replace(_read(activity), lead_id=owners[address])
        for address, activity in _waiting_for(storage, source, owners)
    ]
    if not claimed:
        return page, frozenset()
    # what the page itself says of an activity comes later and counts
    with_them = replace(page, activities=[*claimed, *page.activities])
    return with_them, frozenset(activity.activity_id for activity in claimed)


def new_rows(table: DeltaTable, source: str, given: Mapping[str, Unclaimed]) -> list[dict[str, str]]:
    """The rows of those activities, by id, that the table does not hold in the same words."""
    rows = [
        {
            "source": source,
            "activity_id": id_,
            "address": folded(one.address),
            "activity": _text(one.activity),
        }
        for id_, one in given.items()
    ]
    with connect() as connection:
        keep(connection, "given_ids", pa.table({"activity_id": texts(given)}))
        waiting = connection.execute(
            f"SELECT address, activity FROM ({_rows(table)}) SEMI JOIN given_ids USING (activity_id) "
            "WHERE source = ?",
            [source],
        ).fetchall()
    known = set(waiting)
    return [row for row in rows if (row["address"], row["activity"]) not in known]


def waiting(storage: Storage) -> int:
    """How many activities wait."""
    table = storage.open(UNCLAIMED)
    if table is None or not table.count():
        return 0
    with connect() as connection:
        counted = f"SELECT count(DISTINCT (source, activity_id)) FROM ({_rows(table)})"
        [(number,)] = connection.execute(counted).fetchall()
    return int(number)


def waited_for(storage: Storage, addresses: Collection[str]) -> frozenset[str]:
    """Those of these addresses for which anything waits."""
    table = storage.open(UNCLAIMED)
    if table is None or not table.count():
        return frozenset()
    asked = {folded(address): address for address in addresses}
    with connect() as connection:
        keep(connection, "asked", pa.table({"address": texts(asked)}))
        found = connection.execute(
            f"SELECT DISTINCT address FROM ({_rows(table)}) SEMI JOIN asked USING (address)"
        )
        return frozenset(asked[address] for (address,) in found.fetchall())


def drop_claimed(storage: Storage, source: str) -> int:
    """Let go of what has landed as some lead's activity; call it when the landings are committed.

    Until then the landings of an interrupted run have to find the activities here again, or their leads
    would not be marked.
    """
    table, activities = storage.open(UNCLAIMED), storage.open(ACTIVITIES)
    if table is None or activities is None:
        return 0
    identity = [column for column in SCHEMAS[UNCLAIMED] if column.name in ("source", "activity_id")]
    with connect() as connection:
        found = connection.execute(
            f"SELECT DISTINCT activity_id FROM ({_rows(table)}) "
            f"SEMI JOIN ({rows_in(identity, files(activities))}) USING (source, activity_id) "
            "WHERE source = ? ORDER BY activity_id",
            [source],
        ).fetchall()
    ids = [activity_id for (activity_id,) in found]
    with suppress(CommitFailedError):  # somebody landed here meanwhile; the next run that claims tidies up
        for start in range(0, len(ids), IDS_A_DELETE):
            some = ", ".join(_quoted(activity_id) for activity_id in ids[start : start + IDS_A_DELETE])
            table.delete(f"source = {_quoted(source)} AND activity_id IN ({some})")
    return len(ids)


def _waiting_for(storage: Storage, source: str, addresses: Iterable[str]) -> Iterable[tuple[str, str]]:
    """(address, activity) of what waits for any of the addresses: of each activity what was said last."""
    table = storage.open(UNCLAIMED)
    asked = pa.table({"address": texts(addresses)})
    if table is None or not asked.num_rows or not table.count():
        return []
    with connect() as connection:
        keep(connection, "asked", asked)
        of_source = f"(SELECT * FROM ({_rows(table)}) WHERE source = $source)"
        found: list[tuple[str, str]] = connection.execute(
            f"WITH mine AS (SELECT DISTINCT activity_id FROM {of_source} SEMI JOIN asked USING (address)), "
            f"latest AS (SELECT * FROM {of_source} SEMI JOIN mine USING (activity_id) QUALIFY row_number() "
            "OVER (PARTITION BY activity_id ORDER BY known_at DESC, landing DESC, activity) = 1) "
            "SELECT address, activity FROM latest SEMI JOIN asked USING (address) ORDER BY activity_id",
            {"source": source},
        ).fetchall()
    return found


def _rows(table: DeltaTable) -> str:
    return rows_in(SCHEMAS[UNCLAIMED], files(table))


def _text(activity: ActivityRecord) -> str:
    return json.dumps(asdict(activity), default=datetime.isoformat, sort_keys=True, ensure_ascii=False)


def _read(text: str) -> ActivityRecord:
    said: Mapping[str, Any] = json.loads(text)
    return ActivityRecord(**{**said, "occurred_at": datetime.fromisoformat(said["occurred_at"])})


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
