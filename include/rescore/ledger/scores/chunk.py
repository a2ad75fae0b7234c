"""One chunk of a promotion as a handful of set-based statements over stage and committed scores.

Every statement reads the same join and decides by the same three verdicts:

    wins       the run is at least as new as the committed row in activation, as_of and input version, and
               newer in one; or there is no row
    equal      the row is this run's, or one of the same moment: nothing to do, nothing to keep
    overtaken  the row is newer in one respect and older in another: it stays, and the lead stays dirty

A thresholds run has computed no score: it wins where older rules judged the row, keeps the row's own as_of
and input version, and covers no marks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    delete,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)

from rescore.ledger import tables
from rescore.ledger.scores.marks import later
from rescore.ledger.scores.runs import THRESHOLDS, Run
from rescore.ledger.types import UtcDateTime
from rescore.ledger.upsert import insert

S = tables.stage_score
C = tables.score
R = tables.record

DIFFERS = and_(
    or_(S.c.score.is_not(None), C.c.score.is_not(None)),  # outside the audience before and after: no change
    or_(
        S.c.score.is_distinct_from(C.c.score),
        S.c.band.is_distinct_from(C.c.band),
        S.c.grade.is_distinct_from(C.c.grade),
        S.c.dimensions.is_distinct_from(C.c.dimensions),
    ),
)
"""In whole points; null equals null."""

ROWS_A_CHANGE = 4
"""A chunk takes up to this many staged rows for every changed one it may hold."""


class Chunk:
    """The staged rows of a run after its last promoted lead, up to and including `upto`."""

    def __init__(self, connection: Connection, run: Run, upto: str) -> None:
        self._connection = connection
        self.run = run
        moment = literal(run.as_of, UtcDateTime)
        self._upto = upto
        # the leads' range says nothing new, but saves reading everybody's scores for every chunk
        self._stored = and_(C.c.scorecard == run.scorecard, C.c.lead == S.c.lead, self._within(C.c.lead))
        self._rows = and_(S.c.run_key == run.run_key, self._within(S.c.lead))
        at_least = and_(
            C.c.activation_seq <= run.activation_seq, C.c.as_of <= moment, C.c.input_ver <= run.input_ver
        )
        at_most = and_(
            C.c.activation_seq >= run.activation_seq, C.c.as_of >= moment, C.c.input_ver >= run.input_ver
        )
        # a row that moved since it was staged as unchanged has no reasons to commit: score it again
        as_staged = or_(S.c.changed, not_(DIFFERS))
        self.equal = and_(at_least, at_most)
        self.wins = or_(C.c.lead.is_(None), and_(at_least, not_(at_most), as_staged))
        # facts that only this run knows, as of a moment that is past, are marked already since they landed
        outdated = and_(C.c.activation_seq >= run.activation_seq, C.c.as_of > moment)
        self._overtaken = and_(
            C.c.lead.is_not(None), not_(at_most), not_(and_(at_least, as_staged)), not_(outdated)
        )
        # its facts were read before it was known to be somebody else
        of_another = exists().where(R.c.record == S.c.lead, R.c.lead != S.c.lead).correlate_except(R)
        self.wins = and_(self.wins, ~of_another)
        if run.kind == THRESHOLDS:
            self.equal = and_(C.c.lead.is_not(None), C.c.activation_seq >= run.activation_seq)
            self.wins = and_(C.c.lead.is_not(None), C.c.activation_seq < run.activation_seq)
            self._overtaken = false()

    @property
    def causes(self) -> ColumnElement[str]:
        """The causes of a lead's delta, JSON: as staged, or one when the committed score has moved."""
        moved = func.coalesce(S.c.score, 0) - func.coalesce(C.c.score, 0)
        in_one_word = literal('{"activity":').concat(cast(moved, String)).concat("}")
        as_staged = S.c.old_score.is_not_distinct_from(C.c.score)
        return case((as_staged, S.c.causes), (moved == 0, literal("{}")), else_=in_one_word)

    def rows(self, *columns: Any) -> Select[Any]:
        """The chunk's staged rows beside their committed ones, null where there is none."""
        return select(*columns).select_from(S.outerjoin(C, self._stored)).where(self._rows)

    def _within(self, lead: ColumnElement[str]) -> ColumnElement[bool]:
        first = self.run.promoted_to
        return lead <= self._upto if first is None else and_(lead > first, lead <= self._upto)

    def lock(self) -> None:
        """Take the leads' marks in lead order, as everybody does; SQLite holds the whole file already."""
        if self._connection.dialect.name != "postgresql":
            return
        dirty = tables.dirty
        self._connection.execute(
            select(dirty.c.lead)
            .join(S, S.c.lead == dirty.c.lead)
            .where(dirty.c.scorecard == self.run.scorecard, self._rows)
            .order_by(dirty.c.lead)
            .with_for_update(of=dirty)
        )

    def write_deltas(self) -> int:
        """One row per changed lead, old beside new; how many."""
        run = self.run
        changed = self.rows(
            literal(run.scorecard),
            S.c.lead,
            func.coalesce(C.c.ver, 0) + 1,
            literal(run.run_key),
            literal(run.activation_seq),
            literal(run.as_of, UtcDateTime),
            C.c.score,
            S.c.score,
            C.c.band,
            S.c.band,
            self.causes,
        ).where(self.wins, DIFFERS)
        return self._count(
            tables.delta.insert().from_select([column.name for column in tables.delta.c], changed)
        )

    def mark_overtaken(self) -> int:
        """Leave overtaken leads dirty until a run that is at least as new as both; how many."""
        run, dirty = self.run, tables.dirty
        newer = case((C.c.input_ver > run.input_ver, C.c.input_ver), else_=literal(run.input_ver))
        marks = insert(self._connection, dirty).from_select(
            ["scorecard", "lead", "input_ver", "facts_until"],
            self.rows(literal(run.scorecard), S.c.lead, newer, literal(run.as_of, UtcDateTime))
            .where(self._overtaken)
            .order_by(S.c.lead),
        )
        return self._count(
            marks.on_conflict_do_update(
                index_elements=["scorecard", "lead"],
                set_={
                    "input_ver": later(dirty.c.input_ver, marks.excluded.input_ver),
                    "facts_until": later(dirty.c.facts_until, marks.excluded.facts_until),
                },
            )
        )

    def clear_marks(self) -> None:
        """Delete the marks this run covers: not newer than what it read, nor of facts after its as_of."""
        run, dirty = self.run, tables.dirty
        if run.kind == THRESHOLDS:
            return
        settled = self.rows(S.c.lead).where(or_(self.wins, self.equal), S.c.lead == dirty.c.lead)
        self._connection.execute(
            delete(dirty).where(
                dirty.c.scorecard == run.scorecard,
                self._within(dirty.c.lead),  # says nothing new, but saves reading every mark there is
                dirty.c.input_ver <= run.input_ver,
                or_(dirty.c.facts_until.is_(None), dirty.c.facts_until <= run.as_of),
                exists(settled.correlate(dirty)),
            )
        )

    def write_scores(self) -> int:
        """Values where they changed; the guard's three numbers for every winning lead; how many leads."""
        run = self.run
        moment = literal(run.as_of, UtcDateTime)
        no_score = run.kind == THRESHOLDS
        keep = and_(C.c.lead.is_not(None), not_(DIFFERS))
        values = {
            "scorecard": literal(run.scorecard),
            "lead": S.c.lead,
            "score": S.c.score,
            "band": S.c.band,
            "grade": S.c.grade,
            "restarted_at": S.c.restarted_at,
            "withheld": C.c.withheld if no_score else S.c.withheld,
            "dimensions": S.c.dimensions,
            "reasons": case((keep, C.c.reasons), else_=S.c.reasons),
            "activation_seq": literal(run.activation_seq),
            "as_of": C.c.as_of if no_score else moment,
            "input_ver": C.c.input_ver if no_score else literal(run.input_ver),
            "ver": func.coalesce(C.c.ver, 0) + cast(DIFFERS, Integer),
            "changed_at": case((keep, C.c.changed_at), else_=moment),
        }
        scores = insert(self._connection, C).from_select(
            list(values), self.rows(*values.values()).where(self.wins).order_by(S.c.lead)
        )
        return self._count(
            scores.on_conflict_do_update(
                index_elements=["scorecard", "lead"],
                set_={name: scores.excluded[name] for name in values if name not in ("scorecard", "lead")},
            )
        )

    def _count(self, statement: Insert) -> int:
        """Execute, and say how many rows it wrote."""
        return self._connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def last_of_chunk(connection: Connection, run: Run, chunk: int) -> str | None:
    """The last lead of the next chunk, in the database's own order of leads; None when all are done.

    `chunk` is how many changed leads it may hold.
    """
    rest = select(S.c.lead).where(S.c.run_key == run.run_key)
    if run.promoted_to is not None:
        rest = rest.where(S.c.lead > run.promoted_to)
    in_order = rest.order_by(S.c.lead).limit(1)
    upto: str | None = connection.scalar(in_order.offset(chunk * ROWS_A_CHANGE - 1))
    if upto is None:
        upto = connection.scalar(rest.with_only_columns(func.max(S.c.lead)))
    if upto is None:
        return None
    full: str | None = connection.scalar(in_order.where(S.c.changed, S.c.lead <= upto).offset(chunk - 1))
    return full or upto


