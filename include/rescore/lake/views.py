"""The views that scoring reads: everybody at once, everybody part by part, or only the leads asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Protocol

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from rescore import withheld
from rescore.lake.accounts import account_of
from rescore.lake.reading import (
    CurrentRows,
    activity_columns,
    at_home_in,
    attributes,
    keep,
    listed,
    texts,
    without_form,
)
from rescore.lake.tables import (
    ACTIVITIES,
    INBOX,
    LEADS,
    PAST,
    bucket_of,
    buckets_of,
    place_of,
)
from rescore.same_person import Place
from rescore.withheld import ATTRIBUTES, NOTED_HERE

ACTIVITIES_IN_A_PART = 2_500_000
"""Enough to pay for planning the query once more, few enough for a small machine's memory."""

FEW = 10_000
"""The facts of more leads than that are not kept in memory."""

FACT = frozenset({"lead", "type", "occurred_at"})
"""What scoring reads of an activity, and of a lead, whatever the rules are."""

NOBODY_JOINED: Mapping[str, Place] = {}

Part = tuple[str, str]
"""The names of two relations, of activities and of leads."""


class Rows(Protocol):
    """The rows of one table that count, as the text of a SELECT; `schema` is what they can hold."""

    schema: pa.Schema

    def read(self, buckets: Iterable[int] | None = None) -> str:
        """Those in the inbox, and of all buckets or those named."""

    def at_home_in(self, buckets: range) -> str:
        """Those that belong to these buckets."""


RowsOf = Callable[[duckdb.DuckDBPyConnection, DeltaTable | None, str], Rows]


