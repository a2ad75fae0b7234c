"""What is new to each lead since it was last scored, and its facts at the steps from then to now.

Every lead has a moment of its own: the time it was scored as of, and what that run had seen of the lake. One
query finds out which kinds of news it has; one more gives the facts at any number of steps in between, each
step of a lead under a key of its own, so that one scoring query serves them all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from rescore.lake.aliases import Merge, follow
from rescore.lake.past import History, Seen
from rescore.lake.reading import activity_columns, attributes, keep, listed, texts
from rescore.lake.tables import ACTIVITIES, ALIASES, LEADS, TIME, Storage, bucket_at, buckets_of, place_of
from rescore.lake.views import of_all
from rescore.scoring.facts import Facts


class Step(IntEnum):
    """What has happened to a lead's facts by a step; each includes those before it.

    `DECAY` is only that time has gone by. `MERGE` brings whatever merged-away leads did,
    `CORRECTION` what their source says now of activities that were known, `LATE` those that had happened but
    were not known, `ACTIVITY` those that happened since, `RESTART` that some of them restart the lead anew,
    `ATTRIBUTE` the lead's attributes. `UNTOUCHED` is apart: the lead as it is now, without any activity.
    """

    DECAY = 0
    MERGE = 1
    CORRECTION = 2
    LATE = 3
    ACTIVITY = 4
    RESTART = 5
    ATTRIBUTE = 6
    UNTOUCHED = 7


NEWS = tuple(Step(number) for number in range(Step.MERGE, Step.UNTOUCHED))

RESTARTS_LATER = "restarts later?"
"""A flag of activities at steps before `RESTART`: such a one may make a newer restart, and must not yet."""

BEFORE = pa.schema(
    [
        ("lead", pa.string()),
        ("as_of", TIME),
        ("seen_activities", pa.int64()),
        ("seen_leads", pa.int64()),
        ("seen_aliases", pa.int64()),
        ("restarted_before", TIME),
        ("restarted_now", TIME),
    ]
)
"""One lead's moment: a lead that was never scored has no as_of. Times are naive UTC."""


