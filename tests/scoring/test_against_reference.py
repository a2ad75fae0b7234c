"""On random scorecards and histories the engine and a slow, obvious scorer give the same numbers."""

import os
import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from rescore.lake.reading import without_form
from rescore.lake.views import FACT
from rescore.scoring.engine import score
from rescore.scoring.explain import explain
from rescore.scoring.facts import facts_from_tables
from rescore.scoring.fields import fields_asked
from rescore.scoring.sql import DIALECT, column, table
from tests.scoring.random_cards import histories, scorecards, scoring_times, tables
from tests.support.reference import reference_scores

EXAMPLES = int(os.environ.get("RESCORE_EXAMPLES", "150"))
thorough = settings(
    max_examples=EXAMPLES,
    derandomize="RESCORE_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
brief = settings(thorough, max_examples=max(1, EXAMPLES // 10))


@st.composite
def cases(draw):
    card, as_of = draw(scorecards()), draw(scoring_times())
    leads, activities = draw(histories(card.timezone, as_of))
    return card, leads, activities, as_of


def scored(card, leads, activities, as_of, **options):
    facts = facts_from_tables(*tables(leads, activities))
    return sorted(score(card, facts, as_of=as_of, **options).to_pylist(), key=lambda row: row["lead"])


@thorough
@given(cases())
def test_every_column_is_what_the_reference_scorer_gives(case):
    card, leads, activities, as_of = case
    assert scored(card, leads, activities, as_of) == reference_scores(card, leads, activities, as_of=as_of)


@brief
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(case, shuffler: random.Random):
    card, leads, activities, as_of = case
    expected = scored(card, leads, activities, as_of)
    shuffler.shuffle(leads)
    shuffler.shuffle(activities)
    assert scored(card, leads, activities, as_of) == expected


@brief
@given(cases())
def test_no_column_is_needed_that_the_card_does_not_name(case):
    card, leads, activities, as_of = case
    facts = facts_from_tables(*tables(leads, activities))
    for relation in ("leads", "activities"):
        there = facts.connection.table(relation).columns
        kept = [column(name) for name in there if name in FACT or without_form(name) in fields_asked(card)]
        rows = exp.select(*kept).from_(table(relation)).sql(DIALECT)
        facts.connection.execute(f"CREATE TEMP VIEW few_{relation} AS {rows}")
    few = replace(facts, activities="few_activities", leads="few_leads")
    found = sorted(score(card, few, as_of=as_of).to_pylist(), key=lambda row: row["lead"])
    assert found == scored(card, leads, activities, as_of)


@brief
@given(cases())
def test_leads_scored_one_by_one_get_what_they_get_together(case):
    card, leads, activities, as_of = case
    facts = facts_from_tables(*tables(leads, activities))
    one_by_one = []
    for number, lead in enumerate(leads):
        for relation in ("activities", "leads"):
            mine = f"FROM {relation} WHERE lead = '{lead['lead']}'"
            facts.connection.execute(f"CREATE TEMP VIEW {relation}_{number} AS {mine}")
        alone = replace(
            facts,
            activities=f"activities_{number}",
            leads=f"leads_{number}",
            whole_accounts=lambda: ("activities", "leads"),
            kept=True,
        )
        one_by_one += score(card, alone, as_of=as_of).to_pylist()
    assert one_by_one == scored(card, leads, activities, as_of)


@brief
@given(cases())
def test_an_explanation_sums_to_the_score(case):
    card, leads, activities, as_of = case
    facts = facts_from_tables(*tables(leads, activities))
    for row in score(card, facts, as_of=as_of).to_pylist():
        explained = explain(card, facts, row["lead"], as_of=as_of)
        assert {line.rule: line.points for line in explained.rules} == {r.id: row[r.id] for r in card.rules}
        assert (explained.score, explained.band) == (row["score"], row["band"])
        if row["score"] is not None:
            assert explained.lines_sum() == 1000 * row["score"]
        assert explained.text()
        assert explained.as_dict()["score"] == row["score"]


@brief
@given(cases(), st.data())
def test_what_became_known_later_does_not_count_as_of_an_earlier_knowledge(case, data):
    card, leads, activities, as_of = case
    activities = [a for index, a in enumerate(activities) if index < 30]  # without corrections
    known_as_of = data.draw(st.sampled_from([a["known_at"] for a in activities])) if activities else as_of
    known_as_of = known_as_of.replace(tzinfo=as_of.tzinfo)
    expected = reference_scores(card, leads, activities, as_of=as_of, known_as_of=known_as_of)
    assert scored(card, leads, activities, as_of, known_as_of=known_as_of) == expected
