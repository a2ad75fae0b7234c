"""What one call tells a CRM, and what its answer says of each record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rescore import mapping as mappings
from rescore.connectors.base import FieldValue, ScoreUpdate, WriteResult
from rescore.delivery.fields import figures_hash, score_fields
from rescore.ledger.outbox.syncs import SyncClaim, SyncResult
from rescore.outcome import Outcome

MISFIT = "the CRM's answer does not fit what was sent, so nobody knows what it shows"


@dataclass(slots=True)
class Letter:
    """One call.

    `claims` are what it answers, by record and each with the hash of its figures. `results` are of those that
    need no call, `unchanged` of them because the CRM shows their figures already.
    """

    fields: dict[str, dict[str, FieldValue]] = field(default_factory=lambda: defaultdict(dict))
    claims: dict[str, list[tuple[SyncClaim, str]]] = field(default_factory=lambda: defaultdict(list))
    results: list[SyncResult] = field(default_factory=list)
    unchanged: int = 0

    def updates(self) -> list[ScoreUpdate]:
        """What is sent."""
        return [ScoreUpdate(lead_id, shown) for lead_id, shown in self.fields.items()]


def write_letter(
    batch: Sequence[SyncClaim], target: str, mapping: mappings.Mapping, gone: Mapping[str, str]
) -> Letter:
    """What to tell a target of these claims; a lead's scorecards share one record.

    Args:
        batch: Claims of one target.
        target: Its name.
        mapping: Which properties show what.
        gone: Leads that were merged away, and into which.
    """
    letter = Letter()
    for claim in batch:
        if claim.lead in gone:
            letter.results.append(SyncResult(claim, Outcome("gone", f"merged into {gone[claim.lead]}")))
            continue
        if claim.record is None:
            letter.results.append(SyncResult(claim, Outcome("record", f"no record in {target}")))
            continue
        shown_as = mapping.scores[claim.scorecard]
        values = score_fields(claim, shown_as)
        ours = {name: value for name, value in values.items() if name not in claim.overridden}
        figures = figures_hash(ours, shown_as)
        if not ours or figures == claim.shown_hash:  # people have taken over all of it, or it is shown
            letter.unchanged += 1
            letter.results.append(SyncResult(claim, Outcome("ok"), figures))
        else:
            letter.fields[claim.record] |= ours
            letter.claims[claim.record].append((claim, figures))
    return letter


def fitting(written: Sequence[WriteResult], updates: Sequence[ScoreUpdate]) -> Sequence[WriteResult]:
    """One result for each update, by id; where the two do not fit, nobody knows anything."""
    if sorted(result.lead_id for result in written) == sorted(update.lead_id for update in updates):
        return written
    return [WriteResult(update.lead_id, "unknown", MISFIT) for update in updates]
