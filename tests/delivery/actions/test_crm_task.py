"""A task for a crossing: made once, for whoever owns the lead, and not beside an open one."""

import pytest

from rescore.connectors.actions import Actions
from rescore.connectors.catalog import open_source
from rescore.connectors.connection import Connection
from rescore.connectors.hubspot import Limits
from rescore.connectors.memory import MemoryCrm
from rescore.connectors.memory_actions import MemoryTasks
from rescore.delivery.actions.crm_task import LOOKING, SETTLING, CrmTaskSender
from rescore.delivery.automations import LEASE
from rescore.errors import (
    CrmFieldMissing,
    CrmLacksScope,
    CrmRateLimited,
    CrmRejectedCredentials,
    CrmUnavailable,
    RecordRefused,
    SettingsIncomplete,
)
from rescore.outcome import Outcome
from rescore.rules.actions import CrmTask
from tests.delivery.actions.claims import ID, NOW, a_claim, a_mapping

CALL = CrmTask("crm", "Call: {score} points", due=2)
SECOND = "5d0f4c70-0000-5000-8000-000000000002"


@pytest.fixture
def crm() -> MemoryCrm:
    crm = MemoryCrm("crm")
    crm.put_lead("1", {})
    crm.shown["1"]["owner"] = "7001"
    return crm


def send(crm: Actions, action: CrmTask = CALL, merged=lambda leads: {}, **claim) -> Outcome:
    return CrmTaskSender(lambda name: crm, lambda name: a_mapping(), merged).send(
        a_claim(action, score="120", **claim), now=NOW
    )


def test_the_task_is_the_leads_owners_and_due_days_after_the_crossing(crm):
    assert send(crm) == Outcome("ok", remote_id="1")
    [made] = crm.tasks.made
    assert (made.asked.title, made.asked.owner, made.asked.lead_id) == ("Call: 120 points", "7001", "1")
    assert (made.asked.due - NOW).days == 2
    assert (made.asked.delivery, made.asked.automation) == (ID, "b2b.mql")


def test_a_token_that_cannot_be_one_keeps_the_task_due_and_is_not_shown():
    connection = Connection("rescore_crm", "https://api.hubapi.com", "pat\u2013eu1")
    sender = CrmTaskSender(lambda name: open_source(connection, a_mapping()), lambda name: a_mapping())
    outcome = sender.send(a_claim(CALL, score="120"), now=NOW)
    assert outcome.kind == "unready"
    assert "the Airflow Connection `rescore_crm` has characters that no token has" in outcome.reason
    assert "eu1" not in outcome.reason


def test_a_named_owner_is_kept_and_a_lead_without_owner_gets_a_task_of_nobodys(crm):
    send(crm, CrmTask("crm", "Call", due=1, owner="7009"))
    crm.shown["1"].pop("owner")
    send(crm, CrmTask("crm", "Call", due=1, skip_if_open=False), delivery_id=SECOND)
    assert [made.asked.owner for made in crm.tasks.made] == ["7009", None]


def test_a_task_whose_answer_got_lost_is_found_instead_of_made_again(crm):
    crm.tasks.lost_answers = 1
    lost = send(crm)
    assert (lost.kind, lost.retry_after) == ("unknown", SETTLING)
    assert send(crm, uncertain=True) == Outcome(
        "ok", "found as an earlier attempt had made it", remote_id="1"
    )
    assert len(crm.tasks.made) == 1


def test_a_ledger_that_forgot_its_attempts_makes_no_second_task(crm):
    send(crm)
    crm.tasks.made[0].done = True
    assert send(crm, CrmTask("crm", "Call", due=1, skip_if_open=False), uncertain=False).remote_id == "1"
    assert len(crm.tasks.made) == 1


def test_beside_an_open_task_of_the_same_automation_none_is_made(crm):
    send(crm)
    second = send(crm, delivery_id=SECOND)
    assert second == Outcome(
        "ok", "left as it is: the lead has an open task of this automation", remote_id="1"
    )
    crm.tasks.made[0].done = True
    assert send(crm, delivery_id=SECOND).remote_id == "2"


