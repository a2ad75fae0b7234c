"""Properties set at a crossing: only where the present value allows it, and never a stage back."""

import pytest

from rescore.connectors.memory import MemoryCrm
from rescore.delivery.actions.crm_fields import CrmFieldsSender
from rescore.errors import CrmFieldMissing, CrmLacksScope, CrmUnavailable
from rescore.mapping import Settable
from rescore.outcome import Outcome
from rescore.rules.actions import CrmFields, SetField
from tests.delivery.actions.claims import NOW, a_claim, a_mapping

STAGES = Settable(stages=("lead", "mql", "sql", "customer"))
SETTABLE = {"stage": STAGES, "mql_on": Settable(), "note": Settable()}
TO_MQL = SetField("stage", "mql", only_from=("lead", "new"))
FIRST_DAY = SetField("mql_on", "{as_of}", if_empty=True)


@pytest.fixture
def crm() -> MemoryCrm:
    crm = MemoryCrm("crm")
    crm.put_lead("1", {})
    return crm


def send(crm: MemoryCrm, *fields: SetField, merged=lambda leads: {}, mode: str = "live", **claim) -> Outcome:
    sender = CrmFieldsSender(lambda name: crm, lambda name: a_mapping(mode, settable=SETTABLE), merged)
    return sender.send(a_claim(CrmFields("crm", fields), as_of="2026-11-21", **claim), now=NOW)


@pytest.mark.parametrize(
    ("field", "present", "after", "why"),
    [
        pytest.param(TO_MQL, "lead", "mql", None, id="one of the named values"),
        pytest.param(TO_MQL, "customer", "customer", "it is further already", id="further than that"),
        pytest.param(TO_MQL, "partner", "partner", "it is none of `only_from`", id="none of them"),
        pytest.param(TO_MQL, None, None, "it is none of `only_from`", id="empty is no named value"),
        pytest.param(TO_MQL, "mql", "mql", "it is so already", id="so already"),
        pytest.param(
            SetField("stage", "mql", only_from=("sql", "customer")),
            "customer",
            "customer",
            "it is further already",
            id="a stage never goes back, whatever the rules name",
        ),
        pytest.param(
            SetField("stage", "mql", only_from=("lead",), if_empty=True), None, "mql", None, id="or empty"
        ),
        pytest.param(FIRST_DAY, None, "2026-11-21", None, id="a first date"),
        pytest.param(FIRST_DAY, "", "2026-11-21", None, id="an empty text is empty"),
        pytest.param(FIRST_DAY, "2025-01-01", "2025-01-01", "it is not empty", id="a later date"),
        pytest.param(SetField("note", "hot"), "cold", "hot", None, id="without a guard"),
    ],
)
def test_a_property_is_written_where_its_guard_lets_it(crm, field, present, after, why):
    crm.shown["1"][field.property] = present
    outcome = send(crm, field)
    assert outcome == Outcome("ok", why and f"left as it is: {field.property}, because {why}")
    assert crm.shown["1"][field.property] == after
    assert crm.fields.writes == (why is None)


def test_several_properties_are_judged_one_by_one_and_written_in_one_call(crm):
    crm.shown["1"] |= {"stage": "customer"}
    outcome = send(crm, TO_MQL, FIRST_DAY, SetField("note", "hot"))
    assert outcome.reason == "left as it is: stage, because it is further already"
    assert crm.shown["1"] == {"stage": "customer", "mql_on": "2026-11-21", "note": "hot"}
    assert crm.fields.writes == 1


def test_sent_again_it_writes_nothing(crm):
    send(crm, FIRST_DAY, SetField("note", "hot"))
    assert send(crm, FIRST_DAY, SetField("note", "hot"), uncertain=True).kind == "ok"
    assert crm.fields.writes == 1


def test_what_is_left_alone_is_told_without_any_value_of_the_lead(crm):
    crm.shown["1"]["stage"] = "Ada Lovelace"
    assert "Ada" not in send(crm, TO_MQL).reason


def test_the_mapping_has_to_open_a_property(crm):
    outcome = send(crm, SetField("salary", "0"))
    assert outcome.kind == "unready"
    assert "crm.yaml does not let automations set `salary`; if they may, name it under `settable`" in (
        outcome.reason
    )
    assert crm.fields.writes == 0


def test_in_shadow_nothing_is_written(crm):
    outcome = send(crm, FIRST_DAY, mode="shadow")
    assert (outcome.kind, crm.fields.writes) == ("ok", 0)
    assert "`mode: shadow`" in outcome.reason


@pytest.mark.parametrize(
    ("error", "kind"),
    [(CrmUnavailable("503"), "transient"), (CrmLacksScope("403"), "unready")],
    ids=["503", "403"],
)
def test_when_reading_fails_nothing_has_happened(crm, error, kind):
    crm.failures = [error]
    assert send(crm, TO_MQL).kind == kind


def test_a_property_that_is_not_there_keeps_this_delivery_and_closes_no_connection(crm):
    class Lacking(type(crm.fields)):
        def write(self, lead_id, values):
            raise CrmFieldMissing("no such property")

    crm.fields = Lacking(crm.shown, lambda: None)
    assert send(crm, FIRST_DAY) == Outcome("unready", "no such property")


def test_a_lead_that_is_gone_and_one_that_was_merged(crm):
    assert send(crm, FIRST_DAY, lead="crm:2").kind == "gone"
    assert send(crm, FIRST_DAY, lead="crm:2", merged=lambda leads: {"crm:2": "crm:1"}).kind == "ok"
    assert crm.shown["1"] == {"mql_on": "2026-11-21"}
