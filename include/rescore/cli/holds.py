"""Commands for what waits for a person, and for the way back."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.cli.given import LARGEST, user
from rescore.cli.operate import open_ledger
from rescore.errors import CommandMiswritten
from rescore.ledger.rules import holds as ledger_holds
from rescore.ledger.rules.holds import Answer
from rescore.pipeline.holds import decide
from rescore.pipeline.rules_change import rollback as roll_back
from rescore.settings import Settings
from rescore.workspace import Workspace

By = Annotated[str, typer.Option("--by", help="Who answers; by default the user of this machine.")]


def holds() -> None:
    """List what waits for an answer: rules changes, runs and automations, each with its reasons."""
    settings = Settings.from_environment(os.environ)
    with open_ledger(settings).reading() as connection:
        waiting = ledger_holds.open_holds(connection)
    for hold in waiting:
        print(f"{hold.hold_id}: {hold.what}, until {hold.expires_at:%Y-%m-%d %H:%M} UTC")
        for reason in hold.reasons:
            print(f"  {reason}")
        if hold.plan_hash is not None:
            print(f"  report: {settings.reports_dir / hold.plan_hash / 'report.html'}")
    if not waiting:
        print("nothing waits for an answer")


def review(
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="As `rescore holds` names it.")],
    release: Annotated[bool, typer.Option("--release", help="Let it happen.")] = False,
    without_automations: Annotated[
        bool, typer.Option("--without-automations", help="Let it happen, and fire nothing.")
    ] = False,
    discard: Annotated[bool, typer.Option("--discard", help="Do not do it.")] = False,
    plan: Annotated[str, typer.Option("--plan", help="The plan that was looked at, by its hash.")] = "",
    by: By = "",
) -> None:
    """Answer a hold, and carry the answer out."""
    answers: dict[Answer, bool] = {
        "release": release,
        "release_without_automations": without_automations,
        "discard": discard,
    }
    given = [answer for answer, chosen in answers.items() if chosen]
    if len(given) != 1:
        raise CommandMiswritten("give one answer: --release, --without-automations or --discard")
    counts = decide(
        Workspace.open(Settings.from_environment(os.environ)),
        hold,
        given[0],
        by=by or user(),
        at=datetime.now(UTC),
        plan_hash=plan or None,
        progress=_progress,
    )
    print(f"{hold}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()) if count))


def rollback(
    scorecard: Annotated[str, typer.Argument(metavar="SCORECARD")],
    to: Annotated[
        int | None, typer.Option("--to", min=1, max=LARGEST, help="A version; by default the one before.")
    ] = None,
    by: By = "",
) -> None:
    """Put an older version in force again, planned and judged like any change; the file stays as it is."""
    news = roll_back(
        Workspace.open(Settings.from_environment(os.environ)),
        scorecard,
        to=to,
        at=datetime.now(UTC),
        by=by or user(),
        progress=_progress,
    )
    if news.what == "unchanged":
        print(f"version {news.version} of {scorecard} is in force already")
    elif news.what == "held":
        print(f"version {news.version} of {scorecard} is held as {news.hold_id}:")
        print(*(f"  {reason}" for reason in news.reasons), sep="\n")
    else:
        print(f"version {news.version} of {scorecard} is in force; the next run rescores ({news.told})")


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
