"""A mapping shows a scorecard from now on: its target is owed every score there is, changed or not."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, literal, select

from rescore.ledger import installation, tables
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.outbox.records import has_record
from rescore.ledger.outbox.wishes import SCORE
from rescore.ledger.upsert import insert
from rescore.withheld import OBJECTION


def are_known(connection: Connection, scorecard: str, targets: Collection[str]) -> bool:
    """Whether these are the targets that were owed a scorecard's scores when it was last promoted."""
    known: list[str] | None = installation.read(connection, _name(scorecard))
    return known == sorted(targets)


def owe_new_targets(connection: Connection, scorecard: str, targets: Collection[str]) -> int:
    """Owe the scores of record to targets that did not show them at the last promotion; how many writes.

    What a target was shown before it was left out of the mapping is written again where it has moved since.
    """
    lock_scorecard(connection, scorecard)
    known = installation.read(connection, _name(scorecard)) or []
    owed = sum(_owe_everything(connection, scorecard, target) for target in sorted(set(targets) - set(known)))
    installation.write(connection, _name(scorecard), sorted(targets))
    return owed


def _name(scorecard: str) -> str:
    return f"{scorecard} is shown by"


def _owe_everything(connection: Connection, scorecard: str, target: str) -> int:
    score, sync = tables.score, tables.sync
    wishes = insert(connection, sync).from_select(
        ["target", "scorecard", "lead", "want_ver", "acked_ver", "state", "priority", "tries"],
        select(
            literal(target),
            score.c.scorecard,
            score.c.lead,
            score.c.ver,
            literal(0),
            literal("due"),
            literal(SCORE),
            literal(0),
        )
        .where(
            score.c.scorecard == scorecard,
            score.c.ver > 0,
            score.c.withheld.is_(None) | (score.c.withheld == OBJECTION),
            has_record(target, score.c.lead),
        )
        .order_by(score.c.lead),
    )
    moved = {"want_ver": wishes.excluded.want_ver, "state": "due", "tries": 0, "next_at": None}
    return connection.execute(
        wishes.on_conflict_do_update(
            index_elements=["target", "scorecard", "lead"],
            set_=moved | {"failure": None, "reason": None},
            where=sync.c.want_ver < wishes.excluded.want_ver,
        ),
        execution_options={"preserve_rowcount": True},
    ).rowcount
