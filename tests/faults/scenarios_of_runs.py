"""Runs among themselves, and with landings, activations and merges."""

from __future__ import annotations

from rescore.ledger.people import identity
from rescore.ledger.rules import activations, registry
from rescore.ledger.scores import runs, streams
from tests.faults.scenarios import Act, everything_settles, first_load, lands, next_runs, promote, score, send
from tests.faults.schedules import Scenario, Verdict
from tests.faults.turns import Scene
from tests.ledger.rules_text import rules_text
from tests.ledger.world import MINUTE, MQL, a_card


def two_marked(scene: Scene) -> None:
    """Lead 1 is about to cross, lead 2 just moves; both are shown as they were."""
    outside = scene.outside
    outside.facts = [("crm:1", outside.now, 19), ("crm:2", outside.now, 2)]
    first_load(scene, **{"1": 95, "2": 10})
    lands(scene, "crm:1", outside.now, 2)
    lands(scene, "crm:2", outside.now, 1)
    outside.now += MINUTE


def one_happens_in_between(scene: Scene) -> None:
    """As `two_marked`; of what lead 1 has done the older of two runs may not know yet."""
    two_marked(scene)
    lands(scene, "crm:1", scene.now + 1.5 * MINUTE, -5)


def a_run(key: str, *, minutes: int) -> Act:
    """A whole incremental run as of so many minutes from now."""

    def act(scene: Scene) -> None:
        promote(scene, score(scene, key, scene.now + minutes * MINUTE))

    return act


def a_fact(minutes: float, number: int) -> Act:
    """Something that lead 1 does, or takes back, lands."""

    def act(scene: Scene) -> None:
        lands(scene, "crm:1", scene.now + minutes * MINUTE, number)

    return act


def an_edit(scene: Scene) -> None:
    """Other rules come into force, and everybody is rescored under them."""
    card = a_card(MQL, points=4)
    at = scene.now
    with scene.ledger.transaction() as connection:
        body = rules_text(card)
        version = registry.register(connection, card=card, body=body, path="b2b.yaml", at=at, by="ute")
        activations.activate(connection, card=card, version_seq=version, at=at, by="ute")
    promote(scene, score(scene, "rescore", at + 2 * MINUTE, kind=runs.RESCORE))


def a_merge(scene: Scene) -> None:
    """The CRM merges lead 1 into lead 2; the landing that says so comes."""
    scene.pause()
    outside = scene.outside
    outside.crm.put_lead("2", {}, merged=["1"])
    outside.merged["crm:1"] = "crm:2"
    with scene.ledger.transaction() as connection:
        lease = streams.take_fence(connection, "crm", "contacts")
        lease = streams.commit_landing(connection, lease, cursor={}, dirty={"crm:2": None})
        assert lease.input_ver is not None
        identity.follow_merges(connection, outside.merged, input_ver=lease.input_ver, at=scene.now)


def all_true(scene: Scene) -> Verdict:
    """Once the next runs have come the record is true, and so is what the CRM shows."""
    found = next_runs(scene)
    return Verdict((*found, *everything_settles(scene)))


RUN_AND_LANDING = Scenario(
    "a promotion and a landing",
    two_marked,
    {"run": a_run("run", minutes=1), "landing": a_fact(0.5, 10)},
    all_true,
)
TWO_RUNS = Scenario(
    "two promotions of overlapping runs",
    one_happens_in_between,
    {"older": a_run("older", minutes=1), "newer": a_run("newer", minutes=2)},
    all_true,
)

EDIT = Scenario(
    "a promotion, an activation with its rescore, and a landing",
    two_marked,
    {"run": a_run("run", minutes=1), "edit": an_edit, "landing": a_fact(0.5, 10)},
    all_true,
)
MERGE = Scenario(
    "a promotion, a merge and update_crm",
    two_marked,
    {"run": a_run("run", minutes=1), "merge": a_merge, "sender": send},
    all_true,
)

ALL = (
    RUN_AND_LANDING,
    TWO_RUNS,
    Scenario(
        "two promotions of overlapping runs and a landing",
        two_marked,
        {"older": a_run("older", minutes=1), "newer": a_run("newer", minutes=2), "landing": a_fact(1.5, -5)},
        all_true,
    ),
    EDIT,
    MERGE,
)
