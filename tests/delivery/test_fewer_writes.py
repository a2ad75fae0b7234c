"""Nothing unchanged is sent, small changes wait, and what matters most goes first."""

import pytest

from rescore.connectors.base import WriteResult
from rescore.connectors.catalog import load_mapping
from rescore.connectors.memory import MemoryCrm
from rescore.delivery.crm import update_crm
from rescore.errors import CrmUnavailable
from rescore.ledger import tables
from tests.delivery.conftest import MAPPING
from tests.ledger.world import MINUTE, World, a_card, an_automation, when

SCORE_ALONE = MAPPING.replace(b"    band: my_band\n", b"").replace(
    b"    dimensions: {engagement: my_engagement}\n", b""
)
AT_LEAST_THREE = MAPPING.replace(b"    score: my_score\n", b"    score: my_score\n    minimum_change: 3\n")

WARM = an_automation("warm", when(score={"at_least": 75}))
"""Crosses inside band B."""


@pytest.fixture
def world(ledger) -> World:
    """Three leads with a first score."""
    world = World(ledger, card=a_card(WARM))
    world.first_load(**{"crm:1": 10, "crm:2": 20, "crm:3": 30})
    return world


@pytest.fixture
def deliver(world, crm, mapping):
    """Everything is shown already; from then on `deliver` says what one more call did."""

    def deliver(target=crm, body=None):
        shown_as = load_mapping(body, "crm.yaml") if body else mapping
        return dict(update_crm(world.ledger, target, mapping=shown_as, now=world.tick(), worker="w"))

    deliver()
    crm.writes = 0
    return deliver


def states(world):
    return [row[1] for row in sorted(world.rows(tables.sync, "lead", "state"))]


class TestUnchanged:
    """The CRM is told figures that it does not show yet, and nothing else."""

    def test_a_score_that_came_back_before_it_was_sent_is_not_sent(self, world, crm, deliver):
        world.score(**{"crm:1": 30})
        world.score(**{"crm:1": 10})
        assert deliver() == {"acknowledged": 1, "unchanged": 1}
        assert crm.writes == 0
        assert states(world) == ["settled"] * 3

    def test_a_dimension_that_is_not_shown_causes_no_write(self, world, crm, deliver):
        deliver(body=SCORE_ALONE)
        world.score(**{"crm:1": 11})  # so that the figures shown are the score's alone
        deliver(body=SCORE_ALONE)
        writes = crm.writes
        other = {"dimensions": '{"engagement": 5}', "changed": True}
        world.promote(world.stage(world.start(), {"crm:1": 11}, also={"crm:1": other}))
        assert deliver(body=SCORE_ALONE) == {"acknowledged": 1, "unchanged": 1}
        assert crm.writes == writes

    @pytest.mark.parametrize("lost", ["killed", "unknown"])
    def test_a_score_that_came_back_is_sent_when_the_other_may_have_arrived(self, world, crm, deliver, lost):
        class Lost(MemoryCrm):
            def write(self, updates):
                crm.write(updates)
                if lost == "killed":
                    raise KeyboardInterrupt
                return [WriteResult(update.lead_id, "unknown", "no answer") for update in updates]

        world.score(**{"crm:1": 30})
        if lost == "killed":
            with pytest.raises(KeyboardInterrupt):
                deliver(Lost("crm", batch_size=2))
        else:
            deliver(Lost("crm", batch_size=2))
        assert crm.shown["1"]["my_score"] == 30
        world.score(**{"crm:1": 10})
        world.now += 60 * MINUTE
        assert deliver() == {"acknowledged": 1, "batches": 1}
        assert crm.shown["1"]["my_score"] == 10


