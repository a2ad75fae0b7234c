"""Landing one page: each table gets, in one append, exactly what it does not hold yet.

The tables are written one after the other and any of them may be the last one a crash lets through.
The same page landed again under the next number then finds in each table what is missing there, and
the caller gets the page's leads, and those of its accounts, back either way, to mark as dirty. Only rows of a
landing whose marks are known to be committed wake nobody: streams overlap, and a CRM shows our own writes as
changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from rescore.erased import NOBODY, Erased
from rescore.lake.accounts import Carrying, names_of
from rescore.lake.aliases import MERGE, PERSON, Aliases, AliasLog, follow, read_aliases
from rescore.lake.arrivals import Arrivals
from rescore.lake.batches import fields_of, screen_batch, without_erased
from rescore.lake.claims import Placed, new_claims, new_places
from rescore.lake.reading import IDENTITY, CurrentRows, connect, keep, listed, texts
from rescore.lake.records import Page, SetAside
from rescore.lake.rows import activity_table, attribute_table, check_names, given_activities
from rescore.lake.screen import BECAME_TEXT, DELETED_FLAG, content_hash, screen
from rescore.lake.standing import ACCOUNT, Attributes, current_attributes, noted_here
from rescore.lake.tables import (
    ACCOUNTS,
    ACTIVITIES,
    ALIASES,
    CLAIMS,
    INBOX,
    LEADS,
    SCHEMAS,
    SET_ASIDE,
    UNCLAIMED,
    Storage,
    append,
    place_of,
    refuse_if_overtaken,
)
from rescore.lake.unclaimed import new_rows
from rescore.model import lead_key
from rescore.same_person import EACH_ALONE, Matching, Place
from rescore.withheld import OBJECTED_HERE, RELEASED_HERE

AMBIGUOUS_PERSON = "ambiguous person"
"""How records are counted that might be one person with several others."""

NOTES = {OBJECTED_HERE: "objections", RELEASED_HERE: "releases"}
"""How notes are counted: `objections noted`, `objections withdrawn`."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What a landing saw.

    `leads` has the leads to mark by their canonical key: of every usable row of the page that no
    committed landing of this stream brought before, but for those that are marked later. Each comes with the
    time of its latest such activity (aware; None when there were only attributes). `counts` says how many
    rows were new and why the others were not; `claimed` is how many waiting activities the page's leads took
    along, new or not. `erased` are further keys of people who were erased, new here or living. `merged` has
    the leads that the page says were merged away, new or not, and the lead that is left of each. `places` has
    the records that may be one person with one of the page's, new or not, as of so many `entries` in the log
    of aliases.
    """

    leads: dict[str, datetime | None]
    counts: dict[str, int]
    claimed: int
    erased: frozenset[str] = frozenset()
    merged: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    entries: int = 0


class Landing:
    """One page on its way into the lake."""

    def __init__(
        self,
        storage: Storage,
        source: str,
        page: Page,
        *,
        stream: str,
        number: int,
        committed: Mapping[str, int],
        known_at: datetime,
        claimed: Collection[str] = (),
        erased: Erased = NOBODY,
        matching: Matching = EACH_ALONE,
        marks_later: bool = False,
    ) -> None:
        self._storage = storage
        self._committed = {f"{source}/{name}": number for name, number in committed.items()}
        self._claimed = claimed
        self._source, self._stream, self._number = source, stream, number
        self._landed_by = f"{source}/{stream}"
        self._known_at = known_at.astimezone(UTC).replace(tzinfo=None)
        self._screened = screen(source, page, known_at=known_at, erased=erased, matching=matching)
        self._matching, self._placed, self._entries = matching, Placed(), 0
        self._marks_later = marks_later
        check_names(self._screened, [] if page.batch is None else fields_of(page.batch))
        given = [given_activities(self._screened.activities, self._screened.fields)]
        if page.batch is not None:
            given.append(self._of_batch(page.batch, known_at, erased))
        told = pa.concat_tables(given, promote_options="default")
        self._arrivals = Arrivals(source, told, claimed=claimed)
        self._marked_leads: set[str] = set()
        self._marked_accounts: set[str] = set()
        self._of_accounts: set[str] = set()

    def land(self, *, buckets: int) -> Landed:
        """Write all tables. Activities come last: when their landing is there, all of it is."""
        tables = {name: self._storage.create(name, buckets=buckets) for name in SCHEMAS}
        for table in tables.values():
            refuse_if_overtaken(table, self._landed_by, self._number)
        makers = {
            ACCOUNTS: self._account_rows,
            LEADS: self._lead_rows,
            CLAIMS: self._claim_rows,
            ALIASES: self._alias_rows,
            SET_ASIDE: self._set_aside_rows,
            UNCLAIMED: self._unclaimed_rows,
            ACTIVITIES: self._activity_rows,
        }
        counts = Counter(self._screened.counts)
        for name, rows_against in makers.items():
            counts += append(
                self._storage,
                name,
                rows_against,
                stream=self._landed_by,
                number=self._number,
                opened=tables[name],
            )
        active = self._arrivals.latest()
        aliases = self._aliases_of(active)
        seen = self._leads_seen(aliases, active)
        counts["unknown lead"] = self._unknown(aliases, active, seen)
        merged = {gone: left for gone in self._screened.merged if (left := aliases.canonical(gone)) != gone}
        return Landed(
            seen,
            dict(sorted((+counts).items())),
            len(self._claimed),
            frozenset(self._screened.again),
            merged,
            self._placed.places,
            self._entries,
        )

    def _account_rows(self, table: DeltaTable) -> tuple[pa.Table | None, Counter[str]]:
        accounts = {lead_key(self._source, id_): told for id_, told in self._screened.accounts.items()}
        counts: Counter[str] = Counter()
        known = self._known(table, ACCOUNTS, [(account,) for account in accounts])
        self._marked_accounts = set()
        rows = []
        for account, attributes in accounts.items():
            content, before = _content(attributes), known.get((account,))
            if before is not None and before.content == content:
                counts["accounts unchanged"] += 1
                if before.marked:
                    self._marked_accounts.add(account)
                continue
            counts[_what_became(attributes)] += 1
            rows.append(self._versioned(account, content, before, "account") | {"attributes": attributes})
        return attribute_table(rows, ACCOUNTS) if accounts else None, counts

    def _lead_rows(self, table: DeltaTable) -> tuple[pa.Table | None, Counter[str]]:
        counts: Counter[str] = Counter()
        leads = self._lead_attributes(table, counts)
        if not leads:
            return None, counts
        known = self._known(table, LEADS, [(lead,) for lead in leads])
        carried = Carrying(self._source, self._storage.existing(ACCOUNTS)).carried(leads)
        self._marked_leads = set()
        rows = []
        for lead, (attributes, brought, lost) in carried.items():
            content, before = _content(attributes, brought), known.get((lead,))
            if before is None and DELETED_FLAG in attributes:
                counts["deleted, never known"] += 1
                self._marked_leads.add(lead)
                continue
            if before is not None and before.content == content and lost in (None, before.lost_account):
                counts["leads unchanged"] += 1
                if before.marked:
                    self._marked_leads.add(lead)
                continue
            counts["leads deleted" if DELETED_FLAG in attributes else "leads"] += 1
            if before is not None and not attributes.keys() & {ACCOUNT, DELETED_FLAG}:
                lost = lost or before.lost_account
            told = {"attributes": attributes | brought, "carried": names_of(brought), "lost_account": lost}
            rows.append(self._versioned(lead, content, before) | told)
        return attribute_table(rows, LEADS), counts

    def _lead_attributes(
        self, table: DeltaTable, counts: Counter[str]
    ) -> dict[str, dict[tuple[str, str], Any]]:
        """What is known of each lead from now on: the page's word, and what was noted here.

        A note goes with its person into the lead that they are merged into. The leads of an account that the
        page tells something new of are there too, as they are.
        """
        screened = self._screened
        noted = noted_here(table, {*screened.leads, *screened.merged})
        for gone, into in screened.merged.items():
            noted[into] = noted.get(into, {}) | noted.get(gone, {})
        leads = {lead: attributes | noted.get(lead, {}) for lead, attributes in screened.leads.items()}
        if screened.noted:
            for lead, attributes in current_attributes(table, screened.noted).items():
                for name, holds in screened.noted[lead].items():
                    counts[f"{NOTES[name]} {'noted' if holds else 'withdrawn'}"] += 1
                    attributes.pop((name, "flag"), None)
                    attributes |= {(name, "flag"): True} if holds else {}
                leads[lead] = attributes
        self._of_accounts = self._leads_of_changed_accounts(table) - leads.keys()
        return leads | current_attributes(table, self._of_accounts)

    def _leads_of_changed_accounts(self, table: DeltaTable) -> set[str]:
        """But for those that are merged away, whose attributes nobody reads."""
        if not self._screened.accounts:
            return set()
        accounts = Carrying(self._source, self._storage.existing(ACCOUNTS))
        changed = [id_ for id_ in self._screened.accounts if accounts.key(id_) not in self._marked_accounts]
        found = set(accounts.leads_of(table, changed))
        aliases = read_aliases(self._storage.existing(ALIASES), found)
        return {lead for lead in found if aliases.record(lead) == lead}

    def _claim_rows(self, table: DeltaTable) -> tuple[pa.Table | None, Counter[str]]:
        return new_claims(table, self._screened.claims), Counter()

    def _alias_rows(self, table: DeltaTable) -> tuple[pa.Table | None, Counter[str]]:
        """Merges, and where records belong from now on; what the page's records claim is there by now."""
        screened, claims = self._screened, self._storage.existing(CLAIMS)
        if not screened.merged and not (screened.leads and claims.count()):
            return None, Counter()
        log = AliasLog(table)
        aliases, first = follow(log.about({*screened.leads, *chain(*screened.merged.items())})), log.entries
        new = [
            {"kind": MERGE, "lead": lead, "canonical": into}
            for lead, into in screened.merged.items()
            if aliases.merge(lead, into)
        ]
        counts = Counter({"leads merged": len(new)})
        if claims.count():
            touched = {*screened.leads, *screened.merged}
            leads = self._storage.existing(LEADS)
            self._placed = new_places(claims, leads, aliases, log, touched, self._matching)
            for record, place in sorted(self._placed.places.items()):
                before = aliases.canonical(record)
                if aliases.put(record, place):
                    counts["records joined"] += place.lead not in (record, before)
                    counts["records parted"] += place.lead == record != before
                    new.append(_entry(record, place))
        self._entries = first + len(new)
        rows = [row | {"ordinal": first + i, "known_at": self._known_at} for i, row in enumerate(new)]
        return (pa.Table.from_pylist(rows, SCHEMAS[ALIASES]) if rows else None), +counts

    def _set_aside_rows(self, table: DeltaTable) -> tuple[pa.Table | None, Counter[str]]:
        given = {astuple(record) for record in (*self._screened.set_aside, *self._ambiguous())}
        if not given:
            return None, Counter()
        columns = [column.name for column in fields(SetAside)]
        known = {tuple(row.values()) for row in pa.table(table.scan(columns=columns)).to_pylist()}
        landing = {
            "source": self._source,
            "stream": self._stream,
            "landing": self._number,
            "known_at": self._known_at,
        }
        rows = [dict(zip(columns, record, strict=True)) | landing for record in sorted(given - known)]
        ambiguous = sum(row["reason"] == AMBIGUOUS_PERSON for row in rows)
        counts = Counter({f"set aside: {AMBIGUOUS_PERSON}": ambiguous})
        return pa.Table.from_pylist(rows, SCHEMAS[SET_ASIDE]), +counts

    def _ambiguous(self) -> Iterator[SetAside]:
        """Records that might be one person with several, and are joined with none until it is clear."""
        for record, rivals in self._placed.rivals.items():
            others = ", ".join(sorted(rivals - {record}))
            yield SetAside("lead", record, AMBIGUOUS_PERSON, f"cannot be told from {others}")

    def _unclaimed_rows(self, table: DeltaTable) -> tuple[pa.Table | None, Counter[str]]:
        """What does not wait yet as it was given, nor has landed as somebody's."""
        given = self._screened.unclaimed
        if not given:
            return None, Counter()
        wanted = [(self._source, activity_id) for activity_id in given]
        landed = self._known(self._storage.existing(ACTIVITIES), ACTIVITIES, wanted)
        landing = {"stream": self._stream, "landing": self._number, "known_at": self._known_at}
        rows = [
            row | landing
            for row in new_rows(table, self._source, given)
            if (self._source, row["activity_id"]) not in landed
        ]
        return pa.Table.from_pylist(rows, SCHEMAS[UNCLAIMED]), Counter(unclaimed=len(rows))

    def _activity_rows(self, table: DeltaTable) -> tuple[pa.Table | None, Counter[str]]:
        rows, counts = self._arrivals.rows(
            table,
            landed_by=self._landed_by,
            landing=self._number,
            known_at=self._known_at,
            committed=self._committed,
        )
        return activity_table(rows), counts

    def _of_batch(self, batch: pa.Table, known_at: datetime, erased: Erased) -> pa.Table:
        """The activities of a batch that can be facts; the others go where those of the list went."""
        screened = self._screened
        if erased:
            again = screened.again
            batch, gone = without_erased(self._source, batch, lambda key: key in again or erased.lead(key))
            screened.counts += gone
        given, aside = screen_batch(self._source, batch, known_at=known_at)
        screened.set_aside += aside
        screened.counts += Counter(f"set aside: {record.reason}" for record in aside)
        return given

    def _versioned(
        self, key: str, content: int, before: _Known | None, named: str = "lead"
    ) -> dict[str, Any]:
        return {
            "bucket": INBOX,
            "place": place_of(key),
            "revision": 0 if before is None else before.revision + 1,
            "content": content,
            "landed_by": self._landed_by,
            "landing": self._number,
            "source": self._source,
            named: key,
            "known_at": self._known_at if before is None else max(self._known_at, before.known_at),
            "first_serial": None if before is None else before.first_serial,
        }

    def _known(
        self, table: DeltaTable, kind: str, wanted: Sequence[tuple[str, ...]]
    ) -> dict[tuple[str, ...], _Known]:
        """Identity -> row of those of `wanted` that the table has."""
        if not wanted:
            return {}
        keys = IDENTITY[kind]
        columns = (*keys, *_KNOWN, *(["lost_account"] if kind == LEADS else []))
        with connect() as connection:
            asked = {key: texts(identity[i] for identity in wanted) for i, key in enumerate(keys)}
            keep(connection, "wanted", pa.table(asked))
            rows = CurrentRows(connection, table, kind, columns).read()
            found = connection.execute(
                f"SELECT {listed(columns)} FROM ({rows}) SEMI JOIN wanted USING ({listed(keys)})"
            ).fetchall()
        return {tuple(row[: len(keys)]): self._as_known(*row[len(keys) :]) for row in found}

    def _as_known(
        self,
        revision: int,
        content: int,
        by: str,
        landing: int,
        first_serial: int,
        known_at: datetime,
        lost_account: str | None = None,
    ) -> _Known:
        marked = landing <= self._committed.get(by, 0)
        return _Known(revision, content, marked, first_serial, known_at, lost_account)

    def _unknown(self, aliases: Aliases, active: pa.Table, seen: Collection[str]) -> int:
        """How many of the leads that the page tells of have no row among the leads."""
        told = active["lead"].combine_chunks()
        if aliases:
            told = texts({aliases.canonical(lead) for lead in told.to_pylist()})
        with connect() as connection:
            keep(connection, "wanted", pa.table({"lead": pa.chunked_array([told, texts(seen)])}))
            rows = CurrentRows(connection, self._storage.existing(LEADS), LEADS, ("lead", "revision")).read()
            found = connection.execute(
                f"SELECT count(DISTINCT lead) FROM wanted ANTI JOIN ({rows}) USING (lead)"
            )
            [(number,)] = found.fetchall()
        return int(number)

    def _aliases_of(self, active: pa.Table) -> Aliases:
        """What there is to know of whomever the page tells of."""
        log = AliasLog(self._storage.existing(ALIASES))
        if not log.entries:
            return Aliases()
        told = [*self._screened.leads, *self._screened.noted, *self._of_accounts]
        merged = chain(*self._screened.merged.items())
        return follow(log.about({*told, *merged, *self._arrivals.former, *active["lead"].to_pylist()}))

    def _leads_seen(self, aliases: Aliases, active: pa.Table) -> dict[str, datetime | None]:
        told = [*self._screened.leads, *self._screened.noted, *self._of_accounts]
        changed = (lead for lead in told if lead not in self._marked_leads)
        given = [*changed, *self._screened.merged.values(), *self._arrivals.former]
        seen: dict[str, datetime | None] = {aliases.canonical(lead): None for lead in given}
        if self._marks_later:
            return seen
        for told_of, at in zip(active["lead"].to_pylist(), active["occurred_at"].to_pylist(), strict=True):
            lead, latest = aliases.canonical(told_of), at.replace(tzinfo=UTC)
            before = seen.get(lead)
            seen[lead] = latest if before is None or latest > before else before
        return seen


def _what_became(account: Attributes) -> str:
    """How an account that landed is counted."""
    if DELETED_FLAG in account:
        return "accounts deleted"
    return "accounts merged" if BECAME_TEXT in account else "accounts"


def _entry(record: str, place: Place) -> dict[str, Any]:
    return {"kind": PERSON, "lead": record, "canonical": place.lead, "rank": place.rank, "state": place.state}


@dataclass(frozen=True, slots=True)
class _Known:
    """A row the lake has already; `marked` when its landing's marks are committed."""

    revision: int
    content: int
    marked: bool
    first_serial: int
    known_at: datetime
    lost_account: str | None


def _content(attributes: Attributes, carried: Attributes | None = None) -> int:
    """The hash of what was said; what an account brought is told from what its lead has itself."""
    said = sorted((*column, str(value)) for column, value in attributes.items())
    return content_hash([said, _content(carried)] if carried else said)


_KNOWN = ("revision", "content", "landed_by", "landing", "first_serial", "known_at")
