"""What automations ask of leads, answered where leads are scored: one column each, packed for the stage."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from rescore.automations import already_fired_flag, unless_flag
from rescore.rules.card import Condition, Scorecard


class LeadFlag(NamedTuple):
    """A result column such as `mql__unless`, the flag it stands for, and what is asked of the lead."""

    column: str
    flag: str
    condition: Condition


def lead_flags(card: Scorecard) -> Iterator[LeadFlag]:
    """What a card's automations ask of leads, in the order of the file; most cards ask nothing."""
    for automation in card.automations:
        if automation.unless is not None:
            yield LeadFlag(f"{automation.id}__unless", unless_flag(automation.id), automation.unless)
        if automation.already_fired is not None:
            name = f"{automation.id}__already_fired"
            yield LeadFlag(name, already_fired_flag(automation.id), automation.already_fired)


def flags_json(card: Scorecard, results: pa.Table) -> pa.ChunkedArray | pa.Array:
    """The flags that hold for each row as one JSON list, sorted: `["mql unless"]`; null where none does."""
    said = [
        pc.if_else(results[found.column], f'"{found.flag}",', "")
        for found in sorted(lead_flags(card), key=lambda found: found.flag)
    ]
    if not said:
        return pa.nulls(results.num_rows, pa.string())
    # joined with the brackets at once: of texts that are all empty Arrow loses the rows
    listed = pc.binary_join_element_wise("[", *said, "]", "")
    none = pa.scalar(None, pa.string())
    return pc.if_else(pc.equal(listed, "[]"), none, pc.replace_substring(listed, ",]", "]"))
