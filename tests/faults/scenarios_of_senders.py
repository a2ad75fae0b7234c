"""Senders among themselves, and with new scores, sweeps, people and breakers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlalchemy import select, update

from rescore.delivery.crm import LEASE
from rescore.delivery.letters import write_letter
from rescore.ledger import tables
from rescore.ledger.outbox import breakers, syncs
from rescore.ledger.outbox.syncs import SyncResult
from rescore.ledger.promotion import promotion
from rescore.ledger.scores import runs
from rescore.outcome import Outcome
from tests.faults.scenarios import (
    MAPPING,
    Act,
    clock,
    crm_is_right,
    deliver,
    everything_settles,
    first_load,
    not_shown,
    send,
    sweep,
)
from tests.faults.schedules import Scenario, Verdict
from tests.faults.turns import Scene
from tests.ledger.world import World, a_card, an_automation, when

STALE = "stale until the sweep"


def one_due(scene: Scene) -> None:
    """A lead whose new score is not shown yet, and a still newer one is staged."""
    ledger = first_load(scene, **{"1": 10})
    ledger.score(**{"crm:1": 60})
    run = ledger.start(key="newer")
    ledger.stage(run, {"crm:1": 70})
    scene.outside.now = ledger.now


def newer(scene: Scene) -> None:
    """Its promotion, as one step: its end touches nothing that senders look at."""
    with scene.one_step():
        with scene.ledger.reading() as connection:
            run = runs.find(connection, "newer")
        promotion.promote(scene.ledger, run, World(scene.ledger).card, at=scene.now, targets=["crm"])


def four_steps(scene: Scene, *, looks: bool) -> None:
    """A sender of exactly four steps: claim, look at the clock, send, settle."""
    with scene.ledger.transaction() as connection:
        now = scene.now
        claims = syncs.claim(connection, target="crm", worker="w", now=now, lease=LEASE, limit=10)
    scene.pause()
    letter = write_letter(claims, "crm", MAPPING, {})
    if not letter.claims or (looks and scene.now + timedelta(seconds=1) >= now + LEASE):
        for _ in range(2):
            scene.pause()
        return
    scene.slow("crm").write(letter.updates())
    [[(claim, figures)]] = letter.claims.values()
    with scene.ledger.transaction() as connection:
        result = SyncResult(claim, Outcome("ok"), figures)
        syncs.settle(connection, [result], now=scene.now)


def due_and_back(scene: Scene) -> None:
    """As `one_due`, but what is staged is the score that the CRM shows; the first call's answer gets lost."""
    ledger = first_load(scene, **{"1": 10})
    ledger.score(**{"crm:1": 60})
    run = ledger.start(key="newer")
    ledger.stage(run, {"crm:1": 10})
    scene.outside.crm.troubles = ["lost"]
    scene.outside.now = ledger.now


def right_by_the_next_run(scene: Scene) -> Verdict:
    """Nobody was away for long, so no sweep is needed."""
    scene.outside.now += LEASE + timedelta(minutes=5)
    send(scene)
    with scene.ledger.reading() as connection:
        found = list(not_shown(connection, scene))
    return Verdict((*found, *everything_settles(scene)))


def swept(scene: Scene) -> Verdict:
    """First only the next run comes; then the sweep."""
    scene.outside.now += LEASE + timedelta(minutes=5)
    send(scene)
    notes = () if crm_is_right(scene) else (STALE,)
    return Verdict(tuple(everything_settles(scene)), notes)


def as_the_reference(name: str, *, looks: bool) -> Scenario:
    """Two senders of four steps, one new score, two jumps of the clock: 34,650 orders."""
    sender = partial(four_steps, looks=looks)
    actors = {"first": sender, "second": sender, "newer": newer, "clock": clock(2)}
    return Scenario(name, one_due, actors, swept)


REFERENCE = as_the_reference(
    "two senders with leases alone, a new score, two jumps of the clock", looks=False
)
LOOKING = as_the_reference("two senders that look at the clock, a new score, two jumps", looks=True)


def one_due_and_newer(name: str, **others: Act) -> Scenario:
    """Whoever acts beside a promotion of a newer score."""
    return Scenario(name, one_due, {**others, "newer": newer}, swept)


