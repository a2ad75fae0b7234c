"""Records as HubSpot lists them: which one it is, and its properties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from rescore.connectors.hubspot.client import JsonObject
from rescore.lake.records import Page, SetAside


def identified(
    rows: Sequence[JsonObject], page: Page, *, kind: Literal["lead", "account"]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(id, properties) of each record; one without either is set aside in the page."""
    for row in rows:
        record_id, properties = row.get("id"), row.get("properties")
        if not isinstance(record_id, str) or not record_id:
            page.set_aside.append(SetAside(kind, "", "id_missing", str(row)))
        elif not isinstance(properties, dict):
            page.set_aside.append(SetAside(kind, record_id, "properties_missing", str(row)))
        else:
            yield record_id, properties
