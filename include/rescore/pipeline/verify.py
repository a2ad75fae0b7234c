"""Do the stored scores hold? A sample of them, computed again from what each was made of."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import select

from rescore.errors import ScorecardInvalid
from rescore.lake.changes import BEFORE, Changes, Step
from rescore.ledger import tables
from rescore.ledger.rules import activations, registry
from rescore.ledger.scores import seen
from rescore.pipeline.whole_accounts import scores_from
from rescore.rules.card import Scorecard
from rescore.rules.scope import about_accounts
from rescore.scoring.as_json import dimensions_json
from rescore.scoring.engine import score
from rescore.whole_lake import require_facts
from rescore.withheld import MERGED
from rescore.workspace import Workspace

COMPARED = ("score", "band", "grade", "dimensions")

NO_LONGER_SCORES = "its version is no longer accepted by this build"
NOT_NOTED = "nobody noted what it was made of"


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of one look; counts are by scorecard.

    `checked` scores were computed again, and `different` of them are not what is stored: these are in
    `file`, with both values. `unchecked` are counted by reason.
    """

    at: datetime
    checked: Counter[str] = field(default_factory=Counter)
    different: Counter[str] = field(default_factory=Counter)
    unchecked: Counter[str] = field(default_factory=Counter)
    file: Path | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.different

    def counts(self) -> dict[str, int]:
        """Plain counts, for a log and for Airflow."""
        of_cards = {
            f"{word} {scorecard}": count
            for word, found in (("checked", self.checked), ("different", self.different))
            for scorecard, count in sorted(found.items())
        }
        return of_cards | {f"unchecked: {why}": count for why, count in sorted(self.unchecked.items())}


def verify_scores(ws: Workspace, *, sample: int, at: datetime, seed: int) -> Verification:
    """Compute a sample of the stored scores again: same version, same as_of, the facts as known then.

    Args:
        ws: The stores.
        sample: At most so many leads of each scorecard in force.
        at: When, for the record.
        seed: The same seed over the same leads takes the same sample.

    Returns:
        Counts; differences are written to a file below `ws.reports_dir`, because they name leads.

    Raises:
        LakeBehind: Facts are missing that the ledger has committed.
    """
    require_facts(ws)
    found = Verification(at)
    differences: list[dict[str, Any]] = []
    with ws.ledger.reading() as connection:
        cards = activations.in_force(connection)
    for active in cards:
        stored = _sample(ws, active.scorecard, sample, seed)
        for row, computed in _computed(ws, active.scorecard, stored, found.unchecked):
            found.checked[active.scorecard] += 1
            if any(row[name] != computed[name] for name in COMPARED):
                found.different[active.scorecard] += 1
                differences.append(
                    {"scorecard": active.scorecard, "lead": row["lead"], "version": row["version"]}
                    | {"as_of": row["as_of"].replace(tzinfo=UTC).isoformat()}
                    | {"stored": _values(row), "computed": _values(computed)}
                )
    if not differences:
        return found
    return Verification(
        at, found.checked, found.different, found.unchecked, _written(ws.reports_dir, at, differences)
    )


def _sample(ws: Workspace, scorecard: str, size: int, seed: int) -> list[dict[str, Any]]:
    """Some committed scores and what they were made of."""
    score = tables.score
    leads = select(score.c.lead).where(
        score.c.scorecard == scorecard, score.c.withheld.is_distinct_from(MERGED)
    )
    with ws.ledger.reading() as connection:
        everybody = sorted(connection.scalars(leads))
        chosen = random.Random(seed).sample(everybody, min(size, len(everybody)))  # noqa: S311 - a sample
        stored: list[dict[str, Any]] = seen.made_of(connection, scorecard, chosen).to_pylist()
    return stored


def _computed(
    ws: Workspace, scorecard: str, stored: Sequence[dict[str, Any]], unchecked: Counter[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each stored score beside what its facts give now, one query for each version and local day."""
    noted = [row for row in stored if row["seen_activities"] is not None]
    if len(noted) < len(stored):
        unchecked[NOT_NOTED] += len(stored) - len(noted)
    if not noted:
        return
    moments = pa.Table.from_pylist(
        [row | {"restarted_before": None, "restarted_now": None} for row in noted], BEFORE
    )
    latest = max(row["as_of"] for row in noted).replace(tzinfo=UTC)
    with ws.lake.changes(moments, as_of=latest) as changes:
        for version, rows in _by(noted, lambda row: row["version"]).items():
            card = _card(ws, scorecard, version)
            if card is None:
                unchecked[NO_LONGER_SCORES] += len(rows)
                continue
            if about_accounts(card):
                for same_run in _by(rows, _moment).values():
                    yield from _scored_with_colleagues(ws, card, same_run)
                continue
            for same_day in _by(rows, lambda row, card=card: _local_day(row, card)).values():
                yield from _scored(card, changes, same_day)


def _scored(
    card: Scorecard, changes: Changes, rows: Sequence[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    leads = [row["lead"] for row in rows]
    steps = pa.table({"key": leads, "lead": leads, "step": [Step.DECAY.value] * len(leads)})
    as_of = max(row["as_of"] for row in rows).replace(tzinfo=UTC)  # each lead's facts end at its own
    yield from _beside(card, rows, score(card, changes.facts(steps), as_of=as_of))


def _scored_with_colleagues(
    ws: Workspace, card: Scorecard, rows: Sequence[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Leads that one run scored, under rules about accounts."""
    as_of, *known = _moment(rows[0])
    seen = dict(zip(("activities", "leads", "aliases"), known, strict=True))
    as_of = as_of.replace(tzinfo=UTC)
    leads = [row["lead"] for row in rows]
    results = scores_from(ws, card, leads, as_of=as_of, seen=seen, happened_by=as_of)
    yield from _beside(card, rows, results)


def _moment(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["as_of"], row["seen_activities"], row["seen_leads"], row["seen_aliases"]


def _beside(
    card: Scorecard, rows: Sequence[dict[str, Any]], results: pa.Table
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    results = results.append_column("dimensions", dimensions_json(card, results))
    there = {name for name in ("lead", *COMPARED) if name in results.column_names}
    computed = {row["lead"]: {"grade": None} | row for row in results.select(sorted(there)).to_pylist()}
    nothing = dict.fromkeys(COMPARED)
    for row in rows:
        yield row, computed.get(row["lead"], nothing)


def _by(rows: Sequence[dict[str, Any]], key: Any) -> dict[Any, list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _local_day(row: Mapping[str, Any], card: Scorecard) -> Any:
    return row["as_of"].replace(tzinfo=UTC).astimezone(card.timezone).date()


def _card(ws: Workspace, scorecard: str, version: int) -> Scorecard | None:
    with ws.ledger.reading() as connection:
        try:
            return registry.card(connection, scorecard, version)
        except ScorecardInvalid:
            return None


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in COMPARED}


def _written(folder: Path, at: datetime, differences: Sequence[Mapping[str, Any]]) -> Path:
    """The differences, in a file that only its owner may read."""
    own = folder / "verify"
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = own / f"{at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(differences, ensure_ascii=False, indent=1), encoding="utf-8")
    return path
