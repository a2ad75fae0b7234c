"""Bugs in what automations send: in which order it is noted and done, and under which name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, insert

from rescore.delivery import automations, webhook
from rescore.delivery.actions.crm_task import CrmTaskSender
from rescore.ledger import tables
from rescore.ledger.automations import set_off
from rescore.ledger.outbox import deliveries, leases
from rescore.ledger.outbox.deliveries import DeliveryClaim, DeliveryResult
from rescore.outcome import Outcome, next_state
from tests.faults.breaking import apart, instead, replaced
from tests.faults.hunts import at_network, in_orders, in_story
from tests.faults.scenarios_of_senders import PAIR
from tests.faults.seed import Seed

ATTEMPT = tables.attempt


@contextmanager
def acknowledged_first() -> Iterator[None]:
    real = automations._Work.send

    def send(self: Any, claim: DeliveryClaim) -> Outcome:
        self.settle(claim, Outcome("ok"))
        return real(self, claim)

    with instead(automations._Work, "send", send):
        yield


@contextmanager
def attempts_noted_after_the_call() -> Iterator[None]:
    take, settle = deliveries.take, deliveries.settle

    def takes(connection: Connection, rows: Any, **how: Any) -> list[DeliveryClaim]:
        claims = take(connection, rows, **how)
        new = [claim.attempt_id for claim in claims]
        connection.execute(delete(ATTEMPT).where(ATTEMPT.c.attempt_id.in_(new)))
        return claims

    def settles(connection: Connection, results: Sequence[DeliveryResult], *, now: datetime) -> Any:
        for claim in (result.claim for result in results):
            values = {"attempt_id": claim.attempt_id, "delivery_id": claim.delivery_id}
            connection.execute(insert(ATTEMPT).values(**values, started_at=now, outcome="unknown"))
        return settle(connection, results, now=now)

    with instead(deliveries, "take", takes), instead(deliveries, "settle", settles):
        yield


@contextmanager
def rendered_again_at_every_try() -> Iterator[None]:
    real = deliveries.take

    def takes(connection: Connection, rows: Any, *, now: datetime, **how: Any) -> list[DeliveryClaim]:
        def anew(claim: DeliveryClaim) -> DeliveryClaim:
            said = json.loads(claim.body) | {"timestamp": now.isoformat()}
            return replace(claim, body=json.dumps(said).encode())

        return [anew(claim) for claim in real(connection, rows, now=now, **how)]

    with instead(deliveries, "take", takes):
        yield


@contextmanager
def another_id_at_every_try() -> Iterator[None]:
    real = webhook._signed

    def signed(secrets: str, delivery_id: str, body: bytes, now: datetime) -> dict[str, str]:
        return real(secrets, str(uuid4()), body, now)

    with instead(webhook, "_signed", signed):
        yield


def _what_passes_is_parked(outcome: Outcome, **how: Any) -> Any:
    return "parked" if outcome.kind in ("transient", "unknown") else next_state(outcome, **how)


SEEDS = (
    Seed(
        "a delivery is acknowledged before it is sent",
        acknowledged_first,
        in_story("crossing", at="receiver send"),
        "counts as delivered and never arrived",
    ),
    Seed(
        "an attempt is noted after the call",
        attempts_noted_after_the_call,
        in_story("crossing", at="INSERT INTO attempt"),
        "was sent 2 times",
    ),
    Seed(
        "a body is rendered again at every try",
        rendered_again_at_every_try,
        in_story("crossing"),
        "another than is on record",
    ),
    Seed(
        "a delivery gets another id at every try",
        another_id_at_every_try,
        at_network("webhook: reset after the effect"),
        "counts as delivered and happened 3 times",
    ),
    Seed(
        "an e-mail of unknown fate is sent again",
        replaced(deliveries, "UNREPEATABLE", frozenset()),
        at_network("e-mail: message: reset"),
        "is due after 1 tries, not parked",
    ),
    Seed(
        "a call whose worker died counts as never made",
        replaced(deliveries, "_uncertain", lambda connection, ids: set()),
        in_story("crossing", at="UPDATE attempt SET"),
        "was sent 2 times",
    ),
    Seed(
        "a task is made without looking for it",
        replaced(CrmTaskSender, "_already", lambda self, *how: None),
        at_network("make a task: reset after the effect"),
        "counts as delivered and happened 3 times",
    ),
    Seed(
        "deliveries are committed after their crossing",
        apart(tables.delivery, set_off, "write_deliveries"),
        in_story("crossing", at="INSERT INTO delivery"),
        "fired and has no delivery",
    ),
    Seed(
        "armings are committed after their crossing",
        apart(tables.arming, set_off, "write_armings"),
        in_story("crossing", at="INSERT INTO arming"),
        "without a fault there would be",
    ),
    Seed(
        "nobody looks at leases",
        replaced(leases, "free", lambda table, now: table.c.state == "due"),
        in_orders(PAIR),
        "does not come to an end",
    ),
    Seed(
        "a receiver that is gone for good is called again",
        replaced(webhook, "GONE", 0),
        at_network("webhook: 410"),
        "is transient and should be gone",
    ),
    Seed(
        "a failure that will pass parks a delivery",
        replaced(deliveries, "next_state", _what_passes_is_parked),
        at_network("webhook: reset before the effect"),
        "is parked after 1 tries, not due",
    ),
    Seed(
        "Retry-After is ignored",
        replaced(leases, "wait", lambda tries, key, asked: leases.backoff(tries, key=key)),
        at_network("webhook: 503 with Retry-After"),
        "comes back before the 7200 seconds asked for",
    ),
    Seed(
        "Retry-After of ages is granted",
        replaced(leases, "LONGEST_WISH", leases.LONGEST_WISH * 1000),
        at_network("webhook: 429, `Retry-After` of ages"),
        "waits until",
    ),
)
