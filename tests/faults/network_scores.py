"""Scores go to the CRM through the gateway, and are read back from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Row, select

from rescore.delivery.crm import update_crm
from rescore.ledger import tables
from rescore.outcome import CONSEQUENCES, Kind, Outcome, next_state, outcome_of
from rescore.pipeline.reconcile import read_back
from tests.faults.network_desk import BEGIN, Desk, Trial
from tests.faults.network_reading import read_kind
from tests.ledger.world import World

SCORES = {number: 10 * number for number in range(5)}
"""Of the first contacts, by their place: what the ledger has to show."""


class ScoresTrial(Trial):
    """Five scores are owed to the CRM, in two batches."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, desk.ledger("scores", self._fill(desk), targets=("hubspot",)))
        for lead in desk.leads:
            desk.show(lead, rescore_score=None)

    @staticmethod
    def _fill(desk: Desk) -> Callable[[World], None]:
        scores = {f"hubspot:{desk.leads[place]}": score for place, score in SCORES.items()}
        return lambda world: world.first_load(**scores)

    def run(self, url: str, seconds: float) -> None:
        hubspot = self.desk.hubspot(url, seconds)
        update_crm(self.ledger, hubspot, mapping=self.desk.mapping, now=self.now, worker="w")

    def rows(self) -> Sequence[Row[Any]]:
        """Everybody's."""
        with self.ledger.reading() as connection:
            return connection.execute(select(tables.sync).order_by(tables.sync.c.lead)).all()

    def observed(self) -> Kind | str:
        if self.error is not None and outcome_of(self.error).kind in ("auth", "schema", "unready"):
            return outcome_of(self.error).kind
        kinds = sorted({row.failure for row in self.rows() if row.failure})
        return " and ".join(kinds) or "ok"

    def judge(self, kind: Kind, *, some: bool, wish: float | None) -> Iterator[str]:
        yield from self.said_plainly()
        if CONSEQUENCES[kind].alert and self.error is None:
            yield "tells nobody"
        if not some or kind in ("auth", "schema"):
            yield from self.judge_breaker(kind, wish)
        then = next_state(Outcome(kind), failures=1)
        state = {"done": "settled"}.get(then, then)
        tries = int(CONSEQUENCES[kind].spends_try and state != "settled")
        rows = self.rows()
        hit = [row for row in rows if not some or row.failure]
        if some and not 0 < len(hit) <= 2:
            yield f"{len(hit)} records of two batches are blamed"
        for row in rows:
            expected = (state, tries) if row in hit else ("settled", 0)
            if (row.state, row.tries) != expected:
                wanted = " after ".join(map(str, expected))
                yield f"a record is {row.state} after {row.tries} tries, not {wanted}"
            if row.lease_by is not None:
                yield "a record is still leased"
            if row.state in ("parked", "deleted") and not row.reason:
                yield f"a record is {row.state} without a reason"

    def owed(self) -> bool:
        return any(row.state == "due" for row in self.rows())

    def at_rest(self) -> Iterator[str]:
        for row in self.rows():
            lead = int(row.lead.partition(":")[2])
            expected, shown = str(SCORES[self.desk.leads.index(lead)]), self.desk.shown(lead, "rescore_score")
            if row.state == "settled" and shown != expected:
                yield f"the CRM shows {shown} where the ledger says that it shows {expected}"
            if row.state not in ("settled", "parked", "deleted"):
                yield f"a record stays {row.state}"


class ReadBackTrial(ScoresTrial):
    """Everybody's score was confirmed; one was changed since then, by nobody we know."""

    def __init__(self, desk: Desk) -> None:
        Trial.__init__(self, desk, desk.ledger("confirmed", self._confirm(desk), targets=("hubspot",)))
        for place, score in SCORES.items():
            shown = {"rescore_score": str(score), "rescore_engagement": str(score), "rescore_band": "C"}
            desk.show(desk.leads[place], **shown)
        desk.show(desk.leads[1], rescore_score="77")
        self._counts: Counter[str] = Counter()
        self._read = False

    def _confirm(self, desk: Desk) -> Callable[[World], None]:
        def fill(world: World) -> None:
            self._fill(desk)(world)
            hubspot = desk.hubspot(desk.gateway.address)
            update_crm(world.ledger, hubspot, mapping=desk.mapping, now=BEGIN, worker="w")

        return fill

    def run(self, url: str, seconds: float) -> None:
        self._read = False
        hubspot = self.desk.hubspot(url, seconds)
        self._counts = read_back(
            self.ledger, hubspot, mapping=self.desk.mapping, now=self.now, everybody=True
        )
        self._read = not self._counts["unanswered"]

    def observed(self) -> Kind | str:
        return "gone" if self._counts["gone"] else read_kind(self.error)

    def judge(self, kind: Kind, *, some: bool, wish: float | None) -> Iterator[str]:
        yield from self.said_plainly()
        states = Counter(row.state for row in self.rows())
        gone = 2 if kind == "gone" else 0
        if states["deleted"] != gone:
            yield f"{states['deleted']} records count as deleted"
        if states["settled"] + states["due"] != len(SCORES) - gone or states["due"] > 1:
            yield f"the records are {dict(states)}"

    def owed(self) -> bool:
        return not self._read

    def at_rest(self) -> Iterator[str]:
        hubspot = self.desk.hubspot(self.desk.gateway.address)
        for _ in range(2):  # what has drifted is written, and what had gone is looked at again
            self.wait()
            self.attempt(self.desk.gateway.address)
            update_crm(self.ledger, hubspot, mapping=self.desk.mapping, now=self.now, worker="w")
        yield from super().at_rest()
        if any(row.state != "settled" for row in self.rows()):
            yield "the records do not come back to rest"