class Changes:
    """The changes of some leads up to one state of the lake.

    Args:
        connection: A fresh database.
        storage: The lake.
        before: The leads, as `BEFORE`.
        merges: All entries of the log of aliases that have to do with these leads.
        seen: The state up to which changes count.
        as_of: The time up to which they count (aware).
        restarts: The activity types of which a newer one may restart a lead.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        storage: Storage,
        before: pa.Table,
        *,
        merges: Sequence[Merge],
        seen: Seen,
        as_of: datetime,
        restarts: Sequence[str] = (),
    ) -> None:
        self._connection = connection
        self._seen, self._as_of = seen, as_of.astimezone(UTC).replace(tzinfo=None)
        self._activities = History(connection, activities := storage.open(ACTIVITIES), ACTIVITIES)
        self._leads = History(connection, storage.open(LEADS), LEADS)
        members = _members(before.select(BEFORE.names).cast(BEFORE), merges, seen)
        keep(connection, "members", members)
        self._persons = bool(pc.any(pc.not_equal(members["rank_now"], 0)).as_py()) or bool(
            pc.any(pc.not_equal(members["rank_was"], 0)).as_py()
        )
        self._new_attributes = _new_attributes(members)
        self._may_restart = "false"
        if restarts:
            keep(connection, "restarts", pa.table({"type": texts(restarts)}))
            self._may_restart = _MAY_RESTART
        self._count = 1 if activities is None else buckets_of(activities)
        self._buckets = self._homes(members["place"])

    def news(self) -> pa.Table:
        """`lead` and one flag for each of `NEWS`, of the leads that have any."""
        rows = self._known_now(self._activities.read(self._buckets), ACTIVITIES)
        counted = "serial <= seen_activities AND coalesce(next_serial > seen_activities, true)"
        found = self._connection.sql(
            f"""
            WITH found AS (
                SELECT m.lead, m.was, m.now, {self._may_restart} AS may_restart,
                    {counted} AND r.occurred_at <= m.as_of AS counted,
                    r.next_serial IS NULL AND r.occurred_at <= $as_of AS counts,
                    r.first_serial <= m.seen_activities AS known,
                    r.serial <= m.seen_activities AS same,
                    r.occurred_at <= m.as_of AS happened
                FROM ({rows}) AS r
                JOIN members AS m ON r.place = m.place AND r.lead = m.member
                WHERE m.was <> m.now OR r.serial > m.seen_activities OR r.next_serial > m.seen_activities
                    OR r.occurred_at > m.as_of
            ), attributes AS (
                SELECT m.lead FROM ({self._known_now(self._leads.read(self._buckets), LEADS)}) AS r
                JOIN members AS m ON r.place = m.place AND r.lead = m.member
                WHERE {self._new_attributes}
            ), flags AS (
                SELECT lead,
                    bool_or(CASE WHEN was THEN NOT now AND counted ELSE counts END) AS merge,
                    bool_or(was AND now AND CASE WHEN counted THEN NOT counts
                            ELSE counts AND known AND NOT same AND happened END) AS correction,
                    bool_or(was AND now AND counts AND NOT known AND happened) AS late,
                    bool_or(was AND now AND counts AND NOT happened) AS activity,
                    bool_or(now AND counts AND may_restart) AS restart,
                    false AS attribute
                FROM found GROUP BY lead
                UNION ALL
                SELECT lead, false, false, false, false, false, true FROM attributes
            )
            SELECT lead, {", ".join(f"bool_or({step.name.lower()}) AS {step.name.lower()}" for step in NEWS)}
            FROM flags GROUP BY lead
            """,
            params={"as_of": self._as_of},
        )
        return found.to_arrow_table()

    def facts(self, steps: pa.Table) -> Facts:
        """The facts of leads at steps, each under its `key`.

        Args:
            steps: key, lead, step (whole number); the leads are among those of `before`.
        """
        connection = self._connection
        connection.execute("DROP TABLE IF EXISTS steps")
        keep(connection, "steps", steps.cast(_STEPS))
        touched = self._keep_asked(ACTIVITIES, self._activities, f"WHERE step < {Step.UNTOUCHED}")
        people = self._keep_asked(LEADS, self._leads, "")
        own = [name for name in activity_columns(self._activities.schema) if name != "lead"]
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW activities AS
            SELECT s.key AS lead, {listed(own, "r")},
                s.step < {Step.RESTART} AND {self._may_restart} AS "{RESTARTS_LATER}"
            FROM steps AS s
            JOIN members AS m ON s.lead = m.lead
            JOIN {touched} AS r ON r.place = m.place AND r.lead = m.member
            WHERE CASE
                WHEN s.step = {Step.UNTOUCHED} THEN false
                WHEN NOT m.was THEN s.step >= {Step.MERGE} AND r.next_serial IS NULL
                WHEN s.step < {Step.CORRECTION} THEN (m.now OR s.step < {Step.MERGE})
                    AND r.serial <= m.seen_activities
                    AND coalesce(r.next_serial > m.seen_activities, true) AND r.occurred_at <= m.as_of
                WHEN r.next_serial IS NOT NULL OR NOT m.now THEN false
                WHEN s.step = {Step.CORRECTION}
                    THEN r.first_serial <= m.seen_activities AND r.occurred_at <= m.as_of
                WHEN s.step = {Step.LATE} THEN r.occurred_at <= m.as_of
                ELSE true END
            """
        )
        rank = f"CASE WHEN s.step < {Step.ATTRIBUTE} THEN m.rank_was ELSE m.rank_now END"
        values = "".join(
            f', {of_all(name, value, rank) if self._persons else value} AS "{name}"'
            for name, value in attributes(self._leads.schema).items()
        )
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW leads AS
            SELECT s.key AS lead{values}
            FROM steps AS s
            JOIN members AS m ON s.lead = m.lead
            JOIN {people} AS r ON r.place = m.place AND r.lead = m.member
            WHERE {rank} IS NOT NULL AND CASE WHEN s.step < {Step.ATTRIBUTE}
                THEN r.serial <= m.seen_leads AND coalesce(r.next_serial > m.seen_leads, true)
                ELSE r.next_serial IS NULL END
            {"GROUP BY s.key" if self._persons else ""}
            """
        )
        return Facts(connection, "activities", "leads")

    def _keep_asked(self, kind: str, history: History, which: str) -> str:
        """A table of the rows that matter to some of the steps."""
        connection, asked, kept = self._connection, f"asked_{kind}", f"kept_{kind}"
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {asked} AS SELECT DISTINCT m.place, m.member AS lead "
            f"FROM members AS m SEMI JOIN (FROM steps {which}) AS s ON m.lead = s.lead"
        )
        buckets = self._homes(connection.table(asked).to_arrow_table()["place"])
        rows = f"SELECT * FROM ({history.read(buckets)}) SEMI JOIN {asked} USING (place, lead)"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {kept} AS {self._known_now(rows, kind)}")
        return kept

    def _homes(self, places: pa.ChunkedArray) -> set[int]:
        return {bucket_at(place, self._count) for place in places.unique().to_pylist()}

    def _known_now(self, rows: str, kind: str) -> str:
        """The rows that had landed by now; what replaced one of them later has not happened yet."""
        seen = self._seen[kind]
        return (
            f"SELECT * REPLACE (CASE WHEN next_serial <= {seen} THEN next_serial END AS next_serial) "
            f"FROM ({rows}) WHERE serial <= {seen}"
        )


_STEPS = pa.schema([("key", pa.string()), ("lead", pa.string()), ("step", pa.int64())])

_MAY_RESTART = """(
    coalesce(r.occurred_at > m.restarted_before, true)
    AND coalesce(r.occurred_at <= m.restarted_now, false)
    AND r.type IN (FROM restarts)
)"""
"""Whether activity `r` may be one that restarts lead `m` anew; what the rules ask of it besides is theirs."""


def _new_attributes(members: pa.Table) -> str:
    """The condition on rows `r` of leads that are news to `m`.

    Where every record counts as it did, row groups without any new row are passed over.
    """
    new = "m.rank_now IS NOT NULL AND r.serial > m.seen_leads"
    if not members["rank_was"].equals(members["rank_now"]):
        moved = "m.rank_was <> m.rank_now OR (m.rank_was IS NULL) <> (m.rank_now IS NULL)"
        return f"({new}) OR {moved}"
    least = pc.min(members["seen_leads"]).as_py()
    return f"{new} AND r.serial > {'NULL' if least is None else least}"


class _State:
    """Whose facts count as whose, after the first so many entries of the log of aliases."""

    def __init__(self, merges: Sequence[Merge], first: int) -> None:
        aliases = follow(merge for merge in merges if merge.ordinal < first)
        self.members: dict[str, set[str]] = defaultdict(set)
        for other, lead in aliases.all().items():
            self.members[lead].add(other)
        self._joined = aliases.joined()

    def rank(self, lead: str, member: str) -> int | None:
        """Whose attributes count first among a lead's records; None where a member's do not count."""
        place = self._joined.get(member)
        if place is not None and place.lead == lead:
            return place.rank
        return 0 if member == lead else None


def _members(before: pa.Table, merges: Sequence[Merge], seen: Seen) -> pa.Table:
    """Each lead's moment, by all whose activities count as its own before (`was`) or `now`.

    Also the ranks of their attributes then, and the places of their rows.
    """
    states = {number for number in before["seen_aliases"].unique().to_pylist() if number is not None}
    now = _State(merges, seen[ALIASES])
    then = {number: now if number == seen[ALIASES] else _State(merges, number) for number in states}
    if not any(state.members for state in (now, *then.values())):
        count, lead = before.num_rows, before["lead"].combine_chunks()
        yes, first = pa.repeat(True, count), pa.repeat(pa.scalar(0, pa.int32()), count)
        columns = {"lead": lead, "member": lead, "was": yes, "now": yes, "rank_was": first, "rank_now": first}
        members = pa.table(columns, _MEMBERS)
    else:
        members = pa.Table.from_pylist(list(_each_member(before, then, now)), _MEMBERS)
    places = pa.array([place_of(lead) for lead in members["member"].to_pylist()], pa.int64())
    members = members.append_column("place", places)
    moments = before.take(pc.index_in(members["lead"], before["lead"].combine_chunks()))
    for name in BEFORE.names[1:]:
        members = members.append_column(name, moments[name])
    return members


def _each_member(
    before: pa.Table, then: Mapping[int, _State], now: _State
) -> Iterator[Mapping[str, str | bool | int | None]]:
    for lead, state in zip(before["lead"].to_pylist(), before["seen_aliases"].to_pylist(), strict=True):
        were = then[state].members[lead] if state is not None else set()
        are = now.members[lead]
        for member in {lead} | were | are:
            yield {
                "lead": lead,
                "member": member,
                "was": member == lead or member in were,
                "now": member == lead or member in are,
                "rank_was": (then[state] if state is not None else now).rank(lead, member),
                "rank_now": now.rank(lead, member),
            }


_MEMBERS = pa.schema(
    [
        ("lead", pa.string()),
        ("member", pa.string()),
        ("was", pa.bool_()),
        ("now", pa.bool_()),
        ("rank_was", pa.int32()),
        ("rank_now", pa.int32()),
    ]
)
