"""What a plan says of calls is what the connectors then make of it."""

from rescore.connectors.catalog import read_mapping
from rescore.connectors.hubspot import Limits
from rescore.connectors.memory import MemoryCrm
from rescore.plan.writes import LEADS_A_CALL, target_effects
from tests.support.main_job import MAPPINGS


def test_a_plan_counts_as_many_leads_a_call_as_connectors_send():
    assert Limits().batch == MemoryCrm().batch_size == LEADS_A_CALL


def test_an_account_allows_more_calls_than_go_one_after_the_other():
    [target] = target_effects({"hubspot": read_mapping(MAPPINGS / "hubspot.yaml")}, "b2b_saas", 100_000)
    assert (target.calls, target.seconds) == (1000, 400)
    assert target.calls / target.seconds < Limits().calls / Limits().calls_seconds


def test_a_crm_that_does_not_show_a_scorecard_gets_no_calls():
    mappings = {"hubspot": read_mapping(MAPPINGS / "hubspot.yaml")}
    assert list(target_effects(mappings, "partners", 100)) == []
