"""Bulk API 2.0, as far as updates go."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import PlainTextResponse, Response

from sandbox_salesforce.api import VERSION, InOrganisation
from sandbox_salesforce.editing import edit
from sandbox_salesforce.organisation import Job, Organisation
from sandbox_salesforce.records import Row
from sandbox_salesforce.schema import SObject
from sandbox_salesforce.vendor import Refusal

router = APIRouter()
INGEST = VERSION + "/jobs/ingest"
LARGEST = 150 * 1024 * 1024
OVER = ("JobComplete", "Failed", "Aborted")


@router.post(INGEST)
async def open_job(
    version: float, asked: Annotated[dict[str, Any], Body()], org: InOrganisation
) -> dict[str, Any]:
    """A job that waits for its table."""
    about = org.records.objects.get(str(asked.get("object")))
    if about is None or not about.visible:
        raise Refusal(400, "INVALIDENTITY", f"Unable to find object: {asked.get('object')}")
    if asked.get("operation") != "update" or asked.get("contentType", "CSV") != "CSV":
        raise Refusal(400, "FUNCTIONALITY_NOT_ENABLED", "this sandbox updates from CSV only")
    if asked.get("lineEnding", "LF") != "LF" or asked.get("columnDelimiter", "COMMA") != "COMMA":
        raise Refusal(400, "INVALIDJOB", "this sandbox reads lines that end with LF and cells between commas")
    job = Job(f"750SB{len(org.jobs):010}AAA", about.name, "update")
    org.jobs[job.id] = job
    return _shown(version, job)


@router.put(INGEST + "/{job_id}/batches")
async def upload(version: float, job_id: str, request: Request, org: InOrganisation) -> Response:
    """The table of an open job, once."""
    job = _job(org, job_id)
    body = await request.body()
    if job.state != "Open" or job.table:
        raise Refusal(400, "INVALIDJOBSTATE", "Unable to upload data: the job is not open, or has its data")
    if not request.headers.get("content-type", "").startswith("text/csv"):
        raise Refusal(400, "INVALIDREQUEST", "the data have to be text/csv")
    if len(body) > LARGEST:
        raise Refusal(400, "CLIENTINPUTERROR", "the data are too large")
    job.table = body.decode()
    return Response(status_code=201)


@router.patch(INGEST + "/{job_id}")
async def set_state(
    version: float, job_id: str, asked: Annotated[dict[str, Any], Body()], org: InOrganisation
) -> dict[str, Any]:
    """`UploadComplete` starts an open job, `Aborted` ends one that is not over."""
    job, wanted = _job(org, job_id), asked.get("state")
    if job.state in OVER or wanted not in ("UploadComplete", "Aborted"):
        raise Refusal(400, "INVALIDJOBSTATE", f"A job that is {job.state} cannot become {wanted}")
    if wanted == "UploadComplete" and job.state != "Open":
        raise Refusal(400, "INVALIDJOBSTATE", "Closing the job is not allowed")
    job.state = str(wanted)
    return _shown(version, job)


@router.get(INGEST + "/{job_id}")
async def look(version: float, job_id: str, org: InOrganisation) -> dict[str, Any]:
    """Its state; the sandbox works while it is asked for."""
    job = _job(org, job_id)
    if job.state in ("UploadComplete", "InProgress"):
        job.looks += 1
        job.state = "InProgress"
        if job.looks > org.bulk_looks:
            _work_off(org, job)
    return _shown(version, job)


@router.get(INGEST + "/{job_id}/{which}/")
@router.get(INGEST + "/{job_id}/{which}")
async def results(version: float, job_id: str, which: str, org: InOrganisation) -> PlainTextResponse:
    """One of the three lists, when the job is over."""
    job = _job(org, job_id)
    lists = {
        "successfulresults": (["sf__Id", "sf__Created"], job.successful),
        "failedresults": (["sf__Id", "sf__Error"], job.failed),
        "unprocessedrecords": ([], job.unprocessed),
    }
    if which.lower() not in lists:
        raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
    if job.state not in OVER:
        raise Refusal(400, "INVALIDJOBSTATE", "the job is not over")
    first, rows = lists[which.lower()]
    header = next(csv.reader(io.StringIO(job.table)), [])
    out = io.StringIO()
    table = csv.DictWriter(out, [*first, *header], quoting=csv.QUOTE_ALL, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return PlainTextResponse(out.getvalue(), media_type="text/csv")


def _work_off(org: Organisation, job: Job) -> None:
    about = org.records.objects[job.object]
    rows = list(csv.DictReader(io.StringIO(job.table, newline="")))
    unknown = [name for name in (rows[0] if rows else []) if about.known(name) is None]
    if unknown:
        job.state, job.error = "Failed", f"InvalidBatch : Field name not found : {unknown[0]}"
        job.unprocessed = [dict(row) for row in rows]
        return
    for row in rows:
        try:
            values = {name: _cell(about, name, text) for name, text in row.items() if name != "Id" and text}
            record_id = edit(org, about, row.get("Id"), values)
            job.successful.append({"sf__Id": record_id, "sf__Created": "false", **row})
        except Refusal as refusal:
            error = f"{refusal.code}:{refusal.message}:{','.join(refusal.fields)}--"
            job.failed.append({"sf__Id": "", "sf__Error": error, **row})
    job.state = "JobComplete"


def _cell(about: SObject, name: str, text: str) -> Any:
    known = about.fields[name]
    if text == "#N/A":
        return None
    try:
        return float(text) if known.type == "double" else text == "true" if known.type == "boolean" else text
    except ValueError:
        raise Refusal(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", f"bad value for {name}", [name]) from None


def _job(org: Organisation, job_id: str) -> Job:
    if job_id not in org.jobs:
        raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
    return org.jobs[job_id]


def _shown(version: float, job: Job) -> dict[str, Row | str | float]:
    shown: dict[str, Any] = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "state": job.state,
        "contentType": "CSV",
        "apiVersion": version,
        "contentUrl": f"services/data/v{version}/jobs/ingest/{job.id}/batches",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }
    return shown | ({"errorMessage": job.error} if job.error else {})
