"""Shows changed scores in the CRM: claims what it does not show yet, writes batches, settles per record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from rescore import mapping as mappings
from rescore.connectors.base import FieldValue, ScoreUpdate, Target
from rescore.delivery.fields import score_fields
from rescore.delivery.outcome import Outcome, outcome_of
from rescore.delivery.passing import PassingTime
from rescore.errors import CrmRateLimited, RetryableError, TerminalError
from rescore.ledger import syncs, withheld
from rescore.ledger.syncs import SyncClaim, SyncResult
from rescore.ledger.transaction import Ledger
from rescore.model import split_lead_key

LEASE = timedelta(minutes=15)
"""Longer than a claim's writes may take, their waits included: nobody else sends what is still under way."""

FAILURES_IN_A_ROW = 3

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
        progress: Told after every call to the CRM.

    Returns:
        Counts of leads times scorecards: `acknowledged`, `deferred` (later runs try again), `parked` (a
        person has to look), `deleted` (gone from the CRM), `shadow`, `lost` (another worker has them).
        `calls` to the CRM, and `stopped` when the CRM was down or asked for a long pause after some had
        been written.

    Raises:
        CrmRejectedCredentials, CrmFieldMissing: A person has to act; everything unsent stays due.
        CrmRateLimited, CrmUnavailable: Nothing could be written; everything stays due.
    """
    live = [card for card in mapping.scores if mode == "live" and mapping.mode_of(card) == "live"]
    work = _Work(ledger, target, mapping, live, merged, worker, PassingTime(now))
    work.set_modes()
    while not work.stopped and (claims := work.claim()):
        for batch in work.batches(claims):
            try:
                work.settle(work.write(batch))
            except TerminalError:
                work.release(claims)
                raise
            except RetryableError as error:
                work.settle(work.put_off(batch, error))
            progress(f"{target.name}: {work.told()}")
            if work.stopped:
                work.release(claims)
                break
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
        worker: str,
        clock: PassingTime,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.error: RetryableError | None = None
        self._failures = 0
        self._ledger = ledger
        self._target = target
        self._mapping = mapping
        self._live = live
        self._merged = merged
        self._worker = worker
        self._clock = clock

    @property
    def stopped(self) -> bool:
        """Whether the CRM wants to be left alone."""
        return self.counts["stopped"] > 0

    def set_modes(self) -> None:
        """Move what is due of scorecards that are not live into the shadow, and the others out of it."""
        with self._ledger.transaction() as connection:
            moved = withheld.set_modes(connection, self._target.name, live=self._live)
        self.counts["shadow"] += moved["shadow"]

    def claim(self) -> list[SyncClaim]:
        """Records that were due when this call began: what fails now waits for the next call."""
        limit = self._target.batch_size * max(1, len(self._live))
        return self._ledger.in_transaction(
            lambda connection: syncs.claim(
                connection,
                target=self._target.name,
                worker=self._worker,
                now=self._clock.start,
                lease=LEASE + self._clock.passed(),
                limit=limit,
            )
        )

    def batches(self, claims: Sequence[SyncClaim]) -> Iterator[list[SyncClaim]]:
        """Claims that go to the CRM together; a lead's scorecards share one record of a batch."""
        if any(claim.scorecard not in self._live for claim in claims):
            self.set_modes()  # promoted since this call began
        by_lead: dict[str, list[SyncClaim]] = defaultdict(list)
        for claim in claims:
            if claim.scorecard in self._live:
                by_lead[claim.lead].append(claim)
        leads = list(by_lead)
        for start in range(0, len(leads), self._target.batch_size):
            chosen = leads[start : start + self._target.batch_size]
            yield [claim for lead in chosen for claim in by_lead[lead]]

    def write(self, batch: Sequence[SyncClaim]) -> list[SyncResult]:
        """One call for the records that are this target's; the others are results of their own."""
        gone = self._merged({claim.lead for claim in batch})
        results: list[SyncResult] = []
        fields: dict[str, dict[str, FieldValue]] = defaultdict(dict)
        claims: dict[str, list[SyncClaim]] = defaultdict(list)
        for claim in batch:
            source, lead_id = split_lead_key(claim.lead)
            if claim.lead in gone:
                results.append(SyncResult(claim, Outcome("gone", f"merged into {gone[claim.lead]}")))
            elif source != self._target.name:
                results.append(SyncResult(claim, Outcome("record", f"no record of {self._target.name}")))
            else:
                values = score_fields(claim, self._mapping.scores[claim.scorecard])
                ours = {name: value for name, value in values.items() if name not in claim.overridden}
                if not ours:  # people have taken over all there is to show
                    results.append(SyncResult(claim, Outcome("ok")))
                    continue
                fields[lead_id] |= ours
                claims[lead_id].append(claim)
        if fields:
            self.counts["calls"] += 1
            written = self._target.write([ScoreUpdate(lead_id, shown) for lead_id, shown in fields.items()])
            results += [
                SyncResult(claim, Outcome(result.kind, result.reason))
                for result in written
                for claim in claims[result.lead_id]
            ]
            self._failures, self.error = 0, None
        return results

    def put_off(self, batch: Sequence[SyncClaim], error: RetryableError) -> list[SyncResult]:
        """Nobody knows what was written: all of it is sent again, later."""
        self._failures, self.error = self._failures + 1, error
        asked = error.retry_after if isinstance(error, CrmRateLimited) else None
        if asked is not None or self._failures == FAILURES_IN_A_ROW:
            self.counts["stopped"] += 1
        return [SyncResult(claim, outcome_of(error)) for claim in batch]

    def settle(self, results: Sequence[SyncResult]) -> None:
        """Note what became of a batch."""
        self.counts += self._ledger.in_transaction(
            lambda connection: syncs.settle(connection, results, now=self._clock.now())
        )

    def release(self, claims: Sequence[SyncClaim]) -> None:
        """Give back what was not sent."""
        with self._ledger.transaction() as connection:
            syncs.release(connection, claims)

    def told(self) -> str:
        """The counts so far, for people."""
        return ", ".join(f"{count:,} {name}" for name, count in sorted(self.counts.items()) if count)
