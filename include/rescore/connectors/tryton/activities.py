"""Notes, e-mails and the opens and clicks of campaigns, each as activities of the leads they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.tryton.changes import Rows, changed_since, rows_of
from rescore.connectors.tryton.client import Client, Row
from rescore.connectors.tryton.leads import LEAD
from rescore.connectors.tryton.mapping import Campaigns, Emails, Notes
from rescore.connectors.tryton.owners import PARTY, Owner, owners_of
from rescore.connectors.tryton.tasks import MARK
from rescore.connectors.urls import page_address
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord, Page, SetAside, Unclaimed

NOTE, EMAIL, ACCESS, SENT = (
    "ir.note",
    "ir.email",
    "web.shortened_url.access",
    "marketing.automation.record.activity",
)
OF_A_LEAD = ["OR", ["resource", "like", f"{LEAD},%"], ["resource", "like", f"{PARTY},%"]]

MODELS = {Notes: (NOTE,), Emails: (EMAIL,), Campaigns: (ACCESS, SENT)}
"""What each kind of stream is made of."""

Found = Iterable[ActivityRecord | Unclaimed]


def note_pages(
    client: Client, stream: str, notes: Notes, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """Notes at leads and their parties; those that an automation left are set aside."""
    names = ["resource", "message"]
    for rows, following in changed_since(client, NOTE, [OF_A_LEAD], names, cursor, until=until):
        owners = owners_of(client, [row.get("resource") for row in rows])

        def read(row: Row, owners: dict[str, Owner] = owners) -> Found:
            if MARK in str(row.get("message")):
                raise RecordUnreadable("made_by_rescore")
            return _owner(owners, row.get("resource")).of(_activity(stream, row, notes.type))

        yield _page(stream, rows, read, following)


def email_pages(
    client: Client, stream: str, emails: Emails, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """E-mails that were sent from a lead or a party, campaigns' too."""
    names = ["resource", "subject"]
    for rows, following in changed_since(client, EMAIL, [OF_A_LEAD], names, cursor, until=until):
        owners = owners_of(client, [row.get("resource") for row in rows])

        def read(row: Row, owners: dict[str, Owner] = owners) -> Found:
            asset = row.get("subject") or None
            activity = _activity(stream, row, emails.type, asset=asset, channel=emails.channel)
            return _owner(owners, row.get("resource")).of(activity)

        yield _page(stream, rows, read, following)


def campaign_pages(
    client: Client, stream: str, campaigns: Campaigns, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """Accesses of the short addresses that Tryton puts into the e-mails of a campaign."""
    types = {f"{SENT}|on_email_opened": campaigns.opened, f"{SENT}|on_email_clicked": campaigns.clicked}
    domain = [["url.method", "in", list(types)]]
    names = ["url.method", "url.record", "url.redirect_url"]
    for rows, following in changed_since(client, ACCESS, domain, names, cursor, until=until):
        sent = _sent(client, [(row.get("url.") or {}).get("record") for row in rows])
        owners = owners_of(client, [_of(one, "record.", "record") for one in sent.values()])

        def read(row: Row, sent: dict[str, Row] = sent, owners: dict[str, Owner] = owners) -> Found:
            url = row.get("url.") or {}
            message = sent.get(str(url.get("record")))
            if message is None:
                raise RecordUnreadable("message_missing")
            activity = _activity(
                stream,
                row,
                types[url["method"]],
                asset=_path(url) if types[url["method"]] == campaigns.clicked else None,
                channel=campaigns.channel,
                fields={
                    "campaign": _of(message, "record.", "scenario.", "name"),
                    "message": _of(message, "activity.", "name"),
                },
            )
            return _owner(owners, _of(message, "record.", "record")).of(activity)

        yield _page(stream, rows, read, following)


def _sent(client: Client, references: Iterable[object]) -> dict[str, Row]:
    """The messages behind some short addresses, by reference."""
    numbers = sorted({int(str(one).partition(",")[2] or 0) for one in references if one})
    if not numbers:
        return {}
    names = ["record.record", "record.scenario.name", "activity.name"]
    rows = rows_of(client, SENT, "search_read", [["id", "in", numbers]], 0, None, None, names)
    return {f"{SENT},{row['id']}": row for row in rows}


def _page(stream: str, rows: Rows, read: Callable[[Row], Found], cursor: Cursor) -> Page:
    page = Page(cursor=cursor)
    for row in rows:
        try:
            found = list(read(row))
        except RecordUnreadable as problem:
            page.set_aside.append(SetAside("activity", f"{stream}:{row['id']}", str(problem), str(row)))
            continue
        page.activities.extend(one for one in found if isinstance(one, ActivityRecord))
        page.unclaimed.extend(one for one in found if isinstance(one, Unclaimed))
    return page


def _activity(
    stream: str,
    row: Row,
    kind: str,
    *,
    asset: str | None = None,
    channel: str | None = None,
    fields: dict[str, Any] | None = None,
) -> ActivityRecord:
    """Without its lead, which its owner adds."""
    occurred_at = row.get("create_date")
    if not isinstance(occurred_at, datetime):
        raise RecordUnreadable("time_missing")
    texts = {name: str(value) for name, value in (fields or {}).items() if value}
    return ActivityRecord(f"{stream}:{row['id']}", "", kind, occurred_at, asset, channel, fields=texts)


def _owner(owners: dict[str, Owner], reference: object) -> Owner:
    return owners.get(str(reference), Owner())


def _of(row: Row, *names: str) -> Any:
    """A value some records away."""
    found: Any = row
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _path(url: Row) -> str:
    try:
        return page_address(str(url.get("redirect_url"))).path
    except ValueError:
        raise RecordUnreadable("url_unreadable") from None
