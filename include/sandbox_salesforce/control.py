"""The sandbox's own endpoints, for a person who tries it: what is shown, and something that happens."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from sandbox_salesforce.api import InOrganisation
from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.records import Row, stamp
from sandbox_salesforce.vendor import Refusal

router = APIRouter(prefix="/sandbox")
PEOPLE: Final = ("Lead", "Contact")
COLUMNS: Final = ("Id", "Title", "Rescore_Score__c", "Rescore_Band__c", "Rescore_Reasons__c")


@router.get("/people")
async def people(org: InOrganisation, most: Annotated[int, Query(ge=1)] = 10) -> PlainTextResponse:
    """Whoever shows a score, the highest first."""
    scored = [row for row in _living(org) if row["Rescore_Score__c"] is not None]
    scored.sort(key=lambda row: row["Rescore_Score__c"], reverse=True)
    lines = ["  ".join(_text(row[name]).ljust(18) for name in COLUMNS).rstrip() for row in scored[:most]]
    return PlainTextResponse("\n".join([*lines, f"{len(scored)} of {len(_living(org))} show a score", ""]))


@router.post("/call/{who}")
async def call(
    who: str, org: InOrganisation, times: Annotated[int, Query(ge=1, le=50)] = 1
) -> dict[str, int]:
    """A salesperson calls a lead or contact, and notes it."""
    found = org.records.find(who)
    if found is None or found[0] not in PEOPLE:
        raise Refusal(404, "NOT_FOUND", "There is no such lead or contact")
    now = stamp(org.clock())
    done = {"TaskSubtype": "Call", "Status": "Completed", "IsClosed": True, "CompletedDateTime": now}
    for _ in range(times):
        org.records.insert("Task", org.admin, WhoId=found[1]["Id"], Subject="Call", OwnerId=org.admin, **done)
    return {"calls": times}


@router.get("/status")
async def status(org: InOrganisation) -> dict[str, Any]:
    """What there is, what was called and written, and what automations made."""
    ours = [row for row in org.records.rows["Task"].values() if row["Rescore_Delivery__c"]]
    return {
        "rows": {name: len(rows) for name, rows in org.records.rows.items() if rows},
        "calls": org.used,
        "records_written": org.written,
        "tasks_made": [{name: row[name] for name in ("WhoId", "Subject", "ActivityDate")} for row in ours],
    }


def _living(org: Organisation) -> list[Row]:
    rows = [row for kind in PEOPLE for row in org.records.all(kind, deleted=False)]
    return [row for row in rows if not row.get("IsConverted")]


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
