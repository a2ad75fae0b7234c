"""What automations do, when and for whom: what the file says is what the scorecard holds."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rescore.messages import VARIABLES, House, filler
from rescore.rules.actions import (
    CrmFields,
    CrmTask,
    Deliver,
    Email,
    OncePer,
    SetField,
    SlackMessage,
    Webhook,
)
from rescore.rules.card import Automation, Scorecard
from rescore.rules.diff import diff
from rescore.rules.fingerprint import fingerprint
from rescore.rules.load import check_scorecard, load_scorecard

HEAD = """\
scorecard: test
timezone: Europe/Berlin
dimensions: {engagement: {}}
lists: {free_mail: lists/free.txt}
rules:
  - {id: visit, dimension: engagement, activity: page_view, points: 1}
automations:
"""
LISTS = {"lists/free.txt": b"mail.example\n"}
HOUSE = House(frozenset({"example.com"}), {"crm": "https://crm.example.com/lead/{lead_id}"})


def body(does: str, also: str = "") -> bytes:
    return f"{HEAD}  - {{id: mql, fire_when: {{score: {{at_least: 1}}}}, do: [{does}]{also}}}\n".encode()


def card(does: str = "{webhook: {connection: c}}", also: str = "") -> Scorecard:
    return load_scorecard(body(does, also), name="test.yaml", lists=LISTS)


def automation(does: str = "{webhook: {connection: c}}", also: str = "") -> Automation:
    return card(does, also).automations[0]


@pytest.mark.parametrize(
    ("does", "action"),
    [
        pytest.param("{webhook: {connection: hook}}", Webhook("hook"), id="webhook"),
        pytest.param(
            "{crm_task: {target: hubspot, title: 'Call {lead_id}', due: 2d}}",
            CrmTask("hubspot", "Call {lead_id}", 2),
            id="task",
        ),
        pytest.param(
            "{crm_task: {target: hubspot, title: Call, due: 0d, owner: '77', skip_if_open: false}}",
            CrmTask("hubspot", "Call", 0, "77", skip_if_open=False),
            id="task of somebody, today",
        ),
        pytest.param(
            "{crm_fields: {target: hubspot, set: {lifecyclestage: {value: mql, only_from: [lead, '']},"
            " mql_date: {value: '{as_of}', if_empty: true}, hot: {value: true}, rank: {value: 1.50}}}}",
            None,
            id="fields",
        ),
        pytest.param("{slack: {connection: s, text: Hot}}", SlackMessage("s", "Hot"), id="slack"),
        pytest.param(
            "{email: {connection: m, to: [a@example.com], subject: Hot, text: 'It is {label}'}}",
            Email("m", ("a@example.com",), "Hot", "It is {label}"),
            id="email",
        ),
    ],
)
def test_an_action_is_what_the_file_says(does, action):
    if action is None:
        does = does.replace(", ''", "")
        action = CrmFields(
            "hubspot",
            (
                SetField("lifecyclestage", "mql", only_from=("lead",)),
                SetField("mql_date", "{as_of}", if_empty=True),
                SetField("hot", "true"),
                SetField("rank", "1.50"),
            ),
        )
    assert automation(does).actions == (action,)


def test_when_it_may_be_delivered():
    also = ", deliver: {hours: '08:00-18:30', days: [tue, mon], expires: 2d, still_true: true}"
    assert automation(also=also).deliver == Deliver("Europe/Berlin", (480, 1110), (0, 1), 48, still_true=True)
    assert automation(also=", deliver: {days: [sat], timezone: UTC}").deliver == Deliver("UTC", None, (5,))
    assert automation().deliver is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("account", OncePer("account", 30), id="short"),
        pytest.param("{key: account, within: 2w}", OncePer("account", 14), id="window"),
        pytest.param(
            "{key: email_domain, unless_in: free_mail}", OncePer("email_domain", 30, "free_mail"), id="but"
        ),
    ],
)
def test_for_whom_only_once(written, meant):
    assert automation(also=f", once_per: {written}").once_per == meant


MAIL = "{{email: {{connection: m, to: [{to}], subject: Hot, text: {text}}}}}"


@pytest.mark.parametrize(
    ("to", "house", "said"),
    [
        pytest.param("Sales@Example.com", HOUSE, None, id="of the house"),
        pytest.param("lead@elsewhere.com", HOUSE, "`lead@elsewhere.com` is not internal", id="elsewhere"),
        pytest.param("a@eu.example.com", HOUSE, "is not internal", id="a domain below is another"),
        pytest.param("a@notexample.com", HOUSE, "is not internal", id="ends like it"),
        pytest.param("a@example.com", House(), "is not internal", id="no domain is named"),
        pytest.param("lead@elsewhere.com", None, None, id="let in before"),
    ],
)
def test_an_e_mail_goes_to_the_house_only(to, house, said):
    _, problems = check_scorecard(body(MAIL.format(to=to, text="t")), lists=LISTS, house=house)
    assert [said in problem.message and "; " in problem.message for problem in problems] == [True] * bool(
        said
    )


def test_where_a_lead_can_be_seen_has_to_be_said_by_the_policy():
    text = body(MAIL.format(to="a@example.com", text="'{lead_url}'"))
    assert check_scorecard(text, lists=LISTS, house=HOUSE)[1] == []
    _, (problem,) = check_scorecard(text, lists=LISTS, house=House(HOUSE.internal_domains))
    assert "add `lead_urls` to the policy file" in problem.message


def filled(template: str, lead: str = "crm:7", **values) -> str:
    new = {"score": 120, "band": "A", "grade": None, "engagement": 120}
    return filler(
        scorecard="b2b",
        automation="mql",
        label="Ready",
        lead=lead,
        old=values.get("old", {"score": 90, "band": "B", "grade": None}),
        new=new,
        reasons=values.get("reasons", [{"label": "Pricing", "points": 30_000}]),
        as_of=datetime(2026, 11, 1, 23, 30, tzinfo=UTC),
        zone=ZoneInfo("Europe/Berlin"),
        lead_urls=HOUSE.lead_urls,
    )(template)


def test_every_place_is_filled():
    everything = " ".join(f"{{{name}}}" for name in VARIABLES)
    assert filled(everything) == (
        "120 90 A B none Pricing +30 b2b mql Ready 7 https://crm.example.com/lead/7 2026-11-02"
    )


def test_what_is_missing_is_said_so_and_a_lead_of_another_crm_is_named_by_its_key():
    said = filled("{old_score} {old_band} {reasons} {lead_url}", lead="other:9", old=None, reasons=[])
    assert said == "none none none other:9"


def test_a_value_of_the_crm_is_one_line_and_no_address_is_made_of_it():
    said = filled("Call {lead_id}\nnow: {lead_url}", lead="crm:7\r\nBcc: x@y\u2028/../?a={score}")
    assert said == (
        "Call 7 Bcc: x@y /../?a={score}\n"
        "now: https://crm.example.com/lead/7%0D%0ABcc%3A%20x%40y%E2%80%A8%2F..%2F%3Fa%3D%7Bscore%7D"
    )


@pytest.mark.parametrize(
    ("old", "new", "wakes", "said"),
    [
        pytest.param(
            card("{slack: {connection: s, text: Hot}}"),
            card("{slack: {connection: s, text: Hotter}}"),
            "wording",
            "mql says something else in its messages",
            id="other words",
        ),
        pytest.param(
            card(),
            card("{crm_task: {target: crm, title: Call, due: 2d}}"),
            "thresholds",
            "mql does webhook c → crm_task crm for the lead's owner in 2d",
            id="another action",
        ),
        pytest.param(
            card("{crm_fields: {target: crm, set: {stage: {value: mql, only_from: [lead]}}}}"),
            card("{crm_fields: {target: crm, set: {stage: {value: mql, only_from: [lead, new]}}}}"),
            "thresholds",
            "mql does crm_fields crm stage=mql (from lead) → crm_fields crm stage=mql (from lead, new)",
            id="another guard",
        ),
        pytest.param(
            card(),
            card(also=", deliver: {hours: '08:00-18:00', days: [mon], expires: 48h, still_true: true}"),
            "thresholds",
            "mql delivers at any time → mon 08:00-18:00 Europe/Berlin, expires after 48h, while still true",
            id="when",
        ),
        pytest.param(
            card(also=", once_per: account"),
            card(also=", once_per: {key: email_domain, within: 7d, unless_in: free_mail}"),
            "thresholds",
            "mql once per account within 30d → email_domain within 7d but not for free_mail",
            id="for whom",
        ),
    ],
)
def test_an_edit_is_told_in_words_and_wakes_what_it_means(old, new, wakes, said):
    assert fingerprint(new).wakes(fingerprint(old)) == wakes
    assert [str(change) for change in diff(old, new)] == [said]
