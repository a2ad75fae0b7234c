"""One store is older than the other: nothing is sent until targets are read back and a person says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from rescore.errors import InputUnreadable
from rescore.ledger import installation, tables
from rescore.ledger.scores import streams

NAME = "restored"
RESUMED = "resumed after a restore"


@dataclass(frozen=True, slots=True)
class Restored:
    """Since when sending is held, and why; `read_back` says which targets were read back since, and when.

    While `reading_again`, what the lake has lost comes from the sources once more.
    """

    noticed_at: datetime
    why: str
    read_back: Mapping[str, datetime]
    reading_again: bool = False


def restored(connection: Connection) -> Restored | None:
    """The restore that nobody has resumed from yet."""
    known = installation.read(connection, NAME)
    if known is None:
        return None
    read_back = {target: datetime.fromisoformat(at) for target, at in known["read_back"].items()}
    noticed_at = datetime.fromisoformat(known["noticed_at"])
    return Restored(noticed_at, known["why"], read_back, known["reading_again"])


def notice(connection: Connection, *, at: datetime, why: str, reading_again: bool = False) -> None:
    """Hold everything that would be sent, have targets read back, and everybody scored once more.

    Noticed again it starts anew: what was read back may be older than the ledger that is there now. What is
    being read again still is.
    """
    known = restored(connection)
    reading_again = reading_again or (known is not None and known.reading_again)
    _write(connection, Restored(at, why, {}, reading_again))
    connection.execute(update(tables.control).values(full_pass_date=None))


def note_read_back(connection: Connection, target: str, *, at: datetime) -> None:
    """A target's confirmed leads were all read back after the restore was noticed."""
    known = restored(connection)
    if known is not None:
        _write(connection, replace(known, read_back={**known.read_back, target: at}))


def missing(connection: Connection) -> list[str]:
    """What has to happen before anything may be sent again, one sentence each."""
    known = restored(connection)
    if known is None:
        return []
    sync, control = tables.sync, tables.control
    targets = connection.scalars(select(sync.c.target).where(sync.c.acked_ver > 0).distinct())
    unscored = connection.scalars(
        select(control.c.scorecard).where(
            control.c.activation_seq.is_not(None),
            control.c.paused.is_(False),
            control.c.first_load_done,
            control.c.full_pass_date.is_(None),
        )
    )
    reading = known.reading_again and not streams.history_complete(connection)
    return [
        *(["the history is not read again yet: run the DAG score_leads until it is"] if reading else []),
        *(
            f"{target} is not read back yet: run the DAG reconcile"
            for target in sorted(targets)
            if target not in known.read_back
        ),
        *(
            f"{card} has not scored everybody yet: run the DAG score_leads, or pause the scorecard"
            for card in sorted(unscored)
        ),
    ]


def resume(
    connection: Connection, *, at: datetime, by: str, without_automations: bool = False
) -> Counter[str]:
    """Let everything be sent again.

    Args:
        connection: In a transaction.
        at: The present.
        by: Who says so; it is kept.
        without_automations: Cancel the deliveries that are due, which may have been made before the restore.

    Returns:
        Counts of deliveries: `due`, or `cancelled`.

    Raises:
        InputUnreadable: No restore was noticed, or something has to happen first; it says what.
    """
    known = restored(connection)
    if known is None:
        raise InputUnreadable("no restore was noticed, so there is nothing to resume")
    if first := missing(connection):
        raise InputUnreadable("; ".join(first))
    delivery = tables.delivery
    due = delivery.c.state == "due"
    if without_automations:
        reason = f"after a restore {by} resumed without automations"
        values = {"state": "cancelled", "settled_at": at, "reason": reason}
        counts = Counter(cancelled=connection.execute(update(delivery).where(due).values(values)).rowcount)
    else:
        counts = Counter(due=connection.scalar(select(func.count()).select_from(delivery).where(due)) or 0)
    story = installation.read(connection, RESUMED) or []
    told = {"noticed_at": known.noticed_at.isoformat(), "why": known.why}
    installation.write(connection, RESUMED, [*story, told | {"resumed_at": at.isoformat(), "by": by}])
    installation.forget(connection, NAME)
    return counts


def _write(connection: Connection, known: Restored) -> None:
    read_back = {target: at.isoformat() for target, at in known.read_back.items()}
    value = {"noticed_at": known.noticed_at.isoformat(), "why": known.why, "read_back": read_back}
    installation.write(connection, NAME, value | {"reading_again": known.reading_again})
