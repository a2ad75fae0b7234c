"""Actions that would wait for ever, because no mapping opens what they need, are told before they do."""

from pathlib import Path

import pytest

from rescore.connectors.catalog import load_mapping, read_mapping
from rescore.rules.lint import lint
from rescore.rules.lists import read_lists
from rescore.rules.load import load_scorecard

CARD = """\
scorecard: test
dimensions: {{fit: {{}}}}
rules:
  - {{id: x, dimension: fit, lead: {{a: {{exists: true}}}}, points: 100}}
automations:
  - id: mql
    fire_when: {{score: {{at_least: 50}}}}
    do: [{action}]
"""
HUBSPOT = Path("include/mappings/hubspot.yaml")
TASK = "{crm_task: {target: hubspot, title: Call}}"


def stage(value: str, guard: str) -> str:
    return f"{{crm_fields: {{target: hubspot, set: {{lifecyclestage: {{value: {value}, {guard}}}}}}}}}"


def found(action: str, mappings=None) -> list[str]:
    body = CARD.format(action=action).encode()
    card = load_scorecard(body, name="test.yaml")
    known = {"hubspot": read_mapping(HUBSPOT)} if mappings is None else mappings
    warnings = lint(card, body=body, mappings=known)
    assert all(warning.line == 8 for warning in warnings)
    return [warning.message for warning in warnings if warning.code == "not-open"]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        pytest.param(
            "{crm_task: {target: hubspo, title: Call}}",
            "which no mapping is; did you mean `hubspot`",
            id="crm",
        ),
        pytest.param(
            "{crm_fields: {target: hubspot, set: {salary: {value: 1}}}}",
            "sets `salary`, which hubspot.yaml does not name under `settable`",
            id="property",
        ),
        pytest.param(
            stage("mql", "only_from: [lead]"), "and `mql` is none of its `stages` in hubspot.yaml", id="stage"
        ),
        pytest.param(
            stage("lead", "only_from: [customer, opportunity]"),
            "is a later stage than `lead`",
            id="backwards",
        ),
        pytest.param(
            "{webhook: {connection: hubspot}}",
            "sends through `hubspot`, which is the name of a mapping, too",
            id="one breaker",
        ),
    ],
)
def test_what_no_mapping_opens(action, said):
    [message] = found(action)
    assert message.startswith("automation `mql` ")
    assert said in message


def test_a_mapping_without_tasks_makes_none():
    text = HUBSPOT.read_text()
    start, end = text.index("\ntasks:  "), text.index("\nsettable:")
    without = load_mapping((text[:start] + text[end:]).encode(), "hubspot.yaml")
    assert found(TASK, {"hubspot": without}) == [
        "automation `mql` makes tasks, and hubspot.yaml has no `tasks`"
    ]


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(TASK, id="a task"),
        pytest.param(
            stage("marketingqualifiedlead", "only_from: [lead, customer]"), id="from one earlier stage"
        ),
        pytest.param(stage("lead", "only_from: [my_own_stage]"), id="from a stage nobody ordered"),
        pytest.param(stage("lead", "only_from: [customer], if_empty: true"), id="or from nothing"),
        pytest.param("{webhook: {connection: hook}}", id="no CRM"),
    ],
)
def test_what_is_open_is_fine(action):
    assert found(action) == []


def test_without_mappings_nobody_is_accused():
    body = CARD.format(action="{crm_task: {target: nowhere, title: Call}}").encode()
    assert "not-open" not in {w.code for w in lint(load_scorecard(body, name="t"), body=body)}


@pytest.mark.parametrize("file", sorted(Path("include/rules").glob("*.yaml*")), ids=lambda file: file.name)
def test_what_we_ship_is_open(file):
    body = file.read_bytes()
    card = load_scorecard(body, name=file.name, lists=read_lists(body, file.parent))
    warnings = lint(card, body=body, mappings={"hubspot": read_mapping(HUBSPOT)})
    assert "not-open" not in {warning.code for warning in warnings}
