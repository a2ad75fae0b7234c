"""The lake's Delta tables: where they are, what they hold, and the one way to append to them."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError

from rescore.errors import ConfigurationError, Fenced, RetryableError

ACTIVITIES, LEADS, ALIASES, SET_ASIDE = "activities", "leads", "aliases", "set_aside"
UNCLAIMED, ACCOUNTS, CLAIMS = "unclaimed", "accounts", "claims"
INBOX, PAST = "inbox", "past"
"""Partitions beside the buckets: rows as they landed, and rows that a later revision replaced."""

PLACES = 2**32
DEFAULT_BUCKETS = 16  # opening a file takes as long as reading a few thousand of its rows
ROWS_PER_GROUP = 8_192  # small enough to skip most of a bucket, large enough to decode at full speed
COMPRESSION = (
    "lz4"  # a few leads are read in a tenth less time than from zstd's files, which are an eighth smaller
)
ATTEMPTS = 20
COMMITS_PER_CHECKPOINT = 10  # whoever opens a table reads every commit since its last checkpoint

_BRANCH = re.compile(r"\x1b\[[0-9;]*m|↳")
TIME = pa.timestamp("us")
_VERSIONED = [
    ("bucket", pa.string()),  # the partition: inbox, past, or the number of a bucket
    ("place", pa.int64()),  # the hash of the lead, or of the account; buckets are ranges of it, sorted by it
    ("revision", pa.int32()),  # 0, then one more each time the source changed it; the highest counts
    ("content", pa.int64()),  # hash of what the source said
    ("landed_by", pa.string()),  # source/stream
    ("landing", pa.int64()),
    ("source", pa.string()),
    ("lead", pa.string()),
    ("known_at", TIME),  # never before that of the revision it replaced
    ("serial", pa.int64()),  # which append to this table brought the row
    ("first_serial", pa.int64()),  # which append brought the first revision
    ("next_serial", pa.int64()),  # which append brought the next revision; only of rows in the past
    ("next_known_at", TIME),
]
SCHEMAS: Mapping[str, pa.Schema] = {
    ACTIVITIES: pa.schema(
        [
            *_VERSIONED,
            ("activity_id", pa.string()),
            ("type", pa.string()),
            ("occurred_at", TIME),
            ("asset", pa.string()),
            ("asset__folded", pa.string()),
            ("asset__words", pa.string()),
            ("channel", pa.string()),
            ("channel__folded", pa.string()),
            ("channel__words", pa.string()),
            ("value", pa.float64()),
        ]
    ),
    LEADS: pa.schema(
        [
            *_VERSIONED,
            ("carried", pa.string()),  # JSON: the attributes that its account brought
            ("lost_account", pa.string()),  # the one that it named last, where that is gone
        ]
    ),
    ACCOUNTS: pa.schema([("account" if name == "lead" else name, type_) for name, type_ in _VERSIONED]),
    ALIASES: pa.schema(
        [
            ("ordinal", pa.int64()),  # entries apply in this order
            ("lead", pa.string()),
            ("canonical", pa.string()),
            ("known_at", TIME),
            ("kind", pa.string()),  # merge: lead is gone; person: lead is a record of that lead's person
            ("rank", pa.int32()),  # of a person's record: whose attributes count first, from 0
            ("state", pa.string()),  # of a person's record: live, deleted or ambiguous
        ]
    ),
    CLAIMS: pa.schema(
        [
            ("lead", pa.string()),
            ("kind", pa.string()),  # id · address · none, for a record that says nothing any more
            ("value", pa.string()),  # another source's record; the hash of an e-mail address
            ("serial", pa.int64()),  # which append brought it: of each lead the last one's rows count
        ]
    ),
    SET_ASIDE: pa.schema(
        [
            ("kind", pa.string()),
            ("record_id", pa.string()),
            ("reason", pa.string()),
            ("detail", pa.string()),
            ("source", pa.string()),
            ("stream", pa.string()),
            ("landing", pa.int64()),
            ("known_at", TIME),
        ]
    ),
    UNCLAIMED: pa.schema(
        [
            ("address", pa.string()),
            ("activity_id", pa.string()),
            ("activity", pa.string()),  # as the source gave it, in JSON
            ("source", pa.string()),
            ("stream", pa.string()),
            ("landing", pa.int64()),
            ("known_at", TIME),
        ]
    ),
}
PARTITIONED = (ACTIVITIES, LEADS, ACCOUNTS)
HISTORY = ("serial", "first_serial", "next_serial", "next_known_at")
BOOKKEEPING = frozenset(
    {"bucket", "place", "revision", "content", "landed_by", "landing", "carried", "lost_account", *HISTORY}
)
"""Columns that the lake keeps for itself; scoring never sees them."""

_READABLE_FEATURES = frozenset({"timestampNtz"})
_SERIAL = "landing"
_BUCKETS = "rescore.buckets"
LAYOUT = 1
"""How the tables are laid out; another number where this build could not read what another one wrote."""

_LAYOUT = "rescore.layout"
_CHECKPOINTS = "delta.checkpointInterval"
_FOLD = "fold_in"


def place_of(lead: str) -> int:
    """Where among all leads this one is, the same in every process and on every machine."""
    return zlib.crc32(lead.encode())


def bucket_of(lead: str, buckets: int) -> int:
    """The bucket of a lead."""
    return bucket_at(place_of(lead), buckets)


def bucket_at(place: int, buckets: int) -> int:
    """The bucket of a place: places are cut into as many ranges as there are buckets."""
    return place * buckets // PLACES


def places_of(buckets: range, count: int) -> range:
    """The places of leads in some neighbouring buckets of so many."""
    first, after = (-(-bucket * PLACES // count) for bucket in (buckets.start, buckets.stop))
    return range(first, after)


@dataclass(frozen=True, slots=True)
class Storage:
    """A folder or an object-store URL, and how to get in."""

    root: str
    options: Mapping[str, str] | None = None

    def url(self, *parts: str) -> str:
        """The address of something below the root."""
        return "/".join((self.root.rstrip("/"), *parts))

    def open(self, name: str) -> DeltaTable | None:
        """The table as it is now, or None before its first landing.

        Raises:
            ConfigurationError: Another writer gave the table a feature that our way of reading its
                Parquet files would get wrong, or another build of Rescore laid it out.
            RetryableError: The store does not answer.
        """
        options = dict(self.options) if self.options else None
        try:
            if not DeltaTable.is_deltatable(self.url(name), options):
                return None
        except OSError as error:
            raise RetryableError(
                f"the lake at {self.root} does not answer ({_in_short(error)}); see to the store, or to "
                "RESCORE_LAKE_ROOT and what the store needs to let us in"
            ) from None
        table = DeltaTable(self.url(name), storage_options=options)
        protocol = table.protocol()
        features = set(protocol.reader_features or ()) - _READABLE_FEATURES
        if features or protocol.min_reader_version == 2:
            named = ", ".join(sorted(features)) or "columnMapping"
            raise ConfigurationError(
                f"the lake's table {name} uses {named}, which Rescore does not read; "
                "rewrite the table without it"
            )
        layout = table.metadata().configuration.get(_LAYOUT, "none")
        if layout != str(LAYOUT):
            raise ConfigurationError(
                f"the lake's table {name} in {self.root} was laid out by another build of Rescore ({layout}, "
                f"this one reads {LAYOUT}): go on with that build, or move the lake away and read the "
                "history once more with `rescore restored --read-again`"
            )
        return table

    def existing(self, name: str) -> DeltaTable:
        """The table as it is now, after `create` made sure of it."""
        table = self.open(name)
        if table is None:
            raise ConfigurationError(f"the lake's table {name} is gone from {self.root}; restore it")
        return table

    def create(self, name: str, *, buckets: int) -> DeltaTable:
        """The table as it is now, made, empty, unless it is there already; `buckets` counts only then.

        A folder that has to be made for it is closed to everybody but its owner: people are in it.
        """
        if (table := self.open(name)) is not None:
            return table
        if "://" not in self.root:
            Path(self.root).mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            DeltaTable.create(
                self.url(name),
                SCHEMAS[name],
                mode="ignore",
                partition_by=["bucket"] if name in PARTITIONED else None,
                configuration={
                    _BUCKETS: str(buckets),
                    _LAYOUT: str(LAYOUT),
                    _CHECKPOINTS: str(COMMITS_PER_CHECKPOINT),
                },
                storage_options=dict(self.options) if self.options else None,
                raise_if_key_not_exists=False,
            )
        except DeltaError:
            if self.open(name) is None:  # else another process made it between our two looks
                raise
        return self.existing(name)


def _in_short(error: OSError) -> str:
    """The first and the last line of what Delta draws as a tree: what failed, and at last why."""
    lines = [_BRANCH.sub("", line).strip() for line in str(error).splitlines()]
    told = [line for line in lines if line]
    return ": ".join(dict.fromkeys([*told[:1], *told[-1:]]))


def buckets_of(table: DeltaTable) -> int:
    """Into how many buckets this table was divided when it was made."""
    return int(table.metadata().configuration[_BUCKETS])


def files(table: DeltaTable, buckets: Iterable[str] | None = None) -> list[str]:
    """The addresses of the table's Parquet files, of all its partitions or of those named."""
    if buckets is None:
        return table.file_uris()
    wanted = sorted(buckets)
    return table.file_uris(file_pruning_predicate=[("bucket", "in", wanted)]) if wanted else []


