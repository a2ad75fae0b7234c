"""Which leads are read back when, what each should show, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zlib import crc32

from rescore.connectors.base import FieldValue
from rescore.ledger.outbox.confirmed import Confirmed
from rescore.mapping import ScoreFields

ROUND = 30 * 24
"""Within so many hours everything that was ever confirmed is read back once."""

AT_FIRST = timedelta(hours=24)
"""How far back `recent` goes when nothing was read back yet."""

OVERLAP = timedelta(minutes=30)
"""Longer than a lease: what a worker that lost its own may still have written over is looked at again."""


def hour_of(moment: datetime) -> int:
    """Hours since 1970."""
    return int(moment.astimezone(UTC).timestamp()) // 3600


def to_read(
    confirmed: Iterable[tuple[str, datetime | None]], *, now: datetime, last: datetime | None
) -> list[str]:
    """The leads whose turn it is, sorted: what was confirmed since the last time, and a share of all.

    The share is by the hash of the lead and the hour, so that a month of runs has read everybody back once;
    hours in which nothing ran are made up for.

    Args:
        confirmed: Leads, and when each was confirmed.
        now: The present.
        last: When leads were read back last; None when never.
    """
    since = now - AT_FIRST if last is None else last - OVERLAP
    hour = hour_of(now)
    first = hour if last is None else max(hour_of(last) + 1, hour - ROUND + 1)
    turns = {one % ROUND for one in range(first, hour + 1)}
    return sorted(
        {
            lead
            for lead, at in confirmed
            if (at is not None and at >= since) or crc32(lead.encode()) % ROUND in turns
        }
    )


def figures(confirmed: Confirmed, shown_as: ScoreFields) -> dict[str, FieldValue]:
    """By property what the target should show: score, band, grade and dimensions.

    Texts and dates are not held against anything: they follow the score and never cause a write. A change
    too small to be written leaves what was shown before it, of which score and band are known.
    """
    if not confirmed.current:
        return _named({shown_as.score: confirmed.shown_score, shown_as.band: confirmed.shown_band})
    return _named(
        {
            shown_as.score: confirmed.score,
            shown_as.band: confirmed.band,
            shown_as.grade: confirmed.grade,
            **{name: confirmed.dimensions.get(dimension) for dimension, name in shown_as.dimensions.items()},
        }
    )


def told_besides(confirmed: Confirmed, shown_as: ScoreFields) -> set[str]:
    """The properties of texts and dates that are empty only where the target was never told them."""
    if confirmed.score is None:
        return set()
    reasons = shown_as.reasons if confirmed.reasons else None
    return {name for name in (reasons, shown_as.changed_at, shown_as.rules_version) if name}


def same(value: FieldValue, text: str | None) -> bool:
    """Whether a CRM's text is this value; CRMs write 12 as `12`, `12.0` or `1.2E1`."""
    if value is None or text is None:
        return value is None and text is None
    if isinstance(value, int):
        return number(text) == value
    return text == value


def number(text: str | None) -> int | None:
    """A whole number from a CRM's text; None when it is no such number."""
    try:
        found = Decimal(text or "")
        return int(found) if found == found.to_integral_value() and abs(found) < 10**9 else None
    except InvalidOperation:
        return None


def _named(values: dict[str | None, FieldValue]) -> dict[str, FieldValue]:
    return {name: value for name, value in values.items() if name}
