"""What contacts did, where the vendor keeps it: associations, page views, e-mail events, form submissions."""

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from sandbox_crm.forms import FORMS
from sandbox_crm.objects import InSandbox, Kind
from sandbox_crm.store import iso
from sandbox_crm.vendor import VERSION, Refusal, bad_request, bookmark, moment, opened

ASSOCIATION_BATCH: Final = 1000
PAGE_VIEW: Final = "e_visited_page"
CONTACT_TYPE_IDS: Final = {
    "deals": 3,
    "calls": 194,
    "emails": 198,
    "meetings": 200,
    "notes": 202,
    "tasks": 204,
}
PORTAL_ID: Final = 24_680_135
EARLIEST: Final = 0
LATEST: Final = 2**62
router = APIRouter()


class Id(BaseModel):
    """One record of a batch."""

    id: str


class Ids(BaseModel):
    """Records whose associations are asked for."""

    inputs: list[Id]


@router.post(f"/crm/associations/{VERSION}/{{kind}}/contacts/batch/read")
async def associations(kind: Kind, wanted: Ids, sandbox: InSandbox) -> JSONResponse:
    """Which contacts up to 1,000 engagements belong to."""
    if kind not in CONTACT_TYPE_IDS:
        bad_request(f"{kind} are not associated with contacts here")
    if len(wanted.inputs) > ASSOCIATION_BATCH:
        bad_request(
            f"The maximum number of inputs supported is {ASSOCIATION_BATCH}, got {len(wanted.inputs)}"
        )
    ids = [int(asked.id) for asked in wanted.inputs if asked.id.isdecimal()]
    visible = sandbox.store.objects(kind, ids)
    rows = sandbox.store.rows(
        "SELECT from_id, contact_id FROM associations"
        " WHERE from_id IN (SELECT value FROM json_each(?)) ORDER BY from_id, contact_id",
        [json.dumps(list(visible))],
    )
    kind_of = {"category": "HUBSPOT_DEFINED", "typeId": CONTACT_TYPE_IDS[kind], "label": None}
    tied: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        to = {"toObjectId": str(row["contact_id"]), "associationTypes": [kind_of]}
        tied.setdefault(row["from_id"], []).append(to)
    results = [{"from": {"id": str(number)}, "to": to} for number, to in tied.items()]
    when = iso(sandbox.now())
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": when, "completedAt": when}
    missing = [asked.id for asked in wanted.inputs if not (asked.id.isdecimal() and int(asked.id) in tied)]
    if missing:
        body["numErrors"] = len(missing)
        body["errors"] = [
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                "message": f"No contact is associated with {kind} {missing[0]}",
                "context": {"fromObjectId": missing},
            }
        ]
    return JSONResponse(body, 207 if missing else 200)


@router.get(f"/events/event-occurrences/{VERSION}")
async def event_occurrences(
    request: Request,
    sandbox: InSandbox,
    eventType: str = PAGE_VIEW,  # noqa: N803
    objectType: str = "contact",  # noqa: N803
    objectId: int | None = None,  # noqa: N803
    occurredAfter: str | None = None,  # noqa: N803
    occurredBefore: str | None = None,  # noqa: N803
    sort: str = "-occurredAt",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: str | None = None,
) -> dict[str, Any]:
    """Page views: at or after `occurredAfter`, before `occurredBefore`, newest first unless sorted."""
    if objectType.lower() not in ("contact", "contacts", "0-1"):
        bad_request(f"objectType {objectType!r} has no events here; ask for contact")
    if sort not in ("occurredAt", "-occurredAt"):
        bad_request(f"sort {sort!r}: occurredAt is the only field events can be sorted by")
    if eventType != PAGE_VIEW:
        return {"results": []}
    since = moment(occurredAfter, of="occurredAfter") if occurredAfter else EARLIEST
    until = moment(occurredBefore, of="occurredBefore") if occurredBefore else LATEST
    compare, direction = (">", "ASC") if sort == "occurredAt" else ("<", "DESC")
    position = opened(after) if after else ([EARLIEST - 1, 0] if compare == ">" else [LATEST, 0])
    rows = sandbox.store.rows(
        "SELECT * FROM page_views WHERE visible = 1 AND occurred >= ? AND occurred < ?"  # noqa: S608
        f" AND (occurred, seq) {compare} (?, ?) AND (? IS NULL OR contact_id = ?)"
        f" ORDER BY occurred {direction}, seq {direction} LIMIT ?",
        [since, until, *position, objectId, objectId, limit + 1],
    )
    page = rows[:limit]
    found: dict[str, Any] = {
        "results": [
            {
                "id": row["id"],
                "eventType": PAGE_VIEW,
                "objectType": "CONTACT",
                "objectId": str(row["contact_id"]),
                "occurredAt": iso(row["occurred"]),
                "properties": {
                    name: value
                    for name, value in (("hs_url", row["url"]), ("hs_page_title", row["title"]))
                    if value is not None
                },
            }
            for row in page
        ]
    }
    if len(rows) > limit:
        token = bookmark(page[-1]["occurred"], page[-1]["seq"])
        link = str(request.url.include_query_params(after=token))
        found["paging"] = {"next": {"after": token, "link": link}}
    return found


