"""The state of a deployment in a terminal: whole at eighty columns, and no text is read as markup."""

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from rescore.cli.pictures import status_picture
from rescore.ledger.rules import holds
from rescore.ledger.rules.holds import Hold
from rescore.ledger.status import PlanStatus, RejectedFile, ScorecardStatus, Status

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CARD = ScorecardStatus(
    scorecard="b2b_saas",
    version=12,
    activation=14,
    path="b2b_saas.yaml",
    activated_at=NOON,
    file_gone=False,
    file_differs=True,
    rescore_owed=True,
    paused=True,
    paused_reason="b2b_saas__stage__51c20f98 was discarded by rita",
    scored=3,
    bands={"A": 2, "B": 1},
    leads={"settled": 3},
    suppressed={},
)
HOLD = Hold(
    hold_id="b2b_saas__automation_mql__51c20f98",
    scorecard="b2b_saas",
    what=holds.AUTOMATION,
    version_seq=None,
    plan_hash=None,
    run_key="score_leads/1/b2b_saas",
    automation="mql",
    reasons=("`mql` would fire 61 times; 50 a run may without asking",),
    measures=None,
    only_by_rules=False,
    state=holds.OPEN,
    opened_at=NOON,
    opened_by="run score_leads/1/b2b_saas",
    expires_at=NOON,
    asked_at=None,
    told_at=None,
    decided_at=None,
    decided_by=None,
)
STATUS = Status(
    scorecards=(CARD,),
    syncs={},
    deliveries={},
    delivered_today=0,
    unanswered=0,
    rejected=(),
    holds=(HOLD,),
    plans=(PlanStatus("ad018a49" * 8, "b2b_saas", 11, 12, NOON, "+11 mql a week"),),
    read={"hubspot": NOON},
    runs=(),
)


def printed(status, width=80):
    console = Console(width=width, record=True, file=StringIO())
    console.print(status_picture(status))
    return console.export_text()


@pytest.mark.parametrize(
    "said",
    [
        "version 12, since 2026-11-22 12:00 UTC",
        "the file holds other rules",
        "a rescore is owed",
        "paused: b2b_saas__stage__51c20f98 was discarded by rita",
        "b2b_saas__automation_mql__51c20f98 waits for an answer",
        "until 2026-11-22 12:00 UTC",
        "b2b_saas 11 → 12, ad018a49: +11 mql a week",
    ],
)
def test_everything_is_said_within_eighty_columns(said):
    assert said in printed(STATUS)


def test_what_is_counted_is_said_with_its_sum():
    card = replace(CARD, leads={"dirty": 3, "settled": 1_057}, suppressed={"mql": 4})
    told = printed(
        replace(
            STATUS,
            scorecards=(card,),
            syncs={"hubspot": {"due": 7, "settled": 2_000}, "salesforce": {"shadow": 9}},
            due={"hubspot": {1: 2, 2: 5}},
            deliveries={"delivered": 11, "due": 1},
            unanswered=1,
        ),
        width=100,
    )
    lines = [line.strip("│ ") for line in told.splitlines()]
    assert {
        "leads, 1,060 in all: dirty 3 · settled 1,057",
        "crossings of 7 days that did not fire, 4 in all: mql 4",
        "scores for hubspot, 2,007 in all: due 7 (2 of priority 1, 5 of priority 2) · settled 2,000",
        "scores for salesforce, 9 in all: shadow 9",
        "deliveries, 12 in all: delivered 11 · due 1; 1 without an answer",
    } <= {*lines}


@pytest.mark.parametrize("text", ["[/red] was never open", "[bold]all[/bold] of it", "[1, 2]"])
def test_square_brackets_in_a_rejected_file_stay(text):
    rejected = RejectedFile(f"{text}.yaml", "b2b_saas", NOON, (f"example `{text}`: `score` is 0, not 99",))
    told = printed(replace(STATUS, rejected=(rejected,)))
    assert f"{text}.yaml is rejected" in told
    assert f"example `{text}`: `score` is 0, not 99" in told
