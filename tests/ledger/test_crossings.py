"""Crossings: a delivery exists if and only if a promoted score really crossed, and its bytes never change."""

import json

import pytest

from rescore.ledger import tables
from tests.ledger.world import MQL, World, a_card, an_automation, when


@pytest.fixture
def world(ledger) -> World:
    return World(ledger)


def delivered(world) -> list[tuple[object, ...]]:
    return world.rows(tables.delivery, "automation", "lead", "n", "action")


def armings(world) -> list[tuple[object, ...]]:
    return world.rows(tables.arming, "automation", "lead", "state", "n")


def test_a_crossing_makes_one_delivery_per_action(world):
    world.card = a_card(an_automation("mql", when(score={"at_least": 100}), actions=2))
    world.first_load(**{"crm:1": 10})
    world.score(**{"crm:1": 120})
    assert delivered(world) == [("mql", "crm:1", 1, 0), ("mql", "crm:1", 1, 1)]
    assert world.rows(tables.delivery, "connection", "state") == [("hook_0", "due"), ("hook_1", "due")]


def test_the_body_tells_the_whole_crossing_and_nothing_of_the_person(world):
    world.first_load(**{"crm:1": 10})
    world.score(**{"crm:1": 120})
    [(name, body)] = world.rows(tables.delivery, "delivery_id", "body")
    assert json.loads(body) == {
        "type": "rescore.crossing",
        "timestamp": world.now.isoformat(),
        "data": {
            "delivery_id": name,
            "scorecard": "b2b",
            "automation": "mql",
            "label": "The mql automation",
            "lead": {"source": "crm", "lead_id": "1", "key": "crm:1"},
            "score": {"old": 10, "new": 120},
            "band": {"old": "C", "new": "A"},
            "grade": {"old": None, "new": None},
            "dimensions": {"engagement": 120},
            "reasons": [{"rule": "visit", "label": "Visit", "points": 5000}],
            "causes": {"activity": 110},
            "rules_version": 1,
            "activation": 1,
            "as_of": world.now.isoformat(),
            "arming": 1,
        },
    }
    assert body == json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()


def test_nothing_fires_in_the_first_load_and_everything_after_it(world):
    world.adopt()
    assert world.score(**{"crm:1": 120})["started_fired"] == 1  # an incremental run before the first load
    assert world.score("initial", **{"crm:1": 120, "crm:2": 120})["started_fired"] == 1
    assert world.score(**{"crm:3": 120})["fired"] == 1  # a new lead: the automation only looks upward
    assert delivered(world) == [("mql", "crm:3", 1, 0)]


def test_a_lead_crosses_again_only_after_it_was_ready_again(world):
    world.first_load(**{"crm:1": 10})
    for score in (120, 90, 120, 80, 120):
        world.score(**{"crm:1": score})
    assert delivered(world) == [("mql", "crm:1", 1, 0), ("mql", "crm:1", 2, 0)]
    assert armings(world) == [("mql", "crm:1", "fired", 2)]


def test_a_jump_over_several_thresholds_sets_off_each(world):
    bounds = {"hot": 100, "warm": 50, "boiling": 200}
    world.card = a_card(*(an_automation(name, when(score={"at_least": at})) for name, at in bounds.items()))
    world.first_load(**{"crm:1": 10})
    world.score(**{"crm:1": 150})
    assert delivered(world) == [("hot", "crm:1", 1, 0), ("warm", "crm:1", 1, 0)]


def test_up_and_down_between_two_promotions_is_no_crossing(world):
    world.first_load(**{"crm:1": 10})
    world.stage(world.start(), {"crm:1": 120})  # never promoted
    world.score(**{"crm:1": 20})
    assert delivered(world) == []


def test_a_run_that_was_overtaken_fires_nothing(world):
    world.first_load(**{"crm:1": 10})
    older = world.stage(world.start(), {"crm:1": 120})
    world.score(**{"crm:1": 20})
    assert world.promote(older)["fired"] == 0
    assert delivered(world) == []


