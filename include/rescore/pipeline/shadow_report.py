"""How do the shadow version's scores compare with those in force, and with a field of the CRM?"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rescore.cells import harmless
from rescore.errors import InputUnreadable
from rescore.lake.comparison import Comparison, compare
from rescore.ledger.rules import activations, shadows
from rescore.pipeline.shadow import results_key
from rescore.scoring.columns import FOLDED, WORDS
from rescore.workspace import Workspace

ACTIVE, SHADOW = "in force", "shadow"


@dataclass(frozen=True, slots=True)
class BandRate:
    """One band of one of the two versions: its leads, and how many of them converted."""

    version: str
    band: str | None
    leads: int
    converted: int


@dataclass(frozen=True, slots=True)
class Move:
    """How many leads of a band carry another one under the shadow."""

    band: str | None
    shadow_band: str | None
    leads: int


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """Counts, and correlations of ranks from -1 to 1 (None where there is nothing to rank).

    `file` lists the leads that differ most; None when none does.
    """

    scorecard: str
    version: int
    in_force: int
    runs: int
    failed: int
    leads: int
    same_band: int
    same_score: int
    correlation: float | None
    moves: tuple[Move, ...]
    field: str | None
    with_field: int
    field_correlation: Mapping[str, float | None]
    converted: str | None
    rates: tuple[BandRate, ...]
    file: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"file": self.file and str(self.file)}

    def lines(self) -> Iterator[str]:
        """Sentences and small tables."""
        yield f"{self.scorecard}: shadow version {self.version} beside version {self.in_force} in force"
        failed = f", {self.failed} failed" if self.failed else ""
        yield f"{self.runs} runs compared{failed}; {self.leads:,} leads"
        if not self.leads:
            return
        yield (
            f"the same band for {_share(self.same_band, self.leads)}, "
            f"the same score for {_share(self.same_score, self.leads)}"
        )
        yield f"rank correlation of the two scores: {_number(self.correlation)}"
        for move in self.moves:
            if move.band != move.shadow_band:
                yield f"  {move.band or 'none'} to {move.shadow_band or 'none'}: {move.leads:,}"
        if self.field:
            yield f"rank correlation with {self.field} ({self.with_field:,} leads have it):"
            yield from (f"  {which}: {_number(found)}" for which, found in self.field_correlation.items())
        if self.converted:
            yield f"leads with {self.converted}, by band:"
            for rate in self.rates:
                share = _share(rate.converted, rate.leads)
                yield f"  {rate.version}, {rate.band or 'no band'}: {share} of {rate.leads:,}"
        if self.file:
            yield f"who differs most is in {self.file}"


def shadow_report(
    ws: Workspace,
    scorecard: str,
    *,
    at: datetime,
    field: str | None = None,
    converted: str | None = None,
) -> ShadowReport:
    """Compare what the shadow has scored so far.

    Args:
        ws: The stores.
        scorecard: Whose shadow.
        at: When, for the file's name.
        field: An attribute with another score, such as the CRM's own: ranks are compared with it.
        converted: An attribute that says who converted: a flag, or anything that has a value then.

    Raises:
        InputUnreadable: The scorecard has no shadow, or no lead has such an attribute.
    """
    with ws.ledger.reading() as connection:
        shadow = shadows.shadow_of(connection, scorecard)
        active = activations.active(connection, scorecard)
        noted = shadows.runs_of(connection, scorecard)
    if shadow is None or active is None:
        raise InputUnreadable(f"scorecard `{scorecard}` has no shadow version; start one first")
    there = [run for run in noted if run.leads is not None]
    sources = [(ws.lake.results_path(results_key(run.run_key)), run.as_of) for run in there]
    counts: dict[str, Any] = {
        "scorecard": scorecard,
        "version": shadow.version_seq,
        "in_force": active.version_seq,
        "runs": len(there),
        "failed": len(noted) - len(there),
        "field": field,
        "converted": converted,
    }
    with ws.lake.facts() as facts:
        columns = facts.columns.leads.keys() - {"lead"}
        known = [name for name in columns if not name.endswith((FOLDED, WORDS))]
        for name in filter(None, (field, converted)):
            _require(name, known)
        if not sources:
            return ShadowReport(**counts, **_NOTHING)
        pairs = compare(facts, sources, field=field, converted=converted)
        name = f"{scorecard}-v{shadow.version_seq}-{at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.csv"
        file = _furthest_apart(ws.reports_dir / "shadow" / name, pairs)
        return ShadowReport(**counts, **_found(pairs, field=field, converted=converted), file=file)


_NOTHING: Mapping[str, Any] = {
    "leads": 0,
    "same_band": 0,
    "same_score": 0,
    "correlation": None,
    "moves": (),
    "with_field": 0,
    "field_correlation": {},
    "rates": (),
    "file": None,
}


def _found(pairs: Comparison, *, field: str | None, converted: str | None) -> dict[str, Any]:
    leads, same_band, same_score = pairs.leads()
    columns = {ACTIVE: "score", SHADOW: "shadow_score"}
    bands = {ACTIVE: "band", SHADOW: "shadow_band"}
    return {
        "leads": leads,
        "same_band": same_band,
        "same_score": same_score,
        "correlation": pairs.correlation("score", "shadow_score"),
        "moves": tuple(Move(*bands_, count) for bands_, count in pairs.moves().items()),
        "with_field": pairs.with_field(),
        "field_correlation": {which: pairs.correlation(column, "field") for which, column in columns.items()}
        if field
        else {},
        "rates": tuple(
            BandRate(which, band, *numbers)
            for which, column in bands.items()
            for band, numbers in pairs.conversion(column).items()
        )
        if converted
        else (),
    }


def _require(name: str, known: list[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputUnreadable(f"no lead has an attribute {name!r}{hint}")


def _furthest_apart(path: Path, pairs: Comparison) -> Path | None:
    """A file that only its owner may read: it names leads. None when no lead differs."""
    rows = pairs.furthest_apart()
    if not rows:
        return None
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["lead", "score", "band", "shadow_score", "shadow_band"])
        writer.writerows(map(harmless, rows))
    return path


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _number(found: float | None) -> str:
    return "undefined" if found is None else f"{found:.3f}"
