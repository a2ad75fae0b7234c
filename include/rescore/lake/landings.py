"""Which landings the lake has seen of each stream, and which leads those after a number brought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.aliases import read_aliases
from rescore.lake.reading import connect, keep, rows_in, still_there, texts
from rescore.lake.tables import ACTIVITIES, ALIASES, LEADS, SCHEMAS, Storage, files

Stream = tuple[str, str]
"""Source and stream."""

LEADS_A_PART = 50_000


def landings(storage: Storage, streams: Iterable[Stream]) -> dict[Stream, int]:
    """The highest landing number that any table has seen of each of these streams."""
    tables = [table for name in SCHEMAS if (table := storage.open(name)) is not None]
    return {
        (source, stream): max(
            (table.transaction_version(f"{source}/{stream}") or 0 for table in tables), default=0
        )
        for source, stream in streams
    }


def whole(storage: Storage, streams: Iterable[Stream]) -> dict[Stream, int]:
    """The highest landing number of each of these streams of which every table has its part.

    Activities come last in a landing, and carry its number even when it brought none.
    """
    return _seen_by(storage.open(ACTIVITIES), streams)


def _seen_by(activities: DeltaTable | None, streams: Iterable[Stream]) -> dict[Stream, int]:
    return {
        (source, stream): 0
        if activities is None
        else activities.transaction_version(f"{source}/{stream}") or 0
        for source, stream in streams
    }


def behind(root: str, activities: DeltaTable | None, committed: Mapping[Stream, int]) -> str | None:
    """In a sentence, what a lake lacks of the landings that the ledger has committed; None: nothing.

    Args:
        root: Where the lake is.
        activities: Its table of them; None where there is none.
        committed: By stream the last landing that the ledger has committed, 0 for none.
    """
    here = _seen_by(activities, committed)
    lacking = sorted(stream for stream, number in committed.items() if here[stream] < number)
    if not lacking:
        return None
    source, stream = first = lacking[0]
    more = f" (and more of {len(lacking) - 1} other streams)" if len(lacking) > 1 else ""
    ahead = f"the ledger has committed {source}/{stream} up to landing {committed[first]}{more}"
    if not any(here.values()):
        return f"there is no lake at {root} (is its volume mounted, is its address right?), and {ahead}"
    return (
        f"the lake at {root} is older than the ledger (is its volume mounted, is it the right one?): "
        f"it ends at landing {here[first]}, and {ahead}"
    )


@contextmanager
def landed_after(
    storage: Storage, source: str, stream: str, number: int
) -> Iterator[Iterator[dict[str, datetime | None]]]:
    """The leads of a stream's landings after that number, each with the time of its latest such activity.

    They come in parts, in the order of their keys, each lead once.

    Raises:
        RetryableError: An erasure rewrote files while they were read.
    """
    left = read_aliases(storage.open(ALIASES)).all()
    told = [
        f"SELECT lead, {latest} AS latest FROM ({rows}) "
        "WHERE landed_by = $by AND landing > $number GROUP BY 1"
        for kind, latest in ((LEADS, "NULL::TIMESTAMP"), (ACTIVITIES, "max(occurred_at)"))
        if (rows := _rows(storage, kind)) is not None
    ]
    with still_there(), connect() as connection:
        aliases = {"lead": texts(left), "canonical": texts(left.values())}
        keep(connection, "became", pa.table(aliases))
        if told:
            connection.execute(
                "SELECT coalesce(canonical, lead) AS canonical, max(latest) "
                f"FROM ({' UNION ALL '.join(told)}) LEFT JOIN became USING (lead) GROUP BY 1 ORDER BY 1",
                {"by": f"{source}/{stream}", "number": number},
            )
        yield _parts(connection) if told else iter(())


def _rows(storage: Storage, kind: str) -> str | None:
    if (table := storage.open(kind)) is None:
        return None
    wanted = {"lead", "landed_by", "landing", "occurred_at"}
    return rows_in([column for column in SCHEMAS[kind] if column.name in wanted], files(table))


def _parts(found: duckdb.DuckDBPyConnection) -> Iterator[dict[str, datetime | None]]:
    while rows := found.fetchmany(LEADS_A_PART):
        yield {lead: at and at.replace(tzinfo=UTC) for lead, at in rows}
