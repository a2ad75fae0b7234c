"""Which records of a page are facts, and which are set aside with a reason."""

from __future__ import annotations

import json
import math
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b, md5
from typing import Any

from rescore.erased import NOBODY as NO_ONE
from rescore.erased import Erased, folded, hash_of_address
from rescore.lake.claims import ADDRESS, ID, Said
from rescore.lake.records import (
    UNREADABLE,
    AccountRecord,
    ActivityRecord,
    LeadRecord,
    Page,
    SetAside,
    Unclaimed,
)
from rescore.model import lead_key, split_lead_key
from rescore.same_person import EACH_ALONE, Matching
from rescore.withheld import BECAME, IS_DELETED

CLOCK_SKEW = timedelta(minutes=5)
"""How far a source's clock may be ahead of ours before an activity counts as one of the future."""

LONGEST_TEXT = 10_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - times of the lake are naive UTC
NOBODY = "?"  # stands for the lead of an unclaimed activity while it is looked at

KINDS = {"text": str, "flag": bool, "number": float, "time": datetime, "date": date}
"""How an attribute is kept, by the last part of its column's name."""


ERASED = "erased"
"""How records of erased people are counted."""

DELETED_FLAG, BECAME_TEXT = (IS_DELETED, "flag"), (BECAME, "text")

_ADDRESS = re.compile(r"[^\s@'\"<>;,:=(){}\[\]]+@[^\s@'\"<>;,:=(){}\[\]]+")
_ID = re.compile(r"[A-Za-z0-9_-]+")


