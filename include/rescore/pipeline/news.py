"""What people have not been told yet: holds, rejected rules, finished rescores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, select, update

from rescore.ledger import tables
from rescore.ledger.rules import holds, registry
from rescore.ledger.scores import runs
from rescore.workspace import Workspace

SAID = ("changed", "overtaken", "fired", "suppressed", "held")


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell: `subject` is a line, `text` a few; counts and ids, no lead data.

    `number` is the version of rejected rules, or the activation that was rescored.
    """

    kind: Literal["hold", "rejected", "rescored"]
    scorecard: str
    subject: str
    text: str
    hold_id: str | None = None
    number: int | None = None


def news_to_tell(ws: Workspace) -> list[News]:
    """Everything that nobody has been told, oldest kind of worry first; call `told` for what went out."""
    with ws.ledger.reading() as connection:
        return [*_holds(connection), *_rejected(connection), *_rescored(connection)]


def told(ws: Workspace, news: News, *, at: datetime) -> None:
    """Note that people know, so that they are not told again."""
    with ws.ledger.transaction() as connection:
        if news.hold_id is not None:
            holds.note(connection, news.hold_id, told_at=at)
            return
        table, number = (
            (tables.rules_version, tables.rules_version.c.seq)
            if news.kind == "rejected"
            else (tables.activation, tables.activation.c.activation_seq)
        )
        mine = (table.c.scorecard == news.scorecard) & (number == news.number)
        connection.execute(update(table).where(mine).values(told_at=at))


def _holds(connection: Connection) -> Iterator[News]:
    for hold in holds.open_holds(connection):
        if hold.told_at is None:
            yield News(
                "hold",
                hold.scorecard,
                f"{hold.scorecard} waits for an answer",
                "\n".join(
                    [
                        *hold.reasons,
                        f"Hold {hold.hold_id}; without an answer until {hold.expires_at:%Y-%m-%d %H:%M} UTC "
                        "it is not done.",
                    ]
                ),
                hold_id=hold.hold_id,
            )


def _rejected(connection: Connection) -> Iterator[News]:
    version = tables.rules_version
    last = select(func.max(version.c.seen)).group_by(version.c.path)
    for row in connection.execute(
        select(version.c.scorecard, version.c.seq, version.c.path, version.c.error)
        .where(version.c.seen.in_(last), version.c.status == registry.REJECTED, version.c.told_at.is_(None))
        .order_by(version.c.path)
    ):
        yield News("rejected", row.scorecard, f"{row.path} is rejected", row.error, number=row.seq)


def _rescored(connection: Connection) -> Iterator[News]:
    """Activations after the first whose rescore is done; a change of words rescores nobody."""
    activation = tables.activation
    for row in connection.execute(
        select(activation)
        .where(
            activation.c.rescored_at.is_not(None),
            activation.c.told_at.is_(None),
            activation.c.activation_seq > 1,
            activation.c.wakes != "wording",
        )
        .order_by(activation.c.rescored_at)
    ):
        counts = _counts(connection, row.scorecard, row.activation_seq)
        yield News(
            "rescored",
            row.scorecard,
            f"{row.scorecard} is rescored under version {row.version_seq}",
            ", ".join(f"{counts[name]:,} {name}" for name in SAID if counts.get(name)) or "nothing changed",
            number=row.activation_seq,
        )


def _counts(connection: Connection, scorecard: str, activation_seq: int) -> dict[str, int]:
    """What the rescore did, or nothing when a run of another kind has settled it."""
    run = tables.run
    found = connection.scalar(
        select(run.c.counts)
        .where(
            run.c.scorecard == scorecard,
            run.c.activation_seq == activation_seq,
            run.c.kind.in_([runs.RESCORE, runs.THRESHOLDS]),
            run.c.state == runs.PROMOTED,
        )
        .order_by(run.c.finished_at)
        .limit(1)
    )
    return {} if found is None else dict(json.loads(found))
