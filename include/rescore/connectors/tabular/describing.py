"""Which columns a mapping of tables uses, and where it says so."""

from __future__ import annotations

from collections.abc import Iterator

from rescore.connectors.describing import Use
from rescore.connectors.tabular.mapping import ActivityColumns, LeadColumns, TextInColumn

SINGLE = ("id", "lead", "cursor", "occurred_at", "asset", "value", "objection", "deleted", "email")


def uses_of(read: LeadColumns | ActivityColumns, place: str) -> list[Use]:
    """Every use of a column by what is read at a place of the mapping.

    None says what it holds: text, numbers and times are all made of texts, so only a value can tell.
    """
    return [Use(column, f"{place}.{name}") for name, column in _named(read)]


def _named(read: LeadColumns | ActivityColumns) -> Iterator[tuple[str, str]]:
    for name in SINGLE:
        if column := getattr(read, name, None):
            yield name, column
    if isinstance(read, LeadColumns):
        for name, attribute in read.attributes.items():
            yield f"attributes.{name}", attribute.property
        for source, columns in read.same_person.records.items():
            yield from ((f"same_person.records.{source}", column) for column in columns)
        return
    for name, said in (("type", read.type), ("channel", read.channel)):
        if isinstance(said, TextInColumn):
            yield name, said.property
    for name, column in read.fields.items():
        yield f"fields.{name}", column
