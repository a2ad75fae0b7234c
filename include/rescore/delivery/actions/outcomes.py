"""What an error of a connector means for one action."""

from __future__ import annotations

from dataclasses import replace

from rescore.errors import CrmFieldMissing, CrmLacksScope, RecordGone, RescoreError
from rescore.outcome import Outcome, outcome_of


def of_action(error: RescoreError, *, effect: bool) -> Outcome:
    """Like `outcome_of`, for a call that may have had an `effect` or, a mere look, none.

    A property or a scope that only this action needs keeps only its deliveries: scores go on to the same
    CRM, so its Connection's breaker has to stay closed.
    """
    if isinstance(error, CrmFieldMissing | CrmLacksScope):
        return Outcome("unready", str(error))
    if isinstance(error, RecordGone):
        return Outcome("gone", str(error))
    outcome = outcome_of(error)
    return replace(outcome, kind="transient") if outcome.kind == "unknown" and not effect else outcome
