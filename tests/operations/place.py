"""A small deployment that gets stuck: its home, its CRM and receivers, and its people at a terminal."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rescore.connectors.memory import MemoryCrm
from rescore.delivery.automations import run_automations
from rescore.delivery.crm import update_crm
from rescore.errors import RescoreError
from rescore.lake.lake import Lake
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from rescore.outcome import Outcome
from rescore.pipeline.reconcile import read_back, rescue
from rescore.workspace import Workspace
from tests.faults.world import Receiver
from tests.support import databases
from tests.support.main_job import MAPPINGS, RULES, Job

EARLIER = timedelta(hours=2)
"""So much earlier than now its life begins: commands take the present, and come later than all that was."""


@dataclass
class Place(Job):
    """The main job by hand, in one folder, with all that people may do to it."""

    home: Path = field(default_factory=Path)
    receiver: Receiver = field(default_factory=Receiver)
    saved: dict[str, str] = field(default_factory=dict)
    backups: list[str] = field(default_factory=list)

    @property
    def ledger_url(self) -> str:
        return self.ws.ledger.url.render_as_string(hide_password=False)

    @property
    def environment(self) -> dict[str, str]:
        """What a command has to be told."""
        return {
            "RESCORE_HOME": str(self.home),
            "RESCORE_LEDGER_URL": self.ledger_url,
            "RESCORE_RULES_DIR": str(self.ws.rules_dir),
            "RESCORE_MAPPINGS_DIR": str(self.ws.mappings_dir),
            "RESCORE_POLICY_FILE": str(self.ws.policy_file),
        }

    def edit_mapping(self, old: str, new: str) -> None:
        """Change the mapping; `mend_mapping` brings it back."""
        path = self.ws.mappings_dir / "hubspot.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def mend_mapping(self) -> None:
        shutil.copy(MAPPINGS / "hubspot.yaml", self.ws.mappings_dir)

    def set_policy(self, text: str) -> None:
        self.ws.policy_file.write_text(text + "internal_domains: [example.com]\n")

    def crowd(self) -> None:
        """More leads cross than the policy lets without asking."""
        self.set_policy("crossings: {leads: 1, times_usual_day: 1}\n")
        self.crm.put_lead("cyd", {})
        for lead in ("bob", "cyd"):
            self.visit(lead, number=6)
        self.run()

    def send(self) -> None:
        """What `update_crm` and `run_automations` do; a failed task keeps nobody else from going on."""
        mapping, ledger = self.ws.mappings()["hubspot"], self.ws.ledger
        senders = {"webhook": self.receiver, "email": self.receiver}
        for task in (
            lambda: update_crm(ledger, self.crm, mapping=mapping, now=self.now, worker="test"),
            lambda: run_automations(ledger, senders, now=self.now, worker="test"),
        ):
            try:
                task()
            except RescoreError:
                continue

    def later(self, **time: float) -> None:
        """Nobody does anything for a while, and then tasks run."""
        self.now += timedelta(**time)
        self.send()

    def answer(self, *outcomes: Outcome) -> None:
        """What receivers say to the next calls."""
        self.receiver.answers = list(outcomes)
        self.send()

    def reconcile(self) -> None:
        rescue(self.ws.ledger, now=self.now)
        mapping = self.ws.mappings()["hubspot"]
        read_back(self.ws.ledger, self.crm, mapping=mapping, now=self.now, everybody=True)

    def backup(self) -> str:
        """The URL of another ledger with what is in this one now."""
        self.ws.ledger.close()
        self.backups.append(databases.copied(self.ledger_url, self.home / "backup.db"))
        return self.backups[-1]

    def restore(self, backup: str) -> None:
        self.ws.ledger.close()
        databases.replaced(self.ledger_url, backup)

    def end(self) -> None:
        """Leave no database behind; files go with their folder."""
        databases.leave(self.ws.ledger)
        for backup in self.backups:
            databases.leave(Ledger(backup))


def install(home: Path, ledger_url: str, rules: str = RULES) -> Place:
    """Ada is a director and Bob is not; nothing has run yet."""
    (home / "rules").mkdir(parents=True)
    shutil.copytree(MAPPINGS, home / "mappings")
    place = _open(home, ledger_url, MemoryCrm("hubspot"), datetime.now(UTC) - EARLIER)
    migrate(place.ws.ledger)
    place.set_policy("")
    place.write_rules(rules)
    place.crm.put_lead("ada", {"job_title": "Director of Sales"})
    place.crm.put_lead("bob", {"job_title": "Developer"})
    return place


def live(place: Place) -> None:
    """Both are scored and shown; then Ada crosses and Bob gets points, which nobody outside has heard yet."""
    place.adopt()
    place.extract()
    place.promote(place.start())
    place.send()
    place.now += timedelta(minutes=15)
    place.visit("ada", number=4)
    place.visit("bob")
    place.extract()
    place.promote(place.start())


def copied(place: Place, home: Path) -> Place:
    """The same once more, in a folder and a database of its own."""
    place.ws.ledger.close()
    shutil.copytree(place.home, home)
    ledger_url = databases.copied(place.ledger_url, home / "ledger.db")
    copy_of = _open(home, ledger_url, copy.deepcopy(place.crm), place.now)
    copy_of.runs = place.runs
    return copy_of


def _open(home: Path, ledger_url: str, crm: MemoryCrm, now: datetime) -> Place:
    ws = Workspace(
        Ledger(ledger_url),
        Lake(str(home / "lake"), buckets=2),
        home / "rules",
        home / "mappings",
        home / "reports",
        home / "policy.yaml",
    )
    return Place(ws, crm, now=now, home=home)