class Views:
    """Views over one state of the lake.

    Args:
        connection: A fresh database.
        activities: The Delta table, or None before the first landing.
        leads: Likewise, with as many buckets.
        merged: Every lead that counts as another one, and the one.
        joined: The records of persons who have several, those that count as leads among them.
        rows: Which rows of a table count: the current ones, or those of the past.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        activities: DeltaTable | None,
        leads: DeltaTable | None,
        *,
        merged: Mapping[str, str],
        joined: Mapping[str, Place] = NOBODY_JOINED,
        rows: RowsOf = CurrentRows,
    ) -> None:
        self._table = activities
        self._connection = connection
        self._activities = rows(connection, activities, ACTIVITIES)
        self._leads = rows(connection, leads, LEADS)
        self._seen = activity_columns(self._activities.schema)
        self._attributes = attributes(self._leads.schema)
        self.kept = False  # whether the part that was made last is in memory
        self.know(merged, joined)

    def know(self, merged: Mapping[str, str], joined: Mapping[str, Place]) -> None:
        """Let these be who counts as whom; what was known of leads that were asked for is among it."""
        self._merged, self._joined = merged, joined
        if joined:
            keep(self._connection, "joined", joined_rows(joined))
        if merged:
            left = {
                "lead": texts(merged),
                "canonical": texts(merged.values()),
                "place": places(merged.values()),
            }
            keep(self._connection, "merged", pa.table(left))

    def everybody(self) -> Part:
        """All leads, each with its activities under its canonical key."""
        return self._create("", self._under_canonical_keys(self._activities.read()), self._leads.read())

    def only(self, leads: Collection[str], fields: Collection[str] | None = None) -> Part:
        """These leads, or those that they count as now, with everybody who counts as one of them.

        Where the `fields` are known that anybody will ask for, those of a few leads are read once and kept.
        """
        self.kept = fields is not None and len(leads) <= FEW
        if fields is not None and self.kept:
            self._seen = [name for name in self._seen if name in FACT or without_form(name) in fields]
            self._attributes = {
                name: value for name, value in self._attributes.items() if without_form(name) in fields
            }
        return self._some(set(leads), "")

    def whole_accounts(self, part: Part, leads: Collection[str]) -> Part:
        """The same of everybody in the accounts of the part's leads; the part itself if nobody is new."""
        account = account_of(self._attributes)
        if account is None:
            return part
        mine = f"SELECT {account.key} FROM {part[1]}"
        found = self._connection.execute(f"SELECT lead FROM ({self.accounts()}) WHERE account IN ({mine})")
        everybody = {*leads, *(lead for (lead,) in found.fetchall())}
        return part if len(everybody) == len(set(leads)) else self._some(everybody, "_of_accounts")

    def accounts(self) -> str:
        """Every lead, and the account that it belongs to; null for none."""
        account = account_of(self._attributes)
        if account is None:
            return "SELECT NULL::VARCHAR AS lead, NULL::VARCHAR AS account WHERE false"
        names = {name: self._attributes[name] for name in sorted(account.columns)}
        people = self._people(self._leads.read(), None, names)
        return f"SELECT lead, {account.key} AS account FROM ({people})"

    def _some(self, asked: set[str], suffix: str) -> Part:
        """Some leads with those that count as them; one that counts as another is that one, never a part."""
        asked |= {left for gone, left in self._merged.items() if gone in asked}
        asked |= {gone for gone, left in self._merged.items() if left in asked}
        name = f"asked{suffix}"
        keep(self._connection, name, pa.table({"place": places(asked), "lead": texts(asked)}))
        buckets = self._homes_of(asked)
        activities, people = (
            f"SELECT * FROM ({rows.read(buckets)}) SEMI JOIN {name} USING (place, lead)"
            for rows in (self._activities, self._leads)
        )
        self.kept = self.kept and len(asked) <= FEW
        return self._create(suffix, self._under_canonical_keys(activities), people)

    def parts(self, size: int) -> Iterator[Part]:
        """Everybody again, divided by the buckets of canonical leads; nothing where one part would do.

        What merged-away leads did is read once and kept, because its files may belong to another part.
        """
        divided = [] if self._table is None else divide(self._table, size)
        if len(divided) < 2:
            return
        if self._merged:
            self._keep_moved()
        if self._joined:
            self._keep_persons()
        for number, buckets in enumerate(divided):
            rows = self._activities.at_home_in(buckets)
            activities = self._selected(self._not_merged_away(rows))
            if self._merged:
                assert self._table is not None  # noqa: S101 - narrows the type
                moved = f"SELECT * FROM moved WHERE {at_home_in(self._table, buckets)}"
                activities += f" UNION ALL {self._selected(moved)}"
            yield self._create(f"_{number}", activities, self._leads.at_home_in(buckets), home=buckets)

    def _keep_moved(self) -> None:
        """A table of what merged-away leads did, under the lead that is left and in its place."""
        rows = self._activities.read(self._homes_of(self._merged))
        self._connection.execute(
            f"CREATE TEMP TABLE moved AS SELECT {self._canonical}, m.place "
            f"FROM ({rows}) AS a JOIN merged AS m ON a.lead = m.lead"
        )

    def _keep_persons(self) -> None:
        """A table of what is known of persons who have several records, each in the place of their lead."""
        rows = self._leads.read(self._homes_of(self._joined))
        persons = self._of_persons(rows, self._attributes, "any_value(j.place) AS place")
        self._connection.execute(f"CREATE TEMP TABLE persons AS {persons}")

    def _of_persons(self, rows: str, attributes: Mapping[str, str], *also: str) -> str:
        """One row for each person who has several records: of each attribute the first record's value."""
        values = [f'{of_all(name, value)} AS "{name}"' for name, value in attributes.items()]
        return (
            f"SELECT {', '.join(['j.canonical AS lead', *values, *also])} FROM ({rows}) AS r "
            "JOIN joined AS j ON r.lead = j.lead GROUP BY j.canonical"
        )

    def _homes_of(self, leads: Collection[str]) -> set[int]:
        if self._table is None:
            return set()
        count = buckets_of(self._table)
        return {bucket_of(lead, count) for lead in leads}

    def _under_canonical_keys(self, rows: str) -> str:
        if not self._merged:
            return self._selected(rows)
        return f"SELECT {self._canonical} FROM ({rows}) AS a LEFT JOIN merged AS m ON a.lead = m.lead"

    @property
    def _canonical(self) -> str:
        """The columns of activities `a` that scoring sees, each under the lead that is left, `m`."""
        left = {"lead": "coalesce(m.canonical, a.lead) AS lead"}
        return ", ".join(left.get(name) or listed([name], "a") for name in self._seen)

    def _not_merged_away(self, rows: str) -> str:
        return f"SELECT * FROM ({rows}) ANTI JOIN merged USING (lead)" if self._merged else rows

    def _selected(self, activities: str) -> str:
        return f"SELECT {listed(self._seen)} FROM ({activities})"

    def _people(self, rows: str, home: range | None, named: Mapping[str, str]) -> str:
        """Every lead with these attributes, or those that belong to some buckets."""
        attributes = "".join(f', {value} AS "{name}"' for name, value in named.items())
        if not self._joined:
            return f"SELECT lead{attributes} FROM ({self._not_merged_away(rows)})"
        alone = f"SELECT * FROM ({self._not_merged_away(rows)}) ANTI JOIN joined USING (lead)"
        if home is None:
            persons = self._of_persons(rows, named)
        else:
            assert self._table is not None  # noqa: S101 - narrows the type
            persons = f"SELECT * EXCLUDE (place) FROM persons WHERE {at_home_in(self._table, home)}"
        return f"SELECT lead{attributes} FROM ({alone}) UNION ALL BY NAME {persons}"

    def _create(self, suffix: str, activities: str, people: str, *, home: range | None = None) -> Part:
        names, how = (f"activities{suffix}", f"leads{suffix}"), "TABLE" if self.kept else "VIEW"
        people = self._people(people, home, self._attributes)
        for name, rows in zip(names, (activities, people), strict=True):
            self._connection.execute(f"CREATE TEMP {how} {name} AS {rows}")
        return names


