"""What automations ask of leads, answered where leads are scored: one column each, packed for the stage."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from rescore.automations.once_per import once_flag
from rescore.automations.state_machine import already_fired_flag, unless_flag
from rescore.rules.card import Automation, Condition, Scorecard
from rescore.scoring.conditions import holds
from rescore.scoring.moments import trimmed
from rescore.scoring.reading import Reader
from rescore.scoring.sql import Sql, call, case, coalesce, concatenated, named, text


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


def once_columns(card: Scorecard) -> Iterator[tuple[str, Automation]]:
    """The columns with the hash that stands for a lead's account, such as `mql__once`, and whose they are."""
    for automation in card.automations:
        if automation.once_per is not None:
            yield f"{automation.id}__once", automation


def asked_columns(card: Scorecard, leads: Reader) -> Iterator[Sql]:
    """What every lead is asked for its automations, as expressions named like the columns."""
    for found in lead_flags(card):
        yield named(coalesce(holds(found.condition, leads), exp.false()), found.column)
    for name, automation in once_columns(card):
        yield named(_account(automation, leads), name)


def asked_names(card: Scorecard) -> list[str]:
    """The names of those columns."""
    return [found.column for found in lead_flags(card)] + [name for name, _ in once_columns(card)]


def _account(automation: Automation, leads: Reader) -> Sql:
    """A hash of the account; null where there is none, or where the domain is one of those left out."""
    once = automation.once_per
    assert once is not None  # noqa: S101 - `once_columns` gives no others
    value = leads.domain(once.key) if once.key == "email_domain" else trimmed(leads.folded(once.key))
    key = call("SHA256", concatenated(text(f"{once.key}|"), call("NULLIF", value, text(""))))
    if once.unless_in is None:
        return key
    listed = coalesce(leads.domain_in_list(once.key, once.unless_in), exp.false())
    return case((exp.not_(listed), key))


def flags_json(card: Scorecard, results: pa.Table) -> pa.ChunkedArray | pa.Array:
    """The flags that hold for each row as one JSON list, sorted: `["mql unless"]`; null where none does."""
    said = [
        pc.if_else(results[found.column], f'"{found.flag}",', "")
        for found in sorted(lead_flags(card), key=lambda found: found.flag)
    ]
    for name, automation in once_columns(card):
        key = pc.fill_null(results[name], "")
        said.append(
            pc.if_else(
                pc.equal(key, ""),
                "",
                pc.binary_join_element_wise(f'"{once_flag(automation.id)}', key, '",', ""),
            )
        )
    if not said:
        return pa.nulls(results.num_rows, pa.string())
    # joined with the brackets at once: of texts that are all empty Arrow loses the rows
    listed = pc.binary_join_element_wise("[", *said, "]", "")
    none = pa.scalar(None, pa.string())
    return pc.if_else(pc.equal(listed, "[]"), none, pc.replace_substring(listed, ",]", "]"))
