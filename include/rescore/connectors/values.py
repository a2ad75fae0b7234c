"""The values of a record as the attributes that a mapping makes of them, the same for every connector."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from rescore.lake.records import AttributeValue, Page, SetAside
from rescore.lake.screen import LONGEST_TEXT
from rescore.mapping import Attribute, AttributeType

ReadPlain = Callable[[Any, AttributeType], AttributeValue]
"""Reads a single value as its system writes it. A ValueError says what it is not, and does not quote it."""

NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "bn": 10**9}
CURRENCIES = (
    """AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS INR JPY KRW MXN NOK NZD PLN SEK SGD TRY USD ZAR"""
)
MONEY = "[$¢£¤¥₠-₿]|" + "|".join(CURRENCIES.split())
MOST = 60
"""Characters of the longest amount or range."""
AMOUNT = re.compile(
    rf"(?:{MONEY})?\s*(?P<sign>[-+]?)\s*(?:{MONEY})?\s*"
    r"(?P<digits>[0-9](?:[0-9.,'\s]*[0-9])?)\s*(?P<unit>bn|[kmb])?\s*"
    rf"(?:{MONEY}|%)?",
    re.IGNORECASE,
)
BELOW = re.compile(r"(?:<|≤|<=|up to|under|less than)\s*(?P<bound>.+)", re.IGNORECASE)
ABOVE = re.compile(r"(?:>|≥|>=|over|more than)\s*(?P<bound>.+)", re.IGNORECASE)
AT_LEAST = re.compile(r"(?P<bound>.+?)\s*(?:\+|or more)", re.IGNORECASE)
BETWEEN = re.compile(r"(?P<low>.+?)\s*(?:-|–|—|\.\.|\bto\b)\s*(?P<high>.+)", re.IGNORECASE)


def read_attributes(
    wanted: Mapping[str, Attribute],
    value_of: Callable[[str], Any],
    plain: ReadPlain,
    page: Page,
    *,
    kind: Literal["lead", "account"],
    record_id: str,
) -> dict[str, AttributeValue]:
    """Every attribute of one record; one that cannot be read is None, and set aside in the page alone.

    Args:
        wanted: What the mapping says, by the names of attributes.
        value_of: The record's value of a property.
        plain: See `ReadPlain`.
        page: Where what cannot be read goes.
        kind: What the record is.
        record_id: Which one it is.
    """
    attributes: dict[str, AttributeValue] = {}
    for name, attribute in wanted.items():
        value = value_of(attribute.property)
        try:
            attributes[name] = read_attribute(value, attribute, plain)
        except ValueError as problem:
            attributes[name] = None
            page.set_aside.append(SetAside(kind, record_id, f"{name}_unreadable", f"{value!r}: {problem}"))
    return attributes


def read_attribute(value: Any, attribute: Attribute, plain: ReadPlain) -> AttributeValue:
    """One value as its attribute; nothing, an empty text and an empty list are None.

    Raises:
        ValueError: It is not what the mapping says.
    """
    if value is None or value in ("", []):
        return None
    if attribute.when is not None:
        return _has(value, attribute.when)
    if attribute.written and isinstance(value, str):
        reader = lower_bound if attribute.written == "range" else amount
        return reader(value, attribute.decimal)
    read = plain(value, attribute.type)
    if attribute.prefix and isinstance(read, str) and read.strip():
        read = attribute.prefix + read.strip()
    return _kept(read)


def _kept(value: AttributeValue) -> AttributeValue:
    """The same, if the lake can keep it: a text of another kind would take its whole lead with it."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text with a NUL byte")
        if len(value) > LONGEST_TEXT:
            raise ValueError(f"a text of more than {LONGEST_TEXT:,} characters")
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("a text with half a character")
    return value


def decimal_number(text: str) -> float:
    """A finite decimal number; Python's other spellings (`1_000`, `nan`) are not numbers of a CRM.

    Raises:
        ValueError: It is none.
    """
    text = text.strip()
    if not NUMBER.fullmatch(text) or not math.isfinite(number := float(text)):
        raise ValueError("not a number")
    return number


def amount(text: str, decimal: str = ".") -> float:
    """A number with what people write around it: `€ 1,250.50`, `45 %`, `$2.5M`; `45 %` is 45.

    `decimal` begins its decimals; groups of three digits may stand apart by the other of `.` and `,`, by an
    apostrophe or a space. k, M and B (bn) are thousands, millions and billions; a currency is left out.

    Raises:
        ValueError: It is something else, or its groups are not of three digits.
    """
    found = AMOUNT.fullmatch(text.strip()) if len(text) <= MOST else None
    if found is None:
        raise ValueError("not an amount")
    whole, point, decimals = found["digits"].partition(decimal)
    group = re.escape({".": ",", ",": "."}[decimal])
    if not re.fullmatch(rf"[0-9]+|[0-9]{{1,3}}(?:(?:{group}|'|\s)[0-9]{{3}})+", whole):
        raise ValueError("not an amount: its digits are not grouped by three")
    if point and not decimals.isdecimal():
        raise ValueError("not an amount")
    number = decimal_number(found["sign"] + re.sub(r"[^0-9]", "", whole) + ("." + decimals if point else ""))
    return number * UNITS[(found["unit"] or "").lower()]


def lower_bound(text: str, decimal: str = ".") -> float:
    """Where a range begins: `51-200` is 51, `10,001+` is 10001, `< 50` and `up to 50` are 0, `7` is 7.

    Bounds are amounts, so `$1M to $10M` is a million; the upper one has to be there and is left out.

    Raises:
        ValueError: It is no such range, or its end is below its beginning.
    """
    text = text.strip()
    if len(text) > MOST:
        raise ValueError("not a range")
    if found := BELOW.fullmatch(text):
        amount(found["bound"], decimal)
        return 0.0
    if found := ABOVE.fullmatch(text) or AT_LEAST.fullmatch(text):
        return amount(found["bound"], decimal)
    if found := BETWEEN.fullmatch(text):
        low, high = amount(found["low"], decimal), amount(found["high"], decimal)
        if high < low:
            raise ValueError("a range that ends before it begins")
        return low
    return amount(text, decimal)


def _has(value: Any, wanted: str) -> bool:
    """Whether a text, a list of texts, or several texts with semicolons between them, has this one in it."""
    if isinstance(value, bool | dict):
        raise ValueError("neither a text nor a list of texts")
    parts = value if isinstance(value, list | tuple) else str(value).split(";")
    return wanted.strip().casefold() in {str(part).strip().casefold() for part in parts}
