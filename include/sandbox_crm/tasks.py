"""Tasks that apps make: tied to their contact as they are created, found by reading that tie."""

from typing import Any, Final, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from sandbox_crm.activities import CONTACT_TYPE_IDS
from sandbox_crm.objects import InSandbox, invalid, number_of, record
from sandbox_crm.shapes import Properties
from sandbox_crm.store import iso
from sandbox_crm.vendor import VERSION, Refusal, bad_request

PAGE: Final = 500
TO_CONTACT: Final = CONTACT_TYPE_IDS["tasks"]
TO_TASK: Final = 203
router = APIRouter()


class To(BaseModel):
    """The record at the other end."""

    id: str | int


class Tie(BaseModel):
    """What kind of association."""

    associationCategory: Literal["HUBSPOT_DEFINED", "USER_DEFINED"]  # noqa: N815 - the vendor's names
    associationTypeId: int  # noqa: N815


class Association(BaseModel):
    """One association of a new object."""

    to: To
    types: list[Tie] = Field(min_length=1)


class NewTask(BaseModel):
    """A task to create."""

    properties: Properties
    associations: list[Association] = Field(default_factory=list)


class Changed(BaseModel):
    """Properties to set."""

    properties: Properties


class From(BaseModel):
    """A contact whose tasks are asked for, and behind which of them."""

    id: str
    after: str | None = None


class Froms(BaseModel):
    """Contacts whose tasks are asked for."""

    inputs: list[From] = Field(max_length=1000)


@router.post(f"/crm/objects/{VERSION}/tasks")
async def create(wanted: NewTask, sandbox: InSandbox) -> JSONResponse:
    """Create a task; nothing tells a repetition, so the same call twice makes two."""
    if refused := invalid(wanted.properties, sandbox.tasks, {}):
        bad_request(refused.pop("message"), **{key: refused[key] for key in ("context", "errors")})
    if not wanted.properties.get("hs_timestamp"):
        bad_request("Error creating TASK. Some required properties were not set: hs_timestamp.")
    if len(wanted.associations) != 1:
        bad_request("this sandbox ties a task to one contact, no more and no fewer")
    [tied] = wanted.associations
    if [tie.associationTypeId for tie in tied.types] != [TO_CONTACT]:
        bad_request(
            f"association types {[t.associationTypeId for t in tied.types]} do not tie a task to a contact"
        )
    contact_id = number_of(str(tied.to.id))
    if not sandbox.store.objects("contacts", [contact_id]):
        raise Refusal(404, "OBJECT_NOT_FOUND", f"No contact with ID {tied.to.id} exists")
    number = sandbox.store.make("tasks", contact_id, wanted.properties, sandbox.now())
    sandbox.tasks_made += 1
    row = sandbox.store.objects("tasks", [number])[number]
    return JSONResponse(record(row, list(wanted.properties)), 201)


@router.patch(f"/crm/objects/{VERSION}/tasks/{{record_id}}")
async def update(record_id: str, wanted: Changed, sandbox: InSandbox) -> dict[str, Any]:
    """Set properties of a task, such as its status."""
    number = number_of(record_id)
    if number not in sandbox.store.objects("tasks", [number]):
        raise Refusal(404, "OBJECT_NOT_FOUND", "Object not found. objectId are usually numeric.")
    if refused := invalid(wanted.properties, sandbox.tasks, {}):
        bad_request(refused.pop("message"), **{key: refused[key] for key in ("context", "errors")})
    sandbox.store.write(number, {k: v or None for k, v in wanted.properties.items()}, sandbox.now())
    return record(sandbox.store.objects("tasks", [number])[number], list(wanted.properties))


@router.post(f"/crm/associations/{VERSION}/contacts/tasks/batch/read")
async def tasks_of_contacts(wanted: Froms, sandbox: InSandbox) -> JSONResponse:
    """The tasks of contacts, at once after their creation, up to 500 of each contact a page."""
    kind = {"category": "HUBSPOT_DEFINED", "typeId": TO_TASK, "label": None}
    results, without = [], []
    for asked in wanted.inputs:
        rows = sandbox.store.rows(
            "SELECT from_id FROM associations JOIN objects ON id = from_id AND type = 'tasks' AND visible"
            " WHERE contact_id = ? AND from_id > ? ORDER BY from_id LIMIT ?",
            [number_of(asked.id), number_of(asked.after or "0"), PAGE + 1],
        )
        page = [str(row["from_id"]) for row in rows[:PAGE]]
        to = [{"toObjectId": task_id, "associationTypes": [kind]} for task_id in page]
        paging = {"paging": {"next": {"after": page[-1]}}} if len(rows) > PAGE else {}
        if page:
            results.append({"from": {"id": asked.id}, "to": to} | paging)
        else:
            without.append(asked.id)
    when = iso(sandbox.now())
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": when, "completedAt": when}
    if without:
        body["numErrors"] = len(without)
        body["errors"] = [
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                "message": f"No tasks is associated with contacts {without[0]}",
                "context": {"fromObjectId": without},
            }
        ]
    return JSONResponse(body, 207 if without else 200)
