"""The world outside: a CRM, a receiver and a mailbox that remember what they were told, whoever dies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rescore.connectors.base import FieldValue, ScoreUpdate, WriteResult
from rescore.connectors.memory import LEADS, MemoryCrm
from rescore.lake.records import ActivityRecord, LeadRecord
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Write:
    """One record of one call to the CRM, as it arrived."""

    lead_id: str
    fields: Mapping[str, FieldValue]


class LoggedCrm(MemoryCrm):
    """The CRM in memory; `written` is every write that it took, in order."""

    def __init__(self) -> None:
        super().__init__("hubspot")
        self.written: list[Write] = []

    def _write(self, update: ScoreUpdate) -> WriteResult:
        result = super()._write(update)
        if result.kind == "ok":
            self.written.append(Write(update.lead_id, dict(update.fields)))
        return result

    def visits(self) -> Counter[str]:
        """Activities by lead, each id once."""
        return Counter(self.owners().values())

    def owners(self) -> dict[str, str]:
        """By activity, whose it is."""
        return {row.activity_id: row.lead_id for row in self._activities()}

    def people(self) -> dict[str, LeadRecord]:
        """What was said last of each lead."""
        return {row.lead_id: row for row in self._log[LEADS] if isinstance(row, LeadRecord)}

    def merged(self) -> dict[str, str]:
        """Each lead that was merged away, and into which."""
        records = [row for row in self._log[LEADS] if isinstance(row, LeadRecord)]
        return {lost: row.lead_id for row in records for lost in row.merged}

    def _activities(self) -> list[ActivityRecord]:
        return [row for rows in self._log.values() for row in rows if isinstance(row, ActivityRecord)]


class Receiver:
    """A webhook's other end: keeps every body by delivery id, and answers as told, else that all is well.

    One that keeps to the standard acts on an id once; an answer that is no `ok` may come after the act.
    """

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.answers: list[Outcome] = []

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        """See `Sender`."""
        answer = self.answers.pop(0) if self.answers else Outcome("ok")
        if answer.kind != "transient":
            self.bodies[claim.delivery_id].append(bytes(claim.body))
        return answer


class Mailbox:
    """Where e-mail ends up: nobody can ask it, and every letter is one too many after the first."""

    def __init__(self) -> None:
        self.letters: Counter[str] = Counter()

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        """See `Sender`: a claim that is uncertain is not sent again."""
        if claim.uncertain:
            return Outcome("unknown", "an earlier attempt may have sent this e-mail")
        self.letters[claim.delivery_id] += 1
        return Outcome("ok")


class World:
    """All three, and how many calls they had; it can be pickled, as it was at any moment."""

    def __init__(self) -> None:
        self.crm = LoggedCrm()
        self.receiver = Receiver()
        self.mailbox = Mailbox()

    def effects(self) -> int:
        """How much they were told in all: what a quiet run adds nothing to."""
        told = sum(len(bodies) for bodies in self.receiver.bodies.values())
        return self.crm.writes + len(self.crm.tasks.made) + told + self.mailbox.letters.total()