@dataclass(frozen=True, slots=True)
class BandMoves:
    """Of the `banded` leads `moved` get another band or none; `first` have one for the first time."""

    banded: int
    moved: int
    first: int


def band_moves(connection: Connection, run: Run) -> BandMoves:
    """What promoting the rest of a run's stage would do to bands."""
    banded = select(func.count()).where(C.c.scorecard == run.scorecard, C.c.band.is_not(None))
    last = connection.scalar(select(func.max(S.c.lead)).where(S.c.run_key == run.run_key))
    if last is None:
        return BandMoves(connection.scalar(banded) or 0, 0, 0)
    rest = Chunk(connection, run, last)
    moves = S.c.band.is_distinct_from(C.c.band)
    moved, first = connection.execute(
        rest.rows(
            func.count(case((and_(moves, C.c.band.is_not(None)), 1))),
            func.count(case((and_(moves, C.c.band.is_(None)), 1))),
        ).where(rest.wins)
    ).one()
    return BandMoves(connection.scalar(banded) or 0, moved, first)


def overtaken_leads(connection: Connection, run: Run) -> list[str]:
    """Of a promoted stage the leads that it left alone, because their row was newer in some respect."""
    newer = or_(
        C.c.activation_seq < run.activation_seq,  # it would be this run's
        C.c.as_of > literal(run.as_of, UtcDateTime),
        C.c.input_ver > run.input_ver,
    )
    stored = and_(C.c.scorecard == run.scorecard, C.c.lead == S.c.lead)
    rows = select(S.c.lead).join(C, stored).where(S.c.run_key == run.run_key, newer)
    return list(connection.scalars(rows.order_by(S.c.lead)))