def a_person_edits(scene: Scene) -> None:
    """Somebody writes another score into the CRM by hand."""
    scene.pause()
    scene.outside.crm.edit("1", "my_score", "7", at=scene.now, by="ute")


def two_owed(scene: Scene) -> None:
    """A lead has crossed: one action is a webhook, the other an e-mail."""
    ledger = World(scene.ledger, card=a_card(an_automation("mql", when(score={"at_least": 100}), actions=2)))
    ledger.first_load(**{"crm:1": 10})
    ledger.score(**{"crm:1": 120})
    delivery = tables.delivery
    with scene.ledger.transaction() as connection:
        connection.execute(
            update(delivery).where(delivery.c.connection == "hook_1").values(kind="email", connection="mail")
        )
    scene.outside.crm.put_lead("1", {})
    scene.outside.now = ledger.now


def all_delivered(scene: Scene) -> Verdict:
    """Every action, or it is on record that nobody knows."""
    found = everything_settles(scene)
    notes = (
        ["sent twice under one id"] if any(len(b) > 1 for b in scene.outside.receiver.bodies.values()) else []
    )
    delivery = tables.delivery
    with scene.ledger.reading() as connection:
        for kind, state in connection.execute(select(delivery.c.kind, delivery.c.state)):
            if kind == "email" and state == "parked":
                notes.append("with an e-mail parked as unknown")
            elif state != "delivered":
                found.append(f"the {kind} stays {state}")
    return Verdict(tuple(found), tuple(notes))


def troubled(scene: Scene) -> None:
    """Two leads are due, each in a call of its own, to a CRM that refuses the first three calls."""
    ledger = first_load(scene, **{"1": 10, "2": 20})
    ledger.score(**{"crm:1": 60, "crm:2": 70})
    crm = scene.outside.crm
    crm.batch_size = 1
    crm.troubles = ["quota", "auth", "quota"]
    scene.outside.now = ledger.now


def a_person_closes(scene: Scene) -> None:
    """Somebody closes the CRM's breaker."""
    with scene.ledger.transaction() as connection:
        breakers.close(connection, "crm", "rita")


def nobody_paid(scene: Scene) -> Verdict:
    """No record has spent a try on what was the Connection's fault; once it is well, all is shown."""
    sync = tables.sync
    with scene.ledger.reading() as connection:
        found = [
            f"{row.lead} is {row.state} after {row.tries} tries"
            for row in connection.execute(select(sync))
            if row.tries or row.state not in ("due", "settled")
        ]
    scene.outside.crm.troubles = []
    scene.outside.now += timedelta(hours=2)
    send(scene)
    with scene.ledger.reading() as connection:
        left = breakers.open_now(connection, scene.now)
    return Verdict((*found, *(f"{one.told()}, and it is well" for one in left), *everything_settles(scene)))


PAIR = Scenario(
    "two deliverers of a webhook and an e-mail",
    two_owed,
    {"first": deliver, "second": deliver},
    all_delivered,
)
DELIVERERS = Scenario(
    "two deliverers of a webhook and an e-mail, two jumps",
    two_owed,
    {"first": deliver, "second": deliver, "clock": clock(2)},
    all_delivered,
)

SENDER = Scenario("update_crm, a new score", one_due, {"sender": send, "newer": newer}, right_by_the_next_run)
LOST_ANSWER = Scenario(
    "update_crm whose answer is lost, a score that comes back",
    due_and_back,
    {"sender": send, "newer": newer},
    right_by_the_next_run,
)
BREAKER = Scenario(
    "breaker: two update_crm and a person who closes it",
    troubled,
    {"first": send, "second": send, "person": a_person_closes},
    nobody_paid,
)
PERSON = one_due_and_newer(
    "update_crm, reconcile, a new score, a person's edit", sender=send, sweep=sweep, person=a_person_edits
)

ALL = (
    SENDER,
    LOST_ANSWER,
    REFERENCE,
    LOOKING,
    one_due_and_newer("two update_crm, a new score, a jump", first=send, second=send, clock=clock()),
    one_due_and_newer("update_crm, reconcile, a new score, a jump", sender=send, sweep=sweep, clock=clock()),
    PERSON,
    PAIR,
    DELIVERERS,
    BREAKER,
)
