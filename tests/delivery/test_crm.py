"""Scores reach the CRM: changed leads only, acknowledged one by one, whatever happens on the way."""

from datetime import timedelta

import pytest

from rescore.connectors.base import ScoreUpdate, WriteResult
from rescore.connectors.catalog import load_mapping
from rescore.connectors.memory import MemoryCrm
from rescore.delivery.crm import update_crm
from rescore.errors import (
    ConnectionLeadsElsewhere,
    CrmFieldMissing,
    CrmRateLimited,
    CrmRejectedCredentials,
    CrmUnavailable,
)
from rescore.ledger import tables
from rescore.ledger.rules import activations
from rescore.reasons import reasons_text
from tests.delivery.conftest import MAPPING
from tests.ledger.world import MINUTE

ALL = {"1": 10, "2": 20, "3": 30}


def deliver(world, crm, mapping, **more):
    return dict(update_crm(world.ledger, crm, mapping=mapping, now=world.tick(), worker="w", **more))


def shown(crm):
    return {lead: fields.get("my_score") for lead, fields in crm.shown.items()}


def states(world):
    return [tuple(row) for row in world.rows(tables.sync, "lead", "state", "want_ver", "acked_ver")]


def test_every_property_of_the_mapping_is_shown(world, crm, mapping):
    deliver(world, crm, mapping)
    fields = crm.shown["1"]
    assert fields.pop("my_changed_at") <= world.now
    assert fields == {
        "my_score": 10,
        "my_band": "C",
        "my_engagement": 10,
        "my_reasons": "Visit +5",
        "my_version": 1,
    }


def test_batches_are_the_changed_leads_divided_by_the_batch_rounded_up(world, crm, mapping):
    assert deliver(world, crm, mapping) == {"acknowledged": 3, "batches": 2}
    assert shown(crm) == ALL


def test_an_unchanged_second_run_makes_no_call(world, crm, mapping):
    deliver(world, crm, mapping)
    world.score(**{"crm:1": 10, "crm:2": 20})
    assert deliver(world, crm, mapping) == {}
    assert crm.writes == 2


def test_only_changed_leads_are_written(world, crm, mapping):
    deliver(world, crm, mapping)
    world.score(**{"crm:1": 10, "crm:2": 99})
    assert deliver(world, crm, mapping) == {"acknowledged": 1, "batches": 1}
    assert shown(crm) == ALL | {"2": 99}


def test_a_lead_outside_the_audience_shows_nothing(world, crm, mapping):
    deliver(world, crm, mapping)
    world.score(**{"crm:1": None})
    deliver(world, crm, mapping)
    assert set(crm.shown["1"].values()) == {None}


def test_a_refused_record_is_parked_with_the_reason_and_its_neighbours_are_written(world, crm, mapping):
    crm.refuse("2", "locked by its owner")
    assert deliver(world, crm, mapping) == {"acknowledged": 2, "parked": 1, "batches": 2}
    assert world.rows(tables.sync, "state", "reason")[0] == ("parked", "locked by its owner")
    assert deliver(world, crm, mapping) == {}


def test_a_record_that_is_gone_is_noted_as_deleted_and_never_created(world, crm, mapping):
    world.score(**{"crm:99": 5})
    assert deliver(world, crm, mapping)["deleted"] == 1
    assert "99" not in crm.shown


def test_another_account_than_at_its_first_use_is_not_written(world, crm, mapping):
    world.score(**{"crm:1": 77})
    deliver(world, crm, mapping)
    crm.account = "a sandbox"
    writes = crm.writes
    world.score(**{"crm:1": 78})
    with pytest.raises(ConnectionLeadsElsewhere, match="a sandbox"):
        deliver(world, crm, mapping)
    assert (crm.writes, ("due",) in world.rows(tables.sync, "state")) == (writes, True)


def test_a_lead_that_has_no_record_there_is_neither_written_nor_owed(world, crm, mapping):
    world.score(**{"other:1": 77})
    deliver(world, crm, mapping)
    assert shown(crm) == ALL
    assert "other:1" not in {lead for (lead,) in world.rows(tables.sync, "lead")}


