"""Line 1: after two runs the CRM shows what `explain` accounts for, and a third run has nothing to do."""

from __future__ import annotations

import random

from sqlalchemy import select

from demo.checks import holds
from demo.evidence import Evidence
from demo.standalone import Standalone
from demo.talk import step
from rescore.ledger.rules import activations
from rescore.ledger.tables import score
from rescore.model import split_lead_key
from rescore.scoring.explain import explain

SAMPLE = 100
DAYS_OF_ACTIVITY = 2.5
"""Of the three that are held back; the rest arrives later in the story."""


def tell(world: Standalone, evidence: Evidence) -> None:
    """The demo's two runs, then the proof.

    Raises:
        DoesNotHold: The line is false.
    """
    first = first_run(world, evidence)
    holds("the first load scores every lead and fires nothing", first["automations fired"] == 0, first)
    before = evidence.counts()
    world.crm("POST", f"/sandbox/release?days={DAYS_OF_ACTIVITY}")
    run(world, evidence, "Days of activity later")
    second = evidence.since(before)
    holds("new activity moves scores and automations fire", second["automations fired"] > 0, second)
    holds(
        "every automation that fired was delivered",
        second["webhooks delivered"] == second["automations fired"],
        second["webhooks delivered"],
    )
    _crm_equals_ledger(evidence)
    _explained(evidence)
    third = run(world, evidence, "Once more")
    if third["scores changed"]:  # local midnight passed since: decay moved scores, as it should
        third = run(world, evidence, "Once more, on the same day")
    holds("another run writes nothing to the CRM", third["leads written to the CRM"] == 0, third)
    holds("another run delivers nothing", third["webhooks delivered"] == 0)


def first_run(world: Standalone, evidence: Evidence) -> dict[str, int]:
    """The run that Airflow starts by itself for the last quarter of an hour; what it did."""
    with step("First load") as say:
        state = world.first_scheduled_run(say=say)
    holds(f"the first scheduled run ended as {state}", state == "success")
    return evidence.counts()


def run(world: Standalone, evidence: Evidence, title: str) -> dict[str, int]:
    """One green run of score_leads by hand; what it added."""
    before = evidence.counts()
    with step(title) as say:
        run_id = world.api.trigger("score_leads")
        state = world.api.wait("score_leads", run_id, seconds=400, say=say)
    holds(f"score_leads ended as {state}", state == "success")
    return evidence.since(before)


def _crm_equals_ledger(evidence: Evidence) -> None:
    fields = evidence.workspace.mappings()["hubspot"].scores["b2b_saas"]
    properties = [fields.score, *([fields.band] if fields.band else [])]
    shown = evidence.crm_scores(properties)
    with evidence.workspace.ledger.reading() as connection:
        rows = connection.execute(
            select(score.c.lead, score.c.score, score.c.band).where(score.c.scorecard == "b2b_saas")
        ).all()
    different = 0
    for lead, points, band in rows:
        contact = shown[split_lead_key(lead)[1]]
        expected = ["" if value is None else str(value) for value in (points, band)]
        different += [contact.get(name) or "" for name in properties] != expected[: len(properties)]
    holds("every lead's score and band in the CRM are the ledger's", different == 0, f"{len(rows):,} leads")


def _explained(evidence: Evidence) -> None:
    ws = evidence.workspace
    with ws.ledger.reading() as connection:
        active = activations.active(connection, "b2b_saas")
        assert active is not None  # noqa: S101 - the runs before put it in force
        card = activations.card_of(connection, "b2b_saas", active.activation_seq)
        rows = connection.execute(select(score).where(score.c.scorecard == "b2b_saas")).all()
    sample = random.Random(1).sample(rows, SAMPLE)  # noqa: S311 - a sample, not a secret
    with ws.lake.facts([row.lead for row in sample]) as facts:
        told = [explain(card, facts, row.lead, as_of=row.as_of) for row in sample]
    same = sum(told_one.score == row.score for told_one, row in zip(told, sample, strict=True))
    holds(f"`rescore explain` accounts for {SAMPLE} sampled scores line by line", same == SAMPLE, same)
