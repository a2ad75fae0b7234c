"""The lake: what sources said, landed once, and read as facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from functools import partial

import pyarrow as pa

from rescore.erased import NOBODY, Erased, Person
from rescore.errors import LakeBehind
from rescore.lake import erasing, housekeeping, results, unclaimed
from rescore.lake.aliases import Aliases, AliasLog, Merge, follow, read_aliases
from rescore.lake.census import (
    activity_fields,
    activity_types,
    activity_words,
    lead_attributes,
    lead_words,
    set_aside,
)
from rescore.lake.changes import Changes
from rescore.lake.claims import Doubt, address_hashes, claimed_hashes, doubts
from rescore.lake.colleagues import colleagues
from rescore.lake.folding import fold_in
from rescore.lake.landing import Landed, Landing
from rescore.lake.landings import Stream, behind, landed_after, landings, whole
from rescore.lake.past import Known, PastRows, Seen, first_known, merges_known, seen_in
from rescore.lake.reading import CurrentRows, connect, still_there
from rescore.lake.records import Page
from rescore.lake.shared import once_for_each_person, under_known_names
from rescore.lake.tables import (
    ACTIVITIES,
    ALIASES,
    CLAIMS,
    DEFAULT_BUCKETS,
    LEADS,
    SET_ASIDE,
    UNCLAIMED,
    Storage,
)
from rescore.lake.views import ACTIVITIES_IN_A_PART, Part, RowsOf, Views
from rescore.same_person import EACH_ALONE, Matching
from rescore.scoring.facts import Facts

NOTHING: Mapping[Stream, int] = {}


class Lake:
    """Delta tables below one root, a folder or an object-store URL.

    Any number of processes may land, read and fold in at the same time.

    Args:
        root: Where the tables are, or will be after the first landing.
        storage_options: What an object store needs to let us in, passed on to Delta.
        buckets: Into how many buckets leads are divided; counts only when the lake is created.
    """

    def __init__(
        self, root: str, storage_options: Mapping[str, str] | None = None, *, buckets: int = DEFAULT_BUCKETS
    ) -> None:
        self._storage = Storage(root, storage_options)
        self._buckets = buckets

    def land(
        self,
        source: str,
        page: Page,
        *,
        stream: str,
        number: int,
        committed: int = 0,
        others: Mapping[str, int] | None = None,
        known_at: datetime,
        erased: Erased = NOBODY,
        matching: Matching = EACH_ALONE,
        marks_later: bool = False,
    ) -> Landed:
        """Append what the lake does not hold yet, whole or, after a crash, again under the next number.

        Args:
            source: The source's name, without a colon.
            page: Leads, accounts, activities, and what the source itself set aside; no cursor is looked at.
            stream: Which of the source's streams the page is from.
            number: The ledger's number for this landing; only a higher one than the last is taken.
            committed: The ledger's last landing of this stream whose leads are marked: what that one and
                those before it brought marks nobody again.
            others: The same of the source's other streams: an account's landing gives its leads new rows.
            known_at: When these facts became known (aware).
            erased: Whose records are dropped, and counted.
            matching: How records of several sources are known to be one person.
            marks_later: Leave out of the leads to mark those whom `landed_after` finds.

        Raises:
            Fenced: This or a later landing of the stream is in the lake; nothing was written to the
                tables that hold it.
            LakeBehind: The landings that were committed are not here; no table was made or written.
            MappingInvalid: A field has a name that cannot be a column.
            RetryableError: Others kept landing for all our attempts.
        """
        known = {**(others or {}), stream: committed}
        if why := self.behind({(source, name): number for name, number in known.items()}):
            raise LakeBehind(why)
        page = once_for_each_person(self._storage, source, under_known_names(self._storage, source, page))
        page, claimed = unclaimed.with_claimed(self._storage, source, page)
        landing = Landing(
            self._storage,
            source,
            page,
            stream=stream,
            number=number,
            committed=known,
            known_at=known_at,
            claimed=claimed,
            erased=erased,
            matching=matching,
            marks_later=marks_later,
        )
        with still_there():
            return landing.land(buckets=self._buckets)

    @contextmanager
    def facts(
        self,
        leads: Collection[str] | None = None,
        *,
        fields: Collection[str] | None = None,
        committed: Mapping[Stream, int] = NOTHING,
        known_as_of: Known | None = None,
        part: int = ACTIVITIES_IN_A_PART,
    ) -> Iterator[Facts]:
        """The facts of everybody, in parts where there are many, or of the leads asked for.

        They come on a connection of their own. Leads are named by canonical keys; whoever is asked for by
        another key is there under the canonical one, with all that counts as it. A part has about `part`
        activities.

        With `known_as_of` they are what was known then, exactly: attributes, corrections and merges that
        landed later do not exist. It is a time (aware), or the `seen` of facts that were read before. Of the
        leads asked for, what scoring does not need and `fields` does not name may be left out.

        Raises:
            LakeBehind: Landings that were `committed` are not here.
            RetryableError: An erasure rewrote files while they were read.
        """
        log = AliasLog(self._storage.open(ALIASES))
        activities, attributes = self._storage.open(ACTIVITIES), self._storage.open(LEADS)
        if why := behind(self._storage.root, activities, committed):
            raise LakeBehind(why)
        seen = seen_in(activities=activities, leads=attributes, log=log)
        rows: RowsOf = CurrentRows if known_as_of is None else partial(PastRows, known=known_as_of)

        def followed(merges: list[Merge]) -> Aliases:
            return follow(merges if known_as_of is None else merges_known(merges, known_as_of))

        with still_there(), connect() as connection:
            aliases = followed(log.all() if leads is None else log.about(leads))
            views = Views(
                connection,
                activities,
                attributes,
                merged=aliases.all(),
                joined=aliases.joined(),
                rows=rows,
            )
            if leads is None:
                yield Facts(connection, *views.everybody(), parts=tuple(views.parts(part)), seen=seen)
                return
            some = views.only(leads, fields)

            def whole_accounts() -> Part:
                everybody = followed(log.all())
                views.know(everybody.all(), everybody.joined())
                return views.whole_accounts(some, leads)

            yield Facts(connection, *some, seen=seen, whole_accounts=whole_accounts, kept=views.kept)

    def landings(self, streams: Iterable[Stream]) -> dict[Stream, int]:
        """The highest landing number that is here of each of these streams, 0 for none."""
        return landings(self._storage, streams)

    def whole(self, streams: Iterable[Stream]) -> dict[Stream, int]:
        """The highest landing number of each of these streams that is here with all its parts, 0 for none."""
        return whole(self._storage, streams)

    def behind(self, committed: Mapping[Stream, int]) -> str | None:
        """In a sentence, what is missing of the landings that the ledger has committed; None: nothing."""
        return behind(self._storage.root, self._storage.open(ACTIVITIES), committed)

    def landed_after(
        self, source: str, stream: str, number: int
    ) -> AbstractContextManager[Iterator[dict[str, datetime | None]]]:
        """The leads of a stream's landings after that number, in parts; see `rescore.lake.landings`."""
        return landed_after(self._storage, source, stream, number)

    def waiting(self) -> int:
        """How many activities wait for a lead with their address."""
        return unclaimed.waiting(self._storage)

    def drop_claimed(self, source: str) -> int:
        """Let go of what waited and has landed as some lead's activity; only after its landing's commit."""
        return unclaimed.drop_claimed(self._storage, source)

    @contextmanager
    def changes(
        self, before: pa.Table, *, as_of: datetime, seen: Seen | None = None, restarts: Sequence[str] = ()
    ) -> Iterator[Changes]:
        """What is new to leads since each was scored, up to `as_of` and to what has been `seen` by now.

        Args:
            before: The leads and their moments, as `rescore.lake.changes.BEFORE`; where nothing says what
                had been seen, nothing has landed since.
            as_of: The time of the new scores (aware).
            seen: The state of the lake that the new scores are of; None for the present one.
            restarts: The activity types that restart a lead.
        """
        log = AliasLog(self._storage.open(ALIASES))
        merges = log.about(before["lead"].to_pylist())
        if seen is None:
            tables = {"activities": self._storage.open(ACTIVITIES), "leads": self._storage.open(LEADS)}
            seen = seen_in(**tables, log=log)
        with still_there(), connect() as connection:
            yield Changes(
                connection, self._storage, before, merges=merges, seen=seen, as_of=as_of, restarts=restarts
            )

    def fold_in(self, *, at_least: int = 1) -> Counter[str]:
        """Move what has landed to its lead's bucket; tables with fewer files in the inbox are left alone.

        Returns:
            Counts by name: rows folded in and buckets rewritten, per table.

        Raises:
            RetryableError: Others folded in at the same time, again and again.
        """
        return fold_in(self._storage, at_least=at_least)

    def tidy(
        self, *, at: datetime, old_files: timedelta, waiting: timedelta, set_aside: timedelta
    ) -> Counter[str]:
        """Fold in, merge small files, and drop what nobody reads any more; see `rescore.lake.housekeeping`.

        Args:
            at: The present (aware).
            old_files: How long a file stays that no table names.
            waiting: How long an activity waits for a lead with its address.
            set_aside: How long a record stays that could not be read as a fact.

        Raises:
            RetryableError: Others folded in at the same time, again and again.
        """
        counts = self.fold_in() + housekeeping.merge_past(self._storage)
        for name, table, keep in (("waiting", UNCLAIMED, waiting), ("set aside", SET_ASIDE, set_aside)):
            counts[f"{name} dropped"] += housekeeping.forget(self._storage, table, before=at - keep)
        return counts + housekeeping.drop_old_files(self._storage, at=at, keep=old_files)

    def canonical(self, leads: Iterable[str]) -> dict[str, str]:
        """Of these leads, those that were merged away, and the lead that is left of each."""
        asked = list(leads)
        aliases = read_aliases(self._storage.open(ALIASES), asked)
        return {lead: left for lead in asked if (left := aliases.canonical(lead)) != lead}

    def family(self, leads: Iterable[str]) -> set[str]:
        """These leads, those that are left of them, and everybody who was merged into these."""
        asked = list(leads)
        aliases = read_aliases(self._storage.open(ALIASES), asked)
        left = {aliases.canonical(lead) for lead in asked}
        return {*asked, *left, *(gone for gone, into in aliases.all().items() if into in left)}

    def colleagues(self, marks: pa.Table) -> pa.Table:
        """Whose scores may change with those of leads that have news, where rules are about accounts.

        Args:
            marks: The leads with news, as `rescore.lake.colleagues.MARKS`.

        Returns:
            Likewise, everybody in an account that one of them is or was in, themselves among them.
        """
        aliases = read_aliases(self._storage.open(ALIASES))
        with still_there(), connect() as connection:
            return colleagues(connection, self._storage.open(LEADS), aliases, marks)

    def address_hashes(self, leads: Collection[str]) -> set[str]:
        """The hashes of the e-mail addresses that these records are known by, where a mapping asks for it."""
        return address_hashes(self._storage.open(CLAIMS), leads)

    def claimed_hashes(self, hashes: Collection[str]) -> set[str]:
        """Those of these hashes of addresses that a record is known by, where a mapping asks for it."""
        return claimed_hashes(self._storage.open(CLAIMS), hashes)

    def doubts(self, records: Collection[str]) -> dict[str, Doubt]:
        """Of those of these records that may be one person with several others: with whom, and why."""
        claims, leads = self._storage.open(CLAIMS), self._storage.open(LEADS)
        if claims is None or leads is None:
            return {}
        with still_there():
            return doubts(claims, leads, AliasLog(self._storage.open(ALIASES)), records)

    def waited_for(self, addresses: Collection[str]) -> frozenset[str]:
        """Those of these addresses for which activities wait."""
        return unclaimed.waited_for(self._storage, addresses)

    def erase(self, person: Person, *, fences: Mapping[str, int]) -> Counter[str]:
        """Remove a person from every table and file, runs' results included; see `rescore.lake.erasing`.

        Raises:
            RetryableError: Others kept writing for all our attempts.
        """
        counts = erasing.erase(self._storage, person, fences=fences)
        counts["results"] = results.erase(self._storage, person.leads.__contains__)
        return +counts

    def drop_from_results(self, run_key: str, erased: Erased) -> None:
        """Take those who were erased while a run read their facts out of its results."""
        results.erase_from(self._storage, run_key, erased.lead)

    def first_known(self, lead: str) -> datetime | None:
        """When the first facts of a lead landed (aware); None when none have."""
        with connect() as connection:
            return first_known(connection, self._storage.open(LEADS), lead)

    def results_path(self, run_key: str) -> str:
        """Where a run's results go, as one Parquet file; its folder is there when this returns."""
        return results.results_path(self._storage, run_key)

    def read_results(self, run_key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A run's results, or some columns of them.

        Raises:
            TerminalError: The run has none (any more).
        """
        return results.read_results(self._storage, run_key, columns)

    def drop_results(self, run_key: str) -> None:
        """Forget a run's results; nothing happens when there are none."""
        results.drop_results(self._storage, run_key)

    def drop_old_results(self, *, before: datetime, but: Collection[str]) -> int:
        """Forget the results that nobody has written to since a moment, but for those of these runs."""
        return results.drop_old(self._storage, before=before, but=but)

    def activity_types(self) -> dict[str, int]:
        """How many activities there are of each type."""
        return activity_types(self._storage)

    def activity_fields(self) -> dict[str, int]:
        """How many activities have a value in each field that rules may compare."""
        return activity_fields(self._storage)

    def lead_attributes(self) -> dict[str, int]:
        """How many leads have a value for each attribute."""
        return lead_attributes(self._storage)

    def activity_words(self) -> dict[str, frozenset[str]]:
        """The words that the values of each activity field share."""
        return activity_words(self._storage)

    def lead_words(self) -> dict[str, frozenset[str]]:
        """The words that the values of each attribute share."""
        return lead_words(self._storage)

    def set_aside(self) -> dict[str, int]:
        """How many records were set aside for each reason, each record counted once."""
        return set_aside(self._storage)
