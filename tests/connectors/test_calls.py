"""How a connector is to make its calls: patiently or not, and counted by whom."""

import pytest

from rescore.connectors import hubspot, salesforce, tryton
from rescore.connectors.own_pace import OwnPace
from rescore.connectors.pace import Calls

LIMITS = pytest.mark.parametrize(
    "limits",
    [hubspot.Limits(), salesforce.Limits(), tryton.Limits()],
    ids=["hubspot", "salesforce", "tryton"],
)


@LIMITS
def test_calls_are_patient_unless_they_are_few_and_under_a_short_lease(limits):
    assert Calls().within(limits, "crm") == (limits, None)
    hurried, _ = Calls(patient=False).within(limits, "crm")
    assert hurried.longest_wait < limits.longest_wait
    assert hurried.seconds <= limits.seconds
    assert hurried.rates.allowances == limits.rates.allowances, "a hurry is no reason to ask more often"


@LIMITS
def test_whoever_counts_is_told_of_whom_and_how_many_there_may_be(limits):
    asked = []

    def count(name, rates):
        asked.append((name, rates))
        return OwnPace(rates)

    _, pace = Calls(pace=count).within(limits, "crm")
    assert isinstance(pace, OwnPace)
    assert asked == [("crm", limits.rates)]
