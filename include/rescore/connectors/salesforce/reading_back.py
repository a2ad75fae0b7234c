"""What leads and contacts show now, by record id, and the history of the fields that are tracked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rescore.connectors.readback import Edit, Shown
from rescore.connectors.salesforce.changes import by_id, every
from rescore.connectors.salesforce.client import Client, JsonObject, Refused
from rescore.connectors.salesforce.mapping import PersonKind
from rescore.connectors.salesforce.people import CONVERSION, is_converted
from rescore.connectors.salesforce.refusals import unreadable
from rescore.connectors.salesforce.values import at_path, is_id, read_moment, text_of
from rescore.connectors.salesforce.writing import kind_of
from rescore.errors import CrmUnavailable, RescoreError

HISTORIES: dict[PersonKind, tuple[str, str]] = {
    "Lead": ("LeadHistory", "LeadId"),
    "Contact": ("ContactHistory", "ContactId"),
}
PEOPLE = "Standard"
"""The `UserType` of users with an ordinary licence; automated processes and guests have others."""


def read_shown(
    client: Client, lead_ids: Sequence[str], properties: Sequence[str], name: str
) -> dict[str, Shown | None]:
    """See `ReadBack.read`; of a lead that was converted, what its contact shows, because that is written."""

    def rows_of(kind: PersonKind, ids: Iterable[str], *more: str) -> dict[str, JsonObject]:
        mine = [one for one in ids if kind_of(one) == kind]
        names = ["IsDeleted", *more, *properties]
        return by_id(
            client,
            kind,
            names,
            mine,
            unreadable=lambda refusal, entity, asked: unreadable(refusal, entity, asked, f"{name}.yaml"),
        )

    found = rows_of("Lead", lead_ids, *CONVERSION)
    contacts = {
        lead_id: str(row["ConvertedContactId"]) for lead_id, row in found.items() if is_converted(row)
    }
    found |= rows_of("Contact", [*lead_ids, *contacts.values()])
    shown: dict[str, Shown | None] = {}
    for lead_id in lead_ids:
        row = found.get(contacts.get(lead_id, lead_id))
        there = row is not None and not row.get("IsDeleted")
        shown[lead_id] = {name: text_of(at_path(row, name)) for name in properties} if row and there else None
    return shown


def read_edits(
    client: Client, lead_ids: Sequence[str], properties: Sequence[str]
) -> dict[tuple[str, str], list[Edit]]:
    """See `ReadBack.edits`; of a field whose history the organisation does not track there is nothing.

    What our own user did is no person's edit. Of other users only those with an ordinary licence are people
    for sure.
    """
    _, ours = who_we_are(client)
    edits: dict[tuple[str, str], list[Edit]] = {}
    for kind, (entity, parent) in HISTORIES.items():
        mine = [one for one in lead_ids if kind_of(one) == kind]
        for row in _history(client, entity, parent, mine, properties):
            edit = _edit(row, ours)
            if edit:
                edits.setdefault((str(row.get(parent)), str(row.get("Field"))), []).append(edit)
    for found in edits.values():
        found.sort(key=lambda edit: edit.at, reverse=True)
    return edits


def who_we_are(client: Client) -> tuple[str, str]:
    """(id of the organisation, id of our user), which the address of this session's identity ends with.

    Raises:
        CrmUnavailable: They are not said.
    """
    try:
        identity = str(client.get("").get("identity") or "")
    except Refused as refusal:
        problem = f"{refusal}; check `version` in the extra of the Connection"
        raise CrmUnavailable(problem, sent=False) from refusal
    organisation, _, user = identity.rstrip("/").partition("/id/")[2].partition("/")
    if not (is_id(organisation) and is_id(user)):
        raise CrmUnavailable("Salesforce did not say who we are; the next run tries again", sent=False)
    return organisation, user


def _history(
    client: Client, entity: str, parent: str, lead_ids: Sequence[str], properties: Sequence[str]
) -> Iterator[JsonObject]:
    asked = ["Id", parent, "Field", "NewValue", "CreatedDate", "CreatedById", "CreatedBy.UserType"]
    fields = ", ".join(f"'{name}'" for name in properties)
    distinct = list(dict.fromkeys(lead_ids))
    for start in range(0, len(distinct), client.limits.ids):
        ids = ", ".join(f"'{one}'" for one in distinct[start : start + client.limits.ids])
        soql = (
            f"SELECT {', '.join(asked)} FROM {entity} WHERE {parent} IN ({ids}) AND Field IN ({fields}) "  # noqa: S608
            "ORDER BY CreatedDate DESC, Id DESC"
        )
        try:
            yield from every(client, soql, entity, deleted=False)
        except Refused as refusal:
            raise _no_history(refusal, entity, asked) from refusal


def _no_history(refusal: Refused, entity: str, asked: Sequence[str]) -> RescoreError:
    return unreadable(refusal, entity, asked, "of this system")


def _edit(row: JsonObject, ours: str) -> Edit | None:
    """One entry of a history; an entry without a time, or with a structure, tells nothing."""
    try:
        at, value = read_moment(row.get("CreatedDate")), text_of(row.get("NewValue"))
    except ValueError:
        return None
    user, kind = row.get("CreatedById"), at_path(row, "CreatedBy.UserType")
    by_person = False if user == ours else True if kind == PEOPLE else None if kind is None else False
    return Edit(value, at, f"Salesforce user {user}" if user else None, by_person)
