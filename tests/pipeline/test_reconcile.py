"""The CRM is held against what it confirmed: drift is mended, a person's word stays where it may."""

from datetime import timedelta

import pytest

from rescore.connectors.catalog import load_mapping
from rescore.connectors.memory import MemoryCrm
from rescore.delivery.crm import update_crm
from rescore.ledger import tables
from rescore.ledger.outbox import overrides
from rescore.ledger.status import status
from rescore.mapping import Mapping
from rescore.pipeline.reconcile import read_back, rescue
from rescore.withheld import OBJECTION
from tests.delivery.conftest import MAPPING
from tests.ledger.world import World

DAY = timedelta(days=1)
LEADS = {"crm:1": 10, "crm:2": 20, "crm:3": 30}


@pytest.fixture
def mapping() -> Mapping:
    return load_mapping(MAPPING, "crm.yaml")


@pytest.fixture
def keeping() -> Mapping:
    """A person's score stays for thirty days; every other value of ours is written again."""
    body = MAPPING.replace(b"    reasons:", b"    manual_edits: {score: {keep: 30d}}\n    reasons:")
    return load_mapping(body, "crm.yaml")


@pytest.fixture
def patient() -> Mapping:
    """As `keeping`, and what moves by less than fifteen points waits."""
    body = MAPPING.replace(
        b"    reasons:",
        b"    manual_edits: {score: {keep: 30d}}\n    minimum_change: 15\n    reasons:",
    )
    return load_mapping(body, "crm.yaml")


@pytest.fixture
def crm() -> MemoryCrm:
    crm = MemoryCrm("crm", batch_size=2)
    for lead in LEADS:
        crm.put_lead(lead.partition(":")[2], {})
    return crm


@pytest.fixture
def world(ledger, crm, mapping) -> World:
    """Three leads, all shown as they are."""
    world = World(ledger)
    world.first_load(**LEADS)
    deliver(world, crm, mapping)
    return world


def deliver(world, crm, mapping):
    return dict(update_crm(world.ledger, crm, mapping=mapping, now=world.tick(), worker="w"))


def reconcile(world, crm, mapping, **how):
    rescue(world.ledger, now=world.tick())
    return dict(read_back(world.ledger, crm, mapping=mapping, now=world.now, **how))


def shown(crm, name="my_score"):
    return [crm.shown[lead][name] for lead in "123"]


def states(world):
    return [state for _, state in world.rows(tables.sync, "lead", "state")]