def test_the_losing_record_of_a_merge_is_not_written(world, crm, mapping):
    assert deliver(world, crm, mapping, merged=lambda leads: {"crm:2": "crm:1"} if "crm:2" in leads else {})
    assert shown(crm) == ALL | {"2": None}
    assert ("deleted", "merged into crm:1") in world.rows(tables.sync, "state", "reason")


class TestShadow:
    """What is rehearsed is known and not sent."""

    @pytest.mark.parametrize(
        "quiet", [b"mode: shadow\n    score", b"mode: live\n    score"], ids=["scorecard", "target"]
    )
    def test_nothing_is_written_in_the_shadow_and_everything_on_going_live(self, world, crm, mapping, quiet):
        body = MAPPING.replace(b"mode: live\n    score", quiet)
        if quiet.startswith(b"mode: live"):
            body = body.replace(b"mode: live", b"mode: shadow", 1)
        assert deliver(world, crm, load_mapping(body, "crm.yaml")) == {"shadow": 3}
        assert crm.writes == 0
        assert {state for _, state, *_ in states(world)} == {"shadow"}
        assert deliver(world, crm, mapping) == {"acknowledged": 3, "batches": 2}
        assert shown(crm) == ALL

    def test_a_run_can_be_kept_in_the_shadow(self, world, crm, mapping):
        assert deliver(world, crm, mapping, mode="shadow") == {"shadow": 3}
        assert crm.writes == 0

    def test_a_scorecard_the_mapping_does_not_know_stays_in_the_shadow(self, world, crm):
        body = MAPPING.replace(b"  b2b:", b"  another:")
        assert deliver(world, crm, load_mapping(body, "crm.yaml")) == {"shadow": 3}


