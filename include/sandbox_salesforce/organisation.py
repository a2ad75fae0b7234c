"""What a running organisation knows beside its records: who may log in, sessions, jobs, calls made."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from sandbox_salesforce.records import Records, Row
from sandbox_salesforce.schema import Field, FieldType

ORGANISATION = "00D5g000004SandEAE"


@dataclass(frozen=True)
class Account:
    """Who may log in: by password and token, by a consumer's key and secret, or by a signed assertion."""

    username: str = "rescore@sandbox.example"
    password: str = "sandbox-password"  # noqa: S105 - opens nothing but this sandbox
    security_token: str = "sandboxtoken"  # noqa: S105
    consumer_key: str = "sandbox-consumer"
    consumer_secret: str = "sandbox-secret"  # noqa: S105
    public_key: str = ""


@dataclass
class Job:
    """A bulk job."""

    id: str
    object: str
    operation: str
    state: str = "Open"
    table: str = ""
    error: str = ""
    looks: int = 0
    successful: list[Row] = field(default_factory=list)
    failed: list[Row] = field(default_factory=list)
    unprocessed: list[Row] = field(default_factory=list)


@dataclass
class Organisation:
    """The state that the routes share.

    Attributes:
        daily: How many calls 24 hours allow; `used` counts those of every app.
        bulk_looks: How often a job's state is asked for before it is done.
        not_ours: Records that our user may see and not edit; `locked` ones somebody else edits right now.
        queue: To whom the assignment rules give a lead whenever it is changed, unless they are told not to.
        written: Records changed through the API.
    """

    account: Account = field(default_factory=Account)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    daily: int = 100_000
    used: int = 0
    bulk_looks: int = 2
    calls: Counter[str] = field(default_factory=Counter)
    logins: int = 0
    sessions: set[str] = field(default_factory=set)
    jobs: dict[str, Job] = field(default_factory=dict)
    places: dict[str, tuple[list[dict[str, Any]], int]] = field(default_factory=dict)
    queries: int = 0
    not_ours: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)
    queue: str | None = None
    written: int = 0

    def __post_init__(self) -> None:
        self.records = Records(lambda: self.clock())
        self.admin = self.records.insert("User", "", Username="admin@sandbox.example", UserType="Standard")
        named = self.account.username
        self.user = self.records.insert("User", self.admin, Username=named, UserType="Standard")

    def open_session(self) -> str:
        """A new session's id."""
        token = f"{ORGANISATION[:15]}!{secrets.token_hex(24)}"
        self.sessions.add(token)
        self.logins += 1
        return token

    def end_sessions(self) -> None:
        """Every session has run out."""
        self.sessions.clear()

    def add_field(
        self, name: str, field_name: str, kind: FieldType = "string", *, tracked: bool = False
    ) -> None:
        """A custom field; its history is kept when it is tracked."""
        about = self.records.objects[name]
        about.fields[field_name] = Field(field_name, kind)
        for row in self.records.rows[name].values():
            row.setdefault(field_name, False if kind == "boolean" else None)
        if tracked:
            about.tracked.add(field_name)


def organisation_of(request: Request) -> Organisation:
    """The organisation a request came to; a FastAPI dependency."""
    found: Organisation = request.app.state.organisation
    return found