class TestDrift:
    def test_nothing_is_found_and_nothing_owed_where_the_crm_shows_what_it_confirmed(
        self, world, crm, mapping
    ):
        assert reconcile(world, crm, mapping) == {"read back": 3, "calls": 2}
        assert deliver(world, crm, mapping) == {}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("my_score", 99),
            ("my_score", None),
            ("my_score", "twelve"),
            ("my_band", "A"),
            ("my_engagement", 0),
        ],
    )
    def test_a_figure_that_is_not_ours_is_owed_again_behind_everything_new_and_written_by_update_crm(
        self, world, crm, mapping, name, value
    ):
        ours = shown(crm, name)
        crm.shown["2"][name] = value
        assert reconcile(world, crm, mapping)["drift"] == 1
        assert world.rows(tables.sync, "lead", "state", "priority")[1] == ("crm:2", "due", 3)
        assert crm.shown["2"][name] == value
        assert deliver(world, crm, mapping) == {"acknowledged": 1, "batches": 1}
        assert shown(crm, name) == ours
        assert "drift" not in reconcile(world, crm, mapping)

    def test_texts_and_dates_follow_the_next_score_and_are_no_drift(self, world, crm, mapping):
        crm.shown["1"]["my_reasons"] = "because I say so"
        assert "drift" not in reconcile(world, crm, mapping)

    @pytest.mark.parametrize(
        "line",
        [
            b"    reasons: my_reasons\n",
            b"    changed_at: my_changed_at\n",
            b"    rules_version: my_version\n",
            b"    dimensions: {engagement: my_engagement}\n",
        ],
        ids=["reasons", "date", "rules version", "dimension"],
    )
    def test_a_property_that_is_new_in_the_mapping_is_written_when_everybody_is_read_back(
        self, ledger, crm, mapping, line
    ):
        world = World(ledger)
        world.first_load(**LEADS)
        world.score(**{"crm:3": None})
        deliver(world, crm, load_mapping(MAPPING.replace(line, b""), "crm.yaml"))
        assert reconcile(world, crm, mapping, everybody=True)["drift"] == 2
        assert deliver(world, crm, mapping) == {"acknowledged": 2, "batches": 1}
        name = line.split()[-1].strip(b"{}").decode()
        assert [crm.shown[lead].get(name) is None for lead in "123"] == [False, False, True]
        assert "drift" not in reconcile(world, crm, mapping, everybody=True)

    def test_numbers_are_compared_as_numbers(self, world, crm, mapping):
        crm.shown["1"]["my_score"] = "10.0"
        assert "drift" not in reconcile(world, crm, mapping)

    def test_a_lead_outside_the_audience_shows_nothing_and_that_is_held_against_the_crm_too(
        self, world, crm, mapping
    ):
        world.score(**{"crm:1": None})
        deliver(world, crm, mapping)
        crm.shown["1"]["my_score"] = 55
        assert reconcile(world, crm, mapping)["drift"] == 1
        deliver(world, crm, mapping)
        assert crm.shown["1"]["my_score"] is None

    def test_what_is_owed_is_not_read_back(self, world, crm, mapping):
        world.score(**{"crm:1": 64})
        assert reconcile(world, crm, mapping)["read back"] == 2

    def test_a_score_that_is_written_while_the_crm_is_asked_is_left_alone(self, world, crm, mapping):
        class Meanwhile(MemoryCrm):
            def read(self, lead_ids, properties):
                found = crm.read(lead_ids, properties)
                if "1" in lead_ids:
                    world.score(**{"crm:1": 64})
                    deliver(world, crm, mapping)
                return found

        crm.shown["1"]["my_score"] = 99
        counts = reconcile(world, Meanwhile("crm", batch_size=2), mapping)
        assert (counts["drift"], counts["moved on"]) == (1, 1)
        assert states(world) == ["settled"] * 3
        assert shown(crm) == [64, 20, 30]

    def test_a_record_that_is_gone_is_marked_and_one_that_is_back_is_shown_its_score_again(
        self, world, crm, mapping
    ):
        before = crm.shown.pop("3")
        assert reconcile(world, crm, mapping)["gone"] == 1
        assert states(world) == ["settled", "settled", "deleted"]
        assert "gone" not in reconcile(world, crm, mapping, everybody=True)
        crm.shown["3"] = dict.fromkeys(before)
        assert reconcile(world, crm, mapping, everybody=True)["back again"] == 1
        deliver(world, crm, mapping)
        assert shown(crm) == [10, 20, 30]

    def test_a_record_of_which_the_crm_says_nothing_is_counted_and_left_as_it_is(self, world, crm, mapping):
        class Silent(MemoryCrm):
            def read(self, lead_ids, properties):
                return {}

        assert reconcile(world, Silent("crm"), mapping)["unanswered"] == 3
        assert states(world) == ["settled"] * 3


class TestWhoseTurnItIs:
    def test_what_was_confirmed_is_read_back_once_and_then_when_its_turn_comes(self, world, crm, mapping):
        world.now += DAY / 24
        assert reconcile(world, crm, mapping)["read back"] == 3
        world.now += DAY / 24
        assert reconcile(world, crm, mapping).get("read back", 0) <= 1

    def test_within_a_month_of_hours_everybody_has_had_a_turn(self, world, crm, mapping):
        world.now += DAY / 24
        reconcile(world, crm, mapping)
        read = 0
        for _ in range(5):  # hours in which nothing ran are made up for
            world.now += 6 * DAY
            read += reconcile(world, crm, mapping).get("read back", 0)
        assert read == 3

    def test_everybody_can_be_read_back_at_once(self, world, crm, mapping):
        reconcile(world, crm, mapping)
        world.now += DAY / 24
        assert reconcile(world, crm, mapping, everybody=True)["read back"] == 3