def of_all(name: str, value: str, rank: str = "j.rank") -> str:
    """An attribute of a person with several records, those of the first source first by their rank.

    Who objects in one source objects, and so it is with a release; who is deleted in one is there while
    another one has them.
    """
    if without_form(name) in NOTED_HERE:
        return f"bool_or({value})"
    match ATTRIBUTES.get(without_form(name)):
        case withheld.DELETED:
            return f"bool_and(coalesce({value}, false))"
        case withheld.OBJECTION:
            return f"bool_or({value})"
    return f"arg_min({value}, {rank})"  # of those that are not null


def joined_rows(joined: Mapping[str, Place]) -> pa.Table:
    """The table `joined` of records: lead, canonical, rank, and the place of canonical."""
    leads = [place.lead for place in joined.values()]
    ranks = pa.array([place.rank for place in joined.values()], pa.int32())
    return pa.table({"lead": texts(joined), "canonical": texts(leads), "rank": ranks, "place": places(leads)})


def places(leads: Iterable[str]) -> pa.Array:
    """A column of places for `keep`."""
    return pa.array(map(place_of, leads), pa.int64())


def divide(activities: DeltaTable, size: int) -> list[range]:
    """The table's buckets in runs of about `size` activities; the inbox counts as spread evenly."""
    rows: Counter[str] = Counter()
    for file in pa.table(activities.get_add_actions(flatten=True)).to_pylist():
        rows[file["partition.bucket"]] += file["num_records"]
    count = buckets_of(activities)
    total = rows.total() - rows[PAST]
    wanted = round(total / size)
    if wanted < 2:
        return [range(count)]
    divided: list[range] = []
    first, so_far = 0, 0.0
    for bucket in range(count):
        so_far += rows[str(bucket)] + rows[INBOX] / count
        if bucket + 1 == count or so_far >= total * (len(divided) + 1) / wanted:
            divided.append(range(first, bucket + 1))
            first = bucket + 1
    return divided
