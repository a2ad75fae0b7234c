"""Why did each lead's score change? Whole points by cause, from the committed score to the new one.

A lead with one kind of news owes it the whole change. Only where several came together are the scores in
between computed, of all such leads in one query for each rules version that they were scored under.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from rescore.causes import Cause
from rescore.lake.changes import BEFORE, NEWS, RESTARTS_LATER, Changes, Step
from rescore.ledger import tables
from rescore.ledger.rules import registry
from rescore.ledger.scores import runs, seen
from rescore.ledger.scores.runs import Run
from rescore.pipeline.whole_accounts import scores_from
from rescore.rules.card import AllOf, Comparison, Kind, Not, Operator, Scorecard
from rescore.rules.scope import about_accounts
from rescore.scoring.engine import score
from rescore.withheld import DELETED, MERGED, OBJECTION
from rescore.workspace import Workspace

ORDER: tuple[Cause, ...] = tuple(cause for cause in Cause if cause is not Cause.OVERRIDE)
"""How causes are told apart; the step that ends each but the last has the same name."""

FIRST = (Cause.ATTRIBUTE, Cause.ACTIVITY)
"""A first score: what the lead is, then what it did."""

RETURN = {MERGED: Cause.MERGE, DELETED: Cause.ATTRIBUTE, OBJECTION: Cause.ATTRIBUTE}
"""Why a lead had no score whatever the rules said -> the cause of the whole score that it has again."""

EVERYBODY = 0.5
"""From this share of changed leads on, reading all committed scores is faster than asking for some."""

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def with_causes(ws: Workspace, run: Run, card: Scorecard, rows: pa.Table) -> pa.Table:
    """The rows to be staged with `causes`, JSON, and the `old_score` they begin at, of the changed ones.

    The causes of a row sum to its score less the committed one, where no score counts as 0: what brings a
    lead into the audience, or takes it out, is the cause of the whole score; and so is what lets it back.

    Args:
        ws: The stores.
        run: The run that is being staged.
        card: The rules it is pinned to.
        rows: lead, score, changed; also `restarted_at`, and `under_old_rules` of a planned rescore.
    """
    positions = pc.indices_nonzero(rows["changed"])
    changed = rows.take(positions)
    with ws.ledger.reading() as connection:
        everybody = changed.num_rows > EVERYBODY * rows.num_rows
        asked = None if everybody else changed["lead"].to_pylist()
        made_of = seen.made_of(connection, run.scorecard, asked)
        versions = _versions(connection, run, card, made_of["version"].unique().to_pylist())
        noted = seen.of_run(connection, run.run_key)
    lives = _beside(changed, made_of)
    if run.kind == runs.THRESHOLDS:  # it judges the stored scores, and moves none
        causes = pa.repeat("{}", changed.num_rows)
    else:
        restarts = card.restart.activities if card.restart else ()
        before = _before(lives, noted)
        with ws.lake.changes(before, as_of=run.as_of, seen=noted, restarts=restarts) as changes:
            causes = _Telling(ws, run, lives, versions, changes, before, noted).causes()
    is_changed = np.asarray(rows["changed"])
    there = pa.array(np.cumsum(is_changed) - 1, mask=~is_changed)
    old = lives["old_score"].combine_chunks()
    return rows.append_column("causes", causes.take(there)).append_column("old_score", old.take(there))


@dataclass(frozen=True, slots=True)
class _Version:
    """Rules that leads were scored under; no card where this build no longer accepts the body."""

    card: Scorecard | None
    same_scoring: bool

    @property
    def about_accounts(self) -> bool:
        """Whether colleagues' news moved scores under them."""
        return self.card is not None and about_accounts(self.card)


@dataclass(frozen=True, slots=True)
class _Group:
    """Leads, by position, whose change may be due to the same causes."""

    causes: Sequence[Cause]
    positions: Numbers

    @property
    def steps(self) -> list[Step]:
        """Where each cause but the last ends."""
        untouched = {Cause.ATTRIBUTE: Step.UNTOUCHED} if self.causes is FIRST else {}
        return [untouched.get(cause) or Step[cause.name] for cause in self.causes[:-1]]