@router.get(f"/events/event-occurrences/{VERSION}/event-types")
async def event_types() -> dict[str, list[str]]:
    """The types of event this account has."""
    return {"eventTypes": [PAGE_VIEW]}


@router.get("/email/public/v1/events")
async def email_events(
    sandbox: InSandbox,
    startTimestamp: int = EARLIEST,  # noqa: N803
    endTimestamp: int = LATEST,  # noqa: N803
    eventType: str | None = None,  # noqa: N803
    recipient: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    offset: str | None = None,
) -> dict[str, Any]:
    """Opens and clicks of marketing e-mails, newest first, both ends included; recipients by address only."""
    position = opened(offset) if offset else [LATEST, 0]
    rows = sandbox.store.rows(
        "SELECT * FROM email_events WHERE visible = 1 AND occurred BETWEEN ? AND ?"
        " AND (occurred, seq) < (?, ?) AND (? IS NULL OR type = ?) AND (? IS NULL OR recipient = ?)"
        " ORDER BY occurred DESC, seq DESC LIMIT ?",
        [startTimestamp, endTimestamp, *position, eventType, eventType, recipient, recipient, limit + 1],
    )
    page = rows[:limit]
    events = [
        {
            "id": row["id"],
            "created": row["occurred"],
            "type": row["type"],
            "recipient": row["recipient"],
            "portalId": PORTAL_ID,
            "appId": 113,
            "appName": "Batch",
            "emailCampaignId": row["campaign_id"],
            "subject": row["subject"],
        }
        | ({"url": row["url"]} if row["url"] else {})
        for row in page
    ]
    following = bookmark(page[-1]["occurred"], page[-1]["seq"]) if page else (offset or bookmark(LATEST, 0))
    return {"hasMore": len(rows) > limit, "offset": following, "events": events}


@router.get("/marketing/v3/forms")
async def forms(sandbox: InSandbox) -> dict[str, Any]:
    """The account's forms."""
    created = iso(sandbox.store.ends_at - 400 * 86_400_000)
    return {
        "results": [
            {
                "id": form.guid,
                "name": form.name,
                "formType": "hubspot",
                "createdAt": created,
                "updatedAt": created,
                "archived": False,
            }
            for form in FORMS.values()
        ]
    }


@router.get("/form-integrations/v1/submissions/forms/{guid}")
async def submissions(
    request: Request,
    guid: str,
    sandbox: InSandbox,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    after: str | None = None,
) -> dict[str, Any]:
    """Submissions of one form, newest first."""
    if guid not in FORMS:
        raise Refusal(404, "OBJECT_NOT_FOUND", f"No form with guid {guid}")
    rows = sandbox.store.rows(
        "SELECT s.*, o.properties ->> '$.firstname' AS firstname, o.properties ->> '$.lastname' AS lastname"
        " FROM submissions s LEFT JOIN objects o ON o.id = s.contact_id"
        " WHERE s.form = ? AND s.visible = 1 AND (s.occurred, s.seq) < (?, ?)"
        " ORDER BY s.occurred DESC, s.seq DESC LIMIT ?",
        [guid, *(opened(after) if after else [LATEST, 0]), limit + 1],
    )
    page = rows[:limit]
    found: dict[str, Any] = {
        "results": [
            {
                "conversionId": row["id"],
                "submittedAt": row["occurred"],
                "values": [
                    {"name": name, "value": row[name], "objectTypeId": "0-1"}
                    for name in ("email", "firstname", "lastname")
                    if row[name]
                ],
                "pageUrl": row["page_url"],
            }
            for row in page
        ]
    }
    if len(rows) > limit:
        token = bookmark(page[-1]["occurred"], page[-1]["seq"])
        found["paging"] = {
            "next": {"after": token, "link": str(request.url.include_query_params(after=token))}
        }
    return found
