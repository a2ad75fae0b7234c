"""One state of the runbook, tried: how a deployment gets into it, what people do, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.operations.place import Place

Deed = Callable[[Place], None]


def nobody(place: Place) -> None:
    """Nothing is done."""


def send(place: Place) -> None:
    """The next run's deliveries."""
    place.send()


@dataclass(frozen=True)
class Case:
    """One row, tried.

    Attributes:
        arrange: Brings a deployment into the state.
        mend: What a person does outside before the commands: a file, a Connection, a record in the CRM.
        by_hand: What a way out that has no command says.
        alone: What time brings, where a way out is to do nothing; None when the state is an end.
        after: What runs by itself once something was done.
        over: Whether it is over, by what is printed then; without it the words have to be gone.
        base: Which deployment it begins with.
        look: The command that prints the words.
        words: Which of the row's words are printed here; empty means all.
        names: What the words in CAPITALS stand for.
    """

    arrange: Deed
    mend: Deed = nobody
    by_hand: Deed = nobody
    alone: Deed | None = None
    after: Deed = send
    over: Callable[[Place, str], bool] | None = None
    base: str = "lived"
    look: str = "status"
    words: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
