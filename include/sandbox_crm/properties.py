"""The properties a contact, a company and a task can have, and whether a value may be written to one."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

GROUP: Final = "contactinformation"
READ_ONLY: Final = ("hs_object_id", "createdate", "lastmodifieddate", "hs_merged_object_ids")


@dataclass(frozen=True)
class Property:
    """A property definition as the vendor lists it."""

    name: str
    label: str
    type: str = "string"  # string, number, bool, enumeration, date, datetime
    fieldType: str = "text"  # noqa: N815 - the vendor's name
    groupName: str = GROUP  # noqa: N815
    description: str = ""
    options: tuple[dict[str, Any], ...] = field(default=())

    def as_json(self, *, ours: bool) -> dict[str, Any]:
        """The definition with what the vendor adds to it; `ours` means an app made it."""
        return asdict(self) | {
            "hubspotDefined": not ours,
            "archived": False,
            "modificationMetadata": {"readOnlyValue": self.name in READ_ONLY, "archivable": ours},
        }

    def problem(self, value: str | None) -> tuple[str, str] | None:
        """Why this value cannot be written, as (code, message); nothing when it can."""
        if self.name in READ_ONLY:
            return "READ_ONLY_VALUE", f"{self.name} is a read only property; its value cannot be set"
        if not value:
            return None  # empty clears the property
        if self.type == "number" and not _is_number(value):
            return "INVALID_INTEGER", f"{value!r} was not a valid number for {self.name}"
        if self.type in ("date", "datetime") and not _is_moment(value):
            return "INVALID_DATE", f"{value!r} was not a valid {self.type} for {self.name}"
        allowed = (
            ("true", "false") if self.type == "bool" else [option.get("value") for option in self.options]
        )
        if self.type in ("bool", "enumeration") and value not in allowed:
            return "INVALID_OPTION", f"{value!r} was not one of the allowed options of {self.name}: {allowed}"
        return None


def standard_properties() -> dict[str, Property]:
    """What every account has, before anybody adds to it."""
    text = {
        "firstname": "First Name",
        "lastname": "Last Name",
        "email": "Email",
        "jobtitle": "Job Title",
        "hs_email_domain": "Email Domain",
        "company": "Company Name",
        "website": "Website URL",
        "country": "Country/Region",
        "industry": "Industry",
        "lifecyclestage": "Lifecycle Stage",
        "hs_lead_status": "Lead Status",
        "hs_seniority": "Employment Seniority",
        "hs_buying_role": "Buying Role",
        "hs_analytics_source": "Original Traffic Source",
        "lead_source": "Lead source",
        "hubspot_owner_id": "Contact owner",
        "hs_additional_emails": "Additional email addresses",
        "hs_merged_object_ids": "Merged record IDs",
    }
    typed = (
        Property("associatedcompanyid", "Primary Associated Company ID", "number", "number"),
        Property("numemployees", "Number of Employees", "number", "number"),
        Property("annualrevenue", "Annual Revenue", "number", "number"),
        Property("hs_email_bounce", "Marketing emails bounced", "number", "number"),
        Property("hs_email_optout", "Unsubscribed from all email", "bool", "booleancheckbox"),
        Property("hs_object_id", "Record ID", "number", "number"),
        Property("createdate", "Create Date", "datetime", "date"),
        Property("lastmodifieddate", "Last Modified Date", "datetime", "date"),
    )
    return {name: Property(name, label) for name, label in text.items()} | {p.name: p for p in typed}


def company_properties() -> dict[str, Property]:
    """What a company has in every account."""
    text = {
        "name": "Name",
        "domain": "Company Domain",
        "country": "Country/Region",
        "industry": "Industry",
        "hs_merged_object_ids": "Merged Company IDs",
    }
    typed = (
        Property("numberofemployees", "Number of Employees", "number", "number"),
        Property("annualrevenue", "Annual Revenue", "number", "number"),
        Property("hs_object_id", "Record ID", "number", "number"),
        Property("createdate", "Create Date", "datetime", "date"),
        Property("hs_lastmodifieddate", "Last Modified Date", "datetime", "date"),
    )
    return {name: Property(name, label) for name, label in text.items()} | {p.name: p for p in typed}


def deal_properties() -> dict[str, Property]:
    """What a deal has in every account."""
    text = {
        "dealname": "Deal Name",
        "dealstage": "Deal Stage",
        "pipeline": "Pipeline",
        "hubspot_owner_id": "Deal owner",
    }
    typed = (
        Property("amount", "Amount", "number", "number"),
        Property("closedate", "Close Date", "datetime", "date"),
        Property("hs_is_closed", "Is Deal Closed?", "bool", "booleancheckbox"),
        Property("hs_is_closed_won", "Is Closed Won", "bool", "booleancheckbox"),
        Property("hs_object_id", "Record ID", "number", "number"),
        Property("createdate", "Create Date", "datetime", "date"),
        Property("hs_lastmodifieddate", "Last Modified Date", "datetime", "date"),
    )
    return {name: Property(name, label) for name, label in text.items()} | {p.name: p for p in typed}


def task_properties() -> dict[str, Property]:
    """What a task has in every account, before anybody adds to it."""
    text = {
        "hs_task_subject": "Task Title",
        "hs_task_body": "Task Notes",
        "hs_task_type": "Task Type",
        "hs_task_priority": "Priority",
        "hubspot_owner_id": "Assigned to",
    }
    states = ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED")
    status = Property(
        "hs_task_status",
        "Task Status",
        "enumeration",
        "select",
        options=tuple({"label": state, "value": state} for state in states),
    )
    dates = (
        Property("hs_timestamp", "Due date", "datetime", "date"),
        Property("hs_task_completion_date", "Completed at", "datetime", "date"),
        Property("hs_createdate", "Created at", "datetime", "date"),
        Property("hs_lastmodifieddate", "Last Modified Date", "datetime", "date"),
    )
    return {name: Property(name, label) for name, label in text.items()} | {
        known.name: known for known in (status, *dates)
    }


def _is_number(value: str) -> bool:
    try:
        return float(value) == float(value)  # NaN is not a number here either
    except ValueError:
        return False


def _is_moment(value: str) -> bool:
    try:
        return bool(value.lstrip("-").isdecimal() or datetime.fromisoformat(value))
    except ValueError:
        return False
