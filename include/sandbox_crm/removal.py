"""Contacts that go: archived and restored, merged, or deleted for good."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from sandbox_crm.objects import InSandbox, record
from sandbox_crm.sandbox import Sandbox
from sandbox_crm.vendor import VERSION, Refusal

CONTACTS = f"/crm/objects/{VERSION}/contacts"
router = APIRouter()


class Merge(BaseModel):
    """Two contacts, of which the first stays."""

    primaryObjectId: str  # noqa: N815 - the vendor's names, here and below
    objectIdToMerge: str  # noqa: N815


class PrivacyDelete(BaseModel):
    """Whom to delete for good."""

    objectId: str  # noqa: N815
    idProperty: Literal["email", "hs_object_id"] = "hs_object_id"  # noqa: N815


@router.delete(CONTACTS + "/{contact_id}")
async def archive(contact_id: int, sandbox: InSandbox) -> Response:
    """Archive a contact; one that is not there changes nothing, and is answered alike."""
    sandbox.store.archive(contact_id, sandbox.now())
    return Response(status_code=204)


@router.post("/sandbox/restore/{contact_id}")
async def restore(contact_id: int, sandbox: InSandbox) -> dict[str, bool]:
    """Bring an archived contact back, as a person does in the vendor's pages."""
    return {"restored": sandbox.store.restore(contact_id, sandbox.now())}


@router.post(f"{CONTACTS}/merge")
async def merge(wanted: Merge, sandbox: InSandbox) -> dict[str, Any]:
    """Merge one contact into another, for good."""
    stays, goes = (_contact(number, sandbox) for number in (wanted.primaryObjectId, wanted.objectIdToMerge))
    sandbox.store.merge(stays["id"], goes["id"], sandbox.now())
    return record(sandbox.store.objects("contacts", [stays["id"]])[stays["id"]], [])


@router.post(f"{CONTACTS}/gdpr-delete")
async def privacy_delete(wanted: PrivacyDelete, sandbox: InSandbox) -> Response:
    """Delete a contact and what it did, archived or not; no listing shows it any more."""
    if wanted.idProperty == "email":
        found = sandbox.store.contacts_by_email([wanted.objectId])
        ids = [row["id"] for row in found.values()]
    else:
        ids = [int(wanted.objectId)] if wanted.objectId.isdecimal() else []
    for contact_id in ids:
        sandbox.store.forget(contact_id)
    return Response(status_code=204)


def _contact(number: str, sandbox: Sandbox) -> Any:
    rows = sandbox.store.objects("contacts", [int(number)] if number.isdecimal() else [])
    if not rows:
        raise Refusal(404, "OBJECT_NOT_FOUND", "Object not found. objectId are usually numeric.")
    return next(iter(rows.values()))
