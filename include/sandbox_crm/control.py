"""The sandbox's own endpoints: release what is held back, script faults, receive webhooks, count."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from sandbox_crm.faults import Fault, Faults
from sandbox_crm.history import SCREEN, Author
from sandbox_crm.objects import InSandbox, Kind
from sandbox_crm.sandbox import Delivery
from sandbox_crm.shapes import Properties
from sandbox_crm.store import iso
from sandbox_crm.vendor import Refusal

router = APIRouter(prefix="/sandbox")


class FaultScript(BaseModel):
    """Faults to come, in place of those still waiting."""

    faults: list[Fault]


class PersonsEdit(BaseModel):
    """What somebody types into the page of a contact, company or deal; an empty text clears a property."""

    kind: Literal["contacts", "companies", "deals"] = "contacts"
    id: int
    properties: Properties
    user: int = 7001


class PersonsTie(BaseModel):
    """An object that somebody ties to a contact, or unties."""

    kind: Kind
    id: int
    contact: int
    tied: bool = True


@router.post("/associate")
async def associate(given: PersonsTie, sandbox: InSandbox) -> dict[str, bool]:
    """Let a person at a screen tie an object to a contact; nothing counts as modified by it."""
    both = ((given.kind, given.id), ("contacts", given.contact))
    if not all(number in sandbox.store.objects(kind, [number]) for kind, number in both):
        raise Refusal(404, "OBJECT_NOT_FOUND", "There is no such record")
    sandbox.store.tie(given.id, given.contact, tied=given.tied)
    return {"tied": given.tied}


@router.post("/edit")
async def edit(given: PersonsEdit, sandbox: InSandbox) -> dict[str, int]:
    """Let a person at a screen change a contact, a company or a deal."""
    if given.id not in sandbox.store.objects(given.kind, [given.id]):
        raise Refusal(404, "OBJECT_NOT_FOUND", "There is no such record")
    values = {name: value or None for name, value in given.properties.items()}
    sandbox.store.write(given.id, values, sandbox.now(), Author(SCREEN.source, given.user))
    return {"edited": len(values)}


@router.post("/release")
async def release(sandbox: InSandbox, days: Annotated[float | None, Query(gt=0)] = None) -> dict[str, Any]:
    """Let held-back facts appear: the oldest `days` of them, or all."""
    appeared = sandbox.store.release(sandbox.now(), days)
    return {"appeared": appeared, "known_until": iso(sandbox.store.released_until)}


@router.get("/status")
async def status(request: Request, sandbox: InSandbox) -> dict[str, Any]:
    """What there is, what is still held back, what was called and written."""
    faults: Faults | None = request.app.state.faults
    return {
        "rows": sandbox.store.counts(),
        "planted": sandbox.planted,
        "known_until": iso(sandbox.store.released_until),
        "ends_at": iso(sandbox.store.ends_at),
        "calls": dict(sorted(sandbox.calls.items())),
        "calls_total": sandbox.calls.total(),
        "refused": {str(code): number for code, number in sandbox.refused.items()},
        "contact_writes": {"batch_updates": sandbox.batch_updates, "records": sandbox.records_written},
        "tasks_made": sandbox.tasks_made,
        "deliveries": {
            "received": len(sandbox.deliveries),
            "repeated": sum(delivery.times - 1 for delivery in sandbox.deliveries.values()),
            "rejected": sandbox.rejected_deliveries,
        },
        "faults": {"waiting": len(faults.waiting), "played": faults.played} if faults else None,
    }


@router.post("/faults")
async def script_faults(script: FaultScript, request: Request) -> dict[str, int]:
    """Set the faults to come; an empty list clears them."""
    faults: Faults | None = request.app.state.faults
    if faults is None:
        raise Refusal(404, "FAULTS_OFF", "This sandbox was not started with faults; start it with --faults")
    faults.waiting = script.faults
    return {"waiting": len(faults.waiting)}


@router.post("/hooks/{name}")
async def receive_hook(name: str, request: Request, sandbox: InSandbox) -> JSONResponse:
    """Receive a webhook: checks its Standard Webhooks signature and keeps each webhook-id once."""
    body = await request.body()
    try:
        Webhook(sandbox.webhook_secret).verify(body, dict(request.headers))
    except (WebhookVerificationError, json.JSONDecodeError) as problem:
        sandbox.rejected_deliveries += 1
        raise Refusal(401, "WEBHOOK_REJECTED", str(problem)) from problem
    webhook_id = request.headers["webhook-id"]
    if known := sandbox.deliveries.get((name, webhook_id)):
        known.times += 1
        return JSONResponse({"received": webhook_id, "times": known.times})
    sandbox.deliveries[name, webhook_id] = Delivery(name, webhook_id, sandbox.clock(), json.loads(body))
    return JSONResponse({"received": webhook_id, "times": 1})


@router.get("/received")
async def received(sandbox: InSandbox, hook: str | None = None) -> dict[str, Any]:
    """The webhooks received, oldest first."""
    return {
        "results": [
            {
                "hook": delivery.hook,
                "webhook_id": delivery.id,
                "received_at": delivery.received_at.isoformat(),
                "times": delivery.times,
                "body": delivery.body,
            }
            for delivery in sandbox.deliveries.values()
            if hook in (None, delivery.hook)
        ]
    }
