"""Where does everything stand? One reading of the ledger, as counts that leave nobody out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select, union_all

from rescore.ledger import tables
from rescore.ledger.outbox import breakers, overrides
from rescore.ledger.outbox.breakers import Breaker
from rescore.ledger.outbox.restored import Restored, restored
from rescore.ledger.people import barred, erasures, records
from rescore.ledger.people.erasures import Erasure
from rescore.ledger.rules import activations, holds, registry
from rescore.ledger.rules.holds import Hold
from rescore.ledger.scores.streams import NOTED_HERE
from rescore.withheld import DELETED, MERGED

LAST_RUNS = 10
LAST_PLANS = 3
DAY = timedelta(days=1)
SUPPRESSED_LATELY = timedelta(days=7)

LEAD_STATES = (
    "barred",  # a source says it is one with somebody who was erased: nothing more of it lands
    "dirty",  # new facts, or overtaken: the next run scores it
    "parked",  # a target refused it; a person has to look
    "overridden",  # a person wrote another score into the CRM, and it stays for now
    "deferred",  # a target could not take it; tried again later
    "due",  # waits for the next update_crm
    "shadow",  # known, and on purpose not sent
    "small",  # moved by less than the mapping's minimum_change since it was last shown
    "deleted",  # gone from the CRM: nobody is created anew
    "outside",  # never in the audience: nothing to show
    "untargeted",  # scored, and no target that shows this scorecard has a record of them
    "settled",  # every target shows the score of record
    "elsewhere",  # left to another target, which is not owed it yet
)
"""Every lead is in exactly one: the first that applies, over all of its targets."""


@dataclass(frozen=True, slots=True)
class ScorecardStatus:
    """One scorecard in force; `leads` counts by `LEAD_STATES`, `bands` the scored leads, best band first.

    `file_differs` when the file, as last looked at, holds another version: one that is held, discarded or
    rolled back. `suppressed` counts the crossings of the last seven days that did not fire, by automation.
    """

    scorecard: str
    version: int
    activation: int
    path: str
    activated_at: datetime
    file_gone: bool
    file_differs: bool
    rescore_owed: bool
    paused: bool
    paused_reason: str | None
    scored: int
    bands: Mapping[str, int]
    leads: Mapping[str, int]
    suppressed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PlanStatus:
    """One plan, for a list of the latest; `told` is its opening line."""

    plan_hash: str
    scorecard: str
    old_version: int
    new_version: int
    as_of: datetime
    told: str


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file whose bytes, as last looked at, do not hold; `problems` are `file:line:col: message`."""

    path: str
    scorecard: str
    seen_at: datetime
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run, for a list of the latest."""

    run_key: str
    scorecard: str
    kind: str
    state: str
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Status:
    """The whole picture: scorecards, what is owed to targets and receivers, rejected files, last runs.

    `unanswered` counts the deliveries of which nobody knows whether a call arrived, and that were neither
    confirmed later nor given up; `undone` are answered holds whose answer was not carried out, `erasures`
    those not finished, oldest first. `read` says of each source
    when all of its streams had last been read to their end; None while its history is loading, and `unread`
    are those that have a mapping and were never begun: most often their Connection is missing. While
    `restored`, nothing is sent. `due` counts what each target is owed by priority: 1 band changes and
    crossings, 2 scores, 3 what has to be repeated; `left_alone` are those that nobody calls now. `ambiguous`
    counts the records that may be one person with several others.
    """

    scorecards: tuple[ScorecardStatus, ...]
    syncs: Mapping[str, Mapping[str, int]]
    deliveries: Mapping[str, int]
    delivered_today: int
    unanswered: int
    rejected: tuple[RejectedFile, ...]
    holds: tuple[Hold, ...]
    plans: tuple[PlanStatus, ...]
    read: Mapping[str, datetime | None]
    runs: tuple[RunStatus, ...]
    restored: Restored | None = None
    left_alone: tuple[Breaker, ...] = ()
    due: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    undone: tuple[Hold, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    ambiguous: int = 0
    unread: tuple[str, ...] = ()

    def lines(self) -> Iterator[tuple[str, int]]:
        """Every count under a name of its own, for machines and for grep."""
        for card in self.scorecards:
            name = card.scorecard
            yield f"{name} version", card.version
            yield f"{name} activation", card.activation
            yield f"{name} file gone", int(card.file_gone)
            yield f"{name} file differs", int(card.file_differs)
            yield f"{name} rescore owed", int(card.rescore_owed)
            yield f"{name} paused", int(card.paused)
            yield f"{name} scored", card.scored
            yield from ((f"{name} band {band}", count) for band, count in card.bands.items())
            yield from ((f"{name} leads {state}", count) for state, count in card.leads.items())
            yield from ((f"{name} suppressed {which}", count) for which, count in card.suppressed.items())
        for target, states in self.syncs.items():
            yield from ((f"{target} {state}", count) for state, count in states.items())
        for target, priorities in self.due.items():
            yield from ((f"{target} due priority {number}", count) for number, count in priorities.items())
        yield from ((f"deliveries {state}", count) for state, count in self.deliveries.items())
        yield "deliveries unanswered", self.unanswered
        yield "rejected files", len(self.rejected)
        yield "open holds", len(self.holds)
        yield "answers not carried out", len(self.undone)
        yield "erasures not finished", len(self.erasures)
        yield "ambiguous persons", self.ambiguous
        yield from ((f"{source} never read", 1) for source in self.unread)
        yield "left alone", len(self.left_alone)
        yield "held after a restore", int(self.restored is not None)


def status(
    connection: Connection,
    now: datetime,
    *,
    files: Collection[str] | None = None,
    sources: Collection[str] = (),
) -> Status:
    """Read the whole picture.

    Args:
        connection: A reading one will do.
        now: Bounds `delivered_today`, the last 24 hours.
        files: The names of the rules files there are now: a rejected file that is gone needs nobody, and a
            scorecard in force whose file is gone is told. None: nobody looked.
        sources: The names of the mappings there are now.
    """
    delivery = tables.delivery
    by_target: dict[str, Counter[str]] = {}
    shown = select(tables.sync.c.target, _state().label("state")).subquery()
    for target, state, count in connection.execute(
        select(shown.c.target, shown.c.state, func.count())
        .group_by(shown.c.target, shown.c.state)
        .order_by(shown.c.target, shown.c.state)
    ):
        by_target.setdefault(target, Counter())[state] = count
    read = _read(connection)
    states = connection.execute(
        select(delivery.c.state, func.count()).group_by(delivery.c.state).order_by(delivery.c.state)
    )
    return Status(
        scorecards=tuple(
            _scorecard(connection, active, files, now) for active in activations.in_force(connection)
        ),
        syncs=by_target,
        deliveries={state: count for state, count in states},  # noqa: C416 - rows are no pairs to mypy
        delivered_today=connection.execute(
            select(func.count()).where(delivery.c.state == "delivered", delivery.c.settled_at > now - DAY)
        ).scalar_one(),
        unanswered=_unanswered(connection),
        rejected=tuple(file for file in _rejected(connection) if files is None or file.path in files),
        holds=tuple(holds.open_holds(connection)),
        plans=_plans(connection),
        read=read,
        unread=tuple(sorted(source for source in sources if source not in read)),
        runs=_runs(connection),
        left_alone=tuple(breakers.open_now(connection, now)),
        due=_due(connection),
        restored=restored(connection),
        undone=tuple(holds.unfinished(connection)),
        erasures=tuple(erasures.unfinished(connection)),
        ambiguous=records.ambiguous(connection),
    )


def _unanswered(connection: Connection) -> int:
    attempt, delivery = tables.attempt, tables.delivery
    unknown = select(attempt.c.delivery_id).where(attempt.c.outcome == "unknown")
    open_ones = delivery.c.state.in_(("due", "parked", "expired")) & delivery.c.delivery_id.in_(unknown)
    return connection.scalar(select(func.count()).select_from(delivery).where(open_ones)) or 0


def _due(connection: Connection) -> dict[str, dict[int, int]]:
    sync, due = tables.sync, dict[str, dict[int, int]]()
    for target, priority, count in connection.execute(
        select(sync.c.target, sync.c.priority, func.count())
        .where(sync.c.state == "due")
        .group_by(sync.c.target, sync.c.priority)
        .order_by(sync.c.target, sync.c.priority)
    ):
        due.setdefault(target, {})[priority] = count
    return due


def _scorecard(
    connection: Connection, active: activations.Active, files: Collection[str] | None, now: datetime
) -> ScorecardStatus:
    score = tables.score
    looked_at = registry.files_seen(connection).get(active.path, active.sha256)
    bands = connection.execute(
        select(score.c.band, func.count(), func.max(score.c.score).label("best"))
        .where(score.c.scorecard == active.scorecard, score.c.score.is_not(None))
        .group_by(score.c.band)
    ).all()
    return ScorecardStatus(
        scorecard=active.scorecard,
        version=active.version_seq,
        activation=active.activation_seq,
        path=active.path,
        activated_at=active.activated_at,
        rescore_owed=active.rescored_at is None,
        file_gone=files is not None and active.path not in files,
        file_differs=looked_at != active.sha256,
        paused=active.paused,
        paused_reason=active.paused_reason,
        scored=sum(row[1] for row in bands),
        bands={row[0] or "none": row[1] for row in sorted(bands, key=lambda row: -row.best)},
        leads=_leads(connection, active.scorecard),
        suppressed=_suppressed(connection, active.scorecard, now),
    )


def _suppressed(connection: Connection, scorecard: str, now: datetime) -> dict[str, int]:
    crossing = tables.crossing
    rows = connection.execute(
        select(crossing.c.automation, func.count())
        .where(
            crossing.c.scorecard == scorecard,
            crossing.c.outcome == "suppressed",
            crossing.c.as_of > now - SUPPRESSED_LATELY,
        )
        .group_by(crossing.c.automation)
        .order_by(crossing.c.automation)
    )
    return {automation: count for automation, count in rows}  # noqa: C416 - rows are no pairs to mypy


def _plans(connection: Connection) -> tuple[PlanStatus, ...]:
    plan = tables.plan
    rows = connection.execute(select(plan).order_by(plan.c.made_at.desc()).limit(LAST_PLANS))
    return tuple(
        PlanStatus(
            row.plan_hash,
            row.scorecard,
            row.old_version,
            row.new_version,
            row.as_of,
            json.loads(row.summary)["opening_line"],
        )
        for row in rows
    )


def _leads(connection: Connection, scorecard: str) -> dict[str, int]:
    """Every lead that has a score or a mark, once, by the state that says most about it."""
    score, sync, dirty = tables.score, tables.sync, tables.dirty
    state = case(
        (sync.c.lead.is_(None) & (score.c.ver == 0), "outside"),
        (sync.c.lead.is_(None), "untargeted"),
        ((sync.c.state == "due") & (sync.c.tries > 0), "deferred"),
        else_=_state(),
    )
    pieces = union_all(
        select(dirty.c.lead, literal("dirty").label("state")).where(dirty.c.scorecard == scorecard),
        select(score.c.lead, state)
        .outerjoin(sync, (sync.c.scorecard == score.c.scorecard) & (sync.c.lead == score.c.lead))
        .where(score.c.scorecard == scorecard, score.c.withheld.is_distinct_from(MERGED)),
        select(score.c.lead, literal("barred")).where(
            score.c.scorecard == scorecard,
            score.c.lead.in_(barred.leads()),
            score.c.withheld.is_(None) | score.c.withheld.not_in((MERGED, DELETED)),
        ),
    ).subquery()
    rank = case(
        *((pieces.c.state == name, position) for position, name in enumerate(LEAD_STATES)),
        else_=len(LEAD_STATES),
    )
    first = select(func.min(rank).label("rank")).group_by(pieces.c.lead).subquery()
    rows = connection.execute(select(first.c.rank, func.count()).group_by(first.c.rank))
    counts = {LEAD_STATES[position]: count for position, count in rows}
    return {name: counts.get(name, 0) for name in LEAD_STATES}


def _state() -> ColumnElement[str]:
    """A target's state of a lead: overridden, too, where a small change waits behind a person's value."""
    sync, override = tables.sync, tables.override
    kept = (
        select(override.c.lead)
        .where(
            override.c.state == overrides.OPEN,
            *(override.c[name] == sync.c[name] for name in ("target", "lead", "scorecard")),
        )
        .correlate(sync)
        .exists()
    )
    return case((and_(sync.c.state == overrides.SMALL, kept), overrides.OVERRIDDEN), else_=sync.c.state)


def _rejected(connection: Connection) -> tuple[RejectedFile, ...]:
    version = tables.rules_version
    last = select(func.max(version.c.seen)).group_by(version.c.path)
    rows = connection.execute(
        select(version.c.path, version.c.scorecard, version.c.registered_at, version.c.error)
        .where(version.c.seen.in_(last), version.c.status == registry.REJECTED)
        .order_by(version.c.path)
    )
    return tuple(
        RejectedFile(row.path, row.scorecard, row.registered_at, tuple((row.error or "").split("\n")))
        for row in rows
    )


def _read(connection: Connection) -> dict[str, datetime | None]:
    stream = tables.stream
    rows = connection.execute(
        select(
            stream.c.source,
            func.min(stream.c.read_at).label("oldest"),
            (func.count() - func.count(stream.c.read_at)).label("unread"),
        )
        .where(stream.c.stream != NOTED_HERE)
        .group_by(stream.c.source)
        .order_by(stream.c.source)
    )
    return {row.source: None if row.unread else row.oldest for row in rows}


def _runs(connection: Connection) -> tuple[RunStatus, ...]:
    run = tables.run
    columns = [run.c[name] for name in RunStatus.__slots__]
    rows = connection.execute(
        select(*columns).order_by(run.c.started_at.desc(), run.c.run_key).limit(LAST_RUNS)
    )
    return tuple(RunStatus(**(dict(row._mapping) | {"counts": json.loads(row.counts)})) for row in rows)
