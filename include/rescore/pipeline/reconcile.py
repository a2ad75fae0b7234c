"""Does the CRM still show what it confirmed? Frees what dead workers held, reads back, owes the rest again.

Nothing is written here: what has to be written again is due, behind everything new, and `update_crm` does it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from rescore import mapping as mappings
from rescore.connectors.base import Target
from rescore.connectors.readback import Shown
from rescore.delivery.destination import require_same_account
from rescore.delivery.overrides import Case, Edits
from rescore.delivery.readback import to_read, told_besides
from rescore.ledger import installation
from rescore.ledger.outbox import confirmed, overrides, records, restored
from rescore.ledger.outbox.confirmed import DELETED, Confirmed, Found
from rescore.ledger.outbox.overrides import Override
from rescore.ledger.outbox.rescue import rescue as rescue_leases
from rescore.ledger.transaction import Ledger
from rescore.progress import Progress, silent

LAST_READ = "read back"


def rescue(ledger: Ledger, *, now: datetime) -> Counter[str]:
    """Free expired leases and end expired overrides; no CRM is asked.

    Returns:
        Counts: `rescued updates`, `rescued deliveries`, `unknown attempts`, `overrides expired`.
    """
    with ledger.transaction() as connection:
        counts = rescue_leases(connection, now=now)
        counts["overrides expired"] += overrides.end_expired(connection, now=now)
    return +counts


def read_back(
    ledger: Ledger,
    target: Target,
    *,
    mapping: mappings.Mapping,
    now: datetime,
    everybody: bool = False,
    progress: Progress = silent,
) -> Counter[str]:
    """Hold what a target shows against what it confirmed: lately, of a rotating share, or of everybody.

    A value that is not ours is written again by `update_crm`, or stays as an override, as the mapping's
    `manual_edits` says; one that it does not let stay any more ends, whoever's turn it is. After a restore of
    the ledger everybody is read back, and only what the CRM says a person did stays: what it does not say may
    be a value of ours that the ledger has forgotten.

    Args:
        ledger: Knows what was confirmed; the CRM is called in none of its transactions.
        target: Where to look.
        mapping: Which properties show which scorecard.
        now: The present.
        everybody: All leads, whoever's turn it is, and of them also texts and dates that are empty, such as
            those of a property that is new in the mapping.
        progress: Told after every batch.

    Returns:
        Counts of leads times scorecards: `read back`; of them `drift` (due again), `overrides` opened,
        `put back` by their owners and `written over` by somebody whose value does not stay, `gone` from the
        CRM, `back again` there, `unanswered` by it, `moved on` while it was asked; the `calls`; and of
        overrides those that are `kept no longer` by the mapping.

    Raises:
        CrmRejectedCredentials: A person has to act.
        ConnectionLeadsElsewhere: The CRM is another account than it was.
        CrmRateLimited, CrmUnavailable: Try again later; what was read back so far counts.
    """
    keeps = {card: shown_as.keeps() for card, shown_as in mapping.scores.items()}
    with ledger.transaction() as connection:
        kept_no_longer = overrides.end_not_kept(connection, target.name, keeps, at=now)
    with ledger.reading() as connection:
        restore = restored.restored(connection)
        first_after = restore is not None and target.name not in restore.read_back
        last = (installation.read(connection, LAST_READ) or {}).get(target.name)
        known = confirmed.leads(connection, target.name)
        leads = (
            sorted({lead for lead, _ in known})
            if everybody or first_after
            else to_read(known, now=now, last=datetime.fromisoformat(last) if last else None)
        )
    if leads:
        require_same_account(ledger, target)
    work = _Work(ledger, target, mapping, now, people_only=restore is not None, everybody=everybody)
    work.counts["kept no longer"] = kept_no_longer
    for start in range(0, len(leads), target.batch_size):
        work.batch(leads[start : start + target.batch_size])
        progress(f"{target.name}: {work.told()}")
    with ledger.transaction() as connection:
        read = installation.read(connection, LAST_READ) or {}
        installation.write(connection, LAST_READ, read | {target.name: now.isoformat()})
        if first_after:
            restored.note_read_back(connection, target.name, at=now)
    return +work.counts


class _Work:
    """One call of `read_back`: what it was given, and what it has found so far."""

    def __init__(
        self,
        ledger: Ledger,
        target: Target,
        mapping: mappings.Mapping,
        now: datetime,
        *,
        people_only: bool,
        everybody: bool,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._ledger = ledger
        self._target = target
        self._mapping = mapping
        self._now = now
        self._people_only = people_only
        self._everybody = everybody

    def batch(self, leads: Sequence[str]) -> None:
        """Ask about these leads, judge, and note what was found."""
        name = self._target.name
        with self._ledger.reading() as connection:
            known = confirmed.confirmed(connection, name, leads)
            ids = records.in_target(connection, name, leads)
            kept = overrides.open_of(connection, name, leads)
        cases = [
            self._case(row, ids[row.lead], kept.get(row.lead, {}))
            for row in known
            if row.lead in ids and row.scorecard in self._mapping.scores
        ]
        if not cases:
            return
        found = self._judge(cases)
        self.counts["moved on"] += self._ledger.in_transaction(
            lambda connection: confirmed.settle(connection, found, at=self._now)
        )

    def _case(self, known: Confirmed, record: str, kept: Mapping[str, Override]) -> Case:
        shown_as = self._mapping.scores[known.scorecard]
        return Case(known, record, shown_as, kept, told_besides(known, shown_as) if self._everybody else ())

    def _judge(self, cases: Sequence[Case]) -> list[Found]:
        properties = sorted({name for case in cases for name in (*case.wanted, *case.filled)})
        self.counts["calls"] += 1
        shown = self._target.read([case.record for case in cases], properties)
        edits = self._edits(cases, shown)
        found = []
        for case in cases:
            self.counts["read back"] += 1
            was_gone = case.confirmed.state == DELETED
            if case.record not in shown:
                self.counts["unanswered"] += 1
            elif (values := shown[case.record]) is not None:
                one = case.judge(values, edits, now=self._now, people_only=self._people_only)
                self.counts["back again" if was_gone else "drift"] += one.drift
                self.counts["overrides"] += len(one.opened)
                self.counts.update(done for _, done in one.ended)
                found.append(one)
            elif not was_gone:
                self.counts["gone"] += 1
                found.append(Found(case.confirmed, gone=True))
        return found

    def _edits(self, cases: Sequence[Case], shown: Mapping[str, Shown | None]) -> Edits:
        """The histories that decide; most batches need none, and cost no call."""
        records: dict[str, None] = {}
        names: set[str] = set()
        for case in cases:
            values = shown.get(case.record)
            if values is not None and (doubtful := case.doubtful(values)):
                records[case.record] = None
                names |= doubtful
        if not records:
            return {}
        self.counts["calls"] += 1
        return self._target.edits(list(records), sorted(names))

    def told(self) -> str:
        """The counts so far, for people."""
        return ", ".join(f"{count:,} {name}" for name, count in sorted(self.counts.items()) if count)
