"""Compiled queries are files that a reviewer reads; each also runs and gives the reference's numbers.

`RESCORE_GOLDEN=write pytest tests/golden` writes them anew.
"""

import os
from pathlib import Path

import pytest

from rescore.scoring.compile import compile_scorecard
from rescore.scoring.engine import score
from rescore.scoring.facts import facts_from_tables
from tests.golden.cases import AS_OF, activities, cases, leads, tables
from tests.support.reference import reference_scores

FOLDER = Path(__file__).parent
CASES = dict(cases())


@pytest.mark.parametrize("name", CASES)
def test_the_compiled_query_is_the_one_on_file_and_gives_the_right_numbers(name):
    card = CASES[name]
    types = sorted({kind for rule in card.rules for kind in getattr(rule, "activities", ())}) or ["visit"]
    lead_rows, activity_rows = leads(), activities(types)
    facts = facts_from_tables(*tables(lead_rows, activity_rows))
    query = compile_scorecard(card, as_of=AS_OF, columns=facts.columns).sql(pretty=True) + "\n"
    path = FOLDER / f"{name}.sql"
    if os.environ.get("RESCORE_GOLDEN") == "write":
        path.write_text(query)
    assert query == path.read_text(), f"{path.name} differs; if you meant it: RESCORE_GOLDEN=write"
    rows = sorted(score(card, facts, as_of=AS_OF).to_pylist(), key=lambda row: row["lead"])
    assert rows == reference_scores(card, lead_rows, activity_rows, as_of=AS_OF)


def test_every_file_belongs_to_a_case():
    assert {path.stem for path in FOLDER.glob("*.sql")} == set(CASES)


def test_the_cases_can_tell_right_from_wrong():
    """In each case some lead gets points and some lead gets others."""
    blind = []
    for name, card in CASES.items():
        types = sorted({kind for rule in card.rules for kind in getattr(rule, "activities", ())}) or ["visit"]
        rows = reference_scores(card, leads(), activities(types), as_of=AS_OF)
        if len({tuple(row[rule.id] for rule in card.rules) for row in rows}) < 2:
            blind.append(name)
    assert blind == ["field_nowhere"]
