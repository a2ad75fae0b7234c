"""The account's settings: properties of objects, their groups, account details, calls made."""

from datetime import datetime, time, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from sandbox_crm.activities import PORTAL_ID
from sandbox_crm.objects import InSandbox
from sandbox_crm.properties import Property
from sandbox_crm.sandbox import Schema
from sandbox_crm.store import iso, milliseconds
from sandbox_crm.vendor import VERSION, Refusal

PROPERTIES = f"/crm/properties/{VERSION}/{{kind}}"
Kind = Literal["contacts", "companies", "deals", "tasks"]
ZONE: Final = ZoneInfo("Europe/Berlin")  # the account's: its day of calls ends at its midnight
router = APIRouter()


class NewProperty(BaseModel):
    """A property to create."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)
    label: str
    type: str = Field(pattern="^(string|number|bool|enumeration|date|datetime)$")
    fieldType: str  # noqa: N815 - the vendor's names, here and below
    groupName: str  # noqa: N815
    description: str = ""
    options: list[dict[str, Any]] = Field(default_factory=list)


class NewProperties(BaseModel):
    """Several properties to create."""

    inputs: list[NewProperty] = Field(max_length=100)


class NewGroup(BaseModel):
    """A property group to create."""

    name: str
    label: str
    displayOrder: int = -1  # noqa: N815


@router.get(PROPERTIES)
async def list_properties(kind: Kind, sandbox: InSandbox) -> dict[str, Any]:
    """All properties an object of this kind can have."""
    schema = sandbox.schema(kind)
    return {"results": [_shown(schema, known) for known in schema.properties.values()]}


@router.post(PROPERTIES)
async def create_property(kind: Kind, wanted: NewProperty, sandbox: InSandbox) -> JSONResponse:
    """Create one property; 409 when there is one of that name."""
    schema = sandbox.schema(kind)
    return JSONResponse(_shown(schema, _create(wanted, schema)), 201)


@router.post(f"{PROPERTIES}/batch/create")
async def create_properties(kind: Kind, wanted: NewProperties, sandbox: InSandbox) -> JSONResponse:
    """Create several properties, each on its own."""
    schema = sandbox.schema(kind)
    results, errors = [], []
    for asked in wanted.inputs:
        try:
            results.append(_shown(schema, _create(asked, schema)))
        except Refusal as refusal:
            errors.append(refusal.body | {"context": {"name": [asked.name]}})
    moment = iso(sandbox.now())
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": moment,
        "completedAt": moment,
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return JSONResponse(body, 207 if errors else 201)


@router.get(f"{PROPERTIES}/groups")
async def list_groups(kind: Kind, sandbox: InSandbox) -> dict[str, Any]:
    """The groups properties are filed under."""
    return {"results": [_group(name, label) for name, label in sandbox.schema(kind).groups.items()]}


@router.post(f"{PROPERTIES}/groups")
async def create_group(kind: Kind, wanted: NewGroup, sandbox: InSandbox) -> JSONResponse:
    """Create a group; 409 when there is one of that name."""
    groups = sandbox.schema(kind).groups
    if wanted.name in groups:
        raise Refusal(409, "CONFLICT", f"A property group named '{wanted.name}' already exists.")
    groups[wanted.name] = wanted.label
    return JSONResponse(_group(wanted.name, wanted.label), 201)


@router.get(f"{PROPERTIES}/{{name}}")
async def read_property(kind: Kind, name: str, sandbox: InSandbox) -> dict[str, Any]:
    """One property."""
    schema = sandbox.schema(kind)
    if name not in schema.properties:
        raise Refusal(404, "OBJECT_NOT_FOUND", f"Property {name} does not exist")
    return _shown(schema, schema.properties[name])


@router.get(f"/account-info/{VERSION}/details")
async def account_details(sandbox: InSandbox) -> dict[str, Any]:
    """Which account this is and which zone its days are counted in."""
    now = sandbox.clock().astimezone(ZONE)
    offset = now.utcoffset() or timedelta()
    return {
        "portalId": PORTAL_ID,
        "accountType": "SANDBOX",
        "timeZone": ZONE.key,
        "companyCurrency": "EUR",
        "additionalCurrencies": [],
        "utcOffset": now.isoformat()[-6:],
        "utcOffsetMilliseconds": int(offset.total_seconds() * 1000),
        "uiDomain": "sandbox.example",
        "dataHostingLocation": "eu1",
    }


@router.get(f"/account-info/{VERSION}/api-usage/daily/private-apps")
async def api_usage(sandbox: InSandbox) -> dict[str, Any]:
    """How many of today's calls are used."""
    now = sandbox.clock().astimezone(ZONE)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), ZONE)
    return {
        "results": [
            {
                "name": "private-apps-api-calls-daily",
                "usageLimit": sandbox.limits.per_day,
                "currentUsage": sandbox.calls.total(),
                "collectedAt": iso(milliseconds(now)),
                "fetchStatus": "SUCCESS",
                "resetsAt": iso(milliseconds(midnight)),
            }
        ]
    }


def _create(wanted: NewProperty, schema: Schema) -> Property:
    if wanted.name in schema.properties:
        raise Refusal(409, "CONFLICT", f"A property named '{wanted.name}' already exists.")
    if wanted.groupName not in schema.groups:
        raise Refusal(400, "VALIDATION_ERROR", f"Property group '{wanted.groupName}' does not exist.")
    created = Property(**wanted.model_dump() | {"options": tuple(wanted.options)})
    schema.properties[wanted.name] = created
    schema.added.add(wanted.name)
    return created


def _shown(schema: Schema, known: Property) -> dict[str, Any]:
    return known.as_json(ours=known.name in schema.added)


def _group(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}
