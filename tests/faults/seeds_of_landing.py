"""Bugs in how facts get from a CRM to the lake, and in who is woken by them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import update

from rescore.lake import landing
from rescore.lake import tables as lake_tables
from rescore.lake.arrivals import Arrivals
from rescore.lake.lake import Lake
from rescore.lake.landing import Landed, Landing
from rescore.ledger import tables
from rescore.workspace import Workspace
from tests.faults import life
from tests.faults.breaking import instead
from tests.faults.hunts import in_orders, in_story
from tests.faults.scenarios_of_landing import TWO_EXTRACTS
from tests.faults.seed import Seed


@contextmanager
def cursor_before_landing() -> Iterator[None]:
    real = life.extract

    def extracts(ws: Workspace, source: Any, **how: Any) -> Any:
        return real(ws, _Hasty(ws, source), **how)

    with instead(life, "extract", extracts):
        yield


class _Hasty:
    """A source whose cursor is committed with the reading of a page."""

    def __init__(self, ws: Workspace, source: Any) -> None:
        self.name, self.streams = source.name, source.streams
        self._ws, self._source = ws, source

    def pages(self, stream: str, cursor: Any, *, until: datetime) -> Iterator[Any]:
        table = tables.stream
        mine = (table.c.source == self.name) & (table.c.stream == stream)
        for page in self._source.pages(stream, cursor, until=until):
            with self._ws.ledger.transaction() as connection:
                connection.execute(update(table).where(mine).values(cursor=json.dumps(page.cursor)))
            yield page


@contextmanager
def known_rows_wake_nobody() -> Iterator[None]:
    as_known, look_up = Landing._as_known, Arrivals._look_up

    def known(self: Landing, *row: Any) -> Any:
        return replace(as_known(self, *row), marked=True)

    def looks_up(self: Arrivals, connection: Any, *how: Any) -> None:
        look_up(self, connection, *how)
        connection.execute("UPDATE judged SET marked = true")

    with instead(Landing, "_as_known", known), instead(Arrivals, "_look_up", looks_up):
        yield


@contextmanager
def overtaken_landings_taken() -> Iterator[None]:
    def lets(*_: Any) -> None:
        return None

    with instead(landing, "refuse_if_overtaken", lets), instead(lake_tables, "refuse_if_overtaken", lets):
        yield


@contextmanager
def only_new_merges_followed() -> Iterator[None]:
    real = Lake.land

    def lands(self: Lake, *args: Any, **how: Any) -> Landed:
        landed = real(self, *args, **how)
        return landed if landed.counts.get("leads merged") else replace(landed, merged={})

    with instead(Lake, "land", lands):
        yield


@contextmanager
def rows_without_activities_wake_nobody() -> Iterator[None]:
    real = Lake.land

    def lands(self: Lake, *args: Any, **how: Any) -> Landed:
        landed = real(self, *args, **how)
        return replace(landed, leads={lead: at for lead, at in landed.leads.items() if at is not None})

    with instead(Lake, "land", lands):
        yield


SEEDS = (
    Seed(
        "the cursor moves on before a page has landed",
        cursor_before_landing,
        in_story("crossing", at="lake write_deltalake"),
        "is not in the lake",
    ),
    Seed(
        "rows that the lake has already wake nobody",
        known_rows_wake_nobody,
        in_story("crossing", at="UPDATE stream SET"),
        "points of record and is worth",
    ),
    Seed(
        "an older landing is taken after a newer one",
        overtaken_landings_taken,
        in_orders(TWO_EXTRACTS),
        "is older than the ledger",
    ),
    Seed(
        "a merge is followed only when it is new to the lake",
        only_new_merges_followed,
        in_story("merged", at="UPDATE stream SET"),
        "points and no facts",
    ),
    Seed(
        "changes of a record without activities wake nobody",
        rows_without_activities_wake_nobody,
        in_story("opted out"),
        "points of record and is worth",
    ),
)
