"""Bugs in what people decide and ask for: holds, erasures, merges, retention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, update

from rescore.erased import NOBODY, Person
from rescore.errors import InputUnreadable
from rescore.lake import landing
from rescore.lake.lake import Lake
from rescore.ledger import erasures, holds, identity, retention, tables, tombstones
from rescore.ledger.erasures import Erasure
from rescore.ledger.retention import Expired
from rescore.pipeline import holds as answers
from rescore.progress import silent
from rescore.workspace import Workspace
from tests.faults import scenarios_of_erasing, scenarios_of_holds
from tests.faults.breaking import instead, replaced
from tests.faults.hunts import in_orders, in_story
from tests.faults.seed import Seed

HOLD = tables.hold


@contextmanager
def a_hold_answered_twice() -> Iterator[None]:
    def decides(ws: Workspace, hold_id: str, answer: holds.Answer, *, by: str, at: datetime) -> Any:
        with ws.ledger.reading() as connection:
            if holds.find(connection, hold_id).state != holds.OPEN:
                raise InputUnreadable(f"hold {hold_id} is over")
        with ws.ledger.transaction() as connection:
            mine = update(HOLD).where(HOLD.c.hold_id == hold_id)
            connection.execute(mine.values(state=holds.STATE_OF[answer], decided_at=at, decided_by=by))
            hold = holds.find(connection, hold_id)
        return answers._carry_out(ws, hold, at, silent)

    with instead(scenarios_of_holds, "decide", decides):
        yield


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
def tombstones_set_at_the_end() -> Iterator[None]:
    add, sweep = tombstones.add, erasures.sweep

    def sweeps(connection: Connection, erasure_id: str, counts: Mapping[str, int]) -> None:
        erasure = erasures.find(connection, erasure_id)
        add(connection, erasure.person, at=erasure.asked_at, by=erasure.asked_by)
        sweep(connection, erasure_id, counts)

    later = instead(tombstones, "add", lambda *person, **how: None)
    with later, instead(erasures, "sweep", sweeps):
        yield


@contextmanager
def swept_before_the_lake_is_clean() -> Iterator[None]:
    real = erasures.start

    def starts(connection: Connection, erasure: Erasure, person: Person, *, at: datetime) -> Any:
        done = real(connection, erasure, person, at=at)
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
        "a hold is answered twice",
        a_hold_answered_twice,
        in_orders(*scenarios_of_holds.ALL),
        "was taken, and the hold is",
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
        "tombstones are set when everything is erased",
        tombstones_set_at_the_end,
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
