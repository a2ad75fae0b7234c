"""The registry: every body once, one version in force, and a rescore owed for as long as it takes."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from rescore.errors import InputUnreadable, ScorecardInvalid
from rescore.ledger import tables
from rescore.ledger.rules import activations, registry
from rescore.ledger.rules.activations import Activation
from rescore.rules.card import Band
from rescore.rules.load import load_scorecard
from tests.ledger.world import MINUTE, MONDAY, MQL, World, a_card, an_automation, when

BODY = b"""
scorecard: tiny
dimensions: {fit: {}}
rules: [{id: known, dimension: fit, lead: {email: {exists: true}}, points: 1}]
"""


@pytest.fixture
def world(ledger) -> World:
    return World(ledger)


def reject(world, body: bytes, *, path="b2b.yaml", problems=("b2b.yaml:3:1: unknown key `pionts`",)) -> int:
    with world.ledger.transaction() as connection:
        return registry.reject(
            connection,
            scorecard="b2b",
            sha256=hashlib.sha256(body).hexdigest(),
            body=body,
            path=path,
            at=MONDAY,
            by="test",
            problems=problems,
        )


def register(world, card, body: bytes, *, path="b2b.yaml") -> int:
    with world.ledger.transaction() as connection:
        return registry.register(connection, card=card, body=body, path=path, at=MONDAY, by="test")


def due(world, now=MONDAY) -> list[str]:
    with world.ledger.reading() as connection:
        return [active.scorecard for active in activations.rescore_due(connection, now)]


def seen(world) -> dict[str, str]:
    with world.ledger.reading() as connection:
        return {path: sha256[:4] for path, sha256 in registry.files_seen(connection).items()}


class TestVersions:
    """Every body ever seen, exactly as read."""

    def test_the_same_bytes_are_the_same_version(self, world):
        assert [register(world, a_card(), body) for body in (b"a", b"b", b"a")] == [1, 2, 1]

    def test_a_rejected_body_is_remembered_by_its_hash_with_its_problems(self, world):
        assert [reject(world, b"broken"), reject(world, b"broken"), reject(world, b"worse")] == [1, 1, 2]
        assert world.rows(tables.rules_version, "seq", "status", "error", "scoring")[0] == (
            1,
            "rejected",
            "b2b.yaml:3:1: unknown key `pionts`",
            None,
        )

    def test_a_rejected_body_is_never_put_in_force(self, world):
        version = reject(world, b"broken", problems=["one", "two"])
        with pytest.raises(ScorecardInvalid) as raised, world.ledger.transaction() as connection:
            activations.activate(connection, card=a_card(), version_seq=version, at=MONDAY, by="test")
        assert raised.value.problems == ["one", "two"]

    def test_a_body_that_was_in_force_once_is_not_put_forward_when_it_no_longer_holds(self, world):
        version = register(world, a_card(), b"old words")
        with world.ledger.transaction() as connection:
            registry.set_status(connection, "b2b", version, registry.RETIRED)
        assert reject(world, b"old words") == version
        assert world.rows(tables.rules_version, "status") == [("retired",)]

    def test_a_body_that_another_build_rejected_is_taken_up_once_it_holds(self, world):
        version = reject(world, b"new words")
        assert register(world, a_card(), b"new words") == version
        assert world.rows(tables.rules_version, "status", "error") == [("draft", None)]

    def test_a_version_nobody_registered_cannot_be_activated(self, world):
        with pytest.raises(InputUnreadable, match="no version 7"), world.ledger.transaction() as connection:
            activations.activate(connection, card=a_card(), version_seq=7, at=MONDAY, by="test")

    def test_what_a_file_said_last_is_known_when_it_goes_back_to_an_older_body(self, world):
        register(world, a_card(), b"a")
        first = seen(world)
        register(world, a_card(points=6), b"b")
        assert seen(world) != first
        register(world, a_card(), b"a")
        assert seen(world) == first


class TestActivation:
    """One version in force, and what putting it there wakes."""

    @pytest.mark.parametrize(
        ("change", "wakes", "owed"),
        [
            pytest.param({"rules": a_card(points=6).rules}, "scoring", True, id="points"),
            pytest.param({"bands": (Band("A", 90_000),)}, "thresholds", True, id="a band"),
            pytest.param({"automations": ()}, "thresholds", True, id="an automation"),
            pytest.param({"description": "Ours"}, "wording", False, id="the description"),
        ],
    )
    def test_wakes_the_strongest_part_that_moved(self, world, change, wakes, owed):
        world.first_load()
        assert world.adopt(replace(world.card, **change)) == Activation("b2b", 2, 2, wakes)
        assert due(world) == (["b2b"] if owed else [])

    def test_the_first_wakes_everything(self, world):
        assert world.adopt() == Activation("b2b", 1, 1, "scoring")
        assert due(world) == []  # the first load is not done; its run settles what is owed

    def test_of_the_version_in_force_is_nothing(self, world):
        world.adopt()
        assert world.adopt() is None

    def test_retires_the_version_before(self, world):
        world.adopt()
        world.adopt(a_card(MQL, points=6))
        assert world.rows(tables.rules_version, "seq", "status") == [(1, "retired"), (2, "active")]

    def test_an_unfinished_rescore_stays_owed_when_only_the_wording_moves_after_it(self, world):
        world.first_load()
        world.adopt(a_card(MQL, points=6))
        assert world.adopt(a_card(MQL, points=6, description="Better words")).wakes == "scoring"
        assert due(world) == ["b2b"]

    def test_changes_in_quick_succession_owe_one_rescore_of_the_last(self, world):
        world.first_load(**{"crm:1": 10})
        for points in (6, 7, 8):
            world.adopt(a_card(MQL, points=points))
        assert world.score("rescore", **{"crm:1": 16})["changed"] == 1
        assert due(world) == []

    def test_a_change_taken_back_before_its_rescore_writes_nothing(self, world):
        world.first_load(**{"crm:1": 10})
        owed = world.rows(tables.sync)
        world.adopt(a_card(MQL, points=6))
        world.adopt(a_card(MQL))
        assert world.score("rescore", **{"crm:1": 10}) == {"promoted": 1}
        assert world.rows(tables.sync) == owed

    def test_the_card_of_an_activation_is_made_of_what_was_read(self, ledger):
        card = load_scorecard(BODY, name="tiny.yaml")
        with ledger.transaction() as connection:
            seq = registry.register(connection, card=card, body=BODY, path="tiny.yaml", at=MONDAY, by="anna")
            activations.activate(connection, card=card, version_seq=seq, at=MONDAY, by="anna")
            assert activations.card_of(connection, "tiny", 1) == card

    def test_automations_are_known_by_the_activation_that_brought_them(self, world):
        warm = an_automation("warm", when(score={"at_least": 50}))
        for card in (a_card(MQL), a_card(MQL, warm), a_card(warm), a_card(MQL, warm, points=6)):
            world.adopt(card)
        assert world.rows(tables.automation, "automation", "born", "removed") == [
            ("mql", 4, None),
            ("warm", 2, None),
        ]


class TestAnOwedRescore:
    """Asked for until it is done, but not all the time."""

    @pytest.fixture
    def world(self, world) -> World:
        world.first_load()
        world.adopt(a_card(MQL, points=6))
        return world

    def test_is_not_due_again_until_the_attempt_has_had_its_time(self, world):
        with world.ledger.transaction() as connection:
            assert activations.ask_rescore(connection, "b2b", MONDAY) == 1
        assert due(world, MONDAY + 9 * MINUTE) == []
        assert due(world, MONDAY + 10 * MINUTE) == ["b2b"]
        with world.ledger.transaction() as connection:
            assert activations.ask_rescore(connection, "b2b", MONDAY + timedelta(minutes=10)) == 2

    def test_waits_while_the_scorecard_is_paused(self, world):
        with world.ledger.transaction() as connection:
            activations.pause(connection, "b2b", at=MONDAY, by="ann")
        assert due(world) == []
        with world.ledger.transaction() as connection:
            activations.resume(connection, "b2b", at=MONDAY, by="ann")
        assert due(world) == ["b2b"]
