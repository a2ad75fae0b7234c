"""What a rescore would write to CRMs: leads, fields, calls, and how long the calls take."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from rescore.ledger.rules.record import Record
from rescore.mapping import Mapping as CrmMapping
from rescore.mapping import earlier_targets
from rescore.model import lead_key
from rescore.plan.columns import Flags, differs, some
from rescore.plan.effects import Both
from rescore.plan.plan import TargetEffect
from rescore.scoring.as_json import dimensions_json

LEADS_A_CALL = 100
"""What one call of every connector takes, unless its Connection says otherwise."""

SECONDS_A_CALL = 0.4
"""What such a call takes, end to end; calls go one after the other, slower than any account's pace allows."""


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
    mappings: Mapping[str, CrmMapping],
    scorecard: str,
    leads: pa.ChunkedArray,
    sources: Mapping[str, frozenset[str]],
) -> Iterator[TargetEffect]:
    """What each CRM that shows the scorecard gets to see.

    Args:
        mappings: Every CRM's, by name.
        scorecard: Whose scores are written.
        leads: The keys of the leads that are written.
        sources: Of leads with several records, where these are.
    """
    joined = Counter(sources[lead] for lead in leads.to_pylist() if lead in sources) if sources else Counter()
    alone = leads.filter(pc.invert(pc.is_in(leads, pa.array(sources, pa.string())))) if joined else leads
    for name, mapping in mappings.items():
        if scorecard not in mapping.scores:
            continue
        before = set(earlier_targets(mappings.values(), mapping).get(scorecard, ()))
        here = pc.sum(pc.starts_with(alone, lead_key(name, ""))).as_py() or 0
        here += sum(count for there, count in joined.items() if name in there and not before & there)
        calls = math.ceil(here / LEADS_A_CALL)
        yield TargetEffect(
            target=name,
            mode=mapping.mode_of(scorecard),
            leads=here,
            fields=mapping.scores[scorecard].properties,
            calls=calls,
            seconds=math.ceil(calls * SECONDS_A_CALL),
        )
