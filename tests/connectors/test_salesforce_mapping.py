"""The mapping of a Salesforce organisation: the shipped example, and mistakes at their place."""

from pathlib import Path

import pytest

from rescore.connectors.catalog import load_mapping
from rescore.errors import MappingInvalid
from tests.connectors.salesforce_rig import MAPPING, SALESFORCE_YAML

EXAMPLE = SALESFORCE_YAML.read_bytes()


def test_the_example_is_called_as_its_file_and_rehearses_until_somebody_says_otherwise():
    assert MAPPING.name == SALESFORCE_YAML.stem
    assert MAPPING.mode_of("b2b_saas") == "shadow"
    assert MAPPING.makes_tasks


def test_everything_that_the_example_writes_is_told_in_the_documentation():
    told = (Path(__file__).parents[2] / "docs" / "salesforce.md").read_text()
    written = {name for fields in MAPPING.scores.values() for name in fields.properties}
    for name in written | {MAPPING.tasks.delivery, MAPPING.tasks.automation}:
        assert f"`{name}`" in told


@pytest.mark.parametrize(
    ("written", "id_"),
    [
        pytest.param("001A0000006Vm9r", "001A0000006Vm9rIAC", id="15 characters"),
        pytest.param("001A0000006Vm9rIAC", "001A0000006Vm9rIAC", id="18 characters"),
        pytest.param("ada@x.example", "ada@x.example", id="no id"),
    ],
)
def test_an_id_is_known_in_either_length(written, id_):
    assert MAPPING.id_of(written) == id_


def test_an_attribute_is_where_that_kind_of_person_has_it():
    assert MAPPING.leads.attributes_of("Lead")["industry"].property == "Industry"
    assert MAPPING.leads.attributes_of("Contact")["industry"].property == "Account.Industry"
    assert MAPPING.leads.related("Contact") == {"Account": "AccountId"}
    assert "LeadSource" in MAPPING.leads.fields("Lead")
    assert "Status" not in MAPPING.leads.fields("Contact")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"zone: Europe/Berlin", b"zone: Berlin", "`Berlin` is no time zone"),
        (b"{property: Title, type: text}", b"{type: text}", "an attribute needs `property`, or `lead`"),
        (b"{property: Title, type: text}", b"{property: Rescore_Score__c, type: text}", "feed on themselves"),
        (b"contact: Account.Industry", b"contact: Rescore_Score__c", "feed on themselves"),
        (b"kinds: [Lead, Contact]", b"kinds: [Lead, Person]", "`Lead` or `Contact`|Person"),
        (b"object: Task", b"object: Task WHERE Id != null", "`object`"),
        (b"at: [FirstRespondedDate]", b"at: ['FirstRespondedDate; DROP']", "`at`|FirstRespondedDate"),
        (b"asset: Campaign.Name", b"asst: Campaign.Name", "unknown key `asst`; did you mean `asset`"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: bytes, new: bytes, said: str):
    assert old in EXAMPLE
    with pytest.raises(MappingInvalid, match=said) as caught:
        load_mapping(EXAMPLE.replace(old, new, 1), "salesforce.yaml")
    assert all(line.startswith("salesforce.yaml:") for line in str(caught.value).splitlines())
