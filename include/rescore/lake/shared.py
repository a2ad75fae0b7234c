"""A thing that several leads may have, such as a meeting, stays one activity of a person who was merged.

Its activities are told apart by the lead. After a merge the source says that the record which is left took
part, and not that it was the lost one that did: the activity keeps the name that it has. Where it has two,
because both took part or the source told of the thing before it told of the merge, one of them counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC

import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.aliases import read_aliases
from rescore.lake.reading import CurrentRows, connect, keep, texts
from rescore.lake.records import ActivityRecord, Page
from rescore.lake.tables import ACTIVITIES, ALIASES, Storage, bucket_of, buckets_of, place_of
from rescore.model import lead_key, split_lead_key

TOLD_TWICE = "told_twice"
"""The type of an activity that is another one's second name; no rule asks for it."""


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


def once_for_each_person(storage: Storage, source: str, page: Page) -> Page:
    """The page; of what the merges on it leave with two names, all but one are `TOLD_TWICE`."""
    told = {lead.lead_id: lead.merged for lead in page.leads if lead.merged}
    if not told or (activities := storage.open(ACTIVITIES)) is None:
        return page
    leads = {lead_key(source, one) for left, gone in told.items() for one in (left, *gone)}
    lost = read_aliases(storage.open(ALIASES), leads).lost()
    members = {
        left: {left, *gone, *_ids(lost.get(lead_key(source, one), ()) for one in (left, *gone))}
        for left, gone in told.items()
    }
    return replace(page, activities=[*page.activities, *_second_names(activities, source, members)])


def _ids(leads: Iterable[Iterable[str]]) -> Iterator[str]:
    return (split_lead_key(lead)[1] for several in leads for lead in several)


def _second_names(
    table: DeltaTable, source: str, members: Mapping[str, Iterable[str]]
) -> Iterator[ActivityRecord]:
    """What has several names that count, under all of them but the first of a lost record."""
    rows = [(left, record, lead_key(source, record)) for left, ids in members.items() for record in ids]
    lefts, records, leads = zip(*rows, strict=True)
    asked = {"left_id": texts(lefts), "record": texts(records), "lead": texts(leads)}
    places = pa.array([place_of(lead) for lead in leads], pa.int64())
    with connect() as connection:
        keep(connection, "members", pa.table({**asked, "place": places}))
        columns = ("source", "activity_id", "revision", "place", "lead", "type", "occurred_at")
        homes = {bucket_of(lead, buckets_of(table)) for lead in leads}
        current = CurrentRows(connection, table, ACTIVITIES, columns).read(homes)
        found = connection.execute(
            f"""
            SELECT name.left_id, activity_id, occurred_at
            FROM ({current}) AS one
            JOIN members AS owner USING (place, lead)
            JOIN members AS name
              ON name.left_id = owner.left_id AND ends_with(activity_id, ':' || name.record)
              AND contains(left(activity_id, length(activity_id) - length(name.record) - 1), ':')
            WHERE source = ? AND type <> '{TOLD_TWICE}'
            QUALIFY row_number() OVER (
                PARTITION BY name.left_id, left(activity_id, length(activity_id) - length(name.record))
                ORDER BY name.record = name.left_id, name.record
            ) > 1
            """,
            [source],
        ).fetchall()
    for left, name, at in found:
        yield ActivityRecord(name, left, TOLD_TWICE, at.replace(tzinfo=UTC))


def _known(storage: Storage, source: str, names: Iterable[str]) -> set[str]:
    """Those of the activities that the lake has, and that count."""
    with connect() as connection:
        keep(connection, "asked_names", pa.table({"activity_id": texts(names)}))
        columns = ("source", "activity_id", "revision", "type")
        rows = CurrentRows(connection, storage.open(ACTIVITIES), ACTIVITIES, columns).read()
        found = connection.execute(
            f"SELECT activity_id FROM ({rows}) SEMI JOIN asked_names USING (activity_id) "
            f"WHERE source = ? AND type <> '{TOLD_TWICE}'",
            [source],
        )
        return {row[0] for row in found.fetchall()}
