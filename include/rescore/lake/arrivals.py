"""Activities of a page against what the lake holds: new, corrected or there already; found by set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from rescore.lake.reading import CurrentRows, connect, keep, listed, rows_in, texts
from rescore.lake.tables import ACTIVITIES, INBOX, SCHEMAS, TIME, files, place_of

GIVEN = pa.schema(
    [
        ("activity_id", pa.string()),
        ("lead", pa.string()),
        ("type", pa.string()),
        ("occurred_at", TIME),
        ("asset", pa.string()),
        ("channel", pa.string()),
        ("value", pa.float64()),
        ("content", pa.int64()),
    ]
)
"""Activities that can be facts, in the order in which they were said; each further column is a text field."""

_KNOWN = ("activity_id", "revision", "content", "landed_by", "landing", "first_serial", "known_at")
_LATEST = ["lead", "occurred_at"]


class Arrivals:
    """Activities on their way into the lake, each once: within a page the last word counts.

    Args:
        source: The source's name.
        given: As `GIVEN`.
        claimed: The ids of those that a lead took along.
    """

    def __init__(self, source: str, given: pa.Table, *, claimed: Collection[str] = ()) -> None:
        self._source, self._claimed = source, claimed
        self._given, self._repeated = _last_words(given)
        self._to_mark = self._given.slice(0, 0).select(_LATEST)
        self._former: set[str] = set()

    def rows(
        self,
        table: DeltaTable,
        *,
        landed_by: str,
        landing: int,
        known_at: datetime,
        committed: Mapping[str, int],
    ) -> tuple[pa.Table, Counter[str]]:
        """What the table lacks of them, but for text forms; and how many are new, and why others are not.

        Args:
            table: The present state of the table of activities.
            landed_by: Source and stream.
            landing: Its number.
            known_at: When all this became known (naive UTC).
            committed: By source and stream the last landing whose leads are marked.
        """
        counts = Counter(self._repeated)
        if not self._given.num_rows:
            return SCHEMAS[ACTIVITIES].empty_table(), counts
        with connect() as connection:
            self._look_up(connection, table, committed)
            counts += self._count(connection)
            self._former = self._former_leads(connection, table)
            judged = connection.sql(
                "SELECT same, same AND marked AS known, first_serial, "
                "coalesce(revision + 1, 0)::INTEGER AS revision, "
                f"greatest(TIMESTAMP '{known_at}', known_at) AS known_at FROM judged ORDER BY place"
            ).to_arrow_table()
        self._to_mark = _but(self._given.select(_LATEST), judged["known"])
        new, judged = _but(self._given, judged["same"]), _but(judged, judged["same"])
        for name in ("first_serial", "revision", "known_at"):
            new = new.append_column(name, judged[name])
        if not new.num_rows:
            return new, counts
        stamps = {"bucket": INBOX, "landed_by": landed_by, "landing": landing, "source": self._source}
        for name, value in stamps.items():
            kind = SCHEMAS[ACTIVITIES].field(name).type
            new = new.append_column(name, pa.repeat(pa.scalar(value, kind), new.num_rows))
        return new.append_column("place", _places(new["lead"])), counts

    def latest(self) -> pa.Table:
        """Each `lead` once, with the time of its latest activity, but for those whom nobody has to mark.

        Of the last `rows`. Nobody has to mark a lead whose activities all came with committed landings.
        """
        with connect() as connection:
            connection.register("to_mark", self._to_mark)
            return connection.sql(
                "SELECT lead, max(occurred_at) AS occurred_at FROM to_mark GROUP BY lead"
            ).to_arrow_table()

    @property
    def former(self) -> set[str]:
        """The leads that had one of them before it was corrected, which may have given it to another lead."""
        return self._former

    def _look_up(
        self, connection: duckdb.DuckDBPyConnection, table: DeltaTable, committed: Mapping[str, int]
    ) -> None:
        """A table `judged` of what is given, by its place, each beside the row that the lake has of it."""
        marks = pa.table(
            {"landed_by": texts(committed), "until": pa.array(list(committed.values()), pa.int64())}
        )
        keep(connection, "committed", marks)
        given = self._given.select(["activity_id", "content"])
        keep(connection, "arrived", given.append_column("place", pa.array(np.arange(given.num_rows))))
        current = CurrentRows(connection, table, ACTIVITIES, ("source", *_KNOWN)).read()
        connection.execute(
            f"CREATE TEMP TABLE known AS SELECT {listed(_KNOWN)} FROM ({current}) "
            "SEMI JOIN arrived USING (activity_id) WHERE source = ?",
            [self._source],
        )
        connection.execute(
            "CREATE TEMP TABLE judged AS "
            "SELECT g.activity_id, g.place, k.revision, k.first_serial, k.known_at, "
            "k.activity_id IS NOT NULL AND k.content = g.content AS same, "
            "k.activity_id IS NOT NULL AND k.landing <= coalesce(c.until, 0) AS marked "
            "FROM arrived AS g LEFT JOIN known AS k USING (activity_id) "
            "LEFT JOIN committed AS c USING (landed_by)"
        )

    def _count(self, connection: duckdb.DuckDBPyConnection) -> Counter[str]:
        keep(connection, "claimed", pa.table({"activity_id": texts(self._claimed)}))
        counted = connection.execute(
            "SELECT CASE WHEN same THEN 'duplicate' WHEN revision IS NOT NULL THEN 'corrected' "
            "WHEN activity_id IN (FROM claimed) THEN 'claimed' ELSE 'activities' END, count(*) "
            "FROM judged GROUP BY 1"
        )
        return Counter(dict(counted.fetchall()))

    def _former_leads(self, connection: duckdb.DuckDBPyConnection, table: DeltaTable) -> set[str]:
        corrected = "revision IS NOT NULL AND (NOT same OR (revision > 0 AND NOT marked))"
        connection.execute(f"CREATE TEMP TABLE corrected AS SELECT activity_id FROM judged WHERE {corrected}")
        [(number,)] = connection.execute("SELECT count(*) FROM corrected").fetchall()
        if not number:
            return set()
        columns = [c for c in SCHEMAS[ACTIVITIES] if c.name in ("source", "activity_id", "lead")]
        found = connection.execute(
            f"SELECT DISTINCT lead FROM ({rows_in(columns, files(table))}) "
            "SEMI JOIN corrected USING (activity_id) WHERE source = ?",
            [self._source],
        )
        return {lead for (lead,) in found.fetchall()}


def _but(rows: pa.Table, left_out: pa.ChunkedArray) -> pa.Table:
    """The rows without those left out; mostly there are none, and nothing is copied."""
    return rows.filter(pc.invert(left_out)) if pc.any(left_out).as_py() else rows


def _last_words(given: pa.Table) -> tuple[pa.Table, Counter[str]]:
    """The activities without what a later one of them replaces, and how many were the same or corrected."""
    with connect() as connection:
        connection.register("ids", given.select(["activity_id"]))
        hashes = np.sort(connection.sql("SELECT hash(activity_id) AS hash FROM ids").fetchnumpy()["hash"])
        if (hashes[1:] != hashes[:-1]).all():  # mostly: then no two ids are the same
            return given, Counter()
        order = pa.array(np.arange(given.num_rows))
        keep(
            connection,
            "said",
            pa.table({"id": given["activity_id"], "content": given["content"], "place": order}),
        )
        again = "SELECT id FROM said GROUP BY id HAVING count(*) > 1"
        replaced = connection.execute(
            "SELECT place, content = lead(content) OVER (PARTITION BY id ORDER BY place) AS same "
            f"FROM said SEMI JOIN ({again}) USING (id) QUALIFY same IS NOT NULL"
        ).fetchall()
    if not replaced:
        return given, Counter()
    stays = np.ones(given.num_rows, bool)
    stays[[place for place, _ in replaced]] = False
    return given.filter(pa.array(stays)), Counter(
        "duplicate" if same else "corrected" for _, same in replaced
    )


def _places(leads: pa.ChunkedArray) -> pa.Array:
    encoded = leads.combine_chunks().dictionary_encode()
    places = pa.array([place_of(lead) for lead in encoded.dictionary.to_pylist()], pa.int64())
    return pc.take(places, encoded.indices)
