"""The plan as a pull-request comment: short first, inert whatever its texts are, and no lead by name."""

import re
from dataclasses import replace

import pytest

from rescore.plan.report_markdown import markdown
from tests.plan import plans

LONGEST_COMMENT = 65_536


def test_it_opens_with_what_happens_and_whether_a_person_is_asked():
    lines = [line for line in markdown(plans.a_plan()).splitlines() if line]

    assert lines[0] == "### Plan for `b2b_saas`: v3 → v4"
    assert lines[1].startswith("**\\+14 mql a week, -4 drifting\\_away a week, 310 leads change band")
    assert lines[2] == "> ⏸️ **A person has to look at this first**"
    assert lines[3] == "> - `mql` would fire 47 times; 25 a run may without asking"
    assert "- `pricing_page` 5 → 8 points" in lines
    assert "- competitors list +3" in lines


def test_a_version_that_is_not_registered_goes_by_its_hash():
    plan = plans.a_plan()
    plan = replace(plan, new=replace(plan.new, number=None))
    assert "v3 → b2b2b2b2" in markdown(plan)


def test_what_passes_says_so():
    assert "> ✅ **Within every limit: it goes into force by itself**" in markdown(plans.one_band())
    assert "> ✅ **Nobody has to be asked" in markdown(plans.nothing_changes())


def test_the_tables_hold_the_numbers():
    text = markdown(plans.a_plan())
    assert "| `mql` | 47 | 41 | 15 | 29 | 25 ⚠️ |" in text
    assert "| **B** | **57** | 620 | **11** |  |  |" in text
    assert "| `competitor` (new) |  | 17 |  | -340 |" in text
    assert "| Germany | 1,900 | 1,000 | 100 | 140 |" in text
    assert "| salesforce (shadow: nothing is written) | 2,318 | 12 | 18 s | Score\\_\\_c |" in text
    assert "+6 to +10" in text
    assert "- `partner_lead` gives nobody anything" in text


def test_no_lead_is_named():
    plan = plans.a_plan()
    assert plan.examples.up[0].lead not in markdown(plan)
    assert "hubspot:" not in markdown(plan)


def test_details_are_folded_and_every_fold_is_closed():
    text = markdown(plans.a_plan())
    assert text.count("<details>") == text.count("</details>") == 6


@pytest.mark.parametrize(
    "made",
    [plans.a_plan, plans.nothing_changes, plans.one_band, plans.many_leads, plans.hostile],
)
def test_it_fits_a_comment_and_every_table_is_square(made):
    text = markdown(made())
    assert len(text) < LONGEST_COMMENT
    for table in re.findall(r"(?:^\|.*\|\n?)+", text, re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(columns) == 1


def test_a_great_many_changes_are_cut_and_counted():
    plan = plans.a_plan(changes=tuple(f"rule_{at} 5 → 8 points" for at in range(1000)))
    assert "…and 960 more changes" in markdown(plan)
    assert len(markdown(plan)) < LONGEST_COMMENT


def test_hostile_texts_stay_texts():
    text = markdown(plans.hostile())

    assert "<script" not in text
    assert "](" not in text.replace("\\]\\(", "")
    assert "@everyone" not in text
    assert "http://" not in text
    assert "\u202e" not in text
    assert "\n# heading" not in text
