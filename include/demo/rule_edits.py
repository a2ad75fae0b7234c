"""Line 2: points changed, a comment added, a file broken; what follows and what does not."""

from __future__ import annotations

import re
import time
from pathlib import Path

from sqlalchemy import func, select

from demo.checks import eventually, holds
from demo.evidence import Evidence
from demo.first_load import run
from demo.standalone import Standalone
from demo.talk import step
from rescore.ledger.rules import activations
from rescore.ledger.tables import delta, rules_version

QUIET_SECONDS = 20


def tell(world: Standalone, evidence: Evidence) -> None:
    """Three edits of one file.

    Raises:
        DoesNotHold: The line is false.
    """
    file = world.places.rules_dir / "b2b_saas.yaml"
    _points_changed(world, evidence, file)
    _comment_added(world, evidence, file)
    _broken(world, evidence, file)


def change_points(file: Path, by: int, rule: str = "meeting_held") -> None:
    """Add points to one rule; the default is one that no example of the file pins down."""
    block = re.compile(rf"(- id: {rule}\n(?:    .*\n)*?    points: )(\d+)")
    file.write_text(block.sub(lambda found: f"{found[1]}{int(found[2]) + by}", file.read_text(), count=1))


def activation(evidence: Evidence) -> activations.Active:
    """What is in force for b2b_saas now."""
    with evidence.workspace.ledger.reading() as connection:
        active = activations.active(connection, "b2b_saas")
    assert active is not None  # noqa: S101 - line 1 put it in force
    return active


def rescored(evidence: Evidence, after: int) -> bool:
    """Whether an activation later than `after` is in force and its rescore is done."""
    now = activation(evidence)
    return now.activation_seq > after and now.rescored_at is not None


def settled(evidence: Evidence) -> bool:
    """Whether the CRM has confirmed everything it should show."""
    return evidence.owed() == 0


def _points_changed(world: Standalone, evidence: Evidence, file: Path) -> None:
    before, was = evidence.counts(), activation(evidence)
    runs = len(world.api.runs("rescore_all"))
    with step("Points of a rule changed") as say:
        change_points(file, by=4)
        eventually(
            "a rescore starts by itself and ends", lambda: rescored(evidence, was.activation_seq), say=say
        )
        eventually("the CRM has confirmed", lambda: settled(evidence), say=say)
    did = evidence.since(before)
    with evidence.workspace.ledger.reading() as connection:
        changed = connection.execute(
            select(func.count())
            .select_from(delta)
            .where(delta.c.scorecard == "b2b_saas", delta.c.activation_seq == was.activation_seq + 1)
        ).scalar_one()
    holds("a rescore ran by itself", len(world.api.runs("rescore_all")) > runs)
    holds(
        "only changed leads were written",
        0 < did["leads written to the CRM"] == changed < did["leads scored"],
        f"{changed:,} of {did['leads scored']:,} leads, {did['calls for that']} calls",
    )


def _comment_added(world: Standalone, evidence: Evidence, file: Path) -> None:
    before, was = evidence.counts(), activation(evidence)
    runs = len(world.api.runs("rescore_all"))
    with step("A comment added") as say:
        file.write_text(file.read_text() + "# sales asked why; see the wiki\n")
        eventually(
            "the new text is in force",
            lambda: activation(evidence).activation_seq > was.activation_seq,
            say=say,
        )
        time.sleep(QUIET_SECONDS)
    now = activation(evidence)
    holds("it wakes the wording only", now.wakes == "wording", now.wakes)
    holds("no rescore ran", len(world.api.runs("rescore_all")) == runs)
    did = evidence.since(before)
    holds("nothing was written", did["leads written to the CRM"] == did["scores changed"] == 0)


def _broken(world: Standalone, evidence: Evidence, file: Path) -> None:
    was, good = activation(evidence), file.read_text()
    with step("The file broken") as say:
        file.write_text(good.replace("points:", "pionts:", 1))
        eventually("it is registered as rejected", lambda: bool(_rejected(evidence)), say=say)
    error = _rejected(evidence)[-1]
    holds(
        "the error names file, line and the way out", "b2b_saas.yaml:" in error and "points" in error, error
    )
    holds("the old rules stay in force", activation(evidence).sha256 == was.sha256)
    holds("`rescore status` shows it", "rejected" in world.rescore("status", "--plain"))
    run(world, evidence, "Scoring goes on")
    failed = [
        r["dag_run_id"]
        for dag in ("watch_rules", "score_leads")
        for r in world.api.runs(dag)
        if r["state"] == "failed"
    ]
    holds("runs stay green", not failed, failed or "none failed")
    file.write_text(good)


def _rejected(evidence: Evidence) -> list[str]:
    with evidence.workspace.ledger.reading() as connection:
        return list(
            connection.scalars(select(rules_version.c.error).where(rules_version.c.status == "rejected"))
        )