class TestAPersonsEdit:
    def test_stays_with_owner_reason_and_expiry_and_everything_else_is_still_written(
        self, world, crm, keeping
    ):
        crm.edit("2", "my_score", "99", at=world.now, by="HubSpot user 7")
        assert reconcile(world, crm, keeping)["overrides"] == 1
        assert states(world) == ["settled", "overridden", "settled"]
        with world.ledger.reading() as connection:
            (kept,) = overrides.all_open(connection)
        assert (kept.lead, kept.property, kept.value, kept.owner) == (
            "crm:2",
            "my_score",
            "99",
            "HubSpot user 7",
        )
        assert kept.reason == f"changed in crm on {world.now:%Y-%m-%d}"
        assert timedelta(days=29) < kept.expires_at - world.now <= timedelta(days=30)
        world.score(**{"crm:2": 64})
        assert deliver(world, crm, keeping) == {"acknowledged": 1, "batches": 1}
        assert (crm.shown["2"]["my_score"], crm.shown["2"]["my_band"]) == ("99", "B")
        assert states(world) == ["settled", "overridden", "settled"]

    def test_is_written_over_where_the_mapping_does_not_keep_it(self, world, crm, keeping, mapping):
        crm.edit("2", "my_band", "A", at=world.now, by="u")
        assert reconcile(world, crm, keeping)["drift"] == 1
        crm.edit("1", "my_score", "99", at=world.now, by="u")
        assert reconcile(world, crm, mapping, everybody=True)["drift"] == 1
        deliver(world, crm, mapping)
        assert (shown(crm), shown(crm, "my_band")) == ([10, 20, 30], ["C", "C", "C"])

    def test_of_which_the_crm_tells_no_author_belongs_to_somebody(self, world, crm, keeping):
        crm.shown["2"]["my_score"] = 99
        reconcile(world, crm, keeping)
        assert world.rows(tables.override, "owner", "reason") == [("somebody", "changed in crm")]

    def test_ends_when_it_expires_and_our_score_is_written_again(self, world, crm, keeping):
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        reconcile(world, crm, keeping)
        world.now += 31 * DAY
        reconcile(world, crm, keeping)
        assert world.rows(tables.override, "state", "ended_by") == [("ended", "expired")]
        deliver(world, crm, keeping)
        assert shown(crm) == [10, 20, 30]

    def test_that_is_older_than_it_may_stay_is_drift(self, world, crm, keeping):
        crm.edit("2", "my_score", "99", at=world.now - 31 * DAY, by="u")
        assert reconcile(world, crm, keeping)["drift"] == 1

    def test_ends_when_its_owner_puts_our_value_back(self, world, crm, keeping):
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        reconcile(world, crm, keeping)
        crm.edit("2", "my_score", "20", at=world.now, by="u")
        assert reconcile(world, crm, keeping, everybody=True)["put back"] == 1
        assert states(world) == ["settled"] * 3
        assert deliver(world, crm, keeping) == {}

    @pytest.mark.parametrize("named", ["my_score", "my_band"])
    def test_that_a_program_writes_over_has_ended_and_our_score_is_written_once(
        self, world, crm, mapping, named
    ):
        kept = f"    manual_edits: {{{named.removeprefix('my_')}: {{keep: 30d}}}}\n    reasons:".encode()
        keeping = load_mapping(MAPPING.replace(b"    reasons:", kept), "crm.yaml")
        ours = shown(crm, named)
        crm.edit("2", named, "99", at=world.now, by="u")
        reconcile(world, crm, keeping)
        crm.edit("2", named, "50", at=world.now, by="an import", by_person=False)
        counts = reconcile(world, crm, keeping, everybody=True)
        assert (counts["drift"], counts["written over"]) == (1, 1)
        assert world.rows(tables.override, "state", "ended_by") == [("ended", "written over in the CRM")]
        assert deliver(world, crm, keeping) == {"acknowledged": 1, "batches": 1}
        assert shown(crm, named) == ours
        assert states(world) == ["settled"] * 3
        assert "drift" not in reconcile(world, crm, keeping, everybody=True)

    def test_ends_with_the_policy_that_let_it_stay_and_says_so(self, world, crm, keeping, mapping):
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        reconcile(world, crm, keeping)
        world.now += DAY  # it is nobody's turn
        assert reconcile(world, crm, mapping)["kept no longer"] == 1
        assert world.rows(tables.override, "state", "ended_by") == [
            ("ended", "the mapping, which lets it stay no longer")
        ]
        assert deliver(world, crm, mapping) == {"acknowledged": 1, "batches": 1}
        assert shown(crm) == [10, 20, 30]

    def test_stays_when_the_policy_of_another_property_goes(self, world, crm, keeping):
        both = MAPPING.replace(
            b"    reasons:", b"    manual_edits: {score: {keep: 30d}, band: {keep: 30d}}\n    reasons:"
        )
        for name in ("my_score", "my_band"):
            crm.edit("2", name, "99", at=world.now, by="u")
        assert reconcile(world, crm, load_mapping(both, "crm.yaml"))["overrides"] == 2
        assert reconcile(world, crm, keeping)["kept no longer"] == 1
        deliver(world, crm, keeping)
        assert (crm.shown["2"]["my_score"], crm.shown["2"]["my_band"]) == ("99", "C")

    @pytest.mark.parametrize("before", [64, None], ids=["scored", "outside the audience"])
    def test_ends_when_the_lead_objects_to_profiling_and_no_other_begins(self, world, crm, keeping, before):
        world.score(**{"crm:2": before})
        deliver(world, crm, keeping)
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        assert reconcile(world, crm, keeping)["overrides"] == 1
        objecting = {"crm:2": {"withheld": OBJECTION, "changed": True}}
        world.promote(world.stage(world.start(), {"crm:2": None}, also=objecting))
        deliver(world, crm, keeping)
        assert shown(crm) == [10, None, 30]
        assert world.rows(tables.override, "state", "ended_by") == [("ended", "an objection to profiling")]
        crm.edit("2", "my_score", "98", at=world.now, by="u")
        counts = reconcile(world, crm, keeping)
        assert (counts["drift"], counts.get("overrides")) == (1, None)
        deliver(world, crm, keeping)
        assert shown(crm) == [10, None, 30]

    def test_edited_again_is_a_new_override_and_the_old_one_is_remembered(self, world, crm, keeping):
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        reconcile(world, crm, keeping)
        crm.edit("2", "my_score", "98", at=world.now, by="v")
        reconcile(world, crm, keeping, everybody=True)
        assert world.rows(tables.override, "value", "state", "owner", "ended_by") == [
            ("98", "open", "v", None),
            ("99", "ended", "u", "a later edit"),
        ]
        assert "overrides" not in reconcile(world, crm, keeping, everybody=True)

    def test_ends_when_a_person_says_so_but_not_while_the_lead_is_being_written(self, world, crm, keeping):
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        reconcile(world, crm, keeping)
        said = {"at": world.now, "by": "rita"}
        world.score(**{"crm:2": 64})

        class Meanwhile(MemoryCrm):
            def write(self, updates):
                with world.ledger.transaction() as connection:
                    assert overrides.end_of_lead(connection, "crm:2", at=world.now, by="rita") == 0
                return crm.write(updates)

        deliver(world, Meanwhile("crm", batch_size=2), keeping)
        with world.ledger.transaction() as connection:
            assert overrides.end_of_lead(connection, "crm:2", **said) == 1
        deliver(world, crm, keeping)
        assert shown(crm) == [10, 64, 30]
        assert states(world) == ["settled"] * 3