class _Telling:
    """Tells the causes of some changed leads apart."""

    def __init__(
        self,
        ws: Workspace,
        run: Run,
        lives: pa.Table,
        versions: Mapping[int, _Version],
        changes: Changes,
        before: pa.Table,
        seen: seen.Seen | None,
    ) -> None:
        self._ws, self._before, self._seen = ws, before, seen
        self._run, self._lives, self._versions, self._changes = run, lives, versions, changes
        self._old, self._new = _points(lives["old_score"]), _points(lives["score"])
        self._first = np.asarray(lives["as_of"].is_null())
        self._version = np.asarray(lives["version"].fill_null(_ours(versions)))

    def causes(self) -> pa.Array:
        """Of each lead: cause -> whole points, as JSON."""
        groups = self._groups()
        asked = [(group.positions, step) for group in groups for step in group.steps]
        between = iter(self._scores_at(asked))
        told = np.full(self._lives.num_rows, None, dtype=object)
        for group in groups:
            steps = [next(between) for _ in group.steps]
            scores = [self._old[group.positions], *steps, self._new[group.positions]]
            moved = zip(group.causes, np.diff(scores, axis=0), strict=True)
            told[group.positions] = _as_json(dict(moved)).to_numpy(zero_copy_only=False)
        return pa.array(told, pa.string())

    def _groups(self) -> list[_Group]:
        """Leads by what may be the causes; where nothing is, facts differ that nobody can name."""
        pattern = np.zeros(self._lives.num_rows, np.int64)
        for cause, flag in self._flags().items():
            pattern |= flag.astype(np.int64) << ORDER.index(cause)
        pattern[self._first] = -1
        for reason, cause in RETURN.items():
            back = pc.equal(self._lives["withheld_before"], reason).fill_null(False)
            pattern[np.asarray(back)] = 1 << ORDER.index(cause)
        groups = []
        for found in np.unique(pattern):
            causes = [cause for number, cause in enumerate(ORDER) if found >> number & 1]
            chosen = FIRST if found < 0 else causes or [Cause.ACTIVITY]
            groups.append(_Group(chosen, np.flatnonzero(pattern == found)))
        return groups

    def _flags(self) -> dict[Cause, Flags]:
        """What each lead's change may be due to."""
        count = self._lives.num_rows
        flags: dict[Cause, Flags] = {cause: np.zeros(count, np.bool_) for cause in ORDER}
        news = self._changes.news()
        there = pc.index_in(news["lead"], self._lives["lead"].combine_chunks()).to_numpy()
        for step in NEWS:
            flags[Cause[step.name]][there] = np.asarray(news[step.name.lower()].fill_null(False))
        for seq, version in self._versions.items():
            mine = self._version == seq
            if version.about_accounts:
                _lump(flags, mine)
            flags[Cause.RULES][mine] = not version.same_scoring
            flags[Cause.DECAY][mine] = self._days_went_by(version)[mine]
        return flags

    def _days_went_by(self, version: _Version) -> Flags:
        """Whether a lead's local day is another than when it was scored: only then does time move a score."""
        moments = self._lives["as_of"].combine_chunks().dictionary_encode()
        zone = None if version.card is None else version.card.timezone
        today = self._run.as_of.astimezone(zone).date()
        days = [
            moment.replace(tzinfo=self._run.as_of.tzinfo).astimezone(zone).date() != today
            for moment in moments.dictionary.to_pylist()
        ]
        return np.asarray(pa.array(days, pa.bool_()).take(moments.indices).fill_null(False))

    def _scores_at(self, asked: Sequence[tuple[Numbers, Step]]) -> list[Numbers]:
        """The scores of leads at steps, under the rules that each was scored under."""
        if not asked:
            return []
        positions = np.concatenate([some for some, _ in asked])
        steps = np.concatenate([np.full(len(some), step.value) for some, step in asked])
        scores = self._old[positions]  # stays where nobody can score any more: the last cause gets all
        for seq, version in self._versions.items():
            mine = np.flatnonzero(self._version[positions] == seq)
            if version.card is None or not len(mine):
                continue
            if version.about_accounts:
                whole = mine[steps[mine] != Step.UNTOUCHED]
                scores[whole] = self._whole_accounts(version.card, positions[whole], steps[whole])
                mine = mine[steps[mine] == Step.UNTOUCHED]
                if not len(mine):
                    continue
            wanted = pa.table(
                {
                    "key": pa.array(mine).cast(pa.string()),
                    "lead": self._lives["lead"].take(pa.array(positions[mine])),
                    "step": pa.array(steps[mine]),
                }
            )
            found = score(_not_yet(version.card), self._changes.facts(wanted), as_of=self._run.as_of)
            scores[mine] = 0  # a lead that had no attributes then has no row, and no score
            scores[np.asarray(found["lead"].cast(pa.int64()))] = _points(found["score"])
        return np.split(scores, np.cumsum([len(some) for some, _ in asked])[:-1])

    def _whole_accounts(self, card: Scorecard, positions: Numbers, steps: Numbers) -> Numbers:
        """The scores of leads under rules about accounts: before anything was new, or after all of it.

        Who was scored in one run before is read together; a lead that had no attributes then has no score.
        """
        rows = self._before.take(pa.array(positions)).to_pylist()
        states: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for place, (row, step) in enumerate(zip(rows, steps, strict=True)):
            then = (row["as_of"], row["seen_activities"], row["seen_leads"], row["seen_aliases"])
            states[then if step == Step.DECAY else ()].append(place)
        scores = np.zeros(len(rows), np.int64)
        for then, places in states.items():
            at = {rows[place]["lead"]: place for place in places}
            moment = then[0].replace(tzinfo=UTC) if then else self._run.as_of
            known = dict(zip(("activities", "leads", "aliases"), then[1:], strict=True)) if then else None
            found = scores_from(
                self._ws,
                card,
                at,
                as_of=self._run.as_of,
                seen=known or self._seen,
                happened_by=moment,
            )
            for lead, points in zip(found["lead"].to_pylist(), _points(found["score"]), strict=True):
                if lead in at:  # whoever counted as another then is found under that one, and had no score
                    scores[at[lead]] = points
        return scores


