"""Marks never go back, however many come at once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from rescore.ledger import tables
from rescore.ledger.scores import marks
from tests.lake.builders import NOON

LATER = NOON + timedelta(hours=1, microseconds=7)


def marked(ledger):
    table = tables.dirty.c
    with ledger.reading() as connection:
        rows = connection.execute(
            select(table.lead, table.input_ver, table.facts_until).where(table.scorecard == "b2b")
        )
        return {row.lead: (row.input_ver, row.facts_until) for row in rows}


def mark(ledger, leads, number):
    with ledger.transaction() as connection:
        marks.mark_dirty(connection, "b2b", leads, number)


@pytest.mark.parametrize(
    ("first", "then", "left"),
    [
        pytest.param((1, NOON), (2, LATER), (2, LATER), id="newer facts"),
        pytest.param((1, LATER), (2, NOON), (2, LATER), id="older facts in a newer landing"),
        pytest.param((2, NOON), (1, LATER), (2, LATER), id="an older landing that comes late"),
        pytest.param((1, NOON), (2, None), (2, NOON), id="attributes alone after an activity"),
        pytest.param((1, None), (2, NOON), (2, NOON), id="an activity after attributes alone"),
        pytest.param((1, None), (2, None), (2, None), id="attributes alone"),
    ],
)
def test_a_mark_keeps_the_latest_of_both_its_numbers(ledger, first, then, left):
    for number, until in (first, then):
        mark(ledger, {"crm:1": until}, number)
    assert marked(ledger) == {"crm:1": left}


def test_more_leads_than_go_into_one_statement_are_all_marked(ledger):
    leads = dict.fromkeys(map("crm:{}".format, range(marks.MARKS_A_STATEMENT + 2)), NOON)
    leads["crm:ä'\\"] = None
    mark(ledger, leads, 1)
    mark(ledger, leads, 2)
    found = marked(ledger)
    assert found == {lead: (2, until) for lead, until in leads.items()}


def test_no_leads_are_no_marks(ledger):
    mark(ledger, {}, 1)
    assert marked(ledger) == {}
