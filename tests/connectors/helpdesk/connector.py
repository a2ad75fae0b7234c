"""A help desk as a source: two feeds of changes, each with a token that says where to go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from rescore.connectors.base import Cursor
from rescore.connectors.connection import Connection
from rescore.connectors.own_pace import OwnPace
from rescore.connectors.pace import Calls, Pace, Rates
from rescore.connectors.session import NoAnswer, Session
from rescore.connectors.values import decimal_number, read_attributes
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable, CursorStuck
from rescore.lake.records import ActivityRecord, AttributeValue, LeadRecord, Page, SetAside
from rescore.mapping import AttributeType
from tests.connectors.helpdesk.mapping import HelpdeskMapping

CUSTOMERS, TICKETS = "customers", "tickets"
RATES = Rates({"calls": (10, 1.0)}, day=50_000, reserve=0.2, zone=ZoneInfo("UTC"), longest_wait=30)


class Helpdesk:
    """The streams are `customers`, which are the leads and therefore first, and `tickets`."""

    streams = (CUSTOMERS, TICKETS)

    def __init__(self, url: str, token: str, mapping: HelpdeskMapping, pace: Pace | None = None) -> None:
        self.name = mapping.name
        self._url, self._mapping = url, mapping
        self._session = Session(headers={"Authorization": f"Bearer {token}"})
        self._pace = pace or OwnPace(RATES)

    @classmethod
    def from_connection(cls, connection: Connection, mapping: HelpdeskMapping, calls: Calls) -> Self:
        """From an Airflow Connection: the host, and the token as password."""
        counts = calls.pace(mapping.name, RATES) if calls.pace else None
        return cls(connection.url, connection.password, mapping, counts)

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`; the cursor is the feed's own token."""
        path = self._mapping.customers if stream == CUSTOMERS else self._mapping.tickets.path
        read = self._customer if stream == CUSTOMERS else self._ticket
        after = (cursor or {}).get("after")
        while True:
            answer = self._get(path, {"after": after or "", "until": until.isoformat()})
            if answer["more"] and answer["next"] == after:
                raise CursorStuck(f"GET {path} leads back to the page that was just read")
            after = answer["next"]
            page = Page(cursor={"after": after})
            for row in answer["rows"]:
                read(row, page)
            yield page
            if not answer["more"]:
                return

    def _customer(self, row: dict[str, Any], page: Page) -> None:
        lead_id, wanted = str(row["id"]), self._mapping.leads.attributes
        attributes = read_attributes(wanted, row.get, read_plain, page, kind="lead", record_id=lead_id)
        page.leads.append(LeadRecord(lead_id, attributes, addresses=(row["email"],)))

    def _ticket(self, row: dict[str, Any], page: Page) -> None:
        tickets, ticket_id = self._mapping.tickets, f"ticket:{row['id']}"
        try:
            opened = datetime.fromisoformat(row["opened_at"])
        except (KeyError, ValueError):
            page.set_aside.append(SetAside("activity", ticket_id, "time_unreadable", str(row)))
            return
        fields = {ours: str(row[theirs]) for ours, theirs in tickets.fields.items() if row.get(theirs)}
        page.activities.append(
            ActivityRecord(ticket_id, str(row["customer"]), tickets.type, opened, fields=fields)
        )

    def _get(self, path: str, params: dict[str, str]) -> Any:
        self._pace.wait("calls")
        try:
            answer = self._session.send("GET", self._url + path, params=params)
        except NoAnswer as error:
            raise CrmUnavailable(
                f"the help desk did not answer GET {path}: {error}", sent=error.sent
            ) from error
        if answer.status in (401, 403):
            raise CrmRejectedCredentials(
                f"the help desk refused the token ({answer.status}): put a valid one into the password of "
                f"the Airflow Connection `rescore_{self.name}`"
            )
        if answer.status == 429:
            wait = float(answer.headers.get("retry-after", 60))
            raise CrmRateLimited(f"the help desk asks to come back in {wait:g} seconds", retry_after=wait)
        if answer.status != 200:
            raise CrmUnavailable(f"the help desk could not answer GET {path} ({answer.status})")
        try:
            return json.loads(answer.body)
        except ValueError:
            raise CrmUnavailable(f"the answer to GET {path} is not JSON; check the host") from None


def read_plain(value: Any, kind: AttributeType) -> AttributeValue:
    """A value as this API writes it: JSON's own types, and times in ISO 8601."""
    match kind:
        case "number":
            return decimal_number(str(value))
        case "flag" if isinstance(value, bool):
            return value
        case "date" | "timestamp":
            moment = datetime.fromisoformat(str(value))
            return moment.date() if kind == "date" else moment
        case "text":
            return str(value)
    raise ValueError(f"not a {kind}")