def _lump(flags: Mapping[Cause, Flags], mine: Flags) -> None:
    """Make one cause of what is new to leads under rules about accounts.

    It is what is new to the lead itself where that is of one kind, else activity: a colleague's news.
    """
    kinds = [Cause[step.name] for step in NEWS]
    alone = mine & (sum(flags[cause].astype(np.int64) for cause in kinds) == 1)
    for cause in kinds:
        flags[cause][mine & ~alone] = cause is Cause.ACTIVITY


def _beside(changed: pa.Table, made_of: pa.Table) -> pa.Table:
    """The changed leads beside what their committed scores were made of, null for a first score."""
    old = made_of.drop_columns(["band", "grade", "dimensions"]).rename_columns(
        {"score": "old_score", "restarted_at": "restarted_before", "withheld": "withheld_before"}
    )
    there = pc.index_in(changed["lead"], old["lead"].combine_chunks())
    for column in old.drop_columns(["lead"]).schema:
        changed = changed.append_column(column.name, old[column.name].combine_chunks().take(there))
    if "restarted_at" not in changed.column_names:
        return changed.append_column("restarted_at", pa.nulls(changed.num_rows, seen.TIME))
    return changed


def _before(lives: pa.Table, noted: seen.Seen | None) -> pa.Table:
    """The leads' moments; where nobody noted what had been seen, nothing has landed since."""
    columns = {
        name: lives[name] if noted is None else lives[name].fill_null(noted[name.removeprefix("seen_")])
        for name in BEFORE.names
        if name.startswith("seen_")
    }
    columns |= {name: lives[name] for name in ("lead", "as_of", "restarted_before")}
    columns["restarted_now"] = lives["restarted_at"]
    return pa.table(columns).select(BEFORE.names)


def _versions(
    connection: Connection, run: Run, card: Scorecard, others: Sequence[int]
) -> dict[int, _Version]:
    """The run's own version first, then those that its leads were scored under before."""
    version, activation = tables.rules_version, tables.activation
    ours = connection.scalars(
        select(activation.c.version_seq).where(
            activation.c.scorecard == run.scorecard, activation.c.activation_seq == run.activation_seq
        )
    ).one()
    known = select(version.c.seq, version.c.scoring).where(version.c.scorecard == run.scorecard)
    scoring = {row.seq: row.scoring for row in connection.execute(known)}
    found = {ours: _Version(card, same_scoring=True)}
    for seq in others:
        if seq != ours:
            their_card = registry.accepted(connection, run.scorecard, seq)
            found[seq] = _Version(their_card, same_scoring=scoring[seq] == scoring[ours])
    return found


def _not_yet(card: Scorecard) -> Scorecard:
    """The rules, under which no activity restarts a lead before its step."""
    if card.restart is None:
        return card
    later = Comparison(RESTARTS_LATER, Operator.IS, Kind.FLAG, (True,))
    return replace(card, restart=replace(card.restart, where=AllOf((card.restart.where, Not(later)))))


def _ours(versions: Mapping[int, _Version]) -> int:
    return next(iter(versions))


def _points(scores: pa.ChunkedArray) -> Numbers:
    """Whole points, 0 for no score."""
    return np.array(scores.cast(pa.int64()).fill_null(0))


def _as_json(moved: Mapping[Cause, Numbers]) -> pa.Array:
    """`{"activity":12,"decay":-3}`, without what moved nothing."""
    parts = [
        pc.if_else(
            pa.array(points != 0),
            pc.binary_join_element_wise(f'"{cause}":', pa.array(points).cast(pa.string()), ",", ""),
            "",
        )
        for cause, points in moved.items()
    ]
    inside = pc.utf8_rtrim(pc.binary_join_element_wise(*parts, ""), ",")
    return pc.binary_join_element_wise("{", inside, "}", "")
