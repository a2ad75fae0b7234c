"""What waits for a person: a rules change, a run's stage, or one automation's crossings of a run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, select, update

from rescore.errors import InputUnreadable
from rescore.ledger import tables
from rescore.ledger.upsert import insert
from rescore.policy.limits import Measures

RULES, STAGE, AUTOMATION = "rules", "stage", "automation"

OPEN, RELEASED, SILENCED = "open", "released", "silenced"
DISCARDED, EXPIRED, SUPERSEDED = "discarded", "expired", "superseded"
GRANTED = frozenset({RELEASED, SILENCED})
"""The answers that let it happen; `silenced` is a release without automations."""

Answer = Literal["release", "release_without_automations", "discard"]
STATE_OF: dict[Answer, str] = {
    "release": RELEASED,
    "release_without_automations": SILENCED,
    "discard": DISCARDED,
}


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. `reasons` are sentences and `measures` counts, as they were when a person was asked.

    `version_seq` and `plan_hash` are those of a held rules change, `run_key` is the run whose stage or whose
    crossings are held. A stage hold moves on from run to run while the newer stage is no worse.
    """

    hold_id: str
    scorecard: str
    what: str
    version_seq: int | None
    plan_hash: str | None
    run_key: str | None
    automation: str | None
    reasons: tuple[str, ...]
    measures: Measures | None
    only_by_rules: bool
    state: str
    opened_at: datetime
    opened_by: str
    expires_at: datetime
    asked_at: datetime | None
    told_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None

    @property
    def ending(self) -> str:
        """What became of it: `discarded by rita`, `superseded by version 3`, `expired, nobody answered`."""
        return f"{self.state}{', ' if self.state == EXPIRED else ' by '}{self.decided_by}"


def rules_hold_id(scorecard: str, version_seq: int, plan_hash: str) -> str:
    """`b2b_saas__rules__7__ab12cd34`: the same for the same plan, and a valid id of an Airflow run."""
    return f"{scorecard}__rules__{version_seq}__{plan_hash[:8]}"


def run_hold_id(scorecard: str, what: str, run_key: str, *, fence: int, earlier: int = 0) -> str:
    """`b2b_saas__stage__ab12cd34`, `b2b_saas__automation_mql__ab12cd34`.

    The same for the same attempt at a run that was held so many times before.
    """
    digest = hashlib.sha256(f"{run_key}|{fence}|{earlier}".encode()).hexdigest()
    return f"{scorecard}__{what}__{digest[:8]}"


