"""CRM records: search, read, and the batch update of contacts."""

import json
import sqlite3
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from sandbox_crm import history
from sandbox_crm.sandbox import Sandbox, Schema, sandbox_of
from sandbox_crm.search import SearchRequest
from sandbox_crm.shapes import Properties
from sandbox_crm.store import iso
from sandbox_crm.vendor import VERSION, Refusal, bad_request

BATCH: Final = 100
LATEST: Final = 2**62
DATES: Final = {
    "contacts": ("createdate", "lastmodifieddate"),
    "companies": ("createdate", "hs_lastmodifieddate"),
    "deals": ("createdate", "hs_lastmodifieddate"),
}
BATCH_WITH_HISTORY: Final = 50
ALWAYS: Final = {
    "contacts": ("createdate", "email", "firstname", "lastname", "hs_object_id", "lastmodifieddate"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
    "engagements": ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
}
Kind = Literal["contacts", "companies", "deals", "calls", "emails", "meetings", "notes", "tasks"]
InSandbox = Annotated[Sandbox, Depends(sandbox_of)]
router = APIRouter(prefix=f"/crm/objects/{VERSION}")


class Input(BaseModel):
    """One record of a batch."""

    id: str
    properties: Properties = Field(default_factory=dict)
    objectWriteTraceId: str | None = None  # noqa: N815 - the vendor's name


class BatchUpdate(BaseModel):
    """Records to update."""

    inputs: list[Input]


class BatchRead(BaseModel):
    """Records to read, and which of their properties."""

    inputs: list[Input]
    properties: list[str] = Field(default_factory=list)
    propertiesWithHistory: list[str] = Field(default_factory=list)  # noqa: N815
    idProperty: Literal["email", "hs_object_id"] = "hs_object_id"  # noqa: N815


@router.post("/{kind}/search")
async def search(kind: Kind, wanted: SearchRequest, sandbox: InSandbox) -> dict[str, Any]:
    """Visible records of one kind."""
    wanted.check_window()
    (where, filtered), (order, sorted_by) = wanted.where(), wanted.order()
    indexed = sandbox.now() - int(sandbox.search_lag * 1000) if sandbox.search_lag else LATEST
    visible = f"FROM objects WHERE type = ? AND visible = 1 AND modified <= ? AND {where}"
    filtered = [kind, indexed, *filtered]
    total = sandbox.store.rows(f"SELECT count(*) {visible}", filtered)[0][0]
    rows = sandbox.store.rows(
        f"SELECT * {visible} ORDER BY {order} LIMIT ? OFFSET ?",
        [*filtered, *sorted_by, wanted.limit, wanted.after],
    )
    found: dict[str, Any] = {"total": total, "results": [record(row, wanted.properties) for row in rows]}
    if (following := wanted.after + wanted.limit) < total:
        found["paging"] = {"next": {"after": str(following)}}
    return found


@router.get("/{kind}")
async def listing(
    kind: Kind,
    sandbox: InSandbox,
    archived: bool = False,
    limit: int = Query(10, ge=1, le=BATCH),
    after: int = Query(0, ge=0),
    properties: Annotated[list[str], Query()] = [],  # noqa: B006 - how FastAPI is told of a repeated one
) -> dict[str, Any]:
    """Records of one kind by id, a page at a time: those there are, or those that were archived."""
    which = "id IN (SELECT id FROM archived)" if archived else "visible"
    rows = sandbox.store.rows(
        f"SELECT * FROM objects WHERE type = ? AND {which} AND id > ? ORDER BY id LIMIT ?",  # noqa: S608
        (kind, after, limit + 1),
    )
    names = [name for text in properties for name in text.split(",") if name]
    shown = [record(row, names) | _archived(sandbox, row["id"], archived) for row in rows[:limit]]
    found: dict[str, Any] = {"results": shown}
    if len(rows) > limit:
        found["paging"] = {"next": {"after": str(rows[limit - 1]["id"])}}
    return found


@router.get("/{kind}/{record_id}")
async def read(kind: Kind, record_id: str, sandbox: InSandbox, properties: str = "") -> dict[str, Any]:
    """One record by id."""
    row = _rows(sandbox, kind, [record_id]).get(record_id)
    if row is None:
        raise Refusal(404, "OBJECT_NOT_FOUND", "Object not found. objectId are usually numeric.")
    return record(row, [name for name in properties.split(",") if name])


@router.post("/{kind}/batch/read")
async def batch_read(kind: Kind, wanted: BatchRead, sandbox: InSandbox) -> JSONResponse:
    """Up to 100 records by id, or contacts by e-mail; the unknown ones are reported beside those found."""
    ids = _batch(wanted.inputs, BATCH_WITH_HISTORY if wanted.propertiesWithHistory else BATCH)
    rows: dict[str, sqlite3.Row]
    if wanted.idProperty == "email":
        rows = sandbox.store.contacts_by_email(ids) if kind == "contacts" else {}
    else:
        rows = _rows(sandbox, kind, ids)
    found = {rows[i.lower()]["id"]: rows[i.lower()] for i in ids if i.lower() in rows}
    unknown = [i for i in ids if i.lower() not in rows]
    results = [
        record(row, wanted.properties) | _history(sandbox, row, wanted.propertiesWithHistory)
        for row in found.values()
    ]
    return _answer(sandbox, results, [_not_found(unknown)] if unknown else [])


@router.post("/contacts/batch/update")
async def batch_update(wanted: BatchUpdate, sandbox: InSandbox) -> JSONResponse:
    """Write properties to up to 100 contacts, each on its own: one bad record stops no other."""
    ids = _batch(wanted.inputs)
    sandbox.batch_updates += 1
    rows = _rows(sandbox, "contacts", ids)
    results, errors = [], []
    for asked in wanted.inputs:
        trace = {"objectWriteTraceId": asked.objectWriteTraceId} if asked.objectWriteTraceId else {}
        context = {name: [value] for name, value in trace.items()}
        if asked.id not in rows:
            errors.append(_not_found([asked.id], context))
        elif refused := invalid(asked.properties, sandbox.schema("contacts"), {"ids": [asked.id]} | context):
            errors.append(refused)
        else:
            number = rows[asked.id]["id"]
            sandbox.store.write(number, {k: v or None for k, v in asked.properties.items()}, sandbox.now())
            sandbox.records_written += 1
            row = sandbox.store.objects("contacts", [number])[number]
            results.append(record(row, list(asked.properties)) | trace)
    return _answer(sandbox, results, errors)


def record(row: sqlite3.Row, wanted: list[str]) -> dict[str, Any]:
    """A record as the vendor shows it: only what was asked for, values as text, null when there is none."""
    dates = {"created": iso(row["created"]), "modified": iso(row["modified"])}
    created, modified = DATES.get(row["type"], ("hs_createdate", "hs_lastmodifieddate"))
    known: Properties = json.loads(row["properties"]) | {
        created: dates["created"],
        modified: dates["modified"],
        "hs_object_id": str(row["id"]),
    }
    names = [*ALWAYS.get(row["type"], ALWAYS["engagements"]), *wanted]
    return {
        "id": str(row["id"]),
        "properties": {name: known.get(name) for name in names},
        "createdAt": dates["created"],
        "updatedAt": dates["modified"],
        "archived": False,
    }


def _history(sandbox: Sandbox, row: sqlite3.Row, names: list[str]) -> dict[str, Any]:
    if not names:
        return {}
    known = history.of_record(sandbox.store.db, row, json.loads(row["properties"]), names)
    dated = {
        name: [entry | {"timestamp": iso(entry["timestamp"])} for entry in entries]
        for name, entries in known.items()
    }
    return {"propertiesWithHistory": dated}


def _archived(sandbox: Sandbox, number: int, archived: bool) -> dict[str, Any]:
    if not archived:
        return {}
    [row] = sandbox.store.rows("SELECT at FROM archived WHERE id = ?", [number])
    return {"archived": True, "archivedAt": iso(row["at"])}


def _batch(inputs: list[Input], most: int = BATCH) -> list[str]:
    ids = [asked.id for asked in inputs]
    if len(ids) > most:
        bad_request(f"The maximum number of inputs supported is {most}, but {len(ids)} were given")
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        bad_request(
            f"Duplicate IDs found in batch input: {twice}. IDs must be unique", context={"ids": twice}
        )
    return ids


def invalid(properties: Properties, schema: Schema, context: dict[str, list[str]]) -> dict[str, Any] | None:
    """The error of values that cannot be written; None when all can."""
    problems = []
    for name, value in properties.items():
        if name not in schema.properties:
            problems.append((name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
        elif problem := schema.properties[name].problem(value):
            problems.append((name, *problem))
    if not problems:
        return None
    return {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": "Property values were not valid: " + "; ".join(message for _, _, message in problems),
        "context": context,
        "errors": [
            {"message": message, "code": code, "context": {"propertyName": [name]}}
            for name, code, message in problems
        ],
    }


def _not_found(ids: list[str], context: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some objects, they may be deleted or not exist. Check that ids are valid.",
        "context": {"ids": ids} | (context or {}),
    }


def _answer(sandbox: Sandbox, results: list[dict[str, Any]], errors: list[dict[str, Any]]) -> JSONResponse:
    moment = iso(sandbox.now())
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": moment,
        "completedAt": moment,
    }
    if errors:
        body |= {"numErrors": sum(len(error["context"]["ids"]) for error in errors), "errors": errors}
    return JSONResponse(body, 207 if errors else 200)


def number_of(record_id: str) -> int:
    """The id as a number; -1, which nobody has, when it is none."""
    return int(record_id) if record_id.isdecimal() and len(record_id) < 19 else -1


def _rows(sandbox: Sandbox, kind: str, ids: list[str]) -> dict[str, sqlite3.Row]:
    """What there is by the id that was asked for."""
    numbers = {record_id: number_of(record_id) for record_id in ids}
    if kind == "contacts" and sandbox.follows_merges:
        numbers = {record_id: sandbox.store.left_of(number) for record_id, number in numbers.items()}
    found = sandbox.store.objects(kind, numbers.values())
    return {record_id: found[number] for record_id, number in numbers.items() if number in found}
