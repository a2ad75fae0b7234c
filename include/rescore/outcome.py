"""One vocabulary for what became of a call, and one table of what each outcome leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from rescore.errors import (
    ConfigurationError,
    CrmFieldMissing,
    CrmRateLimited,
    CrmRejectedCredentials,
    CrmUnavailable,
    RecordError,
    RescoreError,
)

Kind = Literal["ok", "transient", "auth", "quota", "record", "schema", "gone", "unknown", "unready"]
Next = Literal["done", "due", "parked", "deleted"]
Breaks = Literal["closes", "counts", "opens", "nothing"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call, or of one record of it.

    `retry_after` is the wait in seconds that the other side asked for; `remote_id` what it calls the thing
    that the call made there. `reason` is one sentence for people and never holds a value of the lead.
    """

    kind: Kind
    reason: str | None = None
    retry_after: float | None = None
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an outcome leads to.

    Attributes:
        then: `done` (settled, delivered), `due` again, `parked` with the reason, or `deleted`: the lead is
            gone from that target. A delivery has no such state and is parked.
        spends_try: Whether it counts against the tries that a thing has.
        breaker: Of the Connection: success `closes` it, a failure `counts` (several in a row open it) or
            `opens` it at once.
        alert: Whether a person is told, by a task that fails with one sentence.
        means: In words, for the documentation.
    """

    then: Next
    spends_try: bool
    breaker: Breaks
    alert: bool
    means: str


CONSEQUENCES: Mapping[Kind, Consequence] = MappingProxyType(
    {
        "ok": Consequence("done", True, "closes", False, "The other side confirmed it."),
        "transient": Consequence(
            "due", True, "counts", False, "It had no effect and may succeed later: sent again after a wait."
        ),
        "auth": Consequence(
            "due", False, "opens", True, "The credentials were refused: nobody calls until they are mended."
        ),
        "quota": Consequence(
            "due", False, "opens", False, "A limit is reached: nobody calls until it is reset."
        ),
        "record": Consequence(
            "parked", True, "closes", False, "This record was refused, the others of its batch were not."
        ),
        "schema": Consequence(
            "due", False, "opens", True, "A property or path is not there: nobody calls until it is."
        ),
        "gone": Consequence(
            "deleted", True, "closes", False, "The lead is gone from that target, or the receiver for good."
        ),
        "unknown": Consequence(
            "due", True, "counts", False, "It may have had its effect: repeated where that is harmless."
        ),
        "unready": Consequence(
            "due", False, "nothing", False, "Nothing was sent: the Connection, or the hour, is not right yet."
        ),
    }
)
"""The one place that decides; `docs/reliability.md` renders it."""

ONE_RECORD = frozenset[Kind]({"ok", "record", "gone"})
"""Outcomes that say something about one record, and that its Connection is well."""

UNREADY_WAIT = timedelta(minutes=5)
"""How long a thing that could not be sent waits before it is looked at again."""

BACKOFF = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
)
"""The wait after the first failure, the second, ...; a failure after the last one parks."""


def next_state(outcome: Outcome, *, failures: int, repeatable: bool = True) -> Next:
    """Where a thing goes after an outcome.

    Args:
        outcome: Of the call just made.
        failures: Tries spent, this one included.
        repeatable: False for what must not happen twice and cannot be looked up: `unknown` parks it.
    """
    consequence = CONSEQUENCES[outcome.kind]
    if consequence.then != "due" or not consequence.spends_try:
        return consequence.then
    if failures > len(BACKOFF) or (outcome.kind == "unknown" and not repeatable):
        return "parked"
    return "due"


def outcome_of(error: RescoreError) -> Outcome:
    """The outcome that an error of a connector stands for."""
    match error:
        case CrmRateLimited():
            return Outcome("quota", str(error), error.retry_after)
        case CrmUnavailable():
            return Outcome("unknown" if error.sent else "transient", str(error), error.retry_after)
        case CrmRejectedCredentials():
            return Outcome("auth", str(error))
        case CrmFieldMissing():
            return Outcome("schema", str(error))
        case ConfigurationError():
            return Outcome("unready", str(error))
        case RecordError():
            return Outcome("record", str(error))
    return Outcome("transient", str(error))
