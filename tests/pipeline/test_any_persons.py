"""Whatever two CRMs say of the same people, in whatever order: one score, one arming, one telling each.

Records come, change, name each other, stop doing so, are merged, deleted and restored. The expectation is
computed from what the CRMs hold in the end, by rules that are written down here once more.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rescore.ledger import tables
from rescore.ledger.transaction import Ledger
from tests.faults.invariants import one_delivery_per_crossing, scores_are_true
from tests.pipeline.two_crms import TwoCrms

EXAMPLES = 4
HERE, THERE = ["h1", "h2", "h3"], ["s1", "s2"]
TITLES = {"hubspot": "Clerk", "salesforce": "Director of Sales"}


class AnyPersons(RuleBasedStateMachine):
    """HubSpot names Salesforce's records; `said` is what it says now, and `there` which records live."""

    ledger: Ledger
    forget: object

    @initialize()
    def begin(self) -> None:
        self.forget()
        self.folder = TemporaryDirectory()
        self.job = TwoCrms.below(Path(self.folder.name), self.ledger)
        self.said: dict[str, str | None] = {}
        self.there: dict[str, bool] = {}
        self.views: Counter[str] = Counter()
        self.became: dict[str, str] = {}
        self.job.run()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.run_all(everybody=True)
            self.run_all(everybody=False)  # nothing is new, and no mark that is left makes it so
            self.folder.cleanup()

    @rule(lead=st.sampled_from(HERE), other=st.none() | st.sampled_from(THERE))
    def put_here(self, lead: str, other: str | None) -> None:
        if lead not in self.became:
            self.said[lead], self.there[f"hubspot:{lead}"] = other, True
            self._tell(lead)

    @rule(lead=st.sampled_from(THERE))
    def put_there(self, lead: str) -> None:
        self.there[f"salesforce:{lead}"] = True
        self.job.sales.put_lead(lead, {"job_title": TITLES["salesforce"]})

    @precondition(lambda self: any(self.there.values()))
    @rule(data=st.data(), number=st.integers(1, 3))
    def view(self, data: st.DataObject, number: int) -> None:
        key = data.draw(st.sampled_from(sorted(self._living())))
        self.views[key] += number
        self.job.view(key, number=number)

    @precondition(lambda self: any(self.there.values()))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self._living())))
        self.there[key] = False
        source, _, lead = key.partition(":")
        self.job.crms[source].delete(lead)

    @precondition(lambda self: len([key for key in self._living() if key.startswith("hubspot")]) > 1)
    @rule(data=st.data())
    def merge_here(self, data: st.DataObject) -> None:
        living = sorted(key.partition(":")[2] for key in self._living() if key.startswith("hubspot"))
        gone, left = data.draw(st.permutations(living))[:2]
        self.became[gone] = left
        self.there[f"hubspot:{gone}"] = False
        self._tell(left)

    @rule(everybody=st.booleans())
    def run_all(self, everybody: bool) -> None:
        self.job.run(everybody=everybody)
        self.job.read_back()  # a record that was restored here is empty, which nobody has told us
        self.job.deliver()
        self._holds()

    def _tell(self, lead: str) -> None:
        other = self.said[lead]
        merged = [gone for gone, left in self.became.items() if left == lead]
        named = [f"salesforce:{other}"] if other else []
        self.job.crm.put_lead(lead, {"job_title": TITLES["hubspot"]}, merged=merged, same_as=named)

    def _living(self) -> set[str]:
        return {key for key, lives in self.there.items() if lives}

    def _left(self, lead: str) -> str:
        while lead in self.became:
            lead = self.became[lead]
        return lead

    def _persons(self) -> list[set[str]]:
        """The records of each person: a record there belongs to the only one here that names it."""
        records = {key for key in self.there if key.partition(":")[2] not in self.became}
        persons = []
        for other in sorted(key for key in records if key.startswith("salesforce")):
            naming = {
                f"hubspot:{lead}" for lead, named in self.said.items() if f"salesforce:{named}" == other
            }
            naming &= records
            living = {key for key in naming if self.there[key]}
            if self.there[other] and living:
                chosen = living if len(living) == 1 else set()
            else:
                chosen = naming if len(naming) == 1 else set()
            persons.append({other, *chosen})
        alone = records - {key for person in persons for key in person}
        return persons + [{key} for key in sorted(alone)]

    def _holds(self) -> None:
        job, now = self.job, self.job.now
        lives = self._living()
        expected: dict[frozenset[str], int | None] = {}
        for person in self._persons():
            if not person & lives:
                continue
            first = max(person & lives)  # salesforce before hubspot
            points = sum(
                number
                for key, number in self.views.items()
                if f"{key.partition(':')[0]}:{self._left(key.partition(':')[2])}" in person
            )
            director = 20 if first.startswith("salesforce") else 0
            expected[frozenset(person)] = min(100, 10 * points + director)
        found = {lead: score for lead, score in job.record().items() if score is not None}
        assert sorted(found.values()) == sorted(expected.values()), (found, expected)
        for person, score in expected.items():
            [lead] = found.keys() & person
            assert found[lead] == score, (person, found)
            shows = max(person & lives)
            assert job.shown().get(shows) == score, (shows, score, job.shown())
        assert list(scores_are_true(job.ws, "b2b_saas", now=now)) == []
        with job.ws.ledger.reading() as connection:
            assert list(one_delivery_per_crossing(connection)) == []
        told = Counter(lead for (lead,) in job.rows(tables.delivery, "lead", state="delivered"))
        assert max(told.values(), default=0) <= 1
        assert max(Counter(job.receiver.received).values(), default=0) <= 1


def test_any_persons(ledger: Ledger, request) -> None:
    AnyPersons.ledger = ledger
    AnyPersons.forget = staticmethod(lambda: _empty(ledger))
    run_state_machine_as_test(AnyPersons, settings=settings(max_examples=EXAMPLES, stateful_step_count=12))


def _empty(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
