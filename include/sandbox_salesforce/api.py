"""Queries, single records and collections of records."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from itertools import groupby
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import JSONResponse, Response

from sandbox_salesforce.editing import check, edit, read_values, record_to_edit
from sandbox_salesforce.organisation import ORGANISATION, Organisation, organisation_of
from sandbox_salesforce.records import Row
from sandbox_salesforce.schema import SObject
from sandbox_salesforce.soql import run
from sandbox_salesforce.vendor import Refusal

VERSION: Final = "/services/data/v{version}"
SMALLEST_PAGE, LARGEST_PAGE = 200, 2000
MOST_RECORDS, MOST_CHUNKS = 200, 10
router = APIRouter()
InOrganisation = Annotated[Organisation, Depends(organisation_of)]


@router.get(VERSION + "/")
async def resources(version: float, org: InOrganisation) -> dict[str, str]:
    """What there is below a version, and who asks."""
    below = f"/services/data/v{version}"
    return {
        "sobjects": f"{below}/sobjects",
        "query": f"{below}/query",
        "composite": f"{below}/composite",
        "jobs": f"{below}/jobs",
        "identity": f"https://login.salesforce.com/id/{ORGANISATION}/{org.user}",
    }


@router.get(VERSION + "/query/")
async def query(version: float, q: str, request: Request, org: InOrganisation) -> dict[str, Any]:
    """What is neither deleted nor archived."""
    return _first_page(version, "query", q, request, org, deleted=False)


@router.get(VERSION + "/queryAll/")
async def query_all(version: float, q: str, request: Request, org: InOrganisation) -> dict[str, Any]:
    """Everything that is still there."""
    return _first_page(version, "queryAll", q, request, org, deleted=True)


@router.get(VERSION + "/query/{locator}")
@router.get(VERSION + "/queryAll/{locator}")
async def more(version: float, locator: str, org: InOrganisation) -> dict[str, Any]:
    """The next page of a query, which is kept for a while."""
    place, _, start = locator.rpartition("-")
    if place not in org.places or not start.isdecimal():
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(version, "query", place, int(start), org)


@router.patch(VERSION + "/composite/sobjects")
async def update_collection(
    version: float, request: Request, asked: Annotated[dict[str, Any], Body()], org: InOrganisation
) -> list[dict[str, Any]]:
    """Up to 200 records, each with a result of its own at its place."""
    records = asked.get("records") or []
    if len(records) > MOST_RECORDS:
        message = f"record limit reached. cannot submit more than {MOST_RECORDS} records into this call"
        raise Refusal(400, "LIMIT_EXCEEDED", message)
    kinds = [str((record.get("attributes") or {}).get("type")) for record in records]
    if len(list(groupby(kinds))) > MOST_CHUNKS:
        message = f"Cannot have more than {MOST_CHUNKS} chunks in a single operation"
        raise Refusal(400, "LIMIT_EXCEEDED", message)
    work = []
    for kind, record in zip(kinds, records, strict=True):
        about = _object(org, kind)
        given = {name: value for name, value in record.items() if name not in ("attributes", "id", "Id")}
        work.append((about, record.get("id") or record.get("Id"), read_values(about, given)))
    results = []
    for about, record_id, values in work:
        try:
            edited = edit(org, about, record_id, values)
            results.append({"id": edited, "success": True, "errors": []})
            _assign(org, about, edited, request)
        except Refusal as refusal:
            results.append({"id": None, "success": False, "errors": [refusal.row]})
    return results


@router.post(VERSION + "/sobjects/{name}/")
async def create(
    version: float, name: str, given: Annotated[dict[str, Any], Body()], org: InOrganisation
) -> JSONResponse:
    """Make a record."""
    about = _object(org, name)
    values = read_values(about, given)
    check(org, about, values)
    made = org.records.insert(about.name, org.user, **{"OwnerId": org.user, **values})
    return JSONResponse({"id": made, "success": True, "errors": []}, 201)


@router.get(VERSION + "/sobjects/{name}/describe")
async def describe(version: float, name: str, org: InOrganisation) -> dict[str, Any]:
    """The fields of an object that we may see."""
    about = _object(org, name)
    fields = [
        {"name": one.name, "type": one.type, "updateable": about.editable(one.name)}
        for one in about.fields.values()
        if one.name not in about.hidden
    ]
    return {"name": about.name, "fields": fields}


@router.get(VERSION + "/sobjects/{name}/{record_id}")
async def read(
    version: float, name: str, record_id: str, org: InOrganisation, fields: str = ""
) -> JSONResponse:
    """Some fields of a record."""
    about, row = _object(org, name), _row(org, name, record_id)
    asked = [one for one in fields.split(",") if one] or [*about.fields]
    found: dict[str, Any] = {"attributes": _attributes(version, about.name, row)}
    for field in asked:
        known = about.known(field)
        if known is None:
            raise Refusal(400, "INVALID_FIELD", f"No such column '{field}' on sobject of type {about.name}")
        found[known.name] = row[known.name]
    found["Id"] = row["Id"]
    changed = datetime.fromisoformat(row["LastModifiedDate"]).astimezone(UTC)
    return JSONResponse(found, headers={"Last-Modified": format_datetime(changed, usegmt=True)})


@router.patch(VERSION + "/sobjects/{name}/{record_id}")
async def update(
    version: float,
    name: str,
    record_id: str,
    request: Request,
    given: Annotated[dict[str, Any], Body()],
    org: InOrganisation,
) -> Response:
    """Change a record, if it was not changed since a moment that is named."""
    about, row = _object(org, name), _row(org, name, record_id)
    if said := request.headers.get("if-unmodified-since"):
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            raise Refusal(400, "INVALID_HEADER", "If-Unmodified-Since is not a date") from None
        if datetime.fromisoformat(row["LastModifiedDate"]) > moment:
            return Response(status_code=412)
    values = read_values(about, given)
    record_to_edit(org, about, record_id)
    edit(org, about, row["Id"], values)
    _assign(org, about, row["Id"], request)
    return Response(status_code=204)


def _assign(org: Organisation, about: SObject, record_id: str, request: Request) -> None:
    """What the active assignment rules do to a lead that is changed, unless a header says not to."""
    if (
        org.queue
        and about.name == "Lead"
        and request.headers.get("sforce-auto-assign", "").upper() != "FALSE"
    ):
        org.records.rows["Lead"][record_id]["OwnerId"] = org.queue


def _first_page(
    version: float, resource: str, soql: str, request: Request, org: Organisation, *, deleted: bool
) -> dict[str, Any]:
    found = run(soql, org.records, deleted=deleted)
    about = org.records.objects[found.object]
    if not found.fields:
        return {"totalSize": len(found.rows), "done": True, "records": []}
    rows = [
        {"attributes": _attributes(version, found.object, row)} | _shaped(found.fields, row, about, org)
        for row in found.rows
    ]
    wish = request.headers.get("sforce-query-options", "").rpartition("batchSize=")[2]
    size = min(max(int(wish), SMALLEST_PAGE), LARGEST_PAGE) if wish.isdecimal() else LARGEST_PAGE
    org.queries += 1
    place = f"01gSB{org.queries:010}AAA"
    org.places[place] = (rows, size)
    return _page(version, resource, place, 0, org)


def _page(version: float, resource: str, place: str, start: int, org: Organisation) -> dict[str, Any]:
    rows, size = org.places[place]
    end = start + size
    answer: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows), "records": rows[start:end]}
    if end < len(rows):
        answer["nextRecordsUrl"] = f"/services/data/v{version}/{resource}/{place}-{end}"
    return answer


def _shaped(paths: list[str], row: Row, about: SObject, org: Organisation) -> dict[str, Any]:
    """Fields as a query answers them: those of parents within the parent, null where there is none."""
    shaped: dict[str, Any] = {}
    below: dict[str, list[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        if rest:
            below.setdefault(first, []).append(rest)
        elif known := about.known(first):
            shaped[known.name] = row[known.name]
    for relation, rests in below.items():
        through = next(one for one in about.fields.values() if one.relation == relation and one.to)
        parent = org.records.rows[str(through.to)].get(row[through.name] or "")
        parent_object = org.records.objects[str(through.to)]
        shaped[relation] = _shaped(rests, parent, parent_object, org) if parent else None
    return shaped


def _object(org: Organisation, name: str) -> SObject:
    about = org.records.objects.get(name)
    if about is None or not about.visible:
        raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
    return about


def _row(org: Organisation, name: str, record_id: str) -> Row:
    found = org.records.find(record_id)
    if found is None or found[0] != name:
        raise Refusal(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible")
    if found[1]["IsDeleted"]:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted")
    return found[1]


def _attributes(version: float, name: str, row: Row) -> dict[str, str]:
    return {"type": name, "url": f"/services/data/v{version}/sobjects/{name}/{row['Id']}"}
