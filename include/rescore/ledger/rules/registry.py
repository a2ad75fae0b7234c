"""Every rules body ever seen, exactly as read, and what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from rescore.errors import InputUnreadable, ScorecardInvalid
from rescore.ledger import tables
from rescore.ledger.lock import lock_scorecard
from rescore.rules.card import Scorecard
from rescore.rules.fingerprint import fingerprint
from rescore.rules.lists import NO_LISTS, ListFiles, lists_as_json, lists_from_json, sha256_of
from rescore.rules.load import load_scorecard

DRAFT, REJECTED, HELD, DISCARDED = "draft", "rejected", "held", "discarded"
ACTIVE, RETIRED, SHADOW = "active", "retired", "shadow"
"""A draft is a version that nobody has decided about yet; a retired one was in force before; a shadow was
never in a rules file, only scored beside others."""


def register(
    connection: Connection,
    *,
    card: Scorecard,
    body: bytes,
    path: str,
    at: datetime,
    by: str,
    lists: ListFiles = NO_LISTS,
) -> int:
    """Remember a body that holds, with the list files it names; the same bytes again are the same version.

    Bytes that were retired, discarded or a shadow and are saved once more are a draft again.

    Returns:
        Its sequence number within the scorecard.
    """
    marks = fingerprint(card)
    parts = {"scoring": marks.scoring, "thresholds": marks.thresholds, "wording": marks.wording}
    values = {"body": body, "path": path, "registered_at": at, "registered_by": by, **parts}
    return _remember(connection, card.id, sha256_of(body, lists), values, lists, status=DRAFT, error=None)


def reject(
    connection: Connection,
    *,
    scorecard: str,
    sha256: str,
    body: bytes | None,
    path: str,
    at: datetime,
    by: str,
    problems: Sequence[str],
    lists: ListFiles = NO_LISTS,
) -> int:
    """Remember what does not hold by its hash, with why; it can never be put in force.

    Args:
        connection: A transaction's.
        scorecard: Whose version it would have been.
        sha256: What identifies it.
        body: Its bytes; None for what was not read to its end.
        path: The file's name.
        at: Now.
        by: Who put it forward.
        problems: Why, one line each.
        lists: The list files that it names; they are a part of it.

    Returns:
        Its sequence number within the scorecard.
    """
    values = {"body": body, "path": path, "registered_at": at, "registered_by": by}
    return _remember(connection, scorecard, sha256, values, lists, status=REJECTED, error="\n".join(problems))


def files_seen(connection: Connection) -> dict[str, str]:
    """The SHA-256 of what each path held when it was last looked at, list files included."""
    rows = connection.execute(
        select(tables.rules_version.c.path, tables.rules_version.c.sha256).order_by(
            tables.rules_version.c.seen
        )
    )
    return {row.path: row.sha256 for row in rows}


def drafts(connection: Connection) -> list[Row[Any]]:
    """What the files said last and nobody has decided about, because whoever began was interrupted."""
    version = tables.rules_version
    last = select(func.max(version.c.seen)).group_by(version.c.path)
    return list(
        connection.execute(
            select(version)
            .where(version.c.seen.in_(last), version.c.status == DRAFT)
            .order_by(version.c.path)
        )
    )


def version(connection: Connection, scorecard: str, seq: int) -> Row[Any]:
    """One registered version.

    Raises:
        InputUnreadable: There is none of that number.
    """
    row = connection.execute(
        select(tables.rules_version).where(
            tables.rules_version.c.scorecard == scorecard, tables.rules_version.c.seq == seq
        )
    ).one_or_none()
    if row is None:
        raise InputUnreadable(
            f"scorecard `{scorecard}` has no version {seq}; it has {_held_ones(connection, scorecard)}"
        )
    return row


def version_that_held(connection: Connection, scorecard: str, seq: int) -> Row[Any]:
    """One registered version, of those that were not rejected.

    Raises:
        InputUnreadable: There is none of that number, or it was rejected.
    """
    row = version(connection, scorecard, seq)
    if row.status == REJECTED:
        raise InputUnreadable(
            f"version {seq} of `{scorecard}` did not hold and was rejected; "
            f"name one of {_held_ones(connection, scorecard)}"
        )
    return row


def card(connection: Connection, scorecard: str, seq: int) -> Scorecard:
    """The rules of one registered version.

    Raises:
        InputUnreadable: There is none of that number, or it was rejected.
        ScorecardInvalid: This build no longer accepts it.
    """
    row = version_that_held(connection, scorecard, seq)
    return _read(bytes(row.body), row.lists, f"{scorecard} version {seq}")


def accepted(connection: Connection, scorecard: str, seq: int) -> Scorecard | None:
    """The rules of one registered version; None where this build refuses what an earlier one accepted."""
    try:
        return card(connection, scorecard, seq)
    except ScorecardInvalid:
        return None


def _held_ones(connection: Connection, scorecard: str) -> str:
    table = tables.rules_version
    found = select(table.c.seq).where(table.c.scorecard == scorecard, table.c.status != REJECTED)
    return ", ".join(map(str, connection.scalars(found.order_by(table.c.seq)))) or "none"


@lru_cache(maxsize=32)
def _read(body: bytes, lists: str | None, name: str) -> Scorecard:
    """Bodies and scorecards never change, and every step of a run asks for the same few."""
    return load_scorecard(body, name=name, lists=lists_from_json(lists))


def set_status(connection: Connection, scorecard: str, seq: int, status: str) -> None:
    """Say what has become of a version."""
    connection.execute(
        update(tables.rules_version)
        .where(tables.rules_version.c.scorecard == scorecard, tables.rules_version.c.seq == seq)
        .values(status=status)
    )


def refuse(connection: Connection, scorecard: str, seq: int, problems: Sequence[str]) -> None:
    """Reject a version that an earlier build accepted, with why; people are told once more."""
    version = tables.rules_version
    connection.execute(
        update(version)
        .where(version.c.scorecard == scorecard, version.c.seq == seq)
        .values(status=REJECTED, error="\n".join(problems), told_at=None)
    )


def discard_held(connection: Connection, scorecard: str, but: int | None) -> None:
    """Discard what is held, whether or not it was answered: a newer decision has taken its place."""
    version = tables.rules_version
    connection.execute(
        update(version)
        .where(
            version.c.scorecard == scorecard, version.c.status == HELD, version.c.seq.is_distinct_from(but)
        )
        .values(status=DISCARDED)
    )


def last_seen(connection: Connection, scorecard: str) -> int:
    """A number that grows whenever a file says something else of a scorecard."""
    version = tables.rules_version
    last = select(func.max(version.c.seen)).where(version.c.scorecard == scorecard)
    return connection.scalar(last) or 0


def _remember(
    connection: Connection,
    scorecard: str,
    sha256: str,
    values: dict[str, Any],
    lists: ListFiles,
    *,
    status: str,
    error: str | None,
) -> int:
    lock_scorecard(connection, scorecard)
    values |= {"lists": lists_as_json(lists)}
    seen = (
        1 + connection.execute(select(func.coalesce(func.max(tables.rules_version.c.seen), 0))).scalar_one()
    )
    of_card = tables.rules_version.c.scorecard == scorecard
    known = connection.execute(
        select(tables.rules_version).where(of_card, tables.rules_version.c.sha256 == sha256)
    ).one_or_none()
    if known is not None:
        changes = {"seen": seen, "path": values["path"]}
        if status == DRAFT and known.status in (RETIRED, DISCARDED, SHADOW):
            changes["status"] = DRAFT
        if (known.status == REJECTED) != (status == REJECTED) and known.status in (REJECTED, DRAFT):
            changes |= values | {"status": status, "error": error}  # another build judged it differently
        connection.execute(
            update(tables.rules_version)
            .where(of_card, tables.rules_version.c.seq == known.seq)
            .values(**changes)
        )
        return int(known.seq)
    last = select(func.coalesce(func.max(tables.rules_version.c.seq), 0)).where(of_card)
    seq = 1 + connection.execute(last).scalar_one()
    connection.execute(
        insert(tables.rules_version).values(
            scorecard=scorecard, seq=seq, sha256=sha256, seen=seen, status=status, error=error, **values
        )
    )
    return int(seq)
