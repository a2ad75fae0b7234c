"""A plan in a terminal: whole at eighty columns, and no text of a CRM is read as markup."""

from io import StringIO

import pytest
from rich.console import Console

from rescore.cli.plan_picture import plan_picture
from tests.plan import plans


def printed(plan, width=80):
    console = Console(width=width, record=True, file=StringIO())
    console.print(plan_picture(plan))
    return console.export_text()


def test_it_says_what_happens_to_whom():
    text = printed(plans.a_plan())

    assert "+14 mql a week" in text
    assert "A person has to look at this first" in text
    assert "pricing_page 5 → 8 points" in text
    assert "+1 to +5  1,103  ████" in text
    assert " ".join(["mql", "47", "41", "25", "+14", "▄▄▃▅▄▃▅▄", "▆▇▆█▇▅▇▇"]) in " ".join(text.split())
    assert "salesforce (shadow)" in text
    assert "hubspot:1040" not in text


@pytest.mark.parametrize(
    "made", [plans.a_plan, plans.nothing_changes, plans.one_band, plans.many_leads, plans.hostile]
)
@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_fits_the_terminal(made, width):
    assert max(map(len, printed(made(), width).splitlines())) <= width


def test_square_brackets_stay():
    text = "".join(line.strip("│ ") for line in printed(plans.hostile(), 200).splitlines())
    assert "[x](javascript:alert(1))" in text
