"""Policies on a ledger: every crossing is on record with what became of it, and a preview tells it before."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from rescore.automations.state_machine import Restraint
from rescore.ledger import tables
from rescore.ledger.automations import firing_history, held
from rescore.ledger.promotion import crossings
from rescore.rules.card import Comparison, Kind, Operator
from tests.ledger.world import MONDAY, MQL, World, a_card, an_automation, when

DAY = timedelta(days=1)
CUSTOMER = Comparison("stage", Operator.EQUALS, Kind.TEXT, ("customer",))
UP, DOWN = when(score={"at_least": 100}), when(score={"below": 85})


def mql(**policies):
    return an_automation("mql", UP, DOWN, **policies)


def hold(only_by_rules: bool = False) -> dict[str, Restraint]:
    return {"mql": Restraint("too many at once", hold_id="h1", only_by_rules=only_by_rules)}


@pytest.fixture
def world(ledger) -> World:
    return World(ledger)


def loaded(world, *automations, **scores) -> World:
    world.card = a_card(*automations)
    world.first_load(**scores)
    return world


def outcomes(world) -> list[tuple[object, ...]]:
    return world.rows(tables.crossing, "automation", "lead", "n", "outcome", "reason")


def armings(world) -> list[tuple[object, ...]]:
    return world.rows(tables.arming, "automation", "lead", "state", "n")


def delivered(world) -> list[tuple[object, ...]]:
    return world.rows(tables.delivery, "automation", "lead", "n", "state")


def held_crossings(world, only_by_rules=False, **scores):
    """A run whose crossings of `mql` the gate holds."""
    return world.promote(world.stage(world.start(), scores), restrained=hold(only_by_rules))


def release(world, hold_id="h1"):
    with world.ledger.transaction() as connection:
        return held.release_held(connection, hold_id, world.card, world.tick())


def refuse(world, reason="refused by test", hold_id="h1"):
    with world.ledger.transaction() as connection:
        return held.refuse_held(connection, hold_id, world.tick(), reason)


class TestEveryCrossingIsOnRecord:
    """With scores, bands, versions and what became of it."""

    def test_one_that_fires(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        world.score(**{"crm:1": 120})
        names = [column.name for column in tables.crossing.c]
        [row] = world.rows(tables.crossing)
        assert dict(zip(names, row, strict=True)) == {
            "scorecard": "b2b",
            "automation": "mql",
            "lead": "crm:1",
            "n": 1,
            "run_key": "run-2/b2b",
            "activation_seq": 1,
            "as_of": world.now,
            "old_score": 10,
            "new_score": 120,
            "old_band": "C",
            "new_band": "A",
            "by_rules": False,
            "outcome": "fired",
            "reason": None,
            "hold_id": None,
            "once_key": None,
        }

    def test_one_that_a_policy_suppresses(self, world):
        loaded(world, mql(unless=CUSTOMER), **{"crm:1": 10, "crm:2": 10})
        run = world.stage(world.start(), {"crm:1": 120, "crm:2": 120}, {"crm:1": {"flags": '["mql unless"]'}})
        assert world.promote(run) == {"promoted": 2, "changed": 2, "fired": 1, "suppressed": 1}
        assert outcomes(world) == [
            ("mql", "crm:1", 1, "suppressed", "`unless` holds"),
            ("mql", "crm:2", 1, "fired", None),
        ]
        assert delivered(world) == [("mql", "crm:2", 1, "due")]
        assert armings(world) == [("mql", "crm:1", "fired", 1), ("mql", "crm:2", "fired", 1)]

    def test_a_silent_start_is_none(self, world):
        loaded(world, MQL, **{"crm:1": 120})
        assert outcomes(world) == []


def test_a_cooldown_looks_at_the_last_crossing_that_fired(world):
    loaded(world, mql(cooldown=3), **{"crm:1": 10})
    for days, score in enumerate((120, 10, 120, 10, 120), start=1):
        world.now = MONDAY + days * DAY
        world.score(**{"crm:1": score})
    assert outcomes(world) == [
        ("mql", "crm:1", 1, "fired", None),
        ("mql", "crm:1", 2, "suppressed", "fired less than 3 days ago"),
        ("mql", "crm:1", 3, "fired", None),
    ]


class TestMaxAge:
    """Of facts that the run covers the newest counts."""

    @pytest.mark.parametrize(
        ("landed", "outcome"),
        [
            pytest.param([40], "suppressed", id="old facts"),
            pytest.param([40, 1], "fired", id="old and new ones"),
            pytest.param([None], "fired", id="attributes only"),
            pytest.param([], "fired", id="nothing new"),
        ],
    )
    def test_what_landed_decides(self, world, landed, outcome):
        loaded(world, mql(max_age=7), **{"crm:1": 10})
        for days in landed:
            world.land("crm:1", at=None if days is None else world.now - days * DAY)
        world.score(**{"crm:1": 120})
        assert [row[3] for row in outcomes(world)] == [outcome]

    def test_facts_that_land_after_the_run_began_do_not_count(self, world):
        loaded(world, mql(max_age=7), **{"crm:1": 10})
        run = world.start()
        world.land("crm:1", at=world.now - 40 * DAY)
        world.promote(world.stage(run, {"crm:1": 120}))
        assert [row[3] for row in outcomes(world)] == ["fired"]


class TestOnlyNewRules:
    """What the old rules would have made of the same moment tells why a lead crosses."""

    def edit(self, world, card, scores, under=None):
        """A rescore under another card; `under` are the scores that the plan found under the old rules."""
        world.adopt(card)
        also = {
            lead: {"under_old_rules": json.dumps({"score": n, "band": None, "dimensions": {"engagement": n}})}
            for lead, n in (under or {}).items()
        }
        run = world.stage(world.start("rescore"), scores, also)
        with world.ledger.reading() as connection:
            foreseen = crossings.preview(connection, run, world.card)
        return world.promote(run), foreseen["mql"]

    def test_points_that_changed(self, world):
        loaded(world, MQL, **{"crm:1": 10, "crm:2": 10})
        scores, under = {"crm:1": 120, "crm:2": 120}, {"crm:1": 60, "crm:2": 110}
        counts, foreseen = self.edit(world, a_card(MQL, points=10), scores, under)
        assert (counts["fired"], foreseen.fired, foreseen.by_rules) == (2, 2, 1)
        assert world.rows(tables.crossing, "lead", "by_rules") == [("crm:1", True), ("crm:2", False)]

    def test_a_threshold_that_was_moved_needs_no_plan(self, world):
        loaded(world, MQL, **{"crm:1": 90, "crm:2": 10})
        lower = an_automation("mql", when(score={"at_least": 80}), when(score={"below": 60}))
        _, foreseen = self.edit(world, a_card(lower), {"crm:1": 90, "crm:2": 110})
        assert (foreseen.fired, foreseen.by_rules) == (2, 1)
        assert world.rows(tables.crossing, "lead", "by_rules") == [("crm:1", True), ("crm:2", False)]

    def test_a_new_lead_that_the_old_rules_would_have_left_alone(self, world):
        loaded(world, MQL)
        scores, under = {"crm:1": 120, "crm:2": 120}, {"crm:1": 60, "crm:2": 110}
        self.edit(world, a_card(MQL, points=10), scores, under)
        assert world.rows(tables.crossing, "lead", "by_rules") == [("crm:1", True), ("crm:2", False)]

    def test_points_that_changed_and_nobody_compared(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        self.edit(world, a_card(MQL, points=10), {"crm:1": 120})
        assert world.rows(tables.crossing, "lead", "by_rules") == [("crm:1", True)]

    def test_suppress(self, world):
        kept = mql(on_rules_change="suppress")
        loaded(world, kept, **{"crm:1": 10, "crm:2": 10})
        scores, under = {"crm:1": 120, "crm:2": 120}, {"crm:1": 60, "crm:2": 110}
        counts, foreseen = self.edit(world, a_card(kept, points=10), scores, under)
        assert (counts["fired"], counts["suppressed"]) == (1, 1)
        assert (foreseen.fired, foreseen.by_rules) == (1, 0)
        assert foreseen.suppressed == {"only new rules cause it": 1}

    def test_hold_keeps_theirs_and_lets_the_others_fire(self, world):
        kept = mql(on_rules_change="hold")
        loaded(world, kept, **{"crm:1": 10, "crm:2": 10})
        world.adopt(a_card(kept, points=10))
        under = {"under_old_rules": '{"score":60,"band":null,"dimensions":{"engagement":60}}'}
        same = {"under_old_rules": '{"score":110,"band":null,"dimensions":{"engagement":110}}'}
        run = world.stage(
            world.start("rescore"), {"crm:1": 120, "crm:2": 120}, {"crm:1": under, "crm:2": same}
        )
        world.promote(run, restrained=hold(only_by_rules=True))
        assert [row[3] for row in outcomes(world)] == ["held", "fired"]

    def test_leads_that_the_new_rules_have_judged_cross_for_themselves(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        self.edit(world, a_card(MQL, points=10), {"crm:1": 20}, {"crm:1": 10})
        world.score(**{"crm:1": 120})
        assert world.rows(tables.crossing, "lead", "by_rules") == [("crm:1", False)]

    def test_a_new_automation_may_fire_for_what_is_past(self, world):
        loaded(world, **{"crm:1": 120, "crm:2": 90})
        flags = {"flags": '["mql already_fired"]'}
        world.adopt(a_card(mql(already_past="fire", already_fired=CUSTOMER)))
        scores = {"crm:1": 120, "crm:2": 90}
        assert world.promote(world.stage(world.start("rescore"), scores, {"crm:2": flags})) == {
            "promoted": 2,
            "fired": 1,
            "started_fired": 1,
        }
        assert world.rows(tables.crossing, "lead", "by_rules") == [("crm:1", True)]
        world.score(**{"crm:2": 120})
        assert [row[1] for row in delivered(world)] == ["crm:1"]


class TestARestart:
    """A promoted row with a newer restart makes ready again what fired before it."""

    def test_even_where_the_score_stays_as_it_was(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        world.score(**{"crm:1": 120})
        handed_back = {"crm:1": {"restarted_at": world.tick()}}
        assert world.promote(world.stage(world.start(), {"crm:1": 120}, handed_back))["ready_again"] == 1
        assert armings(world) == [("mql", "crm:1", "armed", 2)]

    def test_but_not_what_fired_after_it(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        handed_back = {"crm:1": {"restarted_at": world.tick()}}
        world.score(**{"crm:1": 120})
        assert world.promote(world.stage(world.start(), {"crm:1": 110}, handed_back))["ready_again"] == 0


class TestHeldCrossings:
    """No delivery until a person decides."""

    def test_they_wait_with_their_hold(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        assert held_crossings(world, **{"crm:1": 120})["held"] == 1
        assert outcomes(world) == [("mql", "crm:1", 1, "held", "too many at once")]
        assert world.rows(tables.crossing, "hold_id") == [("h1",)]
        assert (armings(world), delivered(world)) == ([("mql", "crm:1", "held", 1)], [])

    def test_other_automations_go_on(self, world):
        loaded(world, MQL, an_automation("warm", when(score={"at_least": 50})), **{"crm:1": 10})
        held_crossings(world, **{"crm:1": 120})
        assert delivered(world) == [("warm", "crm:1", 1, "due")]

    def test_released_they_fire_with_the_score_of_now(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        held_crossings(world, **{"crm:1": 120})
        world.score(**{"crm:1": 130})
        assert release(world) == {"fired": 1, "suppressed": 0}
        assert outcomes(world) == [("mql", "crm:1", 1, "fired", None)]
        assert armings(world) == [("mql", "crm:1", "fired", 1)]
        [(body, activation)] = world.rows(tables.delivery, "body", "activation_seq")
        data = json.loads(body)["data"]
        assert (data["score"], data["rules_version"], activation) == ({"old": 10, "new": 130}, 1, 1)
        assert data["as_of"] == (world.now - timedelta(minutes=1)).isoformat()

    def test_released_twice_they_fire_once(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        held_crossings(world, **{"crm:1": 120})
        release(world)
        assert release(world) == {"fired": 0, "suppressed": 0}
        assert len(delivered(world)) == 1

    @pytest.mark.parametrize("score", [99, None], ids=["below the threshold", "outside the audience"])
    def test_what_is_no_longer_true_is_suppressed(self, world, score):
        loaded(world, MQL, **{"crm:1": 10, "crm:2": 10})
        held_crossings(world, **{"crm:1": 120, "crm:2": 120})
        world.score(**{"crm:1": score})
        assert release(world) == {"fired": 1, "suppressed": 1}
        assert outcomes(world)[0] == ("mql", "crm:1", 1, "suppressed", "no longer true")
        assert armings(world)[0] == ("mql", "crm:1", "fired", 1)

    def test_what_waited_longer_than_max_age_is_suppressed(self, world):
        loaded(world, mql(max_age=7), **{"crm:1": 10})
        held_crossings(world, **{"crm:1": 120})
        world.now += 8 * DAY
        release(world)
        assert outcomes(world) == [("mql", "crm:1", 1, "suppressed", "held for longer than 7 days")]

    def test_refused_they_are_suppressed_with_the_reason(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        held_crossings(world, **{"crm:1": 120})
        assert refuse(world) == 1
        assert outcomes(world) == [("mql", "crm:1", 1, "suppressed", "refused by test")]
        assert (armings(world), delivered(world)) == ([("mql", "crm:1", "fired", 1)], [])
        assert (refuse(world), release(world)) == (0, {"fired": 0, "suppressed": 0})

    def test_a_lead_that_becomes_ready_again_ends_its_own(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        held_crossings(world, **{"crm:1": 120})
        world.score(**{"crm:1": 50})
        assert outcomes(world) == [("mql", "crm:1", 1, "suppressed", "no longer true")]
        assert armings(world) == [("mql", "crm:1", "armed", 2)]
        world.score(**{"crm:1": 120})
        release(world)
        assert delivered(world) == [("mql", "crm:1", 2, "due")]

    def test_so_does_one_for_which_unless_comes_true(self, world):
        loaded(world, mql(unless=CUSTOMER), **{"crm:1": 10})
        held_crossings(world, **{"crm:1": 120})
        world.promote(world.stage(world.start(), {"crm:1": 120}, {"crm:1": {"flags": '["mql unless"]'}}))
        assert outcomes(world) == [("mql", "crm:1", 1, "suppressed", "`unless` holds")]
        assert release(world) == {"fired": 0, "suppressed": 0}

    def test_a_removed_automation_takes_them_along_and_says_why(self, world):
        loaded(world, MQL, **{"crm:1": 10})
        held_crossings(world, **{"crm:1": 120})
        world.adopt(a_card())
        reason = "automation `mql` was removed by activation 2"
        assert outcomes(world) == [("mql", "crm:1", 1, "suppressed", reason)]
        assert release(world) == {"fired": 0, "suppressed": 0}

    def test_an_edited_automation_keeps_them_and_judges_them_by_its_new_words(self, world):
        loaded(world, MQL, **{"crm:1": 10, "crm:2": 10})
        held_crossings(world, **{"crm:1": 120, "crm:2": 160})
        world.adopt(a_card(an_automation("mql", when(score={"at_least": 150}), DOWN)))
        assert release(world) == {"fired": 1, "suppressed": 1}


def test_a_restraint_without_a_hold_suppresses(world):
    loaded(world, MQL, **{"crm:1": 10})
    silenced = {"mql": Restraint("released without automations")}
    world.promote(world.stage(world.start(), {"crm:1": 120}), restrained=silenced)
    assert outcomes(world) == [("mql", "crm:1", 1, "suppressed", "released without automations")]


class TestHowOftenItFires:
    """What the gate compares with."""

    def usual(self, world):
        with world.ledger.reading() as connection:
            return firing_history.usual_daily(connection, "b2b", "mql", world.now)

    def test_is_an_average_over_four_weeks(self, world):
        loaded(world, MQL, **{f"crm:{number}": 10 for number in range(56)})
        world.now = MONDAY + 40 * DAY
        world.score(**{f"crm:{number}": 120 for number in range(56)})
        world.now += 10 * DAY
        assert self.usual(world) == 2
        world.now += 20 * DAY
        assert self.usual(world) == 0

    def test_or_over_the_days_since_it_exists(self, world):
        loaded(world, MQL, **{f"crm:{number}": 10 for number in range(8)})
        world.score(**{f"crm:{number}": 120 for number in range(8)})
        world.tick()
        assert self.usual(world) == 8
        world.now = MONDAY + 4 * DAY + timedelta(minutes=1)
        assert self.usual(world) == 2

    def test_what_new_rules_caused_is_not_usual(self, world):
        loaded(world, MQL, **{"crm:1": 90})
        world.adopt(a_card(an_automation("mql", when(score={"at_least": 80}))))
        world.score("rescore", **{"crm:1": 90})
        world.tick()
        assert self.usual(world) == 0
        with world.ledger.reading() as connection:
            assert firing_history.fired_since(connection, "b2b", "mql", MONDAY) == 1
            assert firing_history.fired_since(connection, "b2b", "mql", world.now) == 0
