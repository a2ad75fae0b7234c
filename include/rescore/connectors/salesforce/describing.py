"""What a Salesforce organisation offers: the fields of its objects, and how many records there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rescore.connectors.describing import (
    Holds,
    Listing,
    Offered,
    Use,
    Volume,
    uses_of_same_person,
    uses_of_targets,
)
from rescore.connectors.salesforce.client import Client, Refused
from rescore.connectors.salesforce.mapping import SalesforceMapping, TypeByField
from rescore.connectors.salesforce.refusals import no_object

KINDS: Mapping[Holds, str] = MappingProxyType(
    {
        "text": "string textarea email phone url id reference",
        "number": "double int long currency percent",
        "flag": "boolean",
        "date": "date",
        "timestamp": "datetime",
        "choice": "picklist combobox",
        "choices": "multipicklist",
    }
)
HOLDS = {kind: holds for holds, kinds in KINDS.items() for kind in kinds.split()}


def listings(client: Client, mapping: SalesforceMapping) -> Iterator[Listing]:
    """See `Describable.describe`; of an object that is hidden from our user nothing is known."""
    for entity, uses in _uses(mapping).items():
        try:
            described = client.get(f"sobjects/{entity}/describe").get("fields")
        except Refused as refusal:
            yield Listing(f"{entity} fields", None, uses, note=f"{refusal}")
            continue
        rows = [row for row in described if isinstance(row, dict)] if isinstance(described, list) else []
        yield Listing(f"{entity} fields", [_offered(row) for row in rows if row.get("name")], uses)


def volumes(client: Client, mapping: SalesforceMapping) -> Iterator[Volume]:
    """See `Describable.volumes`; a first load reads everything, whenever it happened."""
    size = client.limits.page
    people = sum(_count(client, kind, mapping.name) for kind in mapping.leads.kinds)
    yield Volume("people", people, {"calls": people // size + len(mapping.leads.kinds)})
    for stream, read in mapping.activities.items():
        rows = _count(client, read.object, mapping.name)
        yield Volume(stream, rows, {"calls": rows // size + 1})


def _uses(mapping: SalesforceMapping) -> dict[str, list[Use]]:
    """What is used of each object; a field behind a dot is one of the object that is named before it."""
    found: dict[str, list[Use]] = {}

    def use(entity: str, path: str, one: Use) -> None:
        *through, name = path.split(".")
        used = Use(name, one.place, attribute=one.attribute, written=one.written)
        found.setdefault(through[-1] if through else entity, []).append(used)

    for kind in mapping.leads.kinds:
        for name, attribute in mapping.leads.attributes_of(kind).items():
            if attribute.property:
                place = f"leads.attributes.{name}"
                use(kind, attribute.property, Use("", place, attribute=attribute))
        if mapping.leads.objection:
            use(kind, mapping.leads.objection, Use("", "leads.objection"))
        for one in uses_of_same_person(mapping.leads.same_person):
            use(kind, one.field, one)
        for one in uses_of_targets(mapping):
            if one.written and not one.place.startswith("settable"):
                use(kind, one.field, one)
    for stream, read in mapping.activities.items():
        kind_fields = [read.type.property] if isinstance(read.type, TypeByField) else []
        for path in sorted({*read.read, *read.only, *read.never, *kind_fields}):
            use(read.object, path, Use("", f"activities.{stream}"))
    for name in (mapping.tasks.delivery, mapping.tasks.automation) if mapping.tasks else ():
        use("Task", name, Use("", "tasks", written="text"))
    return found


def _offered(row: dict[str, object]) -> Offered:
    kind, name = str(row.get("type") or ""), str(row["name"])
    read_only = row.get("updateable") is False
    return Offered(name, str(row.get("label") or name), HOLDS.get(kind, "other"), kind, read_only)


def _count(client: Client, entity: str, mapping: str) -> int:
    try:
        total = client.query(f"SELECT COUNT() FROM {entity}", deleted=True).get("totalSize")  # noqa: S608
    except Refused as refusal:
        raise no_object(entity, f"{mapping}.yaml") from refusal
    return total if isinstance(total, int) else 0
