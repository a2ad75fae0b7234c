"""Automations' conditions on the lead: answered in the results, packed for the stage."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from rescore.automations.once_per import keys_in
from rescore.rules.actions import OncePer
from rescore.rules.card import Comparison, Kind, Operator, ValueList
from rescore.scoring.engine import score
from rescore.scoring.facts import facts_from_tables
from rescore.scoring.lead_flags import flags_json
from rescore.scoring.unreadable import absent_fields, unreadable
from tests.golden.cases import AS_OF
from tests.ledger.world import a_card, an_automation, when

CUSTOMER = Comparison("stage", Operator.EQUALS, Kind.TEXT, ("customer",))
WAS_MQL = Comparison("mql_date", Operator.OLDER_THAN, Kind.DATE, (0,))
HOT = when(score={"at_least": 100})

CARD = a_card(
    an_automation("warm", HOT, unless=CUSTOMER),
    an_automation("mql", HOT, unless=CUSTOMER, already_fired=WAS_MQL),
    an_automation("plain", HOT),
)


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        pytest.param(
            {"stage": "Customer", "mql_date": "2025-01-01"},
            ["mql already_fired", "mql unless", "warm unless"],
            id="everything holds",
        ),
        pytest.param({"stage": "lead", "mql_date": "2025-01-01"}, ["mql already_fired"], id="one holds"),
        pytest.param({"stage": "lead", "mql_date": None}, None, id="nothing holds"),
        pytest.param({"stage": None, "mql_date": "soon"}, None, id="missing and unreadable values"),
    ],
)
def test_the_flags_of_a_lead_are_those_of_the_conditions_that_hold(lead, expected):
    facts = facts_from_tables(pa.Table.from_pylist([{"lead": "crm:1", **lead}]), no_activities())
    packed = flags_json(CARD, score(CARD, facts, as_of=AS_OF)).to_pylist()
    assert [None if text is None else json.loads(text) for text in packed] == [expected]


def test_a_card_that_asks_nothing_has_no_flags_and_no_columns():
    facts = facts_from_tables(pa.table({"lead": ["crm:1"]}), no_activities())
    results = score(a_card(an_automation("plain", HOT)), facts, as_of=AS_OF)
    assert flags_json(a_card(), results).to_pylist() == [None]
    assert not [name for name in results.column_names if "__" in name]


def test_what_cannot_be_read_or_is_not_there_is_said():
    facts = facts_from_tables(pa.table({"lead": ["crm:1"], "mql_date": ["soon"]}), no_activities())
    assert unreadable(CARD, facts) == {"mql_date as date": 1}
    assert absent_fields(CARD, facts) == ["leads: stage"]


ACCOUNTS = replace(
    a_card(
        an_automation("account", HOT, once_per=OncePer("account", 30)),
        an_automation("domain", HOT, once_per=OncePer("email_domain", 30)),
        an_automation("paid", HOT, once_per=OncePer("email_domain", 30, unless_in="free")),
    ),
    lists=(ValueList("free", "free.txt", frozenset({"mail.example"})),),
)


def keys(**lead) -> dict[str, str]:
    facts = facts_from_tables(pa.Table.from_pylist([{"lead": "crm:1", **lead}]), no_activities())
    [packed] = flags_json(ACCOUNTS, score(ACCOUNTS, facts, as_of=AS_OF)).to_pylist()
    return keys_in(ACCOUNTS, json.loads(packed) if packed else [])


def test_a_leads_account_and_domain_are_hashes_that_only_the_same_ones_share():
    ada, bob = (
        keys(account="4711", email_domain="Ada@Example.com"),
        keys(account="4712", email_domain="bob@example.com"),
    )
    assert ada.keys() == bob.keys() == {"account", "domain", "paid"}
    assert ada["account"] != bob["account"]
    assert ada["domain"] == bob["domain"] == ada["paid"]
    assert all(len(key) == 64 for key in ada.values())


@pytest.mark.parametrize(
    ("lead", "known"),
    [
        pytest.param({}, set(), id="no attribute at all"),
        pytest.param({"account": " ", "email_domain": ""}, set(), id="empty"),
        pytest.param({"account": 4711}, {"account"}, id="a number"),
        pytest.param({"email_domain": "ada@mail.example"}, {"domain"}, id="a domain that is left out"),
        pytest.param({"email_domain": "ada@eu.mail.example"}, {"domain"}, id="one below it"),
    ],
)
def test_who_has_no_account_stands_for_themselves(lead, known):
    assert keys(**lead).keys() == known


def no_activities() -> pa.Table:
    columns = {name: pa.string() for name in ("source", "activity_id", "lead", "type")}
    times = {name: pa.timestamp("us") for name in ("occurred_at", "known_at")}
    return pa.schema(columns | times).empty_table()
