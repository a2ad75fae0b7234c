"""What every committed score should be: computed again from the facts, in this process, with no ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime

from sqlalchemy import select

from rescore.ledger.rules import activations
from rescore.ledger.tables import dirty
from rescore.ledger.tables import score as scores
from rescore.scoring.engine import score
from rescore.workspace import Workspace


def wrong_scores(ws: Workspace) -> list[str]:
    """Lead keys (with their scorecard) whose committed row is not what their facts and rules give.

    Each row is computed as of its own `as_of`, under the rules in force. Leads that are marked dirty have
    facts the row does not claim to know, and are left out.
    """
    with ws.ledger.transaction() as connection:
        cards = [
            activations.card_of(connection, active.scorecard, active.activation_seq)
            for active in activations.in_force(connection)
        ]
        rows = connection.execute(select(scores)).all()
        marked = set(connection.execute(select(dirty.c.scorecard, dirty.c.lead)).tuples())
    wrong = []
    with ws.lake.facts() as facts:
        for card in cards:
            moments: dict[datetime, dict[str, tuple[object, ...]]] = defaultdict(dict)
            for row in rows:
                if row.scorecard == card.id and (card.id, row.lead) not in marked:
                    moments[row.as_of][row.lead] = (row.score, row.band, json.loads(row.dimensions))
            for as_of, committed in moments.items():
                names = [dimension.id for dimension in card.dimensions]
                for row in (
                    score(card, facts, as_of=as_of).select(["lead", "score", "band", *names]).to_pylist()
                ):
                    if row["lead"] in committed:
                        now = (row["score"], row["band"], {name: row[name] for name in names})
                        if committed.pop(row["lead"]) != now:
                            wrong.append(f"{card.id} {row['lead']}")
                wrong += [f"{card.id} {lead} (no longer a lead)" for lead in committed]
    return wrong
