"""Who else each record says it is: the lake's table of claims, and where records belong because of them.

An e-mail address is kept as a salted hash only, and only where a mapping asks for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.aliases import Aliases, AliasLog, follow
from rescore.lake.persons import Record, places
from rescore.lake.reading import CurrentRows, connect, keep, rows_in, texts
from rescore.lake.tables import CLAIMS, LEADS, SCHEMAS, bucket_of, buckets_of, columns_of, files, serial_of
from rescore.same_person import AMBIGUOUS, Matching, Place
from rescore.withheld import IS_DELETED

ID, ADDRESS, NONE = "id", "address", "none"

Said = frozenset[tuple[str, str]]
"""What one record says: (kind, value) of each claim."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where records belong.

    Attributes:
        places: Of records that are not alone, are ambiguous, or were until now.
        rivals: Ambiguous record -> all that it cannot be told from, itself among them.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    rivals: Mapping[str, frozenset[str]] = field(default_factory=dict)


def new_claims(table: DeltaTable, said: Mapping[str, Said]) -> pa.Table | None:
    """The rows of those records that say something else than the table has of them; None for no rows."""
    known = _current(table, said) if table.count() else {}
    serial = serial_of(table) + 1
    rows = [
        {"lead": lead, "kind": kind, "value": value, "serial": serial}
        for lead, claims in said.items()
        if claims != known.get(lead, frozenset())
        for kind, value in sorted(claims or {(NONE, "")})
    ]
    return pa.Table.from_pylist(rows, SCHEMAS[CLAIMS]) if rows else None


