"""How much of the day's quota is gone already, by every app of the account, before anything else is asked."""

from __future__ import annotations

from rescore.connectors.hubspot.client import Client, JsonObject, Refused
from rescore.connectors.hubspot.windows import rows_of
from rescore.errors import CrmLacksScope, RetryableError


def learn_usage(client: Client, path: str) -> None:
    """Tell whoever counts the calls, unless an answer of today did.

    Searches, with which a run begins, do not tell. What is refused or fails here stops nothing: the
    next answer of another kind tells as well.
    """
    if client.pace.knows_the_day():
        return
    try:
        found = read_usage(client, path)
    except (Refused, CrmLacksScope, RetryableError):
        return
    if found:
        client.pace.seen(*found)


def read_usage(client: Client, path: str) -> tuple[int, int] | None:
    """Calls of everybody today, and how many there may be; None where HubSpot does not say.

    Raises:
        Refused: There is no such path.
        CrmRejectedCredentials, CrmRateLimited, CrmUnavailable: As for every call.
    """
    for row in rows_of(client.get(path), "results", what=f"GET {path}"):
        used, ceiling = _count(row, "currentUsage"), _count(row, "usageLimit")
        if used is not None and ceiling:
            return min(used, ceiling), ceiling
    return None


def _count(row: JsonObject, name: str) -> int | None:
    number = row.get(name)
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None
