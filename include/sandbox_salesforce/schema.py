"""The objects of the organisation, their fields, and what the integration user may see and edit of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

FieldType = Literal["id", "string", "double", "boolean", "date", "datetime", "reference", "any"]
PREFIXES: Final = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "Task": "00T",
    "Event": "00U",
    "CampaignMember": "00v",
    "Lead": "00Q",
    "Individual": "0PK",
    "Campaign": "701",
    "LeadHistory": "017",
    "ContactHistory": "03j",
}
SYSTEM_FIELDS: Final = ("Id", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "SystemModstamp")
LONGEST_TEXT: Final = 255


@dataclass(frozen=True)
class Field:
    """One field; `to` is the object that a reference leads to (none for one to several kinds of object)."""

    name: str
    type: FieldType = "string"
    to: str | None = None

    @property
    def relation(self) -> str | None:
        """How a query goes on through a reference: `Account` for `AccountId`."""
        return self.name.removesuffix("Id") if self.to else None


@dataclass
class SObject:
    """One object: its fields by name, which of them are hidden from us, or not ours to edit."""

    name: str
    fields: dict[str, Field]
    visible: bool = True
    hidden: set[str] = field(default_factory=set)
    read_only: set[str] = field(default_factory=set)
    tracked: set[str] = field(default_factory=set)

    def known(self, name: str) -> Field | None:
        """A field that we may see; names are not told apart by their case."""
        found = next((one for one in self.fields.values() if one.name.lower() == name.lower()), None)
        return None if found is None or found.name in self.hidden else found

    def editable(self, name: str) -> bool:
        """Whether we may set it."""
        return name not in SYSTEM_FIELDS and name not in self.read_only


def standard_objects() -> dict[str, SObject]:
    """What every organisation has, as far as the connector knows of it."""
    person = [
        *_texts("FirstName LastName Title Email LeadSource Department"),
        *_texts("HasOptedOutOfEmail", "boolean"),
        Field("OwnerId", "reference", "User"),
        Field("MasterRecordId", "reference"),
        Field("IndividualId", "reference", "Individual"),
    ]
    task = [
        Field("WhoId", "reference"),
        Field("OwnerId", "reference", "User"),
        *_texts("Subject Status Type Description"),
        *_texts("ActivityDate", "date"),
        *_texts("IsArchived", "boolean"),
    ]
    objects = {
        "Account": [
            *_texts("Name Industry BillingCountry"),
            *_texts("NumberOfEmployees", "double"),
            Field("MasterRecordId", "reference"),
        ],
        "User": _texts("Username UserType"),
        "Individual": _texts("LastName") + _texts("HasOptedOutProfiling", "boolean"),
        "Campaign": _texts("Name Type"),
        "Lead": [
            *person,
            *_texts("Company Industry Country Status"),
            *_texts("NumberOfEmployees", "double"),
            *_texts("IsConverted", "boolean"),
            Field("ConvertedContactId", "reference", "Contact"),
        ],
        "Contact": [*person, Field("AccountId", "reference", "Account"), *_texts("MailingCountry")],
        "Task": [
            *task,
            *_texts("TaskSubtype CallType"),
            *_texts("CompletedDateTime", "datetime"),
            *_texts("IsClosed", "boolean"),
            *_texts("CallDurationInSeconds", "double"),
        ],
        "Event": [
            *task,
            *_texts("IsChild IsRecurrence", "boolean"),
            *_texts("StartDateTime EndDateTime", "datetime"),
        ],
        "CampaignMember": [
            *_texts("Status"),
            *_texts("HasResponded", "boolean"),
            *_texts("FirstRespondedDate", "date"),
            Field("CampaignId", "reference", "Campaign"),
            Field("LeadId", "reference", "Lead"),
            Field("ContactId", "reference", "Contact"),
        ],
        "Opportunity": [
            *_texts("Name StageName"),
            *_texts("Amount", "double"),
            *_texts("IsClosed IsWon", "boolean"),
            *_texts("CloseDate", "date"),
            Field("AccountId", "reference", "Account"),
        ],
        "OpportunityContactRole": [
            *_texts("Role"),
            *_texts("IsPrimary", "boolean"),
            Field("OpportunityId", "reference", "Opportunity"),
            Field("ContactId", "reference", "Contact"),
        ],
    }
    for kind in ("Lead", "Contact"):
        objects[f"{kind}History"] = [
            Field(f"{kind}Id", "reference", kind),
            Field("Field"),
            Field("OldValue", "any"),
            Field("NewValue", "any"),
        ]
    return {
        name: SObject(name, {one.name: one for one in [*_system(), *own]}) for name, own in objects.items()
    }


def _texts(names: str, kind: FieldType = "string") -> list[Field]:
    return [Field(name, kind) for name in names.split()]


def _system() -> list[Field]:
    return [
        Field("Id", "id"),
        Field("IsDeleted", "boolean"),
        Field("CreatedById", "reference", "User"),
        *_texts("CreatedDate LastModifiedDate SystemModstamp", "datetime"),
    ]
