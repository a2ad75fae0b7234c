"""Which contacts are calls, meetings, deals about? The vendor's associations, read in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.refusals import objects
from rescore.connectors.hubspot.windows import next_token, rows_of
from rescore.errors import CursorStuck


def contacts_of(client: Client, path: str, ids: Sequence[str]) -> Mapping[str, list[str]]:
    """The contacts that each object is about, each once; an object about nobody is missing.

    Raises:
        CursorStuck: The list of an object's contacts leads back to a page already read.
    """
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for start in range(0, len(ids), client.limits.associations):
        inputs: list[JsonObject] = [{"id": one} for one in ids[start : start + client.limits.associations]]
        seen: set[tuple[str, str]] = set()
        while inputs:
            following: list[JsonObject] = []
            for result in rows_of(client.post(path, {"inputs": inputs}), "results", what=f"POST {path}"):
                origin = result.get("from")
                name = str(origin.get("id")) if isinstance(origin, dict) else ""
                for to in objects(result.get("to")):
                    if contact := to.get("toObjectId") or to.get("id"):
                        found[name][str(contact)] = None
                if after := next_token(result):
                    if (name, after) in seen:
                        raise CursorStuck(f"POST {path}: a page of contacts leads back to one already read")
                    seen.add((name, after))
                    following.append({"id": name, "after": after})
            inputs = following
    return {name: list(contacts) for name, contacts in found.items()}
