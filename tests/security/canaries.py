"""Words planted in every text of a person and in every secret, and where they are found again."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sandbox_crm.store import Store
from tests.erasure.copies import files, said

WORD = "quetzalcanary"
"""In all that is planted; compared in lower case."""

TOKEN = f"pat-{WORD}-token"
SLACK_PATH = f"T0/B0/{WORD}-slack"
MAIL_PASSWORD = f"{WORD}-mail"
WEBHOOK_SECRET = f"whsec_{base64.b64encode(f'{WORD}-webhook-secret'.encode()).decode()}"

TEXTS = {
    "contacts": (
        "jobtitle",
        "firstname",
        "lastname",
        "company",
        "phone",
        "industry",
        "country",
        "lead_source",
    ),
    "calls": ("hs_call_title", "hs_call_body"),
    "meetings": ("hs_meeting_title", "hs_meeting_body"),
    "emails": ("hs_email_subject", "hs_email_text"),
    "notes": ("hs_note_body",),
    "tasks": ("hs_task_subject", "hs_task_body"),
}


def plant(store: Store) -> None:
    """Let every text of the CRM say the word: names, titles, addresses, subjects, notes."""
    for kind, names in TEXTS.items():
        for name in names:
            place = f"$.{name}"
            store.db.execute(
                "UPDATE objects SET properties = json_set(properties, ?, trim("
                f"coalesce(properties ->> ?, '') || ' {WORD} ' || id)) WHERE type = ?",
                (place, place, kind),
            )
    address = f"'{WORD}.' || %s || '@person.example'"
    store.db.execute(
        f"UPDATE objects SET properties = json_set(properties, '$.email', {address % 'id'})"
        " WHERE type = 'contacts'"
    )
    store.db.execute(
        f"UPDATE email_events SET recipient = {address % 'contact_id'}, subject = subject || ' {WORD}'"
    )
    store.db.execute(f"UPDATE submissions SET email = {address % 'contact_id'}")
    store.db.execute(f"UPDATE page_views SET url = url || '?who={WORD}', title = title || ' {WORD}'")


def flown(text: str) -> bool:
    """Whether a text holds a canary."""
    return WORD in text.lower() or WEBHOOK_SECRET in text


def in_tables(database: Path) -> dict[str, str]:
    """`table.column` of a SQLite database -> the first value with a canary, whatever its type."""
    found = {}
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    if flown(text):
                        found.setdefault(f"{table}.{column}", text[:200])
    return found


def in_files(home: Path) -> Iterator[Path]:
    """Files below `home` with a canary, compressed or not."""
    return (path for path in files(home) if flown(said(path)))


def in_json(value: object) -> bool:
    """Whether anything that can be written as JSON holds one."""
    return flown(json.dumps(value, default=str, ensure_ascii=False))
