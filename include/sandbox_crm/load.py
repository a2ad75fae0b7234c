"""Fills a new database with a script, every fact at its date, the last days invisible."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sandbox_crm.deals import dated, expected
from sandbox_crm.shapes import Contact, Deal, Properties, Script

MINUTE = 60_000
NOBODY = "nobody@example.org"
ALSO_DATED = ("hs_meeting_start_time", "hs_task_completion_date")
LENT = {
    "name": "company",
    "domain": "website",
    "country": "country",
    "industry": "industry",
    "numberofemployees": "numemployees",
    "annualrevenue": "annualrevenue",
}
"""A company's properties, and what its contacts call them."""

INSERT_OBJECT = (
    "INSERT INTO objects (id, type, created, modified, occurred, visible, properties) VALUES (?,?,?,?,?,?,?)"
)


def load(db: sqlite3.Connection, script: Script, *, ends_at: int, known_until: int) -> None:
    """Insert all rows; what happened after `known_until` is there but not visible."""
    emails = _addresses(script)
    span: dict[int, list[int]] = defaultdict(list)  # per contact: when each of its facts happened

    def visible(occurred: int, days_before: int) -> bool:
        # what is dated in the future was put there by somebody in the past, so it is known
        return occurred <= known_until or days_before < 0

    def facts(rows: list[Any], *columns: str) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            occurred = row.slot.at(ends_at)
            span[row.contact_id].append(occurred)
            seen = visible(occurred, row.slot.days_before)
            yield (
                row.id,
                row.contact_id,
                occurred,
                seen,
                *(getattr(row, column) or None for column in columns),
            )

    db.executemany(
        "INSERT INTO page_views (id, contact_id, occurred, visible, url, title) VALUES (?,?,?,?,?,?)",
        facts(script.page_views, "url", "title"),
    )
    db.executemany(
        "INSERT INTO email_events"
        " (id, contact_id, occurred, visible, type, campaign_id, subject, url, recipient)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        (
            (*row, emails.get(row[1], NOBODY))
            for row in facts(script.email_events, "type", "campaign_id", "subject", "url")
        ),
    )
    db.executemany(
        "INSERT INTO submissions (id, contact_id, occurred, visible, form, page_url, email)"
        " VALUES (?,?,?,?,?,?,?)",
        ((*row, emails.get(row[1], NOBODY)) for row in facts(script.submissions, "form", "page_url")),
    )
    engagements = []
    for row in script.engagements:
        occurred = row.slot.at(ends_at)
        seen = visible(occurred, row.slot.days_before)
        logged = min(occurred + row.logged_after, known_until) if seen else occurred + row.logged_after
        span[row.contact_id].append(logged if row.slot.days_before < 0 else occurred)
        engagements.append(
            (row.id, row.type, logged, logged, occurred, seen, _dated(row.properties, occurred))
        )
    db.executemany(INSERT_OBJECT, engagements)
    db.executemany(
        "INSERT INTO associations VALUES (?,?)",
        [(row.id, row.contact_id) for row in script.engagements],
    )
    db.executemany("INSERT INTO associations VALUES (?,?)", [(d.id, d.contact_id) for d in script.deals])
    for deal in script.deals:
        span[deal.contact_id].append(deal.slot.at(ends_at))
        _insert_deal(db, deal, ends_at=ends_at, known_until=known_until)
    _insert_companies(db, script, ends_at=ends_at)
    for contact in script.contacts:
        _insert_contact(db, contact, span[contact.id], ends_at=ends_at, known_until=known_until)


def _insert_deal(db: sqlite3.Connection, deal: Deal, *, ends_at: int, known_until: int) -> None:
    """A deal as it was when it was made, and what became of it since."""
    created = deal.slot.at(ends_at)
    properties, modified = expected(deal, created), created
    for slot, changed in deal.changes:
        occurred = max(slot.at(ends_at), created + MINUTE)
        if occurred <= known_until:
            properties |= dated(changed, occurred)
            modified = max(modified, occurred)
        else:
            later = json.dumps(dated(changed, occurred))
            db.execute("INSERT INTO changes VALUES (?,?,?)", (deal.id, occurred, later))
    seen = created <= known_until
    db.execute(INSERT_OBJECT, (deal.id, "deals", created, modified, created, seen, json.dumps(properties)))


def _insert_companies(db: sqlite3.Connection, script: Script, *, ends_at: int) -> None:
    """What contacts say of their companies, as records of their own, each as old as its first contact."""
    first: dict[str, Contact] = {}
    for contact in sorted(script.contacts, key=lambda contact: contact.slot.at(ends_at)):
        if company := contact.properties.get("associatedcompanyid"):
            first.setdefault(company, contact)
    for company, contact in first.items():
        properties = {name: contact.properties.get(lent) for name, lent in LENT.items()}
        created = contact.slot.at(ends_at)
        db.execute(
            INSERT_OBJECT,
            (int(company), "companies", created, created, created, True, json.dumps(properties)),
        )


def _addresses(script: Script) -> dict[int, str]:
    """Which address each contact gets e-mail at; those merged away keep the one they had."""
    emails: dict[int, str] = {}
    for contact in script.contacts:
        emails[contact.id] = contact.properties["email"] or NOBODY
        merged = (contact.properties.get("hs_merged_object_ids") or "").split(";")
        former = (contact.properties.get("hs_additional_emails") or "").split(";")
        emails |= {int(gone): address for gone, address in zip(merged, former, strict=True) if gone}
    return emails


def _insert_contact(
    db: sqlite3.Connection, contact: Contact, facts: list[int], *, ends_at: int, known_until: int
) -> None:
    created = min([contact.slot.at(ends_at), *(moment - MINUTE for moment in facts)])
    properties, modified = dict(contact.properties), created
    for slot, changed in contact.changes:
        occurred = slot.at(ends_at)
        if occurred <= known_until:
            properties |= changed
            modified = max(modified, occurred)
        else:
            db.execute("INSERT INTO changes VALUES (?,?,?)", (contact.id, occurred, json.dumps(changed)))
    modified = max([modified, *(moment for moment in facts if moment <= known_until)])
    visible = created <= known_until
    db.execute(
        INSERT_OBJECT, (contact.id, "contacts", created, modified, created, visible, json.dumps(properties))
    )


def _dated(properties: Properties, occurred: int) -> str:
    """Engagement properties with the moment the thing happened, which the vendor keeps as text."""
    moment = datetime.fromtimestamp(occurred / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    dates = {"hs_timestamp": moment} | {name: moment for name in ALSO_DATED if name in properties}
    return json.dumps(properties | dates)