def test_another_automations_open_task_does_not_count_and_neither_does_any_when_told_so(crm):
    send(crm)
    assert send(crm, delivery_id=SECOND, automation="churn").remote_id == "2"
    third = SECOND.replace("2", "3")
    assert send(crm, CrmTask("crm", "Call", due=1, skip_if_open=False), delivery_id=third).remote_id == "3"


def test_a_merged_leads_task_is_made_for_the_lead_that_is_left(crm):
    send(crm, lead="crm:9", merged=lambda leads: {"crm:9": "crm:1"})
    assert [made.asked.lead_id for made in crm.tasks.made] == ["1"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CrmRejectedCredentials("401"), "auth"),
        (CrmLacksScope("403"), "unready"),
        (CrmRateLimited("429", retry_after=60), "quota"),
        (CrmFieldMissing("no property"), "unready"),
        (CrmUnavailable("503"), "transient"),
        (CrmUnavailable("no host", sent=False), "transient"),
    ],
    ids=lambda value: getattr(value, "args", [value])[0],
)
def test_when_looking_fails_nothing_has_happened(crm, error, kind):
    crm.failures = [error]
    assert send(crm).kind == kind
    assert crm.tasks.made == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CrmUnavailable("503"), "unknown"),
        (CrmUnavailable("refused", sent=False), "transient"),
        (RecordRefused("400"), "record"),
        (CrmFieldMissing("no property"), "unready"),
        (CrmRateLimited("429", retry_after=60), "quota"),
    ],
    ids=lambda value: getattr(value, "args", [value])[0],
)
def test_when_making_fails_only_a_call_that_may_have_arrived_is_unknown(crm, error, kind):
    class Stumbling(MemoryTasks):
        def create(self, task):
            raise error

    crm.tasks = Stumbling(crm.shown, lambda: None)
    assert send(crm).kind == kind


@pytest.mark.parametrize(("asked", "wait"), [(None, SETTLING), (5.0, SETTLING), (7200.0, 7200.0)])
def test_what_may_have_been_made_is_left_to_settle_and_longer_if_the_crm_asks(crm, asked, wait):
    class Stumbling(MemoryTasks):
        def create(self, task):
            raise CrmUnavailable("503", retry_after=asked)

    crm.tasks = Stumbling(crm.shown, lambda: None)
    assert send(crm).retry_after == wait


def test_a_look_that_took_long_makes_no_task_because_the_lease_may_have_ended(crm):
    seconds = iter([0.0, LOOKING + 1])
    sender = CrmTaskSender(lambda name: crm, lambda name: a_mapping(), clock=lambda: next(seconds))
    assert sender.send(a_claim(CALL), now=NOW).kind == "transient"
    assert crm.tasks.made == []


def test_looking_and_making_end_before_the_lease_does():
    one_call = Limits().impatient()
    assert LOOKING + 2 * (one_call.seconds + one_call.longest_wait) < LEASE.total_seconds()


def test_a_lead_of_another_source_and_one_that_is_gone(crm):
    assert send(crm, lead="shop:1").kind == "record"
    assert send(crm, lead="crm:2").kind == "gone"


@pytest.mark.parametrize(
    "shadow", [{"mode": "shadow"}, {"card": "shadow"}], ids=["the whole CRM", "the scorecard"]
)
def test_in_shadow_nothing_is_made_and_nothing_waits(crm, shadow):
    sender = CrmTaskSender(lambda name: crm, lambda name: a_mapping(**shadow))
    outcome = sender.send(a_claim(CALL), now=NOW)
    assert outcome == Outcome("ok", "left as it is: in the mapping crm.yaml this is in `mode: shadow`")
    assert crm.tasks.made == []


def test_a_crm_that_cannot_be_reached_yet_keeps_its_deliveries():
    def connect(name):
        raise SettingsIncomplete(f"there is no CRM called `{name}`")

    outcome = CrmTaskSender(connect, lambda name: a_mapping()).send(a_claim(CALL), now=NOW)
    assert outcome == Outcome("unready", "there is no CRM called `crm`")
