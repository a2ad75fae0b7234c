"""Why Tryton says no, found out by asking it: its own words are translated and quote records."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rescore.connectors.tryton.changes import rows_of
from rescore.connectors.tryton.client import Client, Fault
from rescore.connectors.tryton.leads import LEAD
from rescore.errors import CrmFieldMissing, CrmLacksScope, RescoreError

LARGEST_ID = 2**31 - 1
"""What a database keeps; a larger number is no id of anything."""


def explain(
    client: Client, fault: Fault, *, model: str, names: Iterable[str], writing: bool = False
) -> RescoreError:
    """The error that a refused call stands for, where the record in question is not to blame."""
    return cause(client, model=model, names=names, writing=writing) or fault


def unread(client: Client, fault: Fault, *, stream: str, models: Collection[str]) -> RescoreError:
    """The error that a refused reading of activities stands for, which are made of these models."""
    rows = rows_of(client, "ir.model", "search_read", [["name", "in", list(models)]], 0, None, None, ["name"])
    if missing := sorted(set(models) - {row.get("name") for row in rows}):
        listed = ", ".join(f"`{model}`" for model in missing)
        return CrmFieldMissing(
            f"Tryton has no {listed}, which `{stream}` is made of; install the module that brings it, or "
            "take this stream out of the mapping"
        )
    if not fault.refused:
        return fault
    return CrmLacksScope(
        f"the user of the Connection may not read what `{stream}` is made of; give it the groups that "
        "docs/tryton.md names, or take this stream out of the mapping"
    )


def cause(
    client: Client, *, model: str, names: Iterable[str], writing: bool = False
) -> CrmFieldMissing | CrmLacksScope | None:
    """What is wrong for every record of a model: a field that is not there, or a right that is missing."""
    may = client.call("model.ir.model.access.get_access", [model])
    needed = "write" if writing else "read"
    if not (isinstance(may, dict) and may.get(model, {}).get(needed)):
        return CrmLacksScope(
            f"the user of the Connection may not {needed} `{model}` in Tryton; give it a group that may, "
            "such as `Rescore` of the module in docs/tryton.md"
        )
    wanted = {name.partition(".")[0] for name in names if not name.startswith("_")}
    present = client.call(f"model.{model}.fields_get", [])
    if missing := sorted(wanted - set(present)):
        listed = ", ".join(f"`{name}`" for name in missing)
        return CrmFieldMissing(
            f"`{model}` of Tryton has no field {listed} that this user may see; install the module of "
            "docs/tryton.md, or correct the mapping"
        )
    return None


def shut_fields(client: Client, names: Iterable[str]) -> CrmLacksScope | None:
    """Fields of leads that this user may not change, or that are shown as if: a program may change those.

    Therefore it says something only where every record was refused.
    """
    present = client.call(f"model.{LEAD}.fields_get", [])
    if shut := sorted(name for name in set(names) if present.get(name, {}).get("readonly")):
        listed = ", ".join(f"`{name}`" for name in shut)
        return CrmLacksScope(
            f"the user of the Connection may not change {listed} of `{LEAD}` in Tryton; give its group write "
            "access to the field"
        )
    return None


def there(client: Client, lead_ids: Collection[str]) -> set[str]:
    """Those of these ids that are leads, as far as the user may see."""
    ids = sorted(number for lead_id in lead_ids if (number := record_id(lead_id)))
    if not ids:
        return set()
    try:
        rows = rows_of(client, LEAD, "search_read", [["id", "in", ids]], 0, None, None, ["id"])
    except Fault as fault:
        raise explain(client, fault, model=LEAD, names=()) from fault
    return {str(row["id"]) for row in rows}


def record_id(lead_id: str) -> int | None:
    """Tryton's number of a lead; None where there can be none."""
    number = int(lead_id) if lead_id.isdecimal() and len(lead_id) <= 10 else 0
    return number if 0 < number <= LARGEST_ID else None
