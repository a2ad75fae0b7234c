"""Single properties of contacts: read by record id, set one contact at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rescore.connectors.actions import FieldTexts
from rescore.connectors.base import ScoreUpdate
from rescore.connectors.hubspot.client import Client
from rescore.connectors.hubspot.mapping import HubSpotLeads
from rescore.connectors.hubspot.reading_back import read_shown
from rescore.connectors.hubspot.writing import write_scores
from rescore.errors import CrmFieldMissing, CrmUnavailable, RecordGone
from rescore.outcome import Outcome


class HubSpotFields:
    """See `rescore.connectors.actions.Fields`."""

    def __init__(self, client: Client, leads: HubSpotLeads) -> None:
        self._client = client
        self._leads = leads

    def read(self, lead_id: str, names: Iterable[str]) -> FieldTexts:
        """See `Fields.read`; one call. A property that HubSpot does not know is read as empty."""
        shown = read_shown(self._client, self._leads.read, [lead_id], list(names))
        if lead_id not in shown:
            raise CrmUnavailable("HubSpot did not say what a contact shows", sent=False)
        found = shown[lead_id]
        if found is None:
            raise RecordGone("HubSpot has no such contact any more")
        return found

    def write(self, lead_id: str, values: Mapping[str, str]) -> Outcome:
        """See `Fields.write`; HubSpot has no conditional write, so what changed since `read` is not seen."""
        try:
            [result] = write_scores(self._client, self._leads.update, [ScoreUpdate(lead_id, dict(values))])
        except CrmFieldMissing:
            named = ", ".join(f"`{name}`" for name in sorted(values))
            raise CrmFieldMissing(
                f"HubSpot lacks a contact property among {named}; create it in HubSpot, or correct the rules "
                "and `settable` in the mapping"
            ) from None
        return Outcome(result.kind, result.reason)
