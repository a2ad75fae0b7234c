"""What automations may say: texts with places for a fixed list of values, and no logic.

    {label}: {score} points (was {old_score}), because {reasons}

A place takes a value of the crossing. None is an attribute of the lead: whoever may write rules cannot
send personal data anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from rescore.model import split_lead_key
from rescore.reasons import reasons_text
from rescore.strict.model import did_you_mean

VARIABLES: Final = {
    "score": "the score it crossed with",
    "old_score": "the one before",
    "band": "its band",
    "old_band": "the one before",
    "grade": "its grade",
    "reasons": "the three strongest rules with their points",
    "scorecard": "the scorecard's name",
    "automation": "the automation's id",
    "label": "its label",
    "lead_id": "the id of the lead in its CRM",
    "lead_url": "where the lead is in its CRM, by `lead_urls` of the policy",
    "as_of": "the day of the score, such as 2026-11-01",
}
"""Every place a text may have, and what stands there; what is missing becomes `NONE`."""

NONE: Final = "none"

LEAD_ID: Final = "{lead_id}"

NO_URLS: Final[Mapping[str, str]] = MappingProxyType({})

PLACE: Final = re.compile(r"\{([^{}]*)\}")
BRACE: Final = re.compile(r"[{}]")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""Ends a line, or cannot be seen."""

ADDRESS: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)")


@dataclass(frozen=True, slots=True)
class House:
    """What a deployment says about messages: the domains of its own people, and where leads can be seen.

    `lead_urls` has an address for each CRM, with a place `{lead_id}`.
    """

    internal_domains: frozenset[str] = frozenset()
    lead_urls: Mapping[str, str] = field(default_factory=dict)

    def is_internal(self, address: str) -> bool:
        """Whether an e-mail address is of one of the domains, exactly: one below it is another."""
        found = ADDRESS.fullmatch(address)
        return found is not None and found[1].lower() in self.internal_domains


def wrong_places(template: str) -> Iterator[str]:
    """What is wrong with a template, each with a way out."""
    places = list(dict.fromkeys(PLACE.findall(template)))
    for name in places:
        if name not in VARIABLES:
            yield f"`{name[:40]}` is nothing that a message may say; {did_you_mean(name, VARIABLES)}"
    if BRACE.search(PLACE.sub("", template)):
        yield "a `{` or `}` stands alone; write a place such as `{score}`, or leave the brace out"


def names_in(template: str) -> frozenset[str]:
    """The values that a template asks for."""
    return frozenset(PLACE.findall(template))


def filler(
    *,
    scorecard: str,
    automation: str,
    label: str,
    lead: str,
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
    reasons: Sequence[Mapping[str, Any]],
    as_of: datetime,
    zone: ZoneInfo,
    lead_urls: Mapping[str, str],
) -> Callable[[str], str]:
    """What puts the values of one crossing into checked templates; a value is always one line."""
    source, lead_id = split_lead_key(lead)
    before = old or {}
    values = {
        "score": new["score"],
        "old_score": before.get("score"),
        "band": new["band"],
        "old_band": before.get("band"),
        "grade": new["grade"],
        "reasons": reasons_text(reasons),
        "scorecard": scorecard,
        "automation": automation,
        "label": label,
        "lead_id": lead_id,
        "lead_url": _lead_url(lead_urls.get(source), lead, lead_id),
        "as_of": as_of.astimezone(zone).date().isoformat(),
    }
    shown = {name: NONE if value is None else CONTROL.sub(" ", str(value)) for name, value in values.items()}
    return lambda template: PLACE.sub(lambda place: shown[place[1]], template)


def _lead_url(url: str | None, lead: str, lead_id: str) -> str:
    """The lead's key where nobody said an address; the CRM's id may be anything, so it is quoted."""
    return lead if url is None else url.replace(LEAD_ID, quote(lead_id, safe=""))