class TestARulesChange:
    """The rescore judges everybody once under the new automations."""

    def rescore(self, world, *automations, **scores):
        world.adopt(a_card(*automations))
        return world.score("rescore", **scores)

    def test_a_threshold_moved_down_fires_for_the_leads_in_between(self, world):
        world.first_load(**{"crm:1": 90, "crm:2": 10})
        lower = an_automation("mql", when(score={"at_least": 80}), when(score={"below": 50}))
        assert self.rescore(world, lower, **{"crm:1": 90, "crm:2": 10}) == {"promoted": 2, "fired": 1}
        assert delivered(world) == [("mql", "crm:1", 1, 0)]

    def test_a_threshold_moved_up_arms_again_who_is_below_it(self, world):
        world.first_load(**{"crm:1": 120})
        higher = an_automation("mql", when(score={"at_least": 200}), when(score={"below": 150}))
        assert self.rescore(world, higher, **{"crm:1": 120})["ready_again"] == 1
        assert armings(world) == [("mql", "crm:1", "armed", 2)]

    def test_a_second_rescore_of_the_same_rules_judges_nobody_again(self, world):
        world.first_load(**{"crm:1": 90})
        lower = an_automation("mql", when(score={"at_least": 80}), when(score={"below": 50}))
        self.rescore(world, lower, **{"crm:1": 90})
        assert world.score("rescore", **{"crm:1": 90}) == {"promoted": 1}

    def test_a_new_automation_ignores_what_was_past_and_fires_what_crosses_now(self, world):
        world.first_load(**{"crm:1": 60, "crm:2": 10})
        warm = an_automation("warm", when(score={"at_least": 50}))
        counts = self.rescore(world, MQL, warm, **{"crm:1": 70, "crm:2": 70})
        assert (counts["fired"], counts["started_fired"]) == (1, 1)
        assert delivered(world) == [("warm", "crm:2", 1, 0)]

    def test_an_incremental_run_before_the_rescore_treats_a_new_automation_alike(self, world):
        world.first_load(**{"crm:1": 60, "crm:2": 10})
        world.adopt(a_card(MQL, an_automation("warm", when(score={"at_least": 50}))))
        world.score(**{"crm:1": 70, "crm:2": 70})
        assert delivered(world) == [("warm", "crm:2", 1, 0)]
        assert world.score("rescore", **{"crm:1": 70, "crm:2": 70}) == {"promoted": 2}

    def test_a_removed_automation_takes_its_pending_deliveries_along_and_says_why(self, world):
        world.first_load(**{"crm:1": 10})
        world.score(**{"crm:1": 120})
        world.adopt(a_card())
        assert world.rows(tables.delivery, "state", "reason") == [
            ("cancelled", "automation `mql` was removed by activation 2")
        ]

    def test_an_automation_that_comes_back_does_not_fire_for_the_past(self, world):
        world.first_load(**{"crm:1": 10, "crm:2": 10})
        world.score(**{"crm:1": 120})
        self.rescore(world, **{"crm:1": 120, "crm:2": 130})
        assert self.rescore(world, MQL, **{"crm:1": 120, "crm:2": 130})["fired"] == 0
        world.score(**{"crm:1": 10})
        world.score(**{"crm:1": 120})
        assert [row[:3] for row in delivered(world)] == [("mql", "crm:1", 1), ("mql", "crm:1", 3)]


def test_a_lead_outside_the_audience_is_frozen_and_returns_silently(world):
    world.first_load(**{"crm:1": 10})
    world.score(**{"crm:1": None})
    world.score(**{"crm:1": 120})
    assert delivered(world) == []
    assert armings(world) == [("mql", "crm:1", "fired", 1)]


def test_a_lead_that_enters_the_audience_for_the_first_time_is_a_new_one(world):
    world.first_load(**{"crm:1": None})
    assert world.score(**{"crm:1": 120})["fired"] == 1
