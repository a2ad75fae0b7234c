"""Bugs in how scores get to a CRM and are read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from rescore.connectors.base import WriteResult
from rescore.connectors.hubspot import writing
from rescore.delivery import crm
from rescore.errors import CrmRateLimited, RescoreError
from rescore.ledger import tables
from rescore.ledger.outbox import breakers, confirmed, syncs
from rescore.ledger.outbox.confirmed import Found
from rescore.ledger.outbox.syncs import SyncResult
from rescore.outcome import CONSEQUENCES, Outcome, outcome_of
from tests.faults.breaking import instead, replaced
from tests.faults.hunts import at_network, in_orders, in_story
from tests.faults.scenarios_of_senders import BREAKER, LOST_ANSWER, PERSON, SENDER
from tests.faults.seed import Seed

SYNC = tables.sync


@contextmanager
def acknowledging_the_current_version() -> Iterator[None]:
    real = syncs.settle

    def settles(connection: Connection, results: Iterable[SyncResult], **how: Any) -> Any:
        def current(result: SyncResult) -> SyncResult:
            mine = (SYNC.c.lead == result.claim.lead) & (SYNC.c.scorecard == result.claim.scorecard)
            ver = connection.scalars(select(SYNC.c.want_ver).where(mine)).one()
            return replace(result, claim=replace(result.claim, ver=ver))

        return real(connection, [current(result) for result in results], **how)

    with instead(syncs, "settle", settles):
        yield


@contextmanager
def acknowledged_first() -> Iterator[None]:
    real = crm._Work.send

    def sends(self: Any, batch: Any) -> None:
        self._settle([SyncResult(claim, Outcome("ok")) for claim in batch], None)
        real(self, batch)

    with instead(crm._Work, "send", sends):
        yield


@contextmanager
def what_is_shown_stays_known() -> Iterator[None]:
    with instead(syncs, "_as_known", lambda known: {}):
        settled = syncs._statements()
        with instead(syncs, "_SETTLED", settled):
            yield


@contextmanager
def every_try_is_spent() -> Iterator[None]:
    real = syncs.settle
    spends = {kind: replace(each, spends_try=True) for kind, each in CONSEQUENCES.items()}

    def settles(connection: Connection, results: Iterable[SyncResult], *, spend: bool, **how: Any) -> Any:
        return real(connection, results, spend=True, **how)

    with instead(syncs, "settle", settles), instead(syncs, "CONSEQUENCES", spends):
        yield


def _same_lead(one: Found) -> ColumnElement[bool]:
    known = one.confirmed
    return (
        (SYNC.c.scorecard == known.scorecard) & (SYNC.c.lead == known.lead) & (SYNC.c.target == known.target)
    )


def _a_limit_is_the_records_fault(error: RescoreError) -> Outcome:
    return Outcome("record", str(error)) if isinstance(error, CrmRateLimited) else outcome_of(error)


def _all_of_it_refused(self: Any, fields: dict[str, Any]) -> dict[str, WriteResult]:
    return {lead_id: WriteResult(lead_id, "record", "its batch was refused") for lead_id in fields}


@contextmanager
def silence_is_success() -> Iterator[None]:
    real = writing._results

    def results(answer: Any, lead_ids: Sequence[str]) -> dict[str, WriteResult]:
        found = real(answer, lead_ids)
        return {
            lead_id: WriteResult(lead_id, "ok") if one.kind == "unknown" else one
            for lead_id, one in found.items()
        }

    with instead(writing, "_results", results):
        yield


@contextmanager
def one_refusal_is_everybodys() -> Iterator[None]:
    real = crm.fitting

    def fits(written: Sequence[WriteResult], updates: Any) -> Sequence[WriteResult]:
        known = real(written, updates)
        bad = next((one for one in known if one.kind == "record"), None)
        return known if bad is None else [replace(bad, lead_id=one.lead_id) for one in known]

    with instead(crm, "fitting", fits):
        yield


SEEDS = (
    Seed(
        "the newest version is acknowledged, not the one that was sent",
        acknowledging_the_current_version,
        in_orders(SENDER),
        "has 70 points and the CRM shows 60 (settled)",
    ),
    Seed(
        "scores are acknowledged before they are sent",
        acknowledged_first,
        at_network("write scores: reset before the effect"),
        "is ok and should be unknown",
    ),
    Seed(
        "a lost answer leaves what the CRM shows as it was known",
        what_is_shown_stays_known,
        in_orders(LOST_ANSWER),
        "has 10 points and the CRM shows 60 (settled)",
    ),
    Seed(
        "reading back overwrites what was sent meanwhile",
        replaced(confirmed, "_same", _same_lead),
        in_orders(PERSON),
        "is overridden and version 3 was never sent",
    ),
    Seed(
        "trouble with a quota spends records' tries", every_try_is_spent, in_orders(BREAKER), "after 1 tries"
    ),
    Seed(
        "a limit counts as a fault of the record",
        replaced(crm, "outcome_of", _a_limit_is_the_records_fault),
        at_network("write scores: 429, `Retry-After` in seconds"),
        "is record and should be quota",
    ),
    Seed(
        "a refused batch is not halved",
        replaced(writing._Writing, "_half", _all_of_it_refused),
        at_network("write scores: one record spoils its batch"),
        "3 records of two batches are blamed",
    ),
    Seed(
        "one refused record takes its batch along",
        one_refusal_is_everybodys,
        in_story("crossing"),
        "is parked and nobody refused it",
    ),
    Seed(
        "a record that the answer does not name counts as written",
        silence_is_success,
        at_network("write scores: a result missing"),
        "is ok and should be unknown",
    ),
    Seed(
        "breakers never open",
        replaced(breakers, "_write", lambda connection, breaker: None),
        at_network("write scores: 401 in the middle of a run"),
        "is auth and opens no breaker",
    ),
    Seed(
        "an open breaker keeps nobody away",
        replaced(breakers, "is_open", lambda *how: None),
        at_network("write scores: 401 in the middle of a run"),
        "calls a Connection that is left alone",
    ),
)
