"""What was a lead's score, as believed at any moment and under any version of the rules?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from rescore.errors import InputUnreadable
from rescore.ledger import tables
from rescore.ledger.rules import registry
from rescore.ledger.rules.activations import Active
from rescore.ledger.scores import history, seen
from rescore.ledger.scores.history import Change
from rescore.rules.card import Scorecard
from rescore.scoring.explain import explain
from rescore.scoring.explanation import Explanation
from rescore.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Belief:
    """One score accounted for, the rules it is under, and how it came about.

    `known_as_of` is None for the facts that the committed score was made of, or for all there are.
    """

    explanation: Explanation
    version: int
    known_as_of: datetime | None
    changes: list[Change]


def committed_belief(
    ws: Workspace, active: Active, lead: str, *, version: int | None = None
) -> Belief | None:
    """A lead's committed score, from the facts that it was made of, under its own version or another.

    None when the scorecard has no score of it.

    Raises:
        InputUnreadable: There is no such version, or it cannot score.
    """
    with ws.ledger.reading() as connection:
        [*rows] = seen.made_of(connection, active.scorecard, [lead]).to_pylist()
        if not rows:
            return None
        [row] = rows
        chosen = row["version"] if version is None else version
        card = registry.card(connection, active.scorecard, chosen)
        changes = history.last_changes(connection, active.scorecard, lead)
    noted = {name: row[f"seen_{name}"] for name in ("activities", "leads", "aliases")}
    known = noted if None not in noted.values() else None
    explained = _explained(ws, card, lead, as_of=row["as_of"].replace(tzinfo=UTC), known=known)
    return Belief(explained, chosen, None, changes)


def belief(
    ws: Workspace,
    active: Active,
    lead: str,
    *,
    as_of: datetime,
    known_as_of: datetime | None = None,
    version: int | None = None,
) -> Belief:
    """A lead's score at a time, from the facts known at a time.

    Args:
        ws: The stores.
        active: The scorecard, as in force now.
        lead: The lead's key.
        as_of: The scoring time (aware).
        known_as_of: What landed later does not exist (aware); None for all there is.
        version: The rules; None for those in force when the facts were known.

    Raises:
        InputUnreadable: There is no such version, or it cannot score; none was in force then; nothing was
            known of the lead then.
    """
    with ws.ledger.reading() as connection:
        chosen = version or _in_force(connection, active, known_as_of)
        card = registry.card(connection, active.scorecard, chosen)
        changes = history.last_changes(connection, active.scorecard, lead, until=known_as_of)
    explained = _explained(ws, card, lead, as_of=as_of, known=known_as_of)
    return Belief(explained, chosen, known_as_of, changes)


def _explained(
    ws: Workspace, card: Scorecard, lead: str, *, as_of: datetime, known: datetime | Mapping[str, int] | None
) -> Explanation:
    with ws.lake.facts([lead], known_as_of=known) as facts:
        try:
            return explain(card, facts, lead, as_of=as_of)
        except InputUnreadable:
            raise _unknown_lead(ws, lead, known) from None


def _unknown_lead(ws: Workspace, lead: str, known: object) -> InputUnreadable:
    merged = ws.lake.canonical([lead])
    if merged:
        return InputUnreadable(f"{lead[:80]} was merged into {merged[lead]}; explain that lead")
    first = ws.lake.first_known(lead)
    if first is None:
        return InputUnreadable(
            f"the lake knows no lead {lead[:80]!r}; a key is the CRM's name in small letters, a colon and "
            "its record id, as in hubspot:1042"
        )
    then = f"{known:%Y-%m-%d %H:%M} UTC" if isinstance(known, datetime) else "then"
    return InputUnreadable(
        f"nothing was known of {lead[:80]} on {then}: its first facts landed on {first:%Y-%m-%d %H:%M} UTC"
    )


def _in_force(connection: Connection, active: Active, moment: datetime | None) -> int:
    """The version in force at a moment, or now."""
    if moment is None:
        return active.version_seq
    table = tables.activation
    mine = select(table.c.version_seq, table.c.activated_at).where(table.c.scorecard == active.scorecard)
    then = connection.execute(
        mine.where(table.c.activated_at <= moment).order_by(table.c.activation_seq.desc()).limit(1)
    ).one_or_none()
    if then is not None:
        return int(then.version_seq)
    first = connection.execute(mine.order_by(table.c.activation_seq).limit(1)).one()
    raise InputUnreadable(
        f"no rules of `{active.scorecard}` were in force on {moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC: the "
        f"first came on {first.activated_at:%Y-%m-%d %H:%M} UTC; name a version with --version"
    )