class TestWhatWaitsBehindAPersonsEdit:
    """An override ends with our values in the CRM, whatever became of our score meanwhile."""

    @pytest.fixture
    def overridden(self, world, crm, patient):
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        reconcile(world, crm, patient)

    @pytest.fixture(params=["said", "expired"])
    def end(self, world, request):
        def end():
            if request.param == "expired":
                world.now += 31 * DAY
                assert rescue(world.ledger, now=world.now) == {"overrides expired": 1}
                return
            with world.ledger.transaction() as connection:
                assert overrides.end_of_lead(connection, "crm:2", at=world.now, by="rita") == 1

        return end

    @pytest.mark.parametrize("known", [True, False], ids=["small", "not yet looked at"])
    def test_a_small_change_is_written_when_it_ends(self, world, crm, patient, overridden, end, known):
        world.score(**{"crm:2": 30})
        if known:
            assert deliver(world, crm, patient) == {"small": 1}
        end()
        assert deliver(world, crm, patient) == {"acknowledged": 1, "batches": 1}
        assert shown(crm) == [10, 30, 30]
        assert states(world) == ["settled"] * 3

    def test_a_score_that_came_back_is_written_when_it_ends(self, world, crm, patient, overridden, end):
        world.score(**{"crm:2": 64})
        world.score(**{"crm:2": 20})
        end()
        assert deliver(world, crm, patient) == {"acknowledged": 1, "batches": 1}
        assert shown(crm) == [10, 20, 30]

    def test_the_lead_counts_as_overridden_while_a_small_change_waits(
        self, world, crm, patient, overridden, end
    ):
        world.score(**{"crm:2": 30})
        deliver(world, crm, patient)
        for state in ("overridden", "due"):
            with world.ledger.reading() as connection:
                told = status(connection, world.now)
            assert told.syncs["crm"] == {"settled": 2, state: 1}
            assert told.scorecards[0].leads[state] == 1
            if state == "overridden":
                end()

    def test_a_small_change_still_waits_when_an_override_begins_and_when_our_value_is_put_back(
        self, world, crm, patient, mapping
    ):
        world.score(**{"crm:2": 30})
        deliver(world, crm, patient)
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        assert reconcile(world, crm, patient)["overrides"] == 1
        crm.edit("2", "my_score", "20", at=world.now, by="u")
        assert reconcile(world, crm, patient, everybody=True)["put back"] == 1
        assert states(world) == ["settled", "small", "settled"]
        assert deliver(world, crm, mapping) == {"acknowledged": 1, "batches": 1}
        assert shown(crm) == [10, 30, 30]

    def test_a_score_of_which_nothing_could_be_sent_is_not_taken_for_shown(self, world, crm):
        body = MAPPING.partition(b"    band:")[0] + b"    manual_edits: {score: {keep: 30d}}\n"
        alone = load_mapping(body, "crm.yaml")
        world.score(**{"crm:2": 21})
        deliver(world, crm, alone)
        crm.edit("2", "my_score", "99", at=world.now, by="u")
        reconcile(world, crm, alone)
        world.score(**{"crm:2": 64})
        deliver(world, crm, alone)
        crm.edit("2", "my_score", "64", at=world.now, by="u")
        assert reconcile(world, crm, alone, everybody=True)["put back"] == 1
        world.score(**{"crm:2": 21})
        deliver(world, crm, alone)
        assert shown(crm) == [10, 21, 30]


class TestRescue:
    def test_what_a_dead_worker_held_is_free_again_and_counted(self, world, crm, mapping):
        class Killed(MemoryCrm):
            def write(self, updates):
                raise KeyboardInterrupt

        world.score(**{"crm:1": 64, "crm:2": 65})
        with pytest.raises(KeyboardInterrupt):
            deliver(world, Killed("crm", batch_size=2), mapping)
        assert rescue(world.ledger, now=world.tick()) == {}
        world.now += DAY
        assert rescue(world.ledger, now=world.now) == {"rescued updates": 2}
        deliver(world, crm, mapping)
        assert shown(crm) == [64, 65, 30]