class _Unusable(Exception):
    """Why one record cannot be a fact."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail


@dataclass(slots=True)
class Screened:
    """What is left of a page: rows by identity, in which a later record of the page replaced an earlier.

    Attributes are keyed by (name, kind), accounts by the source's own id. Times are naive UTC.
    `again` are further keys under which somebody comes who was erased, by an address or another
    record.
    `claims` say of records who else they are. `noted` has what people note, by lead and attribute.
    """

    leads: dict[str, dict[tuple[str, str], Any]] = field(default_factory=dict)
    accounts: dict[str, dict[tuple[str, str], Any]] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    activities: list[dict[str, Any]] = field(default_factory=list)
    unclaimed: dict[str, Unclaimed] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    set_aside: list[SetAside] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    again: set[str] = field(default_factory=set)
    noted: dict[str, dict[str, bool]] = field(default_factory=dict)
    claims: dict[str, Said] = field(default_factory=dict)


def screen(
    source: str,
    page: Page,
    *,
    known_at: datetime,
    erased: Erased = NO_ONE,
    matching: Matching = EACH_ALONE,
) -> Screened:
    """Keep what can be a fact, set aside the rest, drop who was erased; nothing is raised for a record."""
    screened = Screened()
    if erased:
        page = _without(source, page, erased, screened, matching)
    for given in page.set_aside:
        _put_aside(screened, given)
    for lead in page.leads:
        try:
            _screen_lead(source, lead, screened, matching)
        except _Unusable as why:
            _put_aside(screened, SetAside("lead", lead.lead_id, why.reason, why.detail))
    for account in page.accounts:
        try:
            _screen_account(account, screened)
        except _Unusable as why:
            _put_aside(screened, SetAside("account", account.account_id, why.reason, why.detail))
    for attribute, of_leads in page.noted.items():
        for lead_id, holds in of_leads.items():
            screened.noted.setdefault(lead_key(source, lead_id), {})[attribute] = holds
    for activity in page.activities:
        try:
            screened.activities.append(_activity(source, activity, known_at))
        except _Unusable as why:
            _put_aside(screened, SetAside("activity", activity.activity_id, why.reason, why.detail))
            continue
        screened.fields.update(activity.fields)
    for waiting in page.unclaimed:
        activity = waiting.activity
        try:
            _identity(waiting.address.strip())
            _activity(source, replace(activity, lead_id=NOBODY), known_at)
        except _Unusable as why:
            _put_aside(screened, SetAside("activity", activity.activity_id, why.reason, why.detail))
            continue
        screened.unclaimed[activity.activity_id] = waiting
    return screened


def _without(source: str, page: Page, erased: Erased, screened: Screened, matching: Matching) -> Page:
    """The page without records of people who were erased."""

    def is_erased(lead_id: Any) -> bool:
        key = lead_key(source, str(lead_id))
        return key in screened.again or erased.lead(key)

    def names_them(record: SetAside) -> bool:
        text = f"{record.record_id} {record.detail}"
        return any(map(erased.address, _ADDRESS.findall(text))) or any(map(is_erased, _ID.findall(text)))

    for lead in page.leads:
        known = (
            any(map(erased.address, lead.addresses))
            or any(map(erased.lead, map(matching.key, lead.same_as)))
            or any(map(is_erased, lead.merged))
        )
        key = lead_key(source, lead.lead_id)
        if known and key not in erased.let_in and not is_erased(lead.lead_id):
            screened.again.add(key)
    kept = replace(
        page,
        leads=[
            replace(lead, merged=tuple(gone for gone in lead.merged if not is_erased(gone)))
            for lead in page.leads
            if not is_erased(lead.lead_id)
            or (lead.deleted and lead_key(source, lead.lead_id) in erased.barred)
        ],
        activities=[activity for activity in page.activities if not is_erased(activity.lead_id)],
        set_aside=[record for record in page.set_aside if not names_them(record)],
        unclaimed=[waiting for waiting in page.unclaimed if not erased.address(waiting.address)],
    )
    screened.counts[ERASED] += page.rows - kept.rows
    return kept


def content_hash(content: object) -> int:
    """64 bits of anything JSON can say, the same everywhere."""
    said = json.dumps(content, sort_keys=True, default=str, separators=(",", ":"))
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "big", signed=True)


def content_parts(
    *, lead: Any, type_: Any, occurred_at: Any, value: Any, texts: Mapping[str, Any]
) -> tuple[list[Any], list[tuple[str, Any]]]:
    """What an activity's hash is made of: parts that are told by their place, and texts by their names.

    `occurred_at` is in microseconds, `value` its 64 bits.
    """
    named = [(name, texts[name]) for name in sorted(texts) if name not in ("asset", "channel")]
    return [lead, type_, occurred_at, value, texts["asset"], texts["channel"]], named


def _activity_content(row: Mapping[str, Any], texts: Iterable[str]) -> int:
    """63 bits of what was said; columns of a database hash to the same (`rescore.lake.batches`)."""
    value = row["value"]
    placed, named = content_parts(
        lead=row["lead"],
        type_=row["type"],
        occurred_at=(row["occurred_at"] - _EPOCH) // timedelta(microseconds=1),
        value=None if value is None else int.from_bytes(struct.pack("<d", value), "little", signed=True),
        texts={name: row.get(name) for name in texts},
    )
    parts = ["" if part is None else str(part) for part in placed]
    parts += [f"{name}={text}" for name, text in named if text is not None]
    digest = md5("\0".join(parts).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little") & (2**63 - 1)


def _put_aside(screened: Screened, record: SetAside) -> None:
    screened.counts[f"set aside: {record.reason}"] += 1
    screened.set_aside.append(
        SetAside(record.kind, storable(record.record_id), record.reason, storable(record.detail))
    )


def storable(text: object) -> str:
    """A text as the lake can keep it, whatever is in it."""
    return (
        str(text)
        .encode("utf-8", "replace")
        .decode()
        .replace("\0", "\N{REPLACEMENT CHARACTER}")[:LONGEST_TEXT]
    )


def _screen_lead(source: str, lead: LeadRecord, screened: Screened, matching: Matching) -> None:
    key = lead_key(source, _identity(lead.lead_id))
    merged = [lead_key(source, _identity(gone)) for gone in lead.merged if gone != lead.lead_id]
    attributes = {DELETED_FLAG: True} if lead.deleted else dict(_attributes(lead.attributes))
    if screened.leads.pop(key, None) is not None:
        screened.counts["duplicate"] += 1
    screened.leads[key] = attributes
    if not lead.deleted:  # what it said before it was deleted still says whose record it was
        screened.claims[key] = _claims(source, lead, matching)
    screened.merged.update(dict.fromkeys(merged, key))


def _screen_account(account: AccountRecord, screened: Screened) -> None:
    account_id, attributes = _identity(account.account_id), dict(_attributes(account.attributes))
    merged = [_identity(gone) for gone in account.merged if gone != account_id]
    if screened.accounts.pop(account_id, None) is not None:
        screened.counts["duplicate"] += 1
    screened.accounts[account_id] = {DELETED_FLAG: True} if account.deleted else attributes
    screened.accounts |= {gone: {BECAME_TEXT: account_id} for gone in merged}


def _claims(source: str, lead: LeadRecord, matching: Matching) -> Said:
    others = (matching.key(other) for other in lead.same_as if split_lead_key(other)[0] != source)
    ids = {(ID, _identity(other)) for other in others}
    addresses = lead.addresses if source in matching.by_address else ()
    return frozenset(
        ids | {(ADDRESS, hash_of_address(matching.salt, each)) for each in addresses if folded(each)}
    )


def _attributes(attributes: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    for name, value in attributes.items():
        if value is None or value == "":
            continue
        if isinstance(value, bool):
            yield (name, "flag"), value
        elif isinstance(value, int | float):
            yield (name, "number"), _number(name, value)
        elif isinstance(value, datetime):
            yield (name, "time"), _utc(name, value)
        elif isinstance(value, date):
            yield (name, "date"), value
        elif isinstance(value, str):
            yield (name, "text"), _text(name, value)
        else:
            raise _Unusable("unreadable value", name)


def _activity(source: str, activity: ActivityRecord, known_at: datetime) -> dict[str, Any]:
    occurred_at = _utc("occurred_at", activity.occurred_at)
    known = known_at.astimezone(UTC).replace(tzinfo=None)
    if occurred_at > known + CLOCK_SKEW:
        raise _Unusable("in the future", f"occurred_at {occurred_at:%Y-%m-%dT%H:%M:%S}Z")
    activity_type = _text("type", activity.type)
    if not activity_type:
        raise _Unusable("no type", "")
    texts = {"asset": activity.asset, "channel": activity.channel, **activity.fields}
    row: dict[str, Any] = {
        "lead": lead_key(source, _identity(activity.lead_id)),
        "type": activity_type,
        "occurred_at": occurred_at,
        "value": None if activity.value is None else _number("value", activity.value),
        **{name: _text(name, text) or None for name, text in texts.items() if text is not None},
    }
    # hashed before clamping: the same record read again later is still the same
    row["content"] = _activity_content(row, texts)
    row["activity_id"] = _identity(activity.activity_id)
    row["occurred_at"] = min(occurred_at, known)
    return row


def _identity(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Unusable("empty id", "")
    return _text("id", value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or value == UNREADABLE:
        raise _Unusable("unreadable value", name)
    if "\0" in value:
        raise _Unusable("NUL byte", name)
    if len(value) > LONGEST_TEXT:
        raise _Unusable("text too long", name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Unusable("broken text", name) from None
    return value


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _Unusable("impossible number", name) from None
    if not math.isfinite(number):
        raise _Unusable("impossible number", name)
    return number


def _utc(name: str, value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _Unusable("unreadable time", name)
    try:
        return value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise _Unusable("unreadable time", name) from None
