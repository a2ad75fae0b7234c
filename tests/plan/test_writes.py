"""What a plan says of calls is what the connectors then make of it."""

import pyarrow as pa

from rescore.connectors.catalog import read_mapping
from rescore.connectors.hubspot import Limits
from rescore.connectors.memory import MemoryCrm
from rescore.plan.writes import LEADS_A_CALL, target_effects
from tests.support.main_job import MAPPINGS


def leads_of(source: str, number: int) -> pa.ChunkedArray:
    return pa.chunked_array([[f"{source}:{lead}" for lead in range(number)]])


def test_each_crm_gets_the_leads_that_it_has_and_a_person_goes_to_the_first_of_theirs():
    hubspot = read_mapping(MAPPINGS / "hubspot.yaml")
    other = hubspot.model_copy(update={"mapping": "salesforce", "primary": True})
    leads = pa.chunked_array([*leads_of("hubspot", 5).chunks, *leads_of("salesforce", 2).chunks])
    both = frozenset({"hubspot", "salesforce"})
    told = target_effects({"hubspot": hubspot, "salesforce": other}, "b2b_saas", leads, {"hubspot:1": both})
    assert {target.target: target.leads for target in told} == {"hubspot": 4, "salesforce": 3}


def test_a_plan_counts_as_many_leads_a_call_as_connectors_send():
    assert Limits().batch == MemoryCrm().batch_size == LEADS_A_CALL


def test_an_account_allows_more_calls_than_go_one_after_the_other():
    [target] = target_effects(
        {"hubspot": read_mapping(MAPPINGS / "hubspot.yaml")}, "b2b_saas", leads_of("hubspot", 100_000), {}
    )
    assert (target.calls, target.seconds) == (1000, 400)
    assert target.calls / target.seconds < Limits().calls / Limits().calls_seconds


def test_a_crm_that_does_not_show_a_scorecard_gets_no_calls():
    mappings = {"hubspot": read_mapping(MAPPINGS / "hubspot.yaml")}
    assert list(target_effects(mappings, "partners", leads_of("hubspot", 100), {})) == []
