"""What a rescore would write to CRMs: leads, fields, calls, and how long the calls take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pyarrow.compute as pc

from rescore.connectors.hubspot.client import Limits
from rescore.ledger.plans import Record
from rescore.mapping import Mapping as CrmMapping
from rescore.plan.columns import Flags, differs, some
from rescore.plan.effects import Both
from rescore.plan.plan import TargetEffect
from rescore.scoring.as_json import dimensions_json

SECONDS_A_CALL = 0.4
"""What a batch of a hundred takes, end to end; calls go one after the other."""


def written(both: Both, record: Record) -> Flags:
    """Whose committed score, band, grade or dimensions a rescore under the new card replaces."""
    lead = both.rows["lead"]
    committed = record.committed.take(pc.index_in(lead, record.committed["lead"]))
    pairs = [(both.rows["score"], committed["score"]), (both.rows["band"], committed["band"])]
    pairs.append((dimensions_json(both.new, both.rows), committed["dimensions"]))
    if (grade := both.column("grade")) is not None:
        pairs.append((grade, committed["grade"]))
    scored = pc.or_(pc.is_valid(both.rows["score"]), pc.is_valid(committed["score"]))
    return pc.and_(scored, some([differs(new, old) for new, old in pairs], both.rows.num_rows))


def target_effects(
    mappings: Mapping[str, CrmMapping], scorecard: str, leads: int, limits: Mapping[str, Limits]
) -> Iterator[TargetEffect]:
    """What each CRM that shows the scorecard gets to see.

    Args:
        mappings: Every CRM's, by name.
        scorecard: Whose scores are written.
        leads: How many leads are written.
        limits: Of the connections, by CRM; the vendor's own where one is missing.
    """
    for name, mapping in mappings.items():
        if scorecard not in mapping.scores:
            continue
        pace = limits.get(name, Limits())
        calls = math.ceil(leads / pace.batch)
        seconds = calls * max(SECONDS_A_CALL, pace.calls_seconds / pace.calls)
        yield TargetEffect(
            target=name,
            mode=mapping.mode_of(scorecard),
            leads=leads,
            fields=mapping.scores[scorecard].properties,
            calls=calls,
            seconds=math.ceil(seconds),
        )
