"""One vocabulary of outcomes, one table of what they lead to, and a page that says the same."""

from pathlib import Path
from typing import get_args

import pytest

from rescore.errors import (
    CrmFieldMissing,
    CrmRateLimited,
    CrmRejectedCredentials,
    CrmUnavailable,
    RecordUnreadable,
    SettingsIncomplete,
)
from rescore.outcome import BACKOFF, CONSEQUENCES, Kind, Outcome, next_state, outcome_of

PAGE = Path("docs/reliability.md").read_text()
BREAKER = {"closes": "closes", "counts": "counts a failure", "opens": "opens", "nothing": ""}


def rendered() -> str:
    """The table of the page."""
    lines = [
        "| outcome | means | then | spends a try | breaker | fails the task |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{kind}` | {one.means} | {one.then} | {'yes' if one.spends_try else 'no'} "
        f"| {BREAKER[one.breaker]} | {'yes' if one.alert else 'no'} |".replace("|  |", "| |")
        for kind, one in CONSEQUENCES.items()
    ]
    return "\n".join(lines)


def test_every_kind_leads_somewhere():
    assert tuple(CONSEQUENCES) == get_args(Kind)


def test_the_page_shows_the_table_that_decides():
    assert rendered() in PAGE


@pytest.mark.parametrize(
    ("kind", "failures", "repeatable", "then"),
    [
        pytest.param("ok", 1, True, "done", id="confirmed"),
        pytest.param("transient", 1, True, "due", id="the first failure"),
        pytest.param("transient", len(BACKOFF), True, "due", id="the last wait"),
        pytest.param("transient", len(BACKOFF) + 1, True, "parked", id="after the last wait"),
        pytest.param("unknown", 1, True, "due", id="unknown, and harmless to repeat"),
        pytest.param("unknown", 1, False, "parked", id="unknown, and not to be repeated"),
        pytest.param("transient", 1, False, "due", id="without effect, and not to be repeated"),
        pytest.param("auth", 99, True, "due", id="credentials spend no try"),
        pytest.param("quota", 99, True, "due", id="a quota spends no try"),
        pytest.param("unready", 99, True, "due", id="what was not sent spends no try"),
        pytest.param("record", 1, True, "parked", id="refused"),
        pytest.param("gone", 1, True, "deleted", id="gone"),
    ],
)
def test_where_a_thing_goes(kind, failures, repeatable, then):
    assert next_state(Outcome(kind), failures=failures, repeatable=repeatable) == then


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (CrmUnavailable("no answer"), Outcome("unknown", "no answer")),
        (CrmUnavailable("nothing listens", sent=False), Outcome("transient", "nothing listens")),
        (CrmRateLimited("later", retry_after=7), Outcome("quota", "later", retry_after=7)),
        (CrmRejectedCredentials("wrong token"), Outcome("auth", "wrong token")),
        (CrmFieldMissing("no property"), Outcome("schema", "no property")),
        (SettingsIncomplete("no Connection"), Outcome("unready", "no Connection")),
        (RecordUnreadable("no time"), Outcome("record", "no time")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_a_connector_is_an_outcome(error, outcome):
    assert outcome_of(error) == outcome