class TestFaults:
    """After faults stop, the CRM shows the score of record, or the lead says why not."""

    def test_a_wrong_token_stops_at_once_and_leaves_everything_due(self, world, crm, mapping):
        crm.failures.append(CrmRejectedCredentials("wrong token"))
        with pytest.raises(CrmRejectedCredentials):
            deliver(world, crm, mapping)
        assert crm.writes == 0
        assert world.rows(tables.sync, "state", "tries", "lease_by") == [("due", 0, None)] * 3
        assert deliver(world, crm, mapping) == {"stopped": 1, "deferred": 3}
        world.now += 60 * MINUTE
        assert deliver(world, crm, mapping) == {"acknowledged": 3, "batches": 2}

    def test_a_missing_property_stops_the_target_with_one_error(self, world, crm, mapping):
        crm.failures.append(CrmFieldMissing("no property my_score"))
        with pytest.raises(CrmFieldMissing):
            deliver(world, crm, mapping)
        assert deliver(world, crm, mapping) == {"stopped": 1, "deferred": 3}
        world.now += 60 * MINUTE
        assert deliver(world, crm, mapping) == {"acknowledged": 3, "batches": 2}

    def test_a_crm_that_is_down_leaves_everything_due_and_says_so(self, world, crm, mapping):
        crm.failures += [CrmUnavailable("down")] * 9
        with pytest.raises(CrmUnavailable):
            deliver(world, crm, mapping)
        assert {state for _, state, *_ in states(world)} == {"due"}
        crm.failures.clear()
        assert deliver(world, crm, mapping) == {"acknowledged": 3, "batches": 2}

    def test_a_crm_that_stays_down_is_asked_three_times_and_not_for_every_batch(self, world, mapping):
        crm = MemoryCrm("crm", batch_size=1)
        for number in range(10, 20):
            crm.put_lead(str(number), {})
        world.score(**{f"crm:{number}": number for number in range(10, 20)})
        crm.failures += [CrmUnavailable("down")] * 100
        with pytest.raises(CrmUnavailable):
            deliver(world, crm, mapping)
        assert len(crm.failures) == 97

    def test_one_failed_call_does_not_stop_the_others(self, world, crm, mapping):
        crm.failures.append(CrmUnavailable("hiccup"))
        assert deliver(world, crm, mapping) == {"deferred": 2, "acknowledged": 1, "batches": 2}
        assert deliver(world, crm, mapping) == {"acknowledged": 2, "batches": 1}
        assert shown(crm) == ALL

    def test_a_long_pause_after_some_were_written_is_told_and_the_rest_waits(self, world, crm, mapping):
        deliver(world, crm, mapping)
        world.score(**{"crm:1": 11, "crm:2": 22, "crm:3": 33})
        rest = iter([None, CrmRateLimited("daily limit", retry_after=600)])

        class Limited(MemoryCrm):
            def write(self, updates):
                if error := next(rest):
                    raise error
                return crm.write(updates)

        counts = deliver(world, Limited("crm", batch_size=2), mapping)
        assert counts == {"acknowledged": 2, "deferred": 1, "stopped": 1, "batches": 2}
        assert shown(crm) == {"1": 11, "2": 22, "3": 30}
        assert deliver(world, crm, mapping) == {"deferred": 1, "stopped": 1}
        world.now += timedelta(seconds=600)
        assert deliver(world, crm, mapping) == {"acknowledged": 1, "batches": 1}
        assert shown(crm) == {"1": 11, "2": 22, "3": 33}

    def test_a_pause_before_anything_was_written_is_the_error_with_its_wait(self, world, crm, mapping):
        crm.failures.append(CrmRateLimited("daily limit", retry_after=600))
        with pytest.raises(CrmRateLimited) as caught:
            deliver(world, crm, mapping)
        assert caught.value.retry_after == 600

    def test_a_record_whose_fate_is_unknown_is_sent_again(self, world, crm, mapping):
        class Forgetful(MemoryCrm):
            def write(self, updates):
                crm.write(updates)
                return [WriteResult(update.lead_id, "unknown", "not reported") for update in updates]

        assert deliver(world, Forgetful("crm", batch_size=2), mapping) == {"deferred": 3, "batches": 2}
        assert deliver(world, crm, mapping) == {"acknowledged": 3, "batches": 2}

    def test_a_score_that_moves_while_it_is_sent_is_acknowledged_as_sent_and_sent_again(
        self, world, crm, mapping
    ):
        class Meanwhile(MemoryCrm):
            def write(self, updates: list[ScoreUpdate]):
                if any(update.lead_id == "1" and update.fields["my_score"] == 10 for update in updates):
                    world.score(**{"crm:1": 64})
                return crm.write(updates)

        counts = deliver(world, Meanwhile("crm", batch_size=2), mapping)
        assert counts["acknowledged"] == 4
        assert shown(crm) == ALL | {"1": 64}
        assert all(want == acked for _, _, want, acked in states(world))

    def test_a_worker_that_died_is_replaced_when_its_lease_ends(self, world, crm, mapping):
        class Killed(MemoryCrm):
            def write(self, updates):
                crm.write(updates)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            deliver(world, Killed("crm", batch_size=2), mapping)
        assert deliver(world, crm, mapping) == {"acknowledged": 1, "batches": 1}
        world.now += 60 * MINUTE
        assert deliver(world, crm, mapping) == {"acknowledged": 2, "batches": 1}

    def test_a_paused_scorecard_is_not_written(self, world, crm, mapping):
        with world.ledger.transaction() as connection:
            activations.pause(connection, "b2b", at=world.now, by="test")
        assert deliver(world, crm, mapping) == {}


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (12_500, "+12.5"),
        (30_000, "+30"),
        (-25_000, "-25"),
        (5, "+0.005"),
        (-1_500, "-1.5"),
        (100_000, "+100"),
    ],
)
def test_points_are_written_as_people_write_them(points, text):
    assert reasons_text([{"rule": "r", "label": "Looked at pricing", "points": points}]) == (
        f"Looked at pricing {text}"
    )


def test_three_reasons_are_one_line():
    reasons = [{"rule": name, "label": name, "points": 1000} for name in "abc"]
    assert reasons_text(reasons) == "a +1 · b +1 · c +1"
    assert reasons_text([]) is None


def test_of_several_changes_in_one_chunk_only_those_of_a_band_are_hurried(world, crm, mapping):
    deliver(world, crm, mapping)
    world.score(**{"crm:1": 60, "crm:2": 21, "crm:3": 70})
    assert world.rows(tables.sync, "lead", "priority") == [("crm:1", 1), ("crm:2", 2), ("crm:3", 1)]