def open_hold(
    connection: Connection,
    *,
    hold_id: str,
    scorecard: str,
    what: str,
    reasons: tuple[str, ...],
    measures: Measures,
    at: datetime,
    by: str,
    expires_at: datetime,
    version_seq: int | None = None,
    plan_hash: str | None = None,
    run_key: str | None = None,
    automation: str | None = None,
    only_by_rules: bool = False,
) -> str:
    """Open a hold; a hold of that id, decided or not, stays as it is.

    Returns:
        Its id.
    """
    summary = {"reasons": list(reasons), "measures": measures.as_json(), "only_by_rules": only_by_rules}
    connection.execute(
        insert(connection, tables.hold)
        .values(
            hold_id=hold_id,
            scorecard=scorecard,
            what=what,
            version_seq=version_seq,
            plan_hash=plan_hash,
            run_key=run_key,
            automation=automation,
            summary=json.dumps(summary),
            state=OPEN,
            opened_at=at,
            opened_by=by,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing()
    )
    return hold_id


def find(connection: Connection, hold_id: str) -> Hold:
    """One hold.

    Raises:
        InputUnreadable: There is none of that id.
    """
    row = connection.execute(_holds().where(tables.hold.c.hold_id == hold_id)).one_or_none()
    if row is None:
        raise InputUnreadable(f"there is no hold `{hold_id[:200]}`; `rescore holds` lists what is open")
    return _hold(row)


def open_holds(connection: Connection, scorecard: str | None = None, what: str | None = None) -> list[Hold]:
    """The holds that nobody has answered, oldest first."""
    query = _holds().where(tables.hold.c.state == OPEN)
    if scorecard is not None:
        query = query.where(tables.hold.c.scorecard == scorecard)
    if what is not None:
        query = query.where(tables.hold.c.what == what)
    return [_hold(row) for row in connection.execute(query)]


def of_run(connection: Connection, run_key: str, what: str) -> list[Hold]:
    """Every hold of a run, whatever has become of it, oldest first."""
    query = _holds().where(tables.hold.c.run_key == run_key, tables.hold.c.what == what)
    return [_hold(row) for row in connection.execute(query)]


def unfinished(connection: Connection) -> list[Hold]:
    """Decided holds whose answer has not been carried out, because whoever did it was interrupted.

    Of several about the same rules, or the same run, only the last one's answer counts.
    """
    hold, version, run, crossing = tables.hold, tables.rules_version, tables.run, tables.crossing
    held_version = (
        select(version.c.seq)
        .where(
            version.c.scorecard == hold.c.scorecard,
            version.c.seq == hold.c.version_seq,
            version.c.status == "held",
            hold.c.what == RULES,
        )
        .exists()
    )
    held_run = (
        select(run.c.run_key)
        .where(run.c.run_key == hold.c.run_key, run.c.state == "held", hold.c.what == STAGE)
        .exists()
    )
    held_crossing = (
        select(crossing.c.lead)
        .where(crossing.c.hold_id == hold.c.hold_id, crossing.c.outcome == "held")
        .exists()
    )
    decided = _holds().where(hold.c.state != OPEN, held_version | held_run | held_crossing)
    return [hold for hold in map(_hold, connection.execute(decided)) if is_last(connection, hold)]


def is_last(connection: Connection, hold: Hold) -> bool:
    """Whether no later hold asks about the same rules, or the same run's stage, once more."""
    if hold.what == AUTOMATION:
        return True
    table = tables.hold
    subject = (
        table.c.version_seq == hold.version_seq if hold.what == RULES else table.c.run_key == hold.run_key
    )
    later = select(table.c.hold_id).where(
        table.c.scorecard == hold.scorecard,
        table.c.what == hold.what,
        subject,
        table.c.hold_id != hold.hold_id,
        (table.c.opened_at > hold.opened_at) | (table.c.state == OPEN),
    )
    return connection.execute(later.limit(1)).one_or_none() is None


def lapsed(connection: Connection, at: datetime) -> list[Hold]:
    """The open holds whose time is over."""
    query = _holds().where(tables.hold.c.state == OPEN, tables.hold.c.expires_at <= at)
    return [_hold(row) for row in connection.execute(query)]


def close(connection: Connection, hold: Hold, state: str, *, at: datetime, by: str) -> bool:
    """Say what has become of an open hold, by whom or by what; False when it is not open any more."""
    closed = connection.execute(
        update(tables.hold)
        .where(tables.hold.c.hold_id == hold.hold_id, tables.hold.c.state == OPEN)
        .values(state=state, decided_at=at, decided_by=by)
    )
    return closed.rowcount == 1


def move_to_run(connection: Connection, hold: Hold, run_key: str) -> None:
    """Let a newer stage take the place of the one that is held; what a person was told stays as it is."""
    connection.execute(
        update(tables.hold).where(tables.hold.c.hold_id == hold.hold_id).values(run_key=run_key)
    )


def note(connection: Connection, hold_id: str, **moments: datetime) -> None:
    """Note `asked_at` or `told_at`."""
    connection.execute(update(tables.hold).where(tables.hold.c.hold_id == hold_id).values(**moments))


def _holds() -> Select[Any]:
    return select(tables.hold).order_by(tables.hold.c.opened_at, tables.hold.c.hold_id)


def _hold(row: Row[Any]) -> Hold:
    plain = dict(row._mapping)
    summary = json.loads(plain.pop("summary"))
    return Hold(
        **plain,
        reasons=tuple(summary["reasons"]),
        measures=Measures.read(summary["measures"]),
        only_by_rules=summary["only_by_rules"],
    )
