"""Bugs in what people decide and ask for: holds, erasures, merges, retention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from rescore.erased import NOBODY, Person
from rescore.lake import landing
from rescore.lake.lake import Lake
from rescore.ledger import retention, tables
from rescore.ledger.people import erasures, identity
from rescore.ledger.people.erasures import Erasure
from rescore.ledger.retention import Expired
from tests.faults import scenarios_of_erasing
from tests.faults.breaking import instead, replaced
from tests.faults.hunts import in_orders, in_story
from tests.faults.seed import Seed


@contextmanager
def tombstones_that_landings_do_not_see() -> Iterator[None]:
    real = landing.screen

    def screens(*page: Any, erased: Any, **how: Any) -> Any:
        return real(*page, erased=NOBODY, **how)

    with instead(landing, "screen", screens):
        yield


@contextmanager
def landings_not_shut_out() -> Iterator[None]:
    real = Lake.erase

    def erases(self: Lake, person: Person, *, fences: Mapping[str, int]) -> Any:
        return real(self, person, fences={})

    with instead(Lake, "erase", erases):
        yield


@contextmanager
def swept_before_the_lake_is_clean() -> Iterator[None]:
    real = erasures.start

    def starts(connection: Connection, erasure: Erasure, person: Person, **how: Any) -> Any:
        done = real(connection, erasure, person, **how)
        erasures.sweep(connection, erasure.erasure_id, {})
        return done

    with instead(erasures, "start", starts):
        yield


@contextmanager
def old_armings_deleted() -> Iterator[None]:
    real = retention.expired

    def expired(kept: Any, at: datetime) -> list[Expired]:
        arming = tables.arming
        return [*real(kept, at), Expired("armings", arming, arming.c.since < at - timedelta(days=30))]

    with instead(retention, "expired", expired):
        yield


SEEDS = (
    Seed(
        "what is owed about a withheld lead goes on",
        replaced(identity, "_cancel", lambda *about: 0),
        in_story("deleted"),
        "was sent when its lead was deleted",
    ),
    Seed(
        "an erased person is extracted again",
        tombstones_that_landings_do_not_see,
        in_orders(*scenarios_of_erasing.ALL),
        "the lake has",
    ),
    Seed(
        "an erasure does not shut out landings under way",
        landings_not_shut_out,
        in_orders(*scenarios_of_erasing.ALL),
        "the lake has",
    ),
    Seed(
        "an erasure counts as done before the lake is clean",
        swept_before_the_lake_is_clean,
        in_story("erased", at="lake "),
        "has no score of record",
    ),
    Seed(
        "a merge moves nothing in the ledger",
        replaced(identity, "follow_merges", lambda *how, **also: Counter()),
        in_story("merged"),
        "points and no facts",
    ),
    Seed(
        "where automations stand is forgotten after months",
        old_armings_deleted,
        in_story("tidied months later"),
        "without a fault there would be",
    ),
)
