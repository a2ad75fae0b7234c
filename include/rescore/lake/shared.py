"""A thing that several leads may have, such as a meeting, stays one activity of a person who was merged.

Its activities are told apart by the lead. After a merge the source says that the record which is left took
part, and not that it was the lost one that did: the activity keeps the name that it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa

from rescore.lake.aliases import read_aliases
from rescore.lake.reading import CurrentRows, connect, keep, texts
from rescore.lake.records import ActivityRecord, Page
from rescore.lake.tables import ACTIVITIES, ALIASES, Storage
from rescore.model import lead_key, split_lead_key


def under_known_names(storage: Storage, source: str, page: Page) -> Page:
    """The page; a shared activity has the name under which a lost record of its lead had it."""
    shared = [activity for activity in page.activities if activity.shared]
    leads = {lead_key(source, activity.lead_id) for activity in shared}
    lost = read_aliases(storage.open(ALIASES), leads).lost()
    names: dict[str, list[str]] = {}
    for activity in shared:
        if gone := lost.get(lead_key(source, activity.lead_id)):
            names[activity.activity_id] = [
                f"{activity.shared}:{split_lead_key(one)[1]}" for one in sorted(gone)
            ]
    if not names:
        return page
    known = _known(storage, source, {*names, *(name for others in names.values() for name in others)})

    def named(activity: ActivityRecord) -> ActivityRecord:
        own = activity.activity_id
        earlier = [name for name in names.get(own, ()) if name in known]
        return replace(activity, activity_id=earlier[0]) if earlier and own not in known else activity

    return replace(page, activities=[named(activity) for activity in page.activities])


def _known(storage: Storage, source: str, names: Iterable[str]) -> set[str]:
    """Those of the activities that the lake has."""
    with connect() as connection:
        keep(connection, "asked_names", pa.table({"activity_id": texts(names)}))
        columns = ("source", "activity_id", "revision")
        rows = CurrentRows(connection, storage.open(ACTIVITIES), ACTIVITIES, columns).read()
        found = connection.execute(
            f"SELECT activity_id FROM ({rows}) SEMI JOIN asked_names USING (activity_id) WHERE source = ?",
            [source],
        )
        return {row[0] for row in found.fetchall()}
