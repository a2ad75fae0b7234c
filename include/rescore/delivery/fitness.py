"""Should a delivery that is due be sent now? By what its automation says of it under the rules in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from rescore.automations.score_conditions import Values, test_of, values_of
from rescore.automations.state_machine import NO_LONGER_TRUE
from rescore.delivery.hours import opening
from rescore.errors import ScorecardInvalid
from rescore.ledger import tables
from rescore.ledger.outbox.deliveries import Unfit
from rescore.ledger.rules import activations
from rescore.rules.card import Automation


class Fitness:
    """Judges deliveries; what it has read of the rules serves a whole call."""

    def __init__(self) -> None:
        self._rules: dict[str, dict[str, tuple[Automation, Callable[[Values], bool]]]] = {}

    def judge(self, connection: Connection, row: Row[Any], now: datetime) -> Unfit | None:
        """Why a delivery is not sent now; None when it is.

        Asked in this order: is it too old, is this the hour, and is its condition still true of the
        committed score.
        """
        if row.expires_at is not None and row.expires_at <= now:
            return Unfit("expired", f"not sent before it expired ({row.expires_at:%Y-%m-%d %H:%M} UTC)")
        automation, fires = self._automations(connection, row.scorecard).get(row.automation, (None, None))
        if automation is None or fires is None or automation.deliver is None:
            return None
        if opens := opening(automation.deliver, now):
            looked_at = opens if row.expires_at is None else min(opens, row.expires_at)
            return Unfit("due", f"waits for its hours: {opens:%Y-%m-%d %H:%M} UTC", looked_at)
        if automation.deliver.still_true and not self._still(connection, row, fires):
            return Unfit("cancelled", NO_LONGER_TRUE)
        return None

    def _automations(
        self, connection: Connection, scorecard: str
    ) -> dict[str, tuple[Automation, Callable[[Values], bool]]]:
        if scorecard not in self._rules:
            self._rules[scorecard] = self._read(connection, scorecard)
        return self._rules[scorecard]

    def _read(
        self, connection: Connection, scorecard: str
    ) -> dict[str, tuple[Automation, Callable[[Values], bool]]]:
        active = activations.active(connection, scorecard)
        if active is None:
            return {}
        try:
            card = activations.card_of(connection, scorecard, active.activation_seq)
        except ScorecardInvalid:
            return {}  # rules that this build refuses pause their scorecard; until then nobody knows better
        return {each.id: (each, test_of(each.fire_when)) for each in card.automations}

    def _still(self, connection: Connection, row: Row[Any], fires: Callable[[Values], bool]) -> bool:
        score = tables.score
        columns = (score.c.score, score.c.band, score.c.grade, score.c.dimensions)
        mine = (score.c.scorecard == row.scorecard) & (score.c.lead == row.lead)
        found = connection.execute(select(*columns).where(mine)).one_or_none()
        return found is not None and found.score is not None and fires(values_of(*found))
