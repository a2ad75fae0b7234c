"""Conditions: which values of a field an operator accepts."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from rescore.rules.card import AllOf, AnyOf, Not
from rescore.scoring.engine import score, unreadable
from rescore.scoring.facts import facts_from_tables
from tests.scoring.builders import a_card, a_lead_rule, compares, facts, holds, scored


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        pytest.param(
            compares("equals", "Straße"), "STRASSE", False, id="lower-casing does not fold ß into ss"
        ),
        pytest.param(compares("equals", "CAFÉ"), "cafe\u0301", True, id="case and composition do not matter"),
        pytest.param(compares("equals", "İzmir"), "i̇zmir", True, id="a dotted capital I is its lower case"),
        pytest.param(compares("equals", "a"), "a ", False, id="blanks matter"),
        pytest.param(compares("in", "customer", "partner"), "Partner", True, id="any of a list"),
        pytest.param(compares("contains", "100%"), "at 100% now", True, id="a percent sign is no wildcard"),
        pytest.param(compares("contains_any", "x", "a_b"), "aXb", True, id="one of several parts"),
        pytest.param(compares("contains_any", "a_b"), "aXb", False, id="an underscore is no wildcard"),
        pytest.param(compares("starts_with", "/Pricing"), "/pricing/eu", True, id="a beginning"),
        pytest.param(compares("starts_with_any", "/a", "/b"), "/c/b", False, id="none of the beginnings"),
        pytest.param(compares("ends_with", ".PDF"), "guide.pdf", True, id="an end"),
        pytest.param(compares("ends_with_any", ".pdf", ".doc"), "guide.docx", False, id="none of the ends"),
        pytest.param(compares("has_word", "cto"), "Director", False, id="cto is not in director"),
        pytest.param(compares("has_word", "cto"), "Interim-CTO (EMEA)", True, id="cto between signs"),
        pytest.param(compares("has_any_word", "head of"), "Head  of/ Sales", True, id="a run of whole words"),
        pytest.param(
            compares("has_any_word", "head of"), "head sales of", False, id="words apart are no run"
        ),
        pytest.param(compares("has_word", "部長"), "営業 部長", True, id="letters of any script"),
        pytest.param(compares("equals", 'it\'s "x"; --'), 'IT\'S "X"; --', True, id="quotes are text"),
        pytest.param(compares("equals", 12), " 12\t", True, id="a text with blanks around reads as a number"),
        pytest.param(compares("equals", 12), "+1.2e1", True, id="a sign and an exponent"),
        pytest.param(compares("at_least", 0), ".5", False, id="no digit before the point is no number"),
        pytest.param(compares("at_least", 0), "1_000", False, id="an underscore is no digit"),
        pytest.param(compares("at_least", 0), "١٢", False, id="only ASCII digits are digits"),
        pytest.param(compares("at_least", 0), "1e400", False, id="what overflows is missing"),
        pytest.param(compares("at_least", 0), "nan", False, id="nan is no number"),
        pytest.param(compares("is", True), " TRUE ", True, id="a text reads as a flag"),
        pytest.param(compares("is", False), "no", False, id="other words are no flags"),
        pytest.param(compares("exists", True), "", False, id="an empty text is missing"),
        pytest.param(compares("exists", True), " ", True, id="a blank is something"),
        pytest.param(compares("newer_than", 1), "2026-11-01", True, id="a text reads as a date"),
        pytest.param(compares("older_than", 0), "2026-02-30", False, id="no such day is missing"),
        pytest.param(compares("newer_than", 1), "2026-11-02T00:30:00+02:00", True, id="an offset is counted"),
        pytest.param(
            compares("older_than", 1), "2026-10-31T23:59:59.9999999Z", True, id="seconds are not rounded"
        ),
    ],
)
def test_a_text_field(condition, value, expected):
    assert holds(condition, value, pa.string()) is expected


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        pytest.param(compares("at_least", 10), 10.0, True, id="at least is inclusive"),
        pytest.param(compares("at_most", 10), 10.0, True, id="at most is inclusive"),
        pytest.param(compares("above", 10), 10.0, False, id="above is not"),
        pytest.param(compares("below", 10), 10.0, False, id="below is not"),
        pytest.param(compares("between", 10, 50), 50.0, True, id="between has both ends"),
        pytest.param(compares("equals", "0.1"), 0.1, False, id="a fraction has no digits to compare as text"),
        pytest.param(compares("equals", 0.1), 0.1, True, id="literals are the nearest double"),
        pytest.param(compares("in", 1, 2), 2, True, id="whole numbers"),
        pytest.param(compares("equals", "5"), 5.0, True, id="a whole number as text is its digits"),
        pytest.param(compares("has_word", "5"), -5, True, id="the sign is no part of the word"),
        pytest.param(compares("at_least", 0), float("inf"), False, id="infinite is missing"),
        pytest.param(compares("exists", False), float("nan"), True, id="not a number is missing"),
        pytest.param(compares("is", True), 1, False, id="a number is no flag"),
    ],
)
def test_a_number_field(condition, value, expected):
    assert holds(condition, value) is expected


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        pytest.param(compares("newer_than", 3), date(2026, 10, 30), True, id="two days are newer than three"),
        pytest.param(compares("newer_than", 3), date(2026, 10, 29), False, id="three are not"),
        pytest.param(compares("older_than", 3), date(2026, 10, 29), True, id="three are older"),
        pytest.param(compares("newer_than", 1), date(2030, 1, 1), True, id="the future is newer"),
        pytest.param(compares("older_than", 0), date(2030, 1, 1), False, id="the future is not older"),
        pytest.param(compares("equals", "2026-10-30"), date(2026, 10, 30), False, id="a date is no text"),
    ],
)
def test_a_date_field(condition, value, expected):
    assert holds(condition, value) is expected


def test_a_time_counts_on_its_local_day():
    card = a_card(a_lead_rule(compares("newer_than", 1)), timezone=ZoneInfo("Pacific/Apia"))  # UTC+13
    leads = pa.table({"lead": ["ada"], "field": [datetime(2026, 11, 1, 10, 59, 59)]})  # noqa: DTZ001
    assert scored(card, facts(leads=leads), datetime(2026, 11, 1, 11, tzinfo=UTC))["rule"] == 0
    assert scored(card, facts(leads=leads), datetime(2026, 11, 1, 10, 59, 59, tzinfo=UTC))["rule"] == 1000


SMALL, BIG = compares("below", 10), compares("above", 100)


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        pytest.param(SMALL, None, False, id="a comparison with a missing value is false"),
        pytest.param(Not(SMALL), None, True, id="and not makes it true"),
        pytest.param(Not(Not(SMALL)), None, False, id="twice makes it false again"),
        pytest.param(Not(AnyOf((SMALL, BIG))), None, True, id="neither of two"),
        pytest.param(Not(AllOf((SMALL, compares("exists", False)))), None, True, id="not all of two"),
        pytest.param(AnyOf((Not(SMALL), BIG)), 5.0, False, id="any"),
        pytest.param(AllOf((SMALL, Not(BIG))), 5.0, True, id="all"),
        pytest.param(Not(compares("exists", True)), 5.0, False, id="exists"),
    ],
)
def test_logic_has_two_values(condition, value, expected):
    assert holds(condition, value, pa.float64()) is expected


@pytest.mark.parametrize("operator", ["equals", "has_word"])
def test_a_field_that_no_one_has_is_missing(operator):
    condition = compares(operator, "x", field="nowhere")
    assert holds(Not(condition), "x")
    assert not holds(condition, "x")


def test_a_hostile_field_name_is_a_name():
    name = 'x") FROM leads; DROP TABLE leads; --'
    leads = pa.table({"lead": ["ada"], name: ["yes"]})
    card = a_card(a_lead_rule(compares("equals", "yes", field=name)))
    assert scored(card, facts(leads=leads))["rule"] == 1000


def test_field_names_are_told_apart_by_case():
    leads = pa.table({"lead": ["ada"], "Title": ["cto"]})
    card = a_card(a_lead_rule(compares("equals", "cto", field="title")))
    assert scored(card, facts(leads=leads))["rule"] == 0


def test_values_that_do_not_parse_are_counted():
    card = a_card(
        a_lead_rule(AllOf((compares("above", 1), compares("is", True, field="flag")))),
        audience=Not(compares("older_than", 1, field="born")),
    )
    leads = pa.table(
        {
            "lead": ["a", "b", "c"],
            "field": ["1", "many", ""],
            "flag": ["yes", "no", "true"],
            "born": ["", "x", None],
        }
    )
    given = facts_from_tables(leads, facts().connection.table("activities").to_arrow_table())
    assert unreadable(card, given) == {"born as date": 1, "field as number": 1, "flag as flag": 2}
    assert score(card, given, as_of=datetime(2026, 1, 1, tzinfo=UTC)).num_rows == 3
