"""What a crossing sets off that fires later than it crossed, from the scores that are committed by then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_

from rescore.automations.score_conditions import Values, values_of
from rescore.ledger import tables
from rescore.ledger.automations.set_off import delivery_rows, rules_version, write_deliveries
from rescore.rules.card import Automation, Scorecard

CROSSING, SCORE = tables.crossing, tables.score
OF_THEN = ("lead", "n", "run_key", "old_score", "old_band")
OF_NOW = ("score", "band", "grade", "dimensions", "reasons", "activation_seq", "as_of")
OF_LATE = (*(CROSSING.c[name] for name in OF_THEN), *(SCORE.c[name] for name in OF_NOW))
"""What a query for such crossings has to select, from both `AT_ITS_SCORE`."""

AT_ITS_SCORE = and_(SCORE.c.scorecard == CROSSING.c.scorecard, SCORE.c.lead == CROSSING.c.lead)


def values_now(row: Row[Any]) -> Values | None:
    """The figures of a crossing's lead by now; None where it has no score."""
    return None if row.score is None else values_of(row.score, row.band, row.grade, row.dimensions)


class LateFirings:
    """The deliveries of some crossings of one scorecard, written together.

    Args:
        connection: In the transaction that lets them fire.
        card: The rules in force.
        at: The time of the decision.
        lead_urls: Where messages say that a lead can be seen, by CRM.
    """

    def __init__(
        self, connection: Connection, card: Scorecard, at: datetime, lead_urls: Mapping[str, str]
    ) -> None:
        self._connection, self._card, self._at, self._lead_urls = connection, card, at, lead_urls
        self._versions: dict[int, int] = {}
        self._rows: list[dict[str, Any]] = []

    def add(self, automation: Automation, row: Row[Any], new: Values) -> None:
        """One crossing of an automation fires; `new` are the figures of now, and `row` has `OF_LATE`."""
        seq = row.activation_seq
        if seq not in self._versions:
            self._versions[seq] = rules_version(self._connection, self._card.id, seq)
        self._rows += delivery_rows(
            card=self._card,
            automation=automation,
            lead=row.lead,
            n=row.n,
            old={"score": row.old_score, "band": row.old_band, "grade": None},
            new=new,
            reasons=json.loads(row.reasons),
            causes={},
            rules_version=self._versions[seq],
            activation_seq=seq,
            as_of=row.as_of,
            run_key=row.run_key,
            at=self._at,
            lead_urls=self._lead_urls,
        )

    def write(self) -> None:
        """Owe them to their receivers."""
        write_deliveries(self._connection, self._rows)
