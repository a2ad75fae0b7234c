"""When deliveries go out: in their hours, before they expire, while they are still true."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rescore.delivery.automations import run_automations
from rescore.delivery.hours import opening
from rescore.ledger import tables
from rescore.outcome import Outcome
from rescore.rules.actions import Deliver
from tests.ledger.world import MQL, World, a_card

BERLIN = "Europe/Berlin"
OFFICE = Deliver(BERLIN, (8 * 60, 18 * 60), (0, 1, 2, 3, 4))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("deliver", "now", "opens"),
    [
        pytest.param(OFFICE, "2026-11-02T07:00", None, id="on the stroke of eight"),
        pytest.param(OFFICE, "2026-11-02T06:59", "2026-11-02T07:00", id="a minute early"),
        pytest.param(OFFICE, "2026-11-02T16:59", None, id="the last minute"),
        pytest.param(OFFICE, "2026-11-02T17:00", "2026-11-03T07:00", id="closed"),
        pytest.param(OFFICE, "2026-11-06T17:00", "2026-11-09T07:00", id="a weekend"),
        pytest.param(OFFICE, "2026-03-27T17:00", "2026-03-30T06:00", id="the clock goes forward"),
        pytest.param(OFFICE, "2026-10-23T16:00", "2026-10-26T07:00", id="the clock goes back"),
        pytest.param(Deliver(BERLIN, None, (6,)), "2026-11-02T12:00", "2026-11-07T23:00", id="sundays"),
        pytest.param(Deliver(BERLIN, (1080, 1440)), "2026-11-02T22:59", None, id="until midnight"),
        pytest.param(Deliver(BERLIN, (120, 150)), "2026-03-29T00:50", "2026-03-29T01:00", id="no such hour"),
        pytest.param(Deliver("UTC", still_true=True), "2026-11-02T22:59", None, id="always"),
    ],
)
def test_hours_are_those_of_the_wall_clock(deliver, now, opens):
    assert opening(deliver, moment(now)) == (opens and moment(opens))


class Everything:
    """Takes whatever comes."""

    def __init__(self) -> None:
        self.got: list[str] = []

    def send(self, claim, *, now) -> Outcome:
        self.got.append(claim.delivery_id)
        return Outcome("ok")


def a_world(ledger, deliver: Deliver) -> World:
    world = World(ledger, card=a_card(replace(MQL, deliver=deliver)))
    world.first_load(**{"crm:1": 0, "crm:2": 0})
    return world


def send(world, **later) -> dict[str, int]:
    world.now += timedelta(**later)
    return dict(run_automations(world.ledger, {"webhook": Everything()}, now=world.tick(), worker="w"))


def test_outside_its_hours_a_delivery_waits_and_spends_neither_a_try_nor_an_attempt(ledger):
    world = a_world(ledger, Deliver("UTC", (12 * 60, 18 * 60)))
    world.score(**{"crm:1": 120})
    assert send(world) == {"waiting": 1}
    [(reason, tries)] = world.rows(tables.delivery, "reason", "tries")
    assert (reason, tries) == ("waits for its hours: 2026-11-02 12:00 UTC", 0)
    assert world.rows(tables.attempt) == []
    assert send(world) == {}
    assert send(world, hours=4) == {"delivered": 1}


class Slow(Everything):
    """Each call takes longer than the hours last."""

    def send(self, claim, *, now) -> Outcome:
        time.sleep(2.1)
        return super().send(claim, now=now)


@pytest.mark.parametrize(
    ("deliver", "second"),
    [
        (Deliver("UTC", (12 * 60, 13 * 60)), "waiting"),
        (Deliver("UTC", (11 * 60, 14 * 60), expires=4), "expired"),
    ],
    ids=["hours", "expiry"],
)
def test_hours_and_expiry_are_asked_anew_when_the_calls_before_took_their_time(ledger, deliver, second):
    world = a_world(ledger, deliver)
    world.score(**{"crm:1": 120, "crm:2": 120})
    [expires, _] = world.rows(tables.delivery, "expires_at")
    ends = moment("2026-11-02T13:00") if expires[0] is None else expires[0]
    at = ends - timedelta(seconds=2)
    counts = run_automations(world.ledger, {"webhook": Slow()}, now=at, worker="w")
    assert dict(counts) == {"delivered": 1, second: 1}


def test_what_is_too_old_expires_with_the_reason(ledger):
    world = a_world(ledger, Deliver("UTC", (12 * 60, 13 * 60), expires=24))
    world.score(**{"crm:1": 120})
    assert send(world, hours=5) == {"waiting": 1}
    assert send(world, hours=20) == {"expired": 1}
    assert world.rows(tables.delivery, "state", "reason") == [
        ("expired", "not sent before it expired (2026-11-03 09:03 UTC)")
    ]


def test_what_is_no_longer_true_is_cancelled_and_what_still_is_goes_out(ledger):
    world = a_world(ledger, Deliver("UTC", still_true=True))
    world.score(**{"crm:1": 120, "crm:2": 120})
    world.score(**{"crm:1": 99, "crm:2": 101})
    assert send(world) == {"cancelled": 1, "delivered": 1}
    assert world.rows(tables.delivery, "lead", "state", "reason") == [
        ("crm:1", "cancelled", "no longer true"),
        ("crm:2", "delivered", None),
    ]


def test_a_lead_that_left_the_audience_is_not_told_of(ledger):
    world = a_world(ledger, Deliver("UTC", still_true=True))
    world.score(**{"crm:1": 120})
    world.score(**{"crm:1": None})
    assert send(world) == {"cancelled": 1}


def test_hours_are_asked_of_the_rules_in_force_now(ledger):
    world = a_world(ledger, Deliver("UTC", (12 * 60, 18 * 60)))
    world.score(**{"crm:1": 120})
    world.adopt(a_card(replace(MQL, deliver=Deliver("UTC", still_true=True))))
    assert send(world) == {"delivered": 1}


def test_many_that_cannot_go_do_not_keep_the_others_waiting(ledger):
    world = World(ledger, card=a_card(replace(MQL, deliver=Deliver("UTC", still_true=True))))
    leads = {f"crm:{number:03}": 0 for number in range(130)}
    world.first_load(**leads)
    world.score(**dict.fromkeys(leads, 120))
    world.score(**dict.fromkeys(list(leads)[:120], 90))
    assert send(world) == {"cancelled": 120, "delivered": 10}


def test_a_kind_that_nothing_here_can_send_stays_due_and_says_so(ledger):
    world = a_world(ledger, Deliver("UTC"))
    world.score(**{"crm:1": 120})
    assert dict(run_automations(world.ledger, {}, now=world.tick(), worker="w")) == {"unready": 1}
    assert world.rows(tables.delivery, "state", "reason") == [("due", "nothing here can send a `webhook`")]
