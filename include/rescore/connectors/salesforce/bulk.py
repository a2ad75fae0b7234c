"""Thousands of records at once: a job of Bulk API 2.0, from its making to what became of every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simple_salesforce.api import Salesforce
from simple_salesforce.util import exception_handler

from rescore.connectors.base import WriteResult
from rescore.connectors.salesforce.client import Client, Refused
from rescore.connectors.salesforce.mapping import PersonKind
from rescore.connectors.salesforce.refusals import stop_when_field_missing
from rescore.connectors.salesforce.values import is_id
from rescore.connectors.salesforce.words import Problem, code
from rescore.errors import CrmUnavailable, RescoreError

INGEST = "jobs/ingest"
EMPTIED = "#N/A"
"""How a cell empties a field; an empty cell leaves it as it is."""

ENDED = ("JobComplete", "Failed", "Aborted")
NOT_PROCESSED = "Salesforce ended the job before it came to this record"
NOT_REPORTED = "Salesforce did not say what became of this record"
TOO_LONG = "the bulk job took too long and was aborted"

Values = Mapping[str, Mapping[str, Any]]
Found = dict[str, list[Problem] | WriteResult]


def update_in_bulk(client: Client, kind: PersonKind, values: Values, *, ends: float) -> Found:
    """Write records of one kind; see `writing` for what comes back.

    A job that is not done when the client's clock shows `ends` is aborted, and what became of its records is
    unknown: the same values sent again are right.

    Raises:
        CrmFieldMissing: A field does not exist; nothing was written.
        CrmUnavailable: The job was not begun, or nobody knows how it ended.
    """
    job = _Job(client, kind, values, ends)
    try:
        job.upload()
        return job.results() if job.ended() else _unknown(values, TOO_LONG)
    except Refused as refusal:
        job.give_up()
        problem = f"{refusal}; see that our user may use the Bulk API"
        raise CrmUnavailable(problem, sent=job.closed) from refusal
    except RescoreError:
        job.give_up()
        raise


class _Job:
    def __init__(self, client: Client, kind: PersonKind, values: Values, ends: float) -> None:
        self.closed = False
        self._client = client
        self._last_look = ends - client.limits.poll
        self._kind = kind
        self._values = values
        self._names = sorted({name for mine in values.values() for name in mine})
        self._id = ""
        self._over = False

    def upload(self) -> None:
        """Make the job, fill it, and say that it is complete."""
        about = {"operation": "update", "columnDelimiter": "COMMA", "lineEnding": "LF"}
        made = self._client.send("POST", INGEST, about | {"object": self._kind, "contentType": "CSV"})
        if not isinstance(made, dict) or not is_id(made.get("id")):
            raise CrmUnavailable("Salesforce made a bulk job without saying its id", sent=False)
        self._id = made["id"]
        self._client.call("the upload of a bulk job", self._put)
        self._client.send("PATCH", f"{INGEST}/{self._id}", {"state": "UploadComplete"})
        self.closed = True

    def ended(self) -> bool:
        """Wait for its end; False when that did not come in time."""
        while True:
            found = self._client.get(f"{INGEST}/{self._id}")
            if found.get("state") in ENDED:
                self._over = True
                said = str(found.get("errorMessage") or "")
                problem = Problem(code(said.partition(":")[0].strip()), (), said)
                stop_when_field_missing([problem], self._names)
                return True
            if self._client.clock() > self._last_look:
                self.give_up()
                return False
            self._client.sleep(self._client.limits.poll)

    def results(self) -> Found:
        """What became of every row, from the three lists that together name each."""
        found = _unknown(self._values, NOT_REPORTED)
        for row in self._rows("successful", lambda org: org.get_successful_records(self._id)):
            found[row["Id"]] = []
        for row in self._rows("failed", lambda org: org.get_failed_records(self._id)):
            refused = Problem.of_bulk(row.get("sf__Error") or "")
            stop_when_field_missing([refused], self._names)
            found[row["Id"]] = [refused]
        for row in self._rows("unprocessed", lambda org: org.get_unprocessed_records(self._id)):
            found[row["Id"]] = WriteResult(row["Id"], "transient", NOT_PROCESSED)
        return found

    def give_up(self) -> None:
        """Tell Salesforce to forget the job; when it does not hear, it forgets by itself after a week."""
        if not self._id or self._over:
            return
        self._over = True
        try:
            self._client.send("PATCH", f"{INGEST}/{self._id}", {"state": "Aborted"})
        except (Refused, RescoreError):
            return

    def _put(self, org: Salesforce) -> None:
        """The library's own upload knows no answer but 201, and says none of the vendor's codes."""
        headers = {**org.headers, "Content-Type": "text/csv; charset=UTF-8", "Accept": "application/json"}
        url = f"{org.bulk2_url}ingest/{self._id}/batches"
        answer = org.session.request("PUT", url, data=self._table(), headers=headers)
        if answer.status_code >= 300:
            exception_handler(answer)

    def _table(self) -> bytes:
        out = io.StringIO()
        table = csv.DictWriter(out, ["Id", *self._names], restval="", lineterminator="\n")
        table.writeheader()
        for lead_id, mine in self._values.items():
            cells = {name: EMPTIED if one is None else one for name, one in mine.items()}
            table.writerow({"Id": lead_id, **cells})
        return out.getvalue().encode()

    def _rows(self, which: str, ask: Callable[[Any], str]) -> Iterator[dict[str, str]]:
        """The rows of one list that are of records we sent."""
        what = f"the {which} records of a bulk job"
        text = self._client.call(what, lambda org: ask(getattr(org.bulk2, self._kind)))
        for row in csv.DictReader(io.StringIO(text, newline="")):
            if row.get("Id") in self._values:
                yield row


def _unknown(values: Values, reason: str) -> Found:
    return {lead_id: WriteResult(lead_id, "unknown", reason) for lead_id in values}