def serial_of(table: DeltaTable) -> int:
    """The number of the last append to the table; rows of this and all earlier appends are in it."""
    return table.transaction_version(_SERIAL) or 0


def columns_of(table: DeltaTable) -> pa.Schema:
    """The table's columns, in Arrow's words."""
    return pa.schema(table.schema().to_arrow())


def refuse_if_overtaken(table: DeltaTable, stream: str, number: int) -> None:
    """Raise Fenced when this or a later landing of the stream is already in the table."""
    latest = table.transaction_version(stream)
    if latest is not None and latest >= number:
        raise Fenced(
            f"landing {number} of {stream} is refused: landing {latest} is already in the lake; "
            "take the stream's fence again"
        )


_FILES = WriterProperties(
    max_row_group_size=ROWS_PER_GROUP,
    compression="LZ4_RAW",  # written as fast as with none, half the size of Snappy's; folding in changes it
    column_properties={
        # hardly ever twice in a row group: looking for repetitions took a third of the writing
        name: ColumnProperties(dictionary_enabled=False)
        for name in ("activity_id", "lead", "account", "place", "content", "occurred_at")
    },
)
"""How appends are written."""

RowsAgainst = Callable[[DeltaTable], tuple[pa.Table | None, Counter[str]]]
"""What to append to a table, given its present state; None for nothing, not even the landing's number."""