def new_places(
    claims: DeltaTable,
    leads: DeltaTable,
    aliases: Aliases,
    log: AliasLog,
    touched: Iterable[str],
    matching: Matching,
) -> Placed:
    """Where records belong that may be joined with the touched ones, in any number of steps.

    Args:
        claims: The table, with what the touched records say now.
        leads: Which records there are, likewise.
        aliases: Merges up to now, and where records belonged before, of the touched; the others come to it.
        log: Where those are.
        touched: Records that came, changed, or were merged or deleted.
        matching: The order of the sources.
    """
    found, rivals = places(_records(claims, leads, aliases, log, touched), matching)
    leading = {place.lead for record, place in found.items() if place.lead != record}
    known = aliases.places()
    told = {
        record: place
        for record, place in found.items()
        if place.lead != record or record in leading or place.state == AMBIGUOUS or record in known
    }
    return Placed(told, rivals)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Whom an ambiguous record may be one person with.

    Attributes:
        others: Their keys, known here or not.
        by_id: Whether an id says so that one of them names of another.
        by_address: Whether an e-mail address says so that several share.
    """

    others: frozenset[str]
    by_id: bool
    by_address: bool


def doubts(claims: DeltaTable, leads: DeltaTable, log: AliasLog, asked: Collection[str]) -> dict[str, Doubt]:
    """Of those of these records that are ambiguous: with whom, and why."""
    records = _records(claims, leads, follow(log.about(asked)), log, asked)
    _, rivals = places(records)
    return {key: _doubt(key, rivals[key] - {key}, records) for key in asked if key in rivals}


def _doubt(key: str, others: frozenset[str], records: Mapping[str, Record]) -> Doubt:
    addresses = [address for each in {key, *others} if each in records for address in records[each].addresses]
    named = {id_ for each in {key, *others} if each in records for id_ in records[each].ids}
    return Doubt(others, bool(named & {key, *others}), len(addresses) > len(set(addresses)))


def _records(
    claims: DeltaTable, leads: DeltaTable, aliases: Aliases, log: AliasLog, touched: Iterable[str]
) -> dict[str, Record]:
    """Every record that may be joined with the touched ones, and who it says it is."""
    with connect() as connection:
        connection.execute(f"CREATE TEMP TABLE claims AS {rows_in(SCHEMAS[CLAIMS], files(claims))}")
        around = _around(connection, aliases, log, touched)
    said = _current(claims, around)
    there = _there(leads, around)
    lost = aliases.lost()
    records = {}
    for key in around:
        if key in there and aliases.record(key) == key:
            claimed = said.get(key, frozenset())
            ids = {aliases.record(value) for kind, value in claimed if kind == ID} - {key}
            family = [there[each][0] for each in {key, *lost.get(key, ())} if each in there]
            records[key] = Record(
                ids=frozenset(ids),
                addresses=frozenset(value for kind, value in claimed if kind == ADDRESS),
                since=min(family),
                deleted=there[key][1],
            )
    return records


def address_hashes(table: DeltaTable | None, leads: Collection[str]) -> set[str]:
    """The hashes of the e-mail addresses that these records are known by."""
    said = {} if table is None else _current(table, leads)
    return {value for claims in said.values() for kind, value in claims if kind == ADDRESS}


def claimed_hashes(table: DeltaTable | None, hashes: Collection[str]) -> set[str]:
    """Those of these hashes that any record is, or was, known by."""
    if table is None:
        return set()
    with connect() as connection:
        keep(connection, "asked", pa.table({"value": texts(hashes)}))
        rows = rows_in(SCHEMAS[CLAIMS], files(table))
        found = connection.execute(f"SELECT DISTINCT value FROM ({rows}) SEMI JOIN asked USING (value)")
        return {value for (value,) in found.fetchall()}


def _around(
    connection: duckdb.DuckDBPyConnection, aliases: Aliases, log: AliasLog, touched: Iterable[str]
) -> set[str]:
    """Every record that shares something, now or once, with the touched ones or with one of these."""
    around: set[str] = set()
    frontier = set(touched)
    while frontier:
        near = set(frontier)
        if around:
            aliases.follow(log.about(frontier))
        lost, persons = aliases.lost(), _persons(aliases)
        for key in frontier:
            record = aliases.record(key)
            near |= {record, *lost.get(record, ()), *persons.get(aliases.canonical(record), ())}
        around |= near
        connection.execute("DROP TABLE IF EXISTS near")
        keep(connection, "near", pa.table({"lead": texts(near)}))
        found = connection.execute(
            """
            WITH shared AS (
                SELECT value FROM claims SEMI JOIN near USING (lead) WHERE value <> ''
                UNION SELECT lead FROM near
            )
            SELECT lead FROM claims SEMI JOIN shared USING (value)
            UNION SELECT value FROM claims SEMI JOIN near USING (lead) WHERE kind = ?
            """,
            [ID],
        ).fetchall()
        frontier = {lead for (lead,) in found} - around
    return around


def _persons(aliases: Aliases) -> dict[str, set[str]]:
    """Lead -> the records that count as it, itself among them."""
    persons: dict[str, set[str]] = {}
    for record in aliases.joined():
        persons.setdefault(aliases.canonical(record), set()).add(record)
    return persons


def _current(table: DeltaTable, leads: Collection[str]) -> dict[str, Said]:
    """What each of these records says now."""
    with connect() as connection:
        keep(connection, "asked_leads", pa.table({"lead": texts(leads)}))
        rows = f"SELECT * FROM ({rows_in(SCHEMAS[CLAIMS], files(table))}) SEMI JOIN asked_leads USING (lead)"
        found = connection.execute(
            f"SELECT lead, kind, value FROM ({rows}) QUALIFY serial = max(serial) OVER (PARTITION BY lead)"
        ).fetchall()
    said: dict[str, set[tuple[str, str]]] = {}
    for lead, kind, value in found:
        said.setdefault(lead, set()).update([(kind, value)] if kind != NONE else [])
    return {lead: frozenset(claims) for lead, claims in said.items()}


def _there(table: DeltaTable, leads: Collection[str]) -> dict[str, tuple[int, bool]]:
    """Of each of these records that has landed, the append that brought it and whether it is deleted."""
    column = f"{IS_DELETED}__flag"
    wanted = ["lead", "first_serial", *([column] if column in columns_of(table).names else [])]
    with connect() as connection:
        keep(connection, "asked_leads", pa.table({"lead": texts(leads)}))
        buckets = {bucket_of(lead, buckets_of(table)) for lead in leads}
        rows = CurrentRows(connection, table, LEADS, {*wanted, "revision"}).read(buckets)
        told: list[dict[str, Any]] = (
            connection.sql(f"SELECT {', '.join(wanted)} FROM ({rows}) SEMI JOIN asked_leads USING (lead)")
            .to_arrow_table()
            .to_pylist()
        )
    return {row["lead"]: (row["first_serial"], bool(row.get(column))) for row in told}
