"""Does everything that a mapping needs work, and what would its first load cost? Asking changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from rescore.connectors.base import ScoreUpdate, Source, Target
from rescore.connectors.describing import CanBeChecked, Describable, Listing, Measurable, Offered, Use, Volume
from rescore.connectors.pace import SHARES, Rates
from rescore.errors import CrmRateLimited, RescoreError
from rescore.mapping import Mapping
from rescore.strict.model import nearest

NOBODY = "999999999999"
"""A record id that no CRM has given away; an update of it changes nothing, and is never a new record."""

HISTORY = 3
"""The priority down to which a history spends the day's calls."""

OURS = ("scores", "tasks")
"""Where a mapping names fields that are there for our sake only."""

FIT: dict[str, set[str]] = {
    "text": {"text", "number", "flag", "date", "timestamp", "choice", "choices", "other"},
    "number": {"number", "text"},
    "flag": {"flag", "text"},
    "date": {"date", "timestamp", "text"},
    "timestamp": {"timestamp", "date", "text"},
}
"""What an attribute of a type can be read from."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `ok`, or not and why and the way out; None where nobody can know.

    It is the `last` where the CRM lets nobody ask further for now.
    """

    what: str
    ok: bool | None
    says: str = ""
    last: bool = False


def checks(
    source: Source,
    mapping: Mapping,
    *,
    until: datetime,
    try_writing: bool = False,
    account_of: Callable[[Target], str] = lambda target: target.fingerprint(),
) -> Iterator[Check]:
    """Everything that a run needs of a source, one after the other; a failed one ends what stands on it.

    Args:
        source: Of that mapping.
        mapping: What is to work.
        until: The present; a page of each stream is read up to it, and not kept.
        try_writing: Also send an update of a record that does not exist: only that shows the right to write.
        account_of: Asks which account it is, and may refuse one.
    """
    for check in _checks(source, mapping, until, account_of, try_writing=try_writing):
        yield check
        if check.last:  # each further call would wait as long, and be told the same
            return


def _checks(
    source: Source,
    mapping: Mapping,
    until: datetime,
    account_of: Callable[[Target], str],
    *,
    try_writing: bool,
) -> Iterator[Check]:
    if isinstance(source, Target):
        account = _asked("the account", lambda: account_of(source))
        yield account
        if not account.ok:
            return
    if isinstance(source, CanBeChecked) and not isinstance(source, Measurable):
        yield _asked("rights and fields of the mapping", source.check)
    elif isinstance(source, Describable):  # one that can be measured need not be asked twice
        yield from _fields(source)
    for stream in source.streams:
        yield _asked(f"reading `{stream}`", lambda name=stream: _first_page(source, name, until))
    if not mapping.scores:
        yield Check("writing", None, "the mapping shows no scores, so nothing is written there")
    elif isinstance(source, Target):
        yield _writing(source, mapping, try_writing=try_writing)
    if isinstance(source, Measurable):
        yield from _first_load(source, until - mapping.history if mapping.history else None)
    else:
        yield Check("the first load", None, "this kind of source does not tell how much there is to read")


def _asked(what: str, ask: Any) -> Check:
    try:
        return Check(what, True, str(ask() or ""))
    except RescoreError as error:
        return _failed(what, error)


def _failed(what: str, error: RescoreError) -> Check:
    return Check(what, False, str(error), last=isinstance(error, CrmRateLimited))


def _first_page(source: Source, stream: str, until: datetime) -> str:
    [rows] = [page.rows for page in islice(source.pages(stream, None, until=until), 1)] or [0]
    return f"its first page has {rows:,} records"


def _fields(source: Describable) -> Iterator[Check]:
    try:
        listings = list(source.describe())
    except RescoreError as error:
        yield _failed("the fields", error)
        return
    for listing in listings:
        if listing.offered is None:
            if listing.uses:
                yield Check(listing.what, None, f"they are not listed to us: {listing.note}")
            continue
        troubles = list(_troubles(listing))
        yield from troubles
        if not troubles:
            yield Check(listing.what, True, f"{len(listing.used())} used, of {len(listing.offered)}")


def _troubles(listing: Listing) -> Iterator[Check]:
    offered = {each.name: each for each in listing.offered or ()}
    ours = {use.field for use in listing.uses if use.place.startswith(OURS)}
    for use in listing.uses:
        if why := _trouble(use, offered, ours):
            yield Check(f"{listing.what}: `{use.field}` ({use.place})", False, why)


def _trouble(use: Use, offered: dict[str, Offered], ours: set[str]) -> str | None:
    field = offered.get(use.field)
    if field is None:
        near = nearest(use.field, offered)
        hint = f"did you mean `{near}`?" if near else ""
        if use.field in ours:
            also = f", or correct the mapping: {hint}" if hint else ""
            return f"there is none; `rescore setup` makes it, or says how{also}"
        return f"there is none; {hint or 'correct the mapping, `rescore describe` lists them'}"
    if use.written:
        if field.read_only:
            return "nobody can write it; name another in the mapping"
        if field.holds not in (use.written, "text", "choice", "other"):
            return f"it holds a {field.kind}, and we write a {use.written}; name another in the mapping"
        return None
    attribute = use.attribute
    if attribute is None or field.holds in FIT[attribute.type]:
        return None
    if field.holds in ("choice", "choices"):
        if attribute.when is not None or attribute.written:
            return None
        way = "`written: range`" if attribute.type == "number" else "`when:` and one of its values"
        return f"it holds a choice, and is read as a {attribute.type}; say how, by {way}"
    return f"it holds a {field.kind}, and is read as a {attribute.type}; correct the `type`"


def _writing(target: Target, mapping: Mapping, *, try_writing: bool) -> Check:
    if not try_writing:
        return Check("writing", None, "only a write shows the right to it; `--try-writing` writes to nobody")
    fields = next(iter(mapping.scores.values()))

    def write() -> str:
        [result] = target.write([ScoreUpdate(NOBODY, {fields.score: 0})])
        return f"an update of a record that does not exist was taken, and told as `{result.kind}`"

    return _asked("writing", write)


def _first_load(source: Measurable, since: datetime | None) -> Iterator[Check]:
    try:
        found = list(source.volumes(since=since))
    except RescoreError as error:
        yield _failed("the first load", error)
        return
    for volume in found:
        rows = "the CRM does not tell how many" if volume.rows is None else f"{volume.rows:,} records"
        calls = sum(volume.calls.values())
        says = f"{rows}, {calls:,} calls" if calls else rows
        yield Check(f"loading `{volume.stream}`", None if volume.rows is None else True, says)
    yield Check("the first load", True, _estimate(found, source.rates))


def _estimate(volumes: list[Volume], rates: Rates) -> str:
    """Calls and hours at our pace, and over how many days our part of the quota spreads them."""
    total: dict[str, int] = {}
    for volume in volumes:
        for allowance, calls in volume.calls.items():
            total[allowance] = total.get(allowance, 0) + calls
    calls = sum(total.values())
    seconds = max(
        (number * rates.allowances[name][1] / rates.allowances[name][0] for name, number in total.items()),
        default=0.0,
    )
    of_day = max(1.0, rates.ours() * SHARES[HISTORY])
    hours = max(seconds / 3600, 24 * (calls // of_day))
    more = " and what nobody counts" if any(volume.rows is None for volume in volumes) else ""
    share = f"{calls / of_day:.1%} of what a history may take of a day's calls"
    return f"{calls:,} calls{more}: {hours:.1f} hours at our pace, {share}"
