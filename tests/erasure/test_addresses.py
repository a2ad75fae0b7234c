"""E-mail addresses of people: what is one, and which are the same."""

import unicodedata

import pytest

from rescore.erased import folded, is_address, is_key, spellings

ADDRESS = "ada@person.example"

NOT_ALONE = [
    f"Ada Lovelace <{ADDRESS}>",
    f"<{ADDRESS}>",
    f"{ADDRESS},{ADDRESS}",
    f"mailto:{ADDRESS}",
    f"{ADDRESS}.",
    f"{ADDRESS};",
    f'"{ADDRESS}"',
    f"'{ADDRESS}'",
    f"{ADDRESS}\u200b",
    f"\ufeff{ADDRESS}",
    f"jos\udce9{ADDRESS}",
    f"{ADDRESS}\0",
    f"{ADDRESS}@",
    "ada@",
    "@person.example",
    "ada@person..example",
]


@pytest.mark.parametrize("text", NOT_ALONE, ids=ascii)
def test_with_anything_around_it_an_address_is_none(text):
    assert not is_address(text)


@pytest.mark.parametrize(
    "text",
    [" Ada+crm@Person.example ", "o'brien@person.example", "ann@भारत.example", "josé@xn--bcher-kva.example"],
    ids=ascii,
)
def test_an_address_alone_can_have_every_letter(text):
    assert is_address(text)


@pytest.mark.parametrize(
    "same",
    [
        (ADDRESS, " ADA@Person.Example "),
        ("josé@person.example", unicodedata.normalize("NFD", "JOSÉ@person.example")),
        (
            "ada@bücher.example",
            "ada@xn--bcher-kva.example",
            unicodedata.normalize("NFD", "ada@BÜCHER.example"),
        ),
    ],
    ids=["case", "an accent", "a domain"],
)
def test_an_address_is_the_same_in_every_spelling(same):
    [one] = set(map(folded, same))
    assert {text.strip().lower() for text in same} <= spellings(one)


def test_domains_that_only_look_alike_are_two():
    assert folded("ada@straße.example") != folded("ada@strasse.example")


@pytest.mark.parametrize("label", ["xn--99999999", "xn--", "xn--ü", "é" * 10_000], ids=ascii)
def test_what_is_no_domain_stays_as_it_is(label):
    assert folded(f"ada@{label}").endswith(label) is (label != "xn--ü")
    assert spellings(folded(f"ada@{label}"))


@pytest.mark.parametrize("text", ["1042", "hubspot:", ":1042", "hubspot:\udce9", "hubspot:1042\0"], ids=ascii)
def test_what_no_store_can_keep_is_no_key(text):
    assert not is_key(text)