def append(
    storage: Storage,
    name: str,
    rows_against: RowsAgainst,
    *,
    stream: str,
    number: int,
    opened: DeltaTable | None = None,
) -> Counter[str]:
    """Append what `rows_against` makes of the table's present state, and give its counts back.

    Who has `opened` the table already spares us a look; a state that is over by now does no harm.

    Whoever else landed in between makes the commit fail, and the rows are made again against the
    newer state: what is compared with and what is appended to are always the same version.

    Raises:
        Fenced: This or a later landing of the stream is already in the table.
        RetryableError: Others kept landing for all our attempts.
    """
    for _ in range(ATTEMPTS):
        table = storage.existing(name) if opened is None else opened
        opened = None
        refuse_if_overtaken(table, stream, number)
        rows, counts = rows_against(table)
        if rows is None:
            return counts
        try:
            serial = serial_of(table) + 1
            if name in PARTITIONED:
                rows = _numbered(rows, serial)
            write_deltalake(
                table,
                rows,
                mode="append",
                schema_mode="merge",
                writer_properties=_FILES,
                commit_properties=CommitProperties(
                    app_transactions=[Transaction(stream, number), Transaction(_SERIAL, serial)]
                ),
            )
        except CommitFailedError:
            continue
        except DeltaError:
            if storage.existing(name).version() == table.version():
                raise
            continue  # an erasure has begun the log anew, and our version of it is gone
        return counts
    raise RetryableError(f"the lake was too busy to take landing {number} of {stream}; run it again")


def _numbered(rows: pa.Table, serial: int) -> pa.Table:
    """Each row with the append that brings it, which is the first of its kind unless it says otherwise."""
    mine = pa.repeat(pa.scalar(serial, pa.int64()), rows.num_rows)
    known = rows.column_names
    first = pc.coalesce(rows["first_serial"], mine) if "first_serial" in known else mine
    for column, values in (("serial", mine), ("first_serial", first)):
        if column in known:
            rows = rows.drop_columns([column])
        rows = rows.append_column(column, values)
    return rows


def fold_transaction(table: DeltaTable) -> CommitProperties:
    """Commit properties that let only one of several rewrites of the same table version through.

    Delta accepts two commits that remove the same file when each says so by hand; this number is
    what makes the second one fail.
    """
    return CommitProperties(
        app_transactions=[Transaction(name, number) for name, number in fold_numbers(table).items()]
    )


def fold_numbers(table: DeltaTable) -> dict[str, int]:
    """The application transaction that a rewrite of this version of the table has to carry."""
    return {_FOLD: (table.transaction_version(_FOLD) or 0) + 1}
