"""Once per account: of several leads with the same key one fires, decided where scores are promoted."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest

from rescore.automations.state_machine import Restraint
from rescore.ledger import tables
from rescore.ledger.automations import held
from rescore.ledger.promotion import crossings
from rescore.ledger.rules import holds
from rescore.policy.limits import Measures
from rescore.rules.actions import OncePer
from tests.ledger.world import World, a_card, an_automation, when

ONCE = an_automation(
    "mql", when(score={"at_least": 100}), when(score={"below": 85}), once_per=OncePer("account", 30)
)
SAME = "a lead of the same account fired less than 30 days ago"


@pytest.fixture
def world(ledger) -> World:
    world = World(ledger, card=a_card(ONCE))
    world.first_load(**{f"crm:{number}": 0 for number in range(6)})
    return world


def of(accounts: dict[str, str]) -> dict[str, dict[str, str]]:
    """What is staged beside the scores: each lead's account."""
    return {lead: {"flags": json.dumps([f"mql once {key}"])} for lead, key in accounts.items()}


def score(world, scores, accounts, **how) -> Counter[str]:
    return world.promote(world.stage(world.start(), scores, of(accounts)), **how)


def outcomes(world):
    return world.rows(tables.crossing, "lead", "outcome", "reason")


HOT = {f"crm:{number}": 120 for number in range(4)}
ACCOUNTS = {"crm:0": "acme", "crm:1": "acme", "crm:2": "initech", "crm:3": "acme"}


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
def test_the_first_lead_of_an_account_fires_however_the_run_is_cut(world, chunk):
    counts = score(world, HOT, ACCOUNTS, chunk=chunk)
    assert (counts["fired"], counts["suppressed"]) == (2, 2)
    assert outcomes(world) == [
        ("crm:0", "fired", None),
        ("crm:1", "suppressed", SAME),
        ("crm:2", "fired", None),
        ("crm:3", "suppressed", SAME),
    ]
    assert world.rows(tables.delivery, "lead") == [("crm:0",), ("crm:2",)]


def test_a_chunk_that_the_database_sends_back_is_judged_again_as_if_for_the_first_time(world):
    run = world.stage(world.start(), HOT, of(ACCOUNTS))
    judging = crossings.Crossings(run, world.card, at=world.now)
    for _ in range(2):
        with world.ledger.reading() as connection:
            part = crossings.Chunk(connection, run, "crm:9")
            assert judging.judge(connection, part, may_fire=True).counts == {"fired": 2, "suppressed": 2}


@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_the_preview_counts_what_the_promotion_does(world, chunk):
    run = world.stage(world.start(), HOT, of(ACCOUNTS))
    with world.ledger.reading() as connection:
        foreseen = crossings.preview(connection, run, world.card, chunk=chunk)["mql"]
    assert (foreseen.fired, dict(foreseen.suppressed)) == (2, {SAME: 2})


def test_a_later_run_remembers_until_the_window_is_over(world):
    score(world, {"crm:0": 120}, ACCOUNTS)
    score(world, {"crm:1": 120}, ACCOUNTS)
    world.now += timedelta(days=30)
    score(world, {"crm:3": 120}, ACCOUNTS)
    assert [outcome for _, outcome, _ in outcomes(world)] == ["fired", "suppressed", "fired"]


def test_leads_without_an_account_and_of_other_accounts_fire_each_for_themselves(world):
    assert score(world, HOT, {"crm:0": "acme"})["fired"] == 4


def test_what_was_suppressed_itself_takes_nothing_from_the_account(world):
    score(world, {"crm:0": 120}, ACCOUNTS, restrained={"mql": Restraint("quiet")})
    assert score(world, {"crm:1": 120}, ACCOUNTS)["fired"] == 1


def test_of_held_leads_of_one_account_a_release_lets_one_fire(world):
    run = world.stage(world.start(), HOT, of(ACCOUNTS))
    with world.ledger.transaction() as connection:
        holds.open_hold(
            connection,
            hold_id="held",
            scorecard="b2b",
            what=holds.AUTOMATION,
            reasons=("many",),
            measures=Measures(0, 0, 0, ()),
            at=world.now,
            by="test",
            expires_at=world.now + timedelta(days=1),
            run_key=run.run_key,
            automation="mql",
        )
    assert world.promote(run, restrained={"mql": Restraint("many", "held")})["held"] == 4
    with world.ledger.transaction() as connection:
        assert held.release_held(connection, "held", world.card, world.tick()) == {
            "fired": 2,
            "suppressed": 2,
        }
    assert [(lead, outcome) for lead, outcome, _ in outcomes(world)] == [
        ("crm:0", "fired"),
        ("crm:1", "suppressed"),
        ("crm:2", "fired"),
        ("crm:3", "suppressed"),
    ]
