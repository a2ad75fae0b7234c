"""Contacts and companies that go: archived and restored, merged, or deleted for good."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from sandbox_crm import merging
from sandbox_crm.objects import InSandbox, record
from sandbox_crm.sandbox import Sandbox
from sandbox_crm.vendor import VERSION, Refusal

CONTACTS = f"/crm/objects/{VERSION}/contacts"
RECORDS = f"/crm/objects/{VERSION}/{{kind}}"
Kind = Literal["contacts", "companies"]
router = APIRouter()


class Merge(BaseModel):
    """Two records, of which the first one's values stay."""

    primaryObjectId: str  # noqa: N815 - the vendor's names, here and below
    objectIdToMerge: str  # noqa: N815


class PrivacyDelete(BaseModel):
    """Whom to delete for good."""

    objectId: str  # noqa: N815
    idProperty: Literal["email", "hs_object_id"] = "hs_object_id"  # noqa: N815


@router.delete(RECORDS + "/{record_id}")
async def archive(kind: Kind, record_id: int, sandbox: InSandbox) -> Response:
    """Archive a record; one that is not there changes nothing, and is answered alike."""
    sandbox.store.archive(kind, record_id, sandbox.now())
    return Response(status_code=204)


@router.post("/sandbox/restore/{record_id}")
async def restore(record_id: int, sandbox: InSandbox) -> dict[str, bool]:
    """Bring an archived record back, as a person does in the vendor's pages."""
    return {"restored": sandbox.store.restore(record_id, sandbox.now())}


@router.post(f"{RECORDS}/merge")
async def merge(kind: Kind, wanted: Merge, sandbox: InSandbox) -> dict[str, Any]:
    """Make one record of two, for good."""
    stays = _record(kind, wanted.primaryObjectId, sandbox)["id"]
    goes = _record(kind, wanted.objectIdToMerge, sandbox)["id"]
    left = merging.merge(sandbox.store.db, kind, stays, goes, sandbox.now(), anew=sandbox.merges_make_new)
    return record(sandbox.store.objects(kind, [left])[left], [])


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


def _record(kind: Kind, number: str, sandbox: Sandbox) -> Any:
    rows = sandbox.store.objects(kind, [int(number)] if number.isdecimal() else [])
    if not rows:
        raise Refusal(404, "OBJECT_NOT_FOUND", "Object not found. objectId are usually numeric.")
    return next(iter(rows.values()))
