"""What a mapping makes of a value: ranges, amounts, one of several values; the same for every connector."""

import pytest

from rescore.connectors.catalog import load_mapping
from rescore.connectors.hubspot.values import read_plain
from rescore.connectors.values import amount, lower_bound, read_attribute, read_attributes
from rescore.errors import MappingInvalid
from rescore.lake.records import Page, SetAside
from rescore.mapping import Attribute
from tests.connectors.test_mapping import SMALL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("51-200", 51),
        ("51 – 200", 51),
        ("1,001-5,000", 1001),
        ("10,001+", 10001),
        ("500 or more", 500),
        ("> 500", 500),
        ("Over 500", 500),
        ("< 50", 0),
        ("Up to 50", 0),
        ("Less than 50", 0),
        ("1 to 10", 1),
        ("$1M-$10M", 1_000_000),
        ("1K..5K", 1000),
        ("7", 7),
        ("0-0", 0),
    ],
    ids=str,
)
def test_a_range_counts_as_its_lower_bound(text, expected):
    assert lower_bound(text) == expected


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("1,250.50", ".", 1250.5),
        ("1.250,50 €", ",", 1250.5),
        ("€ 1'250", ".", 1250),
        ("1 250 EUR", ".", 1250),
        ("$2.5M", ".", 2_500_000),
        ("USD 3bn", ".", 3_000_000_000),
        ("-$10", ".", -10),
        ("$-10", ".", -10),
        ("45 %", ".", 45),
        ("1250000", ".", 1_250_000),
        ("0.5", ".", 0.5),
    ],
    ids=str,
)
def test_an_amount_is_its_number(text, decimal, expected):
    assert amount(text, decimal) == expected


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (amount, "1.250,50"),
        (amount, "12,50"),
        (amount, "1,2345"),
        (amount, "1,250,5"),
        (amount, "5 Mio"),
        (amount, "about 5"),
        (amount, "€"),
        (amount, "-"),
        (amount, "1_000"),
        (amount, "nan"),
        (amount, "9" * 400),
        (lower_bound, "many"),
        (lower_bound, "200-51"),
        (lower_bound, "51-"),
        (lower_bound, "51-many"),
        (lower_bound, "1-2-3"),
        (lower_bound, "< many"),
        (lower_bound, "1" + " -" * 50_000),
    ],
    ids=lambda value: value.__name__ if callable(value) else value[:12],
)
def test_what_is_neither_is_unreadable_rather_than_guessed(read, text):
    with pytest.raises(ValueError, match=r"not a|ends before"):
        read(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("pricing;Demo", True),
        ("demo", True),
        ("pricing; demo ", True),
        ("demo day;pricing", False),
        (["Pricing", "Demo"], True),
        (["Pricing"], False),
        ("", None),
        ([], None),
        (None, None),
    ],
    ids=str,
)
def test_one_of_several_values_is_a_flag(value, expected):
    demo = Attribute(property="interests", type="flag", when="Demo")
    assert read_attribute(value, demo, read_plain) is expected


def test_a_number_that_comes_as_a_number_needs_no_reading():
    assert read_attribute(120, Attribute(property="size", type="number", written="range"), read_plain) == 120


def test_what_cannot_be_read_is_none_and_set_aside_alone():
    wanted = {
        "size": Attribute(property="numemployees", type="number", written="range"),
        "title": Attribute(property="jobtitle", type="text"),
    }
    page = Page()
    found = read_attributes(
        wanted,
        {"numemployees": "many", "jobtitle": "CTO"}.get,
        read_plain,
        page,
        kind="lead",
        record_id="7",
    )
    assert found == {"size": None, "title": "CTO"}
    assert page.set_aside == [SetAside("lead", "7", "size_unreadable", "'many': not an amount")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("42", "shop-42"),
        (" 42 ", "shop-42"),
        pytest.param("  ", "  ", id="blanks name no account, and still do not"),
        ("", None),
    ],
)
def test_a_prefix_tells_the_ids_of_one_source_from_those_of_another(value, expected):
    attribute = Attribute(property="company", type="text", prefix="shop-")
    assert read_attribute(value, attribute, read_plain) == expected


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        (b"{property: jobtitle, type: text, written: range}", "13:49: `written` is for `type: number`"),
        (b"{property: jobtitle, type: number, decimal: ','}", "`decimal` goes with `written`"),
        (b"{property: jobtitle, type: text, when: CTO}", "`when` is for `type: flag`"),
        (b"{property: jobtitle, type: number, written: words}", "`range`"),
        (b"{property: jobtitle, type: number, prefix: a-}", "`prefix` is for `type: text`"),
    ],
    ids=str,
)
def test_a_key_that_does_not_fit_its_type_is_told_with_its_place(attribute, said):
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(SMALL.replace(b"{property: jobtitle, type: text}", attribute), "crm.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("a\0b", "a text with a NUL byte"),
        ("x" * 10_001, "a text of more than 10,000 characters"),
        ("half \ud83d", "a text with half a character"),
    ],
    ids=["NUL", "too long", "half a character"],
)
def test_a_text_that_the_lake_cannot_keep_is_set_aside_alone(value, why):
    page, wanted = Page(), {name: Attribute(property=name, type="text") for name in ("title", "city")}
    record = {"title": value, "city": "Oslo"}
    found = read_attributes(wanted, record.get, read_plain, page, kind="lead", record_id="7")
    assert found == {"title": None, "city": "Oslo"}
    [aside] = page.set_aside
    assert (aside.record_id, aside.reason) == ("7", "title_unreadable")
    assert aside.detail.endswith(why)