class TestMinimumChange:
    """What moved by less than the minimum since it was shown waits, however often it moves."""

    def test_a_small_change_is_not_sent_and_a_large_one_is(self, world, crm, deliver):
        world.score(**{"crm:1": 12, "crm:2": 23})
        assert deliver(body=AT_LEAST_THREE) == {"small": 1, "acknowledged": 1, "batches": 1}
        assert states(world) == ["small", "settled", "settled"]
        assert deliver(body=AT_LEAST_THREE) == {}

    def test_small_changes_add_up_because_they_are_held_against_what_is_shown(self, world, crm, deliver):
        for score in (11, 12):
            world.score(**{"crm:1": score})
            assert deliver(body=AT_LEAST_THREE) == {"small": 1}
        world.score(**{"crm:1": 13})
        assert deliver(body=AT_LEAST_THREE) == {"acknowledged": 1, "batches": 1}
        assert crm.shown["1"]["my_score"] == 13

    @pytest.mark.parametrize(("before", "after"), [(51, 49), (49, 50)], ids=["down", "up"])
    def test_a_change_of_the_band_always_goes(self, world, crm, deliver, before, after):
        world.score(**{"crm:1": before})
        deliver(body=AT_LEAST_THREE)
        world.score(**{"crm:1": after})
        assert deliver(body=AT_LEAST_THREE) == {"acknowledged": 1, "batches": 1}

    def test_a_crossing_always_goes(self, world, crm, deliver):
        world.score(**{"crm:1": 74})
        deliver(body=AT_LEAST_THREE)
        world.score(**{"crm:1": 75})
        assert deliver(body=AT_LEAST_THREE) == {"acknowledged": 1, "batches": 1}

    def test_who_leaves_the_audience_always_goes(self, world, crm, deliver):
        world.score(**{"crm:1": 2})
        deliver(body=AT_LEAST_THREE)
        world.score(**{"crm:1": None})
        assert deliver(body=AT_LEAST_THREE) == {"acknowledged": 1, "batches": 1}
        assert crm.shown["1"]["my_score"] is None

    def test_what_waited_goes_when_the_minimum_is_taken_out_of_the_mapping(self, world, crm, deliver):
        world.score(**{"crm:1": 11})
        assert deliver(body=AT_LEAST_THREE) == {"small": 1}
        assert deliver() == {"acknowledged": 1, "batches": 1}

    def test_nothing_is_small_against_a_score_that_nobody_knows_is_shown(self, world, crm, deliver):
        class Lost(MemoryCrm):
            def write(self, updates):
                raise CrmUnavailable("no answer")

        world.score(**{"crm:1": 30})
        with pytest.raises(CrmUnavailable):
            deliver(Lost("crm"), body=AT_LEAST_THREE)
        world.score(**{"crm:1": 11})
        world.now += 60 * MINUTE
        assert deliver(body=AT_LEAST_THREE) == {"acknowledged": 1, "batches": 1}


class TestPriorities:
    """Band changes and crossings first, then scores, then what has to be repeated."""

    @pytest.fixture
    def sent(self, crm):
        """The records in the order in which they were written."""
        order = []

        class Noting(MemoryCrm):
            def write(self, updates):
                order.extend(update.lead_id for update in updates)
                return crm.write(updates)

        noting = Noting("crm", batch_size=1)
        return noting, order

    def test_a_change_of_the_band_goes_before_a_change_of_the_score(self, world, crm, deliver, sent):
        target, order = sent
        world.score(**{"crm:1": 11, "crm:2": 21, "crm:3": 50})
        deliver(target)
        assert order == ["3", "1", "2"]

    def test_a_crossing_goes_before_a_change_of_the_score(self, world, crm, deliver, sent):
        target, order = sent
        world.score(**{"crm:1": 41, "crm:2": 74, "crm:3": 74})
        deliver()
        world.score(**{"crm:1": 42, "crm:2": 73, "crm:3": 75})
        deliver(target)
        assert order == ["3", "1", "2"]

    def test_a_band_change_that_still_waits_keeps_its_place(self, world, crm, deliver, sent):
        target, order = sent
        world.score(**{"crm:3": 50})
        world.score(**{"crm:1": 11, "crm:3": 51})
        deliver(target)
        assert order == ["3", "1"]

    def test_a_first_score_is_no_band_change(self, world, crm, deliver, sent):
        target, order = sent
        crm.put_lead("0", {})
        world.score(**{"crm:0": 60, "crm:3": 50})
        deliver(target)
        assert order == ["3", "0"]
