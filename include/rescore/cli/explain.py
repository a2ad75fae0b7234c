"""Why does a lead have its score?"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from rescore.cli.operate import Card, unknown
from rescore.errors import InputUnreadable
from rescore.ledger import activations, stage
from rescore.scoring.explain import explain as explain_lead
from rescore.settings import Settings
from rescore.workspace import Workspace


def explain(
    lead: Annotated[str, typer.Argument(metavar="LEAD", help="A lead's key, such as hubspot:1042.")],
    scorecard: Card = "",
) -> None:
    """Account for a lead's committed score, rule by rule, by computing it again."""
    ws = Workspace.open(Settings.from_environment(os.environ))
    key = lead.strip()
    with ws.ledger.reading() as connection:
        in_force = activations.in_force(connection)
        cards = [active for active in in_force if scorecard in ("", active.scorecard)]
        if scorecard and not cards:
            raise unknown(scorecard, in_force)
        rows = {active.scorecard: stage.committed_row(connection, active.scorecard, key) for active in cards}
        rules = {
            active.scorecard: activations.card_of(connection, active.scorecard, active.activation_seq)
            for active in cards
        }
    if not any(rows.values()):
        raise InputUnreadable(
            f"no score is kept for lead {key[:80]!r}; a key is the CRM's name in small letters, a colon and "
            "its record id, as in hubspot:1042"
        )
    with ws.lake.facts([key]) as facts:
        for active in cards:
            row = rows[active.scorecard]
            if row is None:
                continue
            print(explain_lead(rules[active.scorecard], facts, key, as_of=row.as_of).text())
