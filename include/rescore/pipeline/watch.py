"""Is there something for the watcher to do: a file to adopt, a rescore or a review to ask for?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rescore.ledger.rules import activations, holds
from rescore.pipeline.rules import edited_files
from rescore.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: SHA-256 by name of each edited file, and the scorecards whose rescore is due.

    `unasked` are the open holds about which nobody has been asked yet.
    """

    edited: Mapping[str, str]
    due: tuple[str, ...]
    unasked: tuple[str, ...] = ()

    def calls_for_action(self, before: Look | None) -> bool:
        """Whether to act now: on what is due or unasked at once, on files once their bytes have settled.

        A file caught half-written looks different a moment later; acting on it would report a mistake
        that nobody made.
        """
        settled = before is not None and before.edited == self.edited
        return bool(self.due or self.unasked or (self.edited and settled))


@dataclass(frozen=True, slots=True)
class RescoreAsked:
    """One request to rescore everybody, named anew at every attempt: a failed one can be followed."""

    scorecard: str
    activation_seq: int
    attempt: int

    @property
    def name(self) -> str:
        """`b2b_saas__3__1`: scorecard, activation, attempt."""
        return self._name(self.attempt)

    @property
    def earlier(self) -> list[str]:
        """The names of the attempts before this one, as far back as one may reasonably still be waiting."""
        return [self._name(attempt) for attempt in range(max(1, self.attempt - 100), self.attempt)]

    def _name(self, attempt: int) -> str:
        return f"{self.scorecard}__{self.activation_seq}__{attempt}"


def look(ws: Workspace, *, at: datetime) -> Look:
    """Compare the files on disk, and the activations in force, with what the ledger says was done."""
    with ws.ledger.reading() as connection:
        due = tuple(active.scorecard for active in activations.rescore_due(connection, now=at))
        unasked = tuple(hold.hold_id for hold in holds.open_holds(connection) if hold.asked_at is None)
    return Look(edited_files(ws), due, unasked)


def ask_review(ws: Workspace, *, at: datetime) -> str | None:
    """Note that a person is asked now about the oldest open hold nobody was asked about; its id, or None.

    The id is also that of the review's run, so a review that never starts can be started by hand.
    """
    with ws.ledger.transaction() as connection:
        unasked = [hold for hold in holds.open_holds(connection) if hold.asked_at is None]
        if not unasked:
            return None
        holds.note(connection, unasked[0].hold_id, asked_at=at)
    return unasked[0].hold_id


def ask_rescore(ws: Workspace, *, at: datetime) -> RescoreAsked | None:
    """Note the next attempt at the first rescore that is due; None when none is.

    The note comes before the attempt itself: if that never starts, the rescore falls due again.
    """
    with ws.ledger.transaction() as connection:
        due = activations.rescore_due(connection, now=at)
        if not due:
            return None
        attempt = activations.ask_rescore(connection, due[0].scorecard, at=at)
    return RescoreAsked(due[0].scorecard, due[0].activation_seq, attempt)
