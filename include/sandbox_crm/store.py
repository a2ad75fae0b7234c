"""The state of the sandbox CRM: one SQLite database, in memory unless a file is given."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sandbox_crm import companies, history
from sandbox_crm.history import APP, SCREEN, Author
from sandbox_crm.load import INSERT_OBJECT, load
from sandbox_crm.shapes import Properties
from sandbox_crm.world import World

TABLES: Final = """
CREATE TABLE objects (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
    occurred INTEGER NOT NULL, visible INTEGER NOT NULL, properties TEXT NOT NULL);
CREATE INDEX objects_by_modified ON objects (type, visible, modified, id);
CREATE INDEX objects_by_id ON objects (type, visible, id);
CREATE INDEX contacts_by_email ON objects (lower(properties ->> '$.email')) WHERE type = 'contacts';
CREATE INDEX contacts_by_more ON objects (properties ->> '$.hs_additional_emails')
    WHERE type = 'contacts' AND properties ->> '$.hs_additional_emails' IS NOT NULL;
CREATE TABLE archived (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE associations (
    from_id INTEGER NOT NULL, contact_id INTEGER NOT NULL, PRIMARY KEY (from_id, contact_id));
CREATE INDEX associations_by_contact ON associations (contact_id, from_id);
CREATE TABLE changes (contact_id INTEGER NOT NULL, occurred INTEGER NOT NULL, properties TEXT NOT NULL);
CREATE TABLE page_views (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, contact_id INTEGER NOT NULL, occurred INTEGER NOT NULL,
    visible INTEGER NOT NULL, url TEXT, title TEXT);
CREATE INDEX page_views_by_time ON page_views (visible, occurred, seq);
CREATE INDEX page_views_by_contact ON page_views (contact_id);
CREATE TABLE email_events (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, contact_id INTEGER NOT NULL, occurred INTEGER NOT NULL,
    visible INTEGER NOT NULL, type TEXT NOT NULL, recipient TEXT NOT NULL, campaign_id INTEGER NOT NULL,
    subject TEXT, url TEXT);
CREATE INDEX email_events_by_time ON email_events (visible, occurred, seq);
CREATE TABLE submissions (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, contact_id INTEGER NOT NULL, occurred INTEGER NOT NULL,
    visible INTEGER NOT NULL, form TEXT NOT NULL, email TEXT NOT NULL, page_url TEXT NOT NULL);
CREATE INDEX submissions_by_time ON submissions (form, visible, occurred, seq);
"""
FACTS: Final = ("page_views", "email_events", "submissions")


class Store:
    """Every row the CRM holds, the held-back ones included, which no query of the API returns.

    One thread at a time: the server runs all its calls on one event loop.
    """

    def __init__(self, world: World, path: Path | None = None) -> None:
        self.db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.ends_at = milliseconds(world.ends_at)
        self.released_until = milliseconds(world.ends_at - world.held_back)
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(TABLES + history.TABLE)
        self.db.execute("BEGIN")
        load(self.db, world.script, ends_at=self.ends_at, known_until=self.released_until)
        self.db.execute("COMMIT")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self.db.execute(sql, parameters).fetchall()

    def objects(self, kind: str, ids: Iterable[int]) -> dict[int, sqlite3.Row]:
        """The visible objects among these ids."""
        wanted = json.dumps(list(ids))
        found = self.rows(
            "SELECT * FROM objects WHERE type = ? AND visible AND id IN (SELECT value FROM json_each(?))",
            (kind, wanted),
        )
        return {row["id"]: row for row in found}

    def left_of(self, number: int) -> int:
        """The visible contact into which this one was merged; itself when it was not."""
        rows = self.rows(
            "SELECT id FROM objects WHERE type = 'contacts' AND visible"
            " AND ';' || (properties ->> '$.hs_merged_object_ids') || ';' LIKE ?",
            [f"%;{number};%"],
        )
        return rows[0]["id"] if rows else number

    def contacts_by_email(self, addresses: Iterable[str]) -> dict[str, sqlite3.Row]:
        """The visible contacts with these addresses, first or additional, by the address in lower case."""
        wanted = {address.lower() for address in addresses}
        first = self.rows(
            "SELECT * FROM objects WHERE type = 'contacts' AND visible = 1"
            " AND lower(properties ->> '$.email') IN (SELECT value FROM json_each(?))",
            [json.dumps(sorted(wanted))],
        )
        more = self.rows(
            "SELECT * FROM objects WHERE type = 'contacts' AND visible = 1"
            " AND properties ->> '$.hs_additional_emails' IS NOT NULL"
        )
        found: dict[str, sqlite3.Row] = {}
        for row in [*first, *more]:
            properties = json.loads(row["properties"])
            for name in ("email", "hs_additional_emails"):
                found |= dict.fromkeys((properties.get(name) or "").lower().split(";"), row)
        return {address: row for address, row in found.items() if address in wanted}

    def write(self, contact_id: int, properties: Properties, now: int, by: Author = APP) -> None:
        """Set properties of a contact; like every write it moves the modified date."""
        history.note(self.db, contact_id, properties, now, by)
        self.db.execute(
            "UPDATE objects SET properties = json_patch(properties, ?), modified = max(?, modified + 1)"
            " WHERE id = ?",
            (json.dumps(properties), now, contact_id),
        )

    def make(self, kind: str, contact_id: int, properties: Properties, now: int) -> int:
        """Add an object that is associated with a contact; its id."""
        number = int(self.rows("SELECT max(id) + 1 AS id FROM objects")[0]["id"])
        self.db.execute(INSERT_OBJECT, (number, kind, now, now, now, True, json.dumps(properties)))
        self.db.execute("INSERT INTO associations VALUES (?, ?)", (number, contact_id))
        return number

    def tie(self, number: int, contact_id: int, *, tied: bool) -> None:
        """Associate an object with a contact, or no more; like at the vendor no modified date moves."""
        if tied:
            self.db.execute("INSERT OR IGNORE INTO associations VALUES (?, ?)", (number, contact_id))
        else:
            self.db.execute(
                "DELETE FROM associations WHERE from_id = ? AND contact_id = ?", (number, contact_id)
            )

    def archive(self, kind: str, number: int, now: int) -> None:
        """Take a record out of every answer but the list of archived ones; a company's contacts have none."""
        if number in self.objects(kind, [number]):
            self.db.execute("UPDATE objects SET visible = 0 WHERE id = ?", [number])
            self.db.execute("INSERT INTO archived VALUES (?, ?)", (number, now))
            if kind == "companies":
                companies.move_contacts(self.db, [number], to=None)

    def restore(self, number: int, now: int) -> bool:
        """Bring an archived record back; it counts as modified. Whether it was archived."""
        found = self.db.execute("DELETE FROM archived WHERE id = ?", [number]).rowcount
        if found:
            self.db.execute("UPDATE objects SET visible = 1 WHERE id = ?", [number])
            self.write(number, {}, now)
        return bool(found)

    def forget(self, contact_id: int) -> None:
        """Delete a contact and what it did."""
        for table in ("associations", *FACTS, "changes"):
            self.db.execute(f"DELETE FROM {table} WHERE contact_id = ?", [contact_id])  # noqa: S608
        self.db.execute("DELETE FROM objects WHERE type = 'contacts' AND id = ?", [contact_id])
        self.db.execute("DELETE FROM archived WHERE id = ?", [contact_id])

    def release(self, now: int, days: float | None = None) -> dict[str, int]:
        """Let held-back facts appear, the oldest `days` of them or all; counts what appeared.

        What the vendor dates when it learns of something (created and modified dates) is dated now; when a
        thing happened stays when it happened.
        """
        since = self.released_until
        until = self.ends_at if days is None else min(self.ends_at, since + int(days * 86_400_000))
        span = (since, until)
        appeared = {"contacts": 0, "engagements": 0, "deals": 0} | dict.fromkeys(FACTS, 0)
        self.db.execute("BEGIN")
        touched = {row[0] for row in self._contacts_with_facts_in(span)}
        for contact_id, properties in self.rows(
            "SELECT contact_id, properties FROM changes WHERE occurred > ? AND occurred <= ?"
            " ORDER BY occurred",
            span,
        ):
            self.write(contact_id, json.loads(properties), now, SCREEN)
            touched.add(contact_id)
        for table in FACTS:
            appeared[table] = self.db.execute(
                f"UPDATE {table} SET visible = 1 WHERE NOT visible AND occurred <= ?",  # noqa: S608
                (until,),
            ).rowcount
        appeared["engagements"] = self.db.execute(
            "UPDATE objects SET visible = 1, created = ?, modified = ?"
            " WHERE type NOT IN ('contacts', 'deals') AND NOT visible AND occurred <= ?",
            (now, now, until),
        ).rowcount
        appeared["deals"] = self.db.execute(
            "UPDATE objects SET visible = 1, modified = ?"
            " WHERE type = 'deals' AND NOT visible AND occurred <= ?",
            (now, until),
        ).rowcount
        appeared["contacts"] = self.db.execute(
            "UPDATE objects SET visible = 1, modified = ?"
            " WHERE type = 'contacts' AND NOT visible AND occurred <= ?"
            " AND id NOT IN (SELECT id FROM archived)",
            (now, until),
        ).rowcount
        self.db.executemany(
            "UPDATE objects SET modified = max(?, modified) WHERE type = 'contacts' AND id = ?",
            [(now, contact_id) for contact_id in touched],
        )
        self.db.execute("COMMIT")
        self.released_until = until
        return appeared

    def counts(self) -> dict[str, dict[str, int]]:
        """Per kind of row: how many the API shows and how many are held back."""
        counted = {
            row["type"]: {"visible": row["shown"], "held_back": row["held"]}
            for row in self.rows(
                "SELECT type, sum(visible) AS shown, sum(NOT visible) AS held FROM objects"
                " GROUP BY type ORDER BY type"
            )
        }
        for table in FACTS:
            row = self.rows(f"SELECT total(visible) AS shown, total(NOT visible) AS held FROM {table}")[0]  # noqa: S608
            counted[table] = {"visible": int(row["shown"]), "held_back": int(row["held"])}
        return counted

    def _contacts_with_facts_in(self, span: tuple[int, int]) -> list[sqlite3.Row]:
        inside = "NOT visible AND occurred > ? AND occurred <= ?"
        per_table = [f"SELECT contact_id FROM {table} WHERE {inside}" for table in FACTS]  # noqa: S608
        engaged = f"SELECT contact_id FROM objects JOIN associations ON from_id = id WHERE {inside}"  # noqa: S608
        return self.rows(" UNION ".join([*per_table, engaged]), span * (len(FACTS) + 1))


def milliseconds(moment: datetime) -> int:
    """Epoch milliseconds, the unit the vendor counts in."""
    return round(moment.timestamp() * 1000)


def iso(moment: int) -> str:
    """Epoch milliseconds as the vendor writes dates."""
    whole = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=moment)
    return whole.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"
