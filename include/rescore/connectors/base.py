"""What every CRM connector promises: facts come out in pages, scores go back by record id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from rescore.connectors.readback import ReadBack
from rescore.lake.records import Page
from rescore.outcome import Kind

Cursor = dict[str, Any]
"""Where to resume a stream: JSON of the connector's own making, kept by the ledger, read by nobody else."""

FieldValue = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class ScoreUpdate:
    """What the CRM should show of one lead.

    `lead_id` is the CRM's own record id (not the lead key). `fields` maps property names of the
    mapping to values; None empties the property.
    """

    lead_id: str
    fields: Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one update; what each kind leads to is told in `rescore.outcome`.

    `record` the CRM refused it and a person has to look; `gone` it has no such record any more; `unknown`
    and `transient` the same update sent again is right. `reason` says why without any value of the lead.
    """

    lead_id: str
    kind: Kind
    reason: str | None = None


@runtime_checkable
class Source(Protocol):
    """Where leads and activities come from.

    Streams are read independently of each other, except that the first one holds the leads.
    """

    name: str
    streams: tuple[str, ...]

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """Everything of one stream from `cursor` (None: from the beginning) up to `until`, page by page.

        Each page carries the cursor that resumes after it: reading on from there misses nothing, and
        repeats at most rows the lake recognises as already known. Records that cannot be read are in
        the page's `set_aside`; they never end the stream.

        Raises:
            CrmRejectedCredentials: The token is wrong or lacks a scope.
            CrmRateLimited: The CRM asked for a longer pause than this call may wait.
            CrmUnavailable: No usable answer.
            CursorStuck: A page led to itself.
        """
        ...


@runtime_checkable
class Target(ReadBack, Protocol):
    """Where scores are shown, and read back. Never creates a record.

    A write has ended after `longest_write` seconds, whatever happens; a call takes `call_seconds` of the pace
    that the CRM allows.
    """

    name: str
    batch_size: int
    longest_write: float
    call_seconds: float

    def write(self, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
        """Set the fields of at most `batch_size` records in as few calls as the CRM allows.

        Returns one result per update, in the order given, whatever order the CRM answered in.

        Raises:
            CrmRejectedCredentials: The token is wrong or lacks a scope; nothing was written.
            CrmFieldMissing: A property of the mapping does not exist; nothing was written.
            CrmRateLimited: The CRM asked for a longer pause than this call may wait.
            CrmUnavailable: No usable answer; what was written is unknown, so send it again.
        """
        ...

    def fingerprint(self) -> str:
        """Which account or database this is, as its owner would name it: `portal 24680135`, `crm on db1`.

        The same for ever and for whatever credentials lead there, and another one for a sandbox, a copy or
        another company's account. Read from the system itself where it tells; no secret is in it. At its
        first use it is noted in the ledger; a Connection that later leads elsewhere is refused.

        Raises:
            CrmRejectedCredentials: The token is wrong or lacks a scope.
            CrmRateLimited: The CRM asked for a longer pause than this call may wait.
            CrmUnavailable: No usable answer.
        """
        ...

    def room(self, priority: int) -> float:
        """Seconds until a day's quota has room for writes of this priority (1 is the first); 0: it has."""
        ...


@runtime_checkable
class CanBePrepared(Protocol):
    """A CRM in which the properties that show scores can be made over its API."""

    def setup(self) -> list[str]:
        """Make what is missing; one line for each thing says what was done. Safe to repeat.

        Raises:
            CrmRejectedCredentials: The token is wrong or lacks a scope.
            CrmUnavailable: No usable answer.
        """
        ...
