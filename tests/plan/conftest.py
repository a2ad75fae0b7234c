"""A deployment with forty leads of random diligence, its rules in force and everybody scored."""

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from rescore.lake.lake import Lake
from rescore.ledger.rules import activations, registry
from rescore.ledger.transaction import Ledger
from rescore.plan.make import make_plan
from rescore.plan.plan import Plan
from rescore.rules.card import Scorecard
from rescore.rules.load import load_scorecard
from rescore.workspace import Workspace
from tests.support.main_job import MAPPINGS, RULES, Job

INDUSTRIES = ["Machinery", "Logistics", "Retail", None]


@dataclass
class Planning:
    """The main job, and what somebody who edits its rules does."""

    job: Job

    @property
    def ws(self) -> Workspace:
        return self.job.ws

    def card(self, *edits: tuple[str, str]) -> Scorecard:
        return load_scorecard(self.body(*edits), name="b2b_saas.yaml")

    def body(self, *edits: tuple[str, str]) -> bytes:
        """The rules with pieces of text replaced; each has to be there."""
        text = RULES
        for before, after in edits:
            assert before in text, before
            text = text.replace(before, after)
        return text.encode()

    def plan(
        self, *edits: tuple[str, str], version: int | None = None, scorecard: str = "b2b_saas", **how: object
    ) -> Plan:
        return make_plan(
            self.ws,
            scorecard=scorecard,
            new=self.card(*edits),
            new_version=version,
            as_of=self.job.now,
            at=self.job.now,
            by="test",
            **how,
        )

    def register(self, *edits: tuple[str, str]) -> int:
        with self.ws.ledger.transaction() as connection:
            return registry.register(
                connection,
                card=self.card(*edits),
                body=self.body(*edits),
                path="b2b_saas.yaml",
                at=self.job.now,
                by="test",
            )

    def activate(self, *edits: tuple[str, str]) -> None:
        version = self.register(*edits)
        with self.ws.ledger.transaction() as connection:
            activations.activate(
                connection, card=self.card(*edits), version_seq=version, at=self.job.now, by="test"
            )


@pytest.fixture
def planning(ledger: Ledger, tmp_path: Path) -> Planning:
    rules = tmp_path / "rules"
    rules.mkdir()
    policy = MAPPINGS.with_name("policy.yaml")
    ws = Workspace(ledger, Lake(str(tmp_path / "lake")), rules, MAPPINGS, tmp_path / "reports", policy)
    job = Job(ws)
    job.write_rules()
    chance = random.Random(7)
    for number in range(40):
        lead = f"lead-{number}"
        title = chance.choice(["Director of Sales", "Developer"])
        job.crm.put_lead(lead, {"job_title": title, "industry": chance.choice(INDUSTRIES)})
        for _ in range(chance.randrange(8)):
            job.visit(lead, at=job.now - timedelta(days=chance.randrange(80)))
    job.run()
    return Planning(job)
