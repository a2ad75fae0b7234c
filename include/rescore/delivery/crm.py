"""Shows changed scores in the CRM: claims what it does not show yet, writes batches, settles per record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rescore import mapping as mappings
from rescore.connectors.base import Target
from rescore.delivery.backlog import Backlog, backlog_of
from rescore.delivery.destination import require_same_account
from rescore.delivery.letters import fitting, write_letter
from rescore.delivery.passing import PassingTime
from rescore.errors import ConfigurationError, RetryableError, TerminalError
from rescore.ledger.outbox import breakers, elsewhere, kept_back, overrides, syncs
from rescore.ledger.outbox.breakers import Breaker
from rescore.ledger.outbox.syncs import SyncClaim, SyncResult
from rescore.ledger.outbox.wishes import PRIORITIES
from rescore.ledger.transaction import Ledger
from rescore.outcome import ONE_RECORD, Outcome, outcome_of

LEASE = timedelta(minutes=15)
"""At least so long nobody else sends what is under way; longer where a write may take longer."""

ALONE = 3
"""After so many failures a record goes out alone: it shall not take others with it."""

NO_OTHERS: Mapping[str, Sequence[str]] = {}

Merged = Callable[[Collection[str]], Mapping[str, str]]
"""Which of these leads were merged away, and into which lead: `Lake.canonical`."""


def update_crm(
    ledger: Ledger,
    target: Target,
    *,
    mapping: mappings.Mapping,
    now: datetime,
    worker: str,
    mode: mappings.Mode = "live",
    merged: Merged = lambda leads: {},
    earlier: Mapping[str, Sequence[str]] = NO_OTHERS,
    progress: Callable[[str], None] = lambda line: None,
) -> Counter[str]:
    """Work off what one target should show and has not confirmed, from whichever run it stems.

    Level-triggered: the score of record is read when it is claimed, so what is sent is always the
    newest, and what is acknowledged is the version that was sent. No record is tried twice in one call.

    Args:
        ledger: Holds what is owed; no call to the CRM happens inside one of its transactions.
        target: Where to write.
        mapping: Which properties show which scorecard, and which scorecards are live.
        now: The present.
        worker: Who holds the leases, for people who look.
        mode: `shadow` writes nothing, whatever the mapping says.
        merged: See `Merged`; the losing record of a merge is never written.
        earlier: By scorecard the targets that come before this one: a person with a record in one of them is
            shown there, and not here.
        progress: Told after every call to the CRM, and at the end what is still owed and until when.

    Returns:
        Counts of leads times scorecards: `acknowledged`, of them `unchanged` (shown already, not sent),
        `deferred` (later runs try again), `parked` (a person has to look), `deleted` (gone from the CRM),
        `shadow`, `small` (moved too little to be written), `elsewhere` (shown by another target), `lost`
        (another worker has them). `batches` that went to the CRM, of one call each where it refused none
        of them whole, and `stopped` when it is left alone for now, or its quota is.

    Raises:
        CrmRejectedCredentials, CrmFieldMissing: A person has to act; everything unsent stays due, and the
            breaker is open.
        SettingsIncomplete: The deployment does not allow the CRM's host.
        ConnectionLeadsElsewhere: The CRM is another account than it was; nothing was written.
        CrmRateLimited, CrmUnavailable: Nothing could be written; everything stays due.
    """
    live = [card for card in mapping.scores if mode == "live" and mapping.mode_of(card) == "live"]
    work = _Work(ledger, target, mapping, live, merged, earlier, worker, PassingTime(now))
    work.look_at_breaker()
    work.set_aside()
    while claims := work.claim():
        for batch in work.batches(claims):
            try:
                work.send(batch)
            except (TerminalError, ConfigurationError):
                work.release(claims)
                raise
            progress(f"{target.name}: {work.told()}")
            if work.breaker or not work.in_time():
                work.release(claims)
                break
    left = work.left()
    if left.total and work.breaker:
        progress(f"{target.name}: {work.breaker.told()}")
    if left.total:
        progress(f"{target.name}: {left.told(work.clock.now())}")
    if work.error and not work.counts["acknowledged"]:
        raise work.error
    return +work.counts


class _Work:
    """One call of `update_crm`: what it was given, and what has become of it so far."""

    def __init__(
        self,
        ledger: Ledger,
        target: Target,
        mapping: mappings.Mapping,
        live: Sequence[str],
        merged: Merged,
        earlier: Mapping[str, Sequence[str]],
        worker: str,
        clock: PassingTime,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.error: RetryableError | None = None
        self.breaker: Breaker | None = None
        self.clock = clock
        self._ledger = ledger
        self._target = target
        self._mapping = mapping
        self._live = live
        self._merged = merged
        self._earlier = {card: earlier.get(card, ()) for card in mapping.scores}
        self._worker = worker
        self._lease = max(LEASE, timedelta(seconds=2 * target.longest_write))
        self._claimed = timedelta()
        self._same_account = False

    def look_at_breaker(self) -> None:
        """See whether the CRM is to be left alone."""
        with self._ledger.reading() as connection:
            self.breaker = breakers.is_open(connection, self._target.name, self.clock.now())

    def set_aside(self) -> None:
        """Move what is not to be sent now out of what is due, and back what is; no objector's stays."""
        shown = self._mapping.scores
        minimum = {card: shown[card].minimum_change for card in self._live}
        with self._ledger.transaction() as connection:
            overrides.end_of_objectors(connection, self._target.name, at=self.clock.now())
            moved = elsewhere.owe_joined(connection, self._target.name, self._earlier)
            moved += kept_back.set_modes(connection, self._target.name, live=self._live)
            moved += kept_back.set_small(connection, self._target.name, minimum)
        self.counts += Counter({name: moved[name] for name in ("elsewhere", "shadow", "small")})

    def claim(self) -> list[SyncClaim]:
        """Records that were due when this call began: what fails now waits for the next call."""
        priority = self._widest()
        if not priority:
            return []
        self._claimed = self.clock.passed()
        limit = self._target.batch_size * max(1, len(self._live))
        return self._ledger.in_transaction(
            lambda connection: syncs.claim(
                connection,
                target=self._target.name,
                worker=self._worker,
                now=self.clock.start,
                lease=self._lease + self._claimed,
                limit=limit,
                priority=priority,
            )
        )

    def _widest(self) -> int:
        """The lowest priority that may be written now; 0: none."""
        if self.breaker:
            return 0
        open_to = 0
        for priority in PRIORITIES:
            if self._target.room(priority):
                break
            open_to = priority
        return open_to

    def in_time(self) -> bool:
        """Whether another write would end before the lease does, whatever happens."""
        ends = self.clock.passed() + timedelta(seconds=self._target.longest_write)
        return ends < self._claimed + self._lease

    def batches(self, claims: Sequence[SyncClaim]) -> Iterator[list[SyncClaim]]:
        """Claims that go to the CRM together; a lead's scorecards share one record of a batch."""
        if any(claim.scorecard not in self._live for claim in claims):
            self.set_aside()  # promoted since this call began
        by_lead: dict[str, list[SyncClaim]] = defaultdict(list)
        for claim in claims:
            if claim.scorecard in self._live:
                by_lead[claim.lead].append(claim)
        by_size: dict[int, list[str]] = defaultdict(list)
        for lead, mine in by_lead.items():
            by_size[self._together(max(claim.tries for claim in mine))].append(lead)
        for size, leads in sorted(by_size.items(), reverse=True):
            for start in range(0, len(leads), size):
                yield [claim for lead in leads[start : start + size] for claim in by_lead[lead]]

    def _together(self, tries: int) -> int:
        """How many records may share a call with one that failed so often."""
        if tries >= ALONE:
            return 1
        return self._target.batch_size if tries < ALONE - 1 else max(1, self._target.batch_size // 10)

    def send(self, batch: Sequence[SyncClaim]) -> None:
        """One call for what this target has to be told; the rest are results of their own.

        Raises:
            TerminalError, ConfigurationError: Nothing was written, and nothing of the batch is settled.
        """
        gone = self._merged({claim.lead for claim in batch})
        letter = write_letter(batch, self._target.name, self._mapping, gone)
        self.counts["unchanged"] += letter.unchanged
        if not letter.claims:
            self._settle(letter.results, None)
            return
        self.counts["batches"] += 1
        updates = letter.updates()
        try:
            if not self._same_account:
                require_same_account(self._ledger, self._target)
                self._same_account = True
            written = fitting(self._target.write(updates), updates)
        except (TerminalError, ConfigurationError) as error:
            self._settle([], outcome_of(error))
            raise
        except RetryableError as error:
            self.error, call = error, outcome_of(error)
            answers = dict.fromkeys(letter.claims, call)
        else:
            answers = {result.lead_id: Outcome(result.kind, result.reason) for result in written}
            well = any(answer.kind in ONE_RECORD for answer in answers.values())
            call = Outcome("ok") if well else next(iter(answers.values()))
            self.error = None
        results = [
            SyncResult(claim, answers[lead_id], figures)
            for lead_id, mine in letter.claims.items()
            for claim, figures in mine
        ]
        self._settle(letter.results + results, call)

    def _settle(self, results: Sequence[SyncResult], call: Outcome | None) -> None:
        """Note what became of claims and of the call; that the breaker opens is not the records' fault."""

        def noted(connection: Connection) -> tuple[Counter[str], Breaker | None]:
            now, name = self.clock.now(), self._target.name
            opened = breakers.note(connection, name, call, now) if call else None
            return syncs.settle(connection, results, now=now, spend=opened is None), opened

        counts, opened = self._ledger.in_transaction(noted)
        self.counts += counts
        self.breaker = self.breaker or opened

    def release(self, claims: Sequence[SyncClaim]) -> None:
        """Give back what was not sent."""
        with self._ledger.transaction() as connection:
            syncs.release(connection, claims)

    def left(self) -> Backlog:
        """What is still owed: all of it is deferred when the CRM, or the rest of its quota, is left alone."""
        now = self.clock.now()
        with self._ledger.reading() as connection:
            due, tried_again = kept_back.backlog(connection, self._target.name, live=self._live)
        backlog = backlog_of(self._target, due, tried_again=tried_again, breaker=self.breaker, now=now)
        if backlog.total and (self.breaker or any(self._target.room(priority) for priority in due)):
            self.counts["stopped"], self.counts["deferred"] = 1, backlog.total
        return backlog

    def told(self) -> str:
        """The counts so far, for people."""
        return ", ".join(f"{count:,} {name}" for name, count in sorted(self.counts.items()) if count)
