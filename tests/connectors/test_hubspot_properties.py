"""Score properties: made once, found missing by name."""

import pytest
import requests

from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import CrmFieldMissing, CrmRejectedCredentials
from sandbox_crm.testing import SandboxServer

FAST = Limits(calls=10**6, searches=10**6)


@pytest.fixture
def hubspot(server: SandboxServer, mapping) -> HubSpot:
    return HubSpot(server.url, server.token, mapping, FAST)


def test_setup_makes_the_group_and_every_score_property_and_says_so(hubspot, mapping):
    said = hubspot.setup()
    written = [name for fields in mapping.scores.values() for name in fields.properties]
    assert said[0] == "property group `rescore`: created"
    assert sorted(said[1:-3]) == sorted(f"property `{name}`: created" for name in written)
    assert said[-3:] == [
        "task property group `rescore`: created",
        "task property `rescore_delivery`: created",
        "task property `rescore_automation`: created",
    ]
    hubspot.check()


def test_a_token_that_may_not_touch_tasks_makes_the_score_properties_all_the_same(hubspot, server):
    refused = {"path": "/crm/properties/2026-09/tasks", "status": 403, "body": {"category": "MISSING_SCOPES"}}
    requests.post(f"{server.url}/sandbox/faults", json={"faults": [refused]}, timeout=30).raise_for_status()
    assert "so automations cannot make tasks" in hubspot.setup()[-1]
    hubspot.check()


def test_setup_again_changes_nothing(hubspot):
    hubspot.setup()
    assert all(line.endswith("was there") for line in hubspot.setup())


def test_setup_after_a_half_done_one_makes_the_rest(hubspot, server):
    faults = {"faults": [{"path": "/crm/properties", "method": "POST", "skip": 3, "status": 500, "body": {}}]}
    requests.post(f"{server.url}/sandbox/faults", json=faults, timeout=30).raise_for_status()
    with pytest.raises(Exception, match="500"):
        hubspot.setup()
    said = hubspot.setup()
    assert len([line for line in said if line.endswith("was there")]) == 3
    hubspot.check()


def test_a_property_somebody_makes_meanwhile_is_there(hubspot, server, mapping):
    taken = {"path": "/crm/properties", "method": "POST", "skip": 1, "status": 409, "body": {"category": "X"}}
    requests.post(f"{server.url}/sandbox/faults", json={"faults": [taken]}, timeout=30).raise_for_status()
    assert sum(line.endswith("was there") for line in hubspot.setup()) == 1


def test_a_missing_score_property_is_named_with_the_way_out(hubspot):
    with pytest.raises(CrmFieldMissing, match=r"`rescore_score`.*run `rescore setup hubspot`"):
        hubspot.check()


def test_a_property_the_mapping_reads_and_nobody_has_is_named(server, mapping):
    attribute = mapping.leads.attributes["job_title"].model_copy(update={"property": "jobtytle"})
    leads = mapping.leads.model_copy(update={"attributes": {"job_title": attribute}})
    hubspot = HubSpot(server.url, server.token, mapping.model_copy(update={"leads": leads}), FAST)
    hubspot.setup()
    with pytest.raises(CrmFieldMissing, match=r"`jobtytle`; correct the mapping hubspot\.yaml"):
        hubspot.check()


def test_whatever_is_missing_is_named_at_once(server, mapping):
    attribute = mapping.leads.attributes["job_title"].model_copy(update={"property": "jobtytle"})
    leads = mapping.leads.model_copy(update={"attributes": {"job_title": attribute}})
    hubspot = HubSpot(server.url, server.token, mapping.model_copy(update={"leads": leads}), FAST)
    with pytest.raises(
        CrmFieldMissing, match=r"`rescore_score`.*`rescore setup hubspot`.*`jobtytle`; correct"
    ):
        hubspot.check()


def test_a_wrong_token_is_one_sentence_that_names_the_connection(server, mapping):
    with pytest.raises(CrmRejectedCredentials, match="Airflow Connection `rescore_hubspot`") as caught:
        HubSpot(server.url, "pat-wrong", mapping, FAST).check()
    assert "pat-wrong" not in str(caught.value)
