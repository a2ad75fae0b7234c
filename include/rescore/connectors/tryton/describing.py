"""What a Tryton database offers: the fields of leads, and of what the mapping's paths lead through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rescore.connectors.describing import Holds, Listing, Offered, Use, uses_of_leads, uses_of_targets
from rescore.connectors.tryton.client import Client, Fault
from rescore.connectors.tryton.leads import LEAD
from rescore.connectors.tryton.mapping import TrytonMapping

HOLDS: dict[str, Holds] = {
    "char": "text",
    "text": "text",
    "fullchar": "text",
    "many2one": "text",
    "integer": "number",
    "float": "number",
    "numeric": "number",
    "boolean": "flag",
    "date": "date",
    "datetime": "timestamp",
    "timestamp": "timestamp",
    "selection": "choice",
    "multiselection": "choices",
}


def listings(client: Client, mapping: TrytonMapping) -> Iterator[Listing]:
    """See `Describable.describe`; of a model that is hidden from our user nothing is known."""
    waiting = {LEAD: uses_of_leads(mapping.leads) + uses_of_targets(mapping)}
    while waiting:
        model, uses = waiting.popitem()
        try:
            fields = client.call(f"model.{model}.fields_get", [])
        except Fault as fault:
            yield Listing(f"{model} fields", None, _here(uses), note=str(fault))
            continue
        told = fields.items() if isinstance(fields, dict) else ()
        known = {name: field for name, field in told if isinstance(field, dict)}
        yield Listing(f"{model} fields", [_offered(*one) for one in known.items()], _here(uses))
        for use in uses:
            name, _, rest = use.field.partition(".")
            related = known.get(name, {}).get("relation")
            if rest and isinstance(related, str):
                further = Use(rest, use.place, attribute=use.attribute)
                waiting.setdefault(related, []).append(further)


def _here(uses: list[Use]) -> list[Use]:
    """The first step of each path, which is of this model; the type counts where the path ends."""
    found = []
    for use in uses:
        name, _, rest = use.field.partition(".")
        found.append(Use(name, use.place, attribute=None if rest else use.attribute, written=use.written))
    return found


def _offered(name: str, field: dict[str, Any]) -> Offered:
    kind = str(field.get("type") or "")
    label = str(field.get("string") or name)
    return Offered(name, label, HOLDS.get(kind, "other"), kind, field.get("readonly") is True)
