"""Single fields of leads and contacts: read by record id, set one at a time if nobody was faster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rescore.connectors.actions import FieldTexts
from rescore.connectors.salesforce.client import CHANGED, Client, Refused
from rescore.connectors.salesforce.refusals import GONE, of_record, stop_when_field_missing, unreadable
from rescore.connectors.salesforce.values import at_path, text_of
from rescore.connectors.salesforce.writing import contacts_of, kind_of
from rescore.errors import RecordGone
from rescore.outcome import Outcome

UNLESS = "If-Unmodified-Since"
"""Salesforce has `If-Match` for accounts only; this one sees every change but those of the same second."""


class SalesforceFields:
    """See `rescore.connectors.actions.Fields`; `name` is the mapping's."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self._as_of: dict[str, str] = {}

    def read(self, lead_id: str, names: Iterable[str]) -> FieldTexts:
        """See `Fields.read`; of a lead that was converted, its contact's."""
        asked = list(names)
        record_id = self.record_of(lead_id)
        try:
            row = self._client.get(self._path(record_id), {"fields": ",".join(asked)})
        except Refused as refusal:
            if refusal.codes & GONE:
                raise RecordGone("Salesforce has no such lead or contact any more") from refusal
            raise unreadable(refusal, str(kind_of(record_id)), asked, f"{self._name}.yaml") from refusal
        if seen := self._client.header("last-modified"):
            self._as_of[lead_id] = seen
        return {name: text_of(at_path(row, name)) for name in asked}

    def write(self, lead_id: str, values: Mapping[str, str]) -> Outcome:
        """See `Fields.write`; when somebody changed the record after `read`, nothing is written."""
        path = self._path(self.record_of(lead_id))
        condition = {UNLESS: seen} if (seen := self._as_of.pop(lead_id, None)) else {}
        try:
            self._client.send("PATCH", path, dict(values), headers=condition)
        except Refused as refusal:
            if refusal.status == CHANGED:
                return Outcome("transient", "the record was changed between reading and writing it")
            stop_when_field_missing(refusal.problems, values)
            return Outcome(*of_record(refusal.problems))
        return Outcome("ok")

    def record_of(self, lead_id: str) -> str:
        """The record itself, or the contact that a lead was converted to.

        Raises:
            RecordGone: It is no id of a lead or contact.
        """
        if kind_of(lead_id) is None:
            raise RecordGone("Salesforce has no such lead or contact")
        leads = [lead_id] if kind_of(lead_id) == "Lead" else []
        return contacts_of(self._client, leads).get(lead_id, lead_id)

    def _path(self, record_id: str) -> str:
        return f"sobjects/{kind_of(record_id)}/{record_id}"
