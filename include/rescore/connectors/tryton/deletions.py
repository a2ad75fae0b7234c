"""Leads that are not there any more: Tryton lists no deletions, so all ids are listed and compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from rescore.connectors.base import Cursor
from rescore.connectors.tryton.client import Client
from rescore.connectors.tryton.leads import LEAD
from rescore.errors import CrmUnavailable
from rescore.lake.records import LeadRecord, Page

EVERY = timedelta(hours=1)
"""Between two listings. A write to a deleted lead finds nobody in the meantime, so nothing wrong happens."""

IDS_A_CALL = 5000
Ranges = list[list[int]]


def deleted_pages(client: Client, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
    """Every lead that was there at the last listing and is not now; nothing when that is not an hour ago.

    The cursor keeps the ids that were there as ranges: deletions are rare, so they are few. Where more than
    half are missing, it is the user's rights that have shrunk.

    Raises:
        CrmUnavailable: More than half are missing.
    """
    state = cursor or {"at": None, "there": []}
    if state["at"] and until - datetime.fromisoformat(state["at"]) < EVERY:
        return
    present = set(_present(client))
    before = [number for first, last in state["there"] for number in range(first, last + 1)]
    missing = [number for number in before if number not in present]
    if len(missing) > max(10, len(before) // 2):
        raise CrmUnavailable(
            f"{len(missing)} of {len(before)} leads cannot be seen in Tryton any more; see whether the user "
            "of the Connection has lost a company or a group; if they are deleted, leave `deleted` out"
        )
    gone = [LeadRecord(str(number), {}, deleted=True) for number in missing]
    yield Page(leads=gone, cursor={"at": until.isoformat(), "there": _ranges(sorted(present))})


def _present(client: Client) -> Iterator[int]:
    after = 0
    while True:
        ids = client.call(f"model.{LEAD}.search", [["id", ">", after]], 0, IDS_A_CALL, [["id", "ASC"]])
        yield from ids
        if len(ids) < IDS_A_CALL:
            return
        after = ids[-1]


def _ranges(numbers: Iterable[int]) -> Ranges:
    ranges: Ranges = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges
