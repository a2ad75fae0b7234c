"""What automations send goes through the gateway: each kind of delivery, one at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select

from rescore.connectors.session import Session
from rescore.delivery.actions.crm_fields import CrmFieldsSender
from rescore.delivery.actions.crm_task import CrmTaskSender
from rescore.delivery.actions.slack import SlackSender
from rescore.delivery.automations import run_automations
from rescore.delivery.sender import Sender
from rescore.delivery.webhook import Endpoint, WebhookSender
from rescore.ledger import tables
from rescore.ledger.outbox import deliveries
from rescore.outcome import CONSEQUENCES, Kind, Outcome, next_state
from rescore.rules.actions import Action, CrmFields, CrmTask, SetField, SlackMessage, Webhook
from rescore.rules.card import Automation, Scorecard
from tests.faults.network_desk import LONGEST_WISH, Desk, Trial
from tests.faults.network_gateway import HOOK, SECRET, SLACK
from tests.ledger.world import World, a_card, when

STAGE, FROM, TO = "lifecyclestage", "lead", "marketingqualifiedlead"


class DeliveryTrial(Trial):
    """One delivery of one kind is due."""

    def __init__(self, desk: Desk, name: str, action: Action) -> None:
        super().__init__(desk, desk.ledger(name, self._fill(desk), card=_card(action), targets=()))
        self._kind = action.kind

    @staticmethod
    def _fill(desk: Desk) -> Callable[[World], None]:
        def fill(world: World) -> None:
            lead = f"hubspot:{desk.leads[0]}"
            world.first_load(**{lead: 10})
            world.score(**{lead: 120})

        return fill

    @abstractmethod
    def sender(self, url: str, seconds: float) -> Sender:
        """The product's."""

    @abstractmethod
    def effects(self) -> int:
        """How often it happened out there, as somebody who tells repetitions apart sees it."""

    def run(self, url: str, seconds: float) -> None:
        senders = {self._kind: self.sender(url, seconds)}
        run_automations(self.ledger, senders, now=self.now, worker="w")

    def row(self) -> Row[Any]:
        """The delivery's."""
        with self.ledger.reading() as connection:
            return connection.execute(select(tables.delivery)).one()

    def attempts(self) -> list[deliveries.Attempt]:
        """All there were."""
        with self.ledger.reading() as connection:
            return deliveries.attempts(connection, self.row().delivery_id)

    def observed(self) -> Kind | str:
        known = self.attempts()
        return known[-1].outcome if known else "not tried"

    def judge(self, kind: Kind, *, some: bool, wish: float | None) -> Iterator[str]:
        yield from self.said_plainly()
        yield from self.judge_breaker(kind, wish)
        if CONSEQUENCES[kind].alert != (self.error is not None):
            yield "fails the task and should not" if self.error else "tells nobody"
        row, repeatable = self.row(), self._kind != "email"
        then = next_state(Outcome(kind), failures=1, repeatable=repeatable)
        state = {"done": "delivered", "deleted": "parked"}.get(then, then)
        tries = int(CONSEQUENCES[kind].spends_try)
        if (row.state, row.tries) != (state, tries):
            yield f"is {row.state} after {row.tries} tries, not {state} after {tries}"
        if row.lease_by is not None:
            yield "is still leased"
        if row.state != "delivered" and not row.reason:
            yield f"is {row.state} without a reason"
        if any(one.ended_at is None for one in self.attempts()):
            yield "has an attempt without an end"
        if row.next_at and row.next_at > self.now + LONGEST_WISH:
            yield f"waits until {row.next_at:%Y-%m-%d}"
        if wish and row.next_at and row.next_at < self.now + timedelta(seconds=wish):
            yield f"comes back before the {wish:g} seconds asked for"

    def owed(self) -> bool:
        return bool(self.row().state == "due")

    def at_rest(self) -> Iterator[str]:
        row, effects = self.row(), self.effects()
        if row.state not in ("delivered", "parked"):
            yield f"stays {row.state}"
        if row.state == "delivered" and effects != 1:
            yield f"counts as delivered and happened {effects} times"
        if row.state == "parked" and effects > 1:
            yield f"is parked and happened {effects} times"


class TaskTrial(DeliveryTrial):
    """A task is to be made for a lead that has another one already."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "task", CrmTask("hubspot", "Call {lead_id}", due=2))
        store = desk.server.sandbox.store
        lead = desk.leads[0]
        theirs = "(SELECT from_id FROM associations WHERE contact_id = ?)"
        store.db.execute(f"DELETE FROM objects WHERE type = 'tasks' AND id IN {theirs}", [lead])
        store.db.execute("DELETE FROM associations WHERE from_id NOT IN (SELECT id FROM objects)")
        other = {"hs_task_subject": "Send the offer", "hs_timestamp": "2026-11-09T09:00:00Z"}
        store.make("tasks", lead, other, desk.server.sandbox.now())

    def sender(self, url: str, seconds: float) -> Sender:
        return CrmTaskSender(lambda name: self.desk.hubspot(url, seconds), lambda name: self.desk.mapping)

    def effects(self) -> int:
        return len(self._made())

    def at_rest(self) -> Iterator[str]:
        yield from super().at_rest()
        row = self.row()
        if row.state == "delivered" and self._made() != [row.remote_id]:
            yield "is not the task that the ledger names"

    def _made(self) -> list[str]:
        """The tasks that carry our id, by their own."""
        rows = self.desk.server.sandbox.store.rows(
            "SELECT id FROM objects WHERE type = 'tasks' AND properties ->> '$.rescore_delivery' = ?",
            [self.row().delivery_id],
        )
        return [str(row["id"]) for row in rows]


class FieldsTrial(DeliveryTrial):
    """A lead's stage is to be moved on, from where it is."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "fields", CrmFields("hubspot", (SetField(STAGE, TO, only_from=(FROM,)),)))
        desk.show(desk.leads[0], **{STAGE: FROM})

    def sender(self, url: str, seconds: float) -> Sender:
        return CrmFieldsSender(lambda name: self.desk.hubspot(url, seconds), lambda name: self.desk.mapping)

    def effects(self) -> int:
        return int(self.desk.shown(self.desk.leads[0], STAGE) == TO)


class WebhookTrial(DeliveryTrial):
    """A webhook is due to a receiver that checks signatures and tells ids apart."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "webhook", Webhook("sales_alerts"))
        desk.gateway.hooks.clear()

    def sender(self, url: str, seconds: float) -> Sender:
        base = url if "://" in url else f"http://{url}"
        endpoint = Endpoint(base + HOOK, SECRET)
        return WebhookSender({"sales_alerts": endpoint}, Session(seconds=seconds, largest=1024 * 1024))

    def effects(self) -> int:
        return len(self.desk.gateway.hooks)

    def at_rest(self) -> Iterator[str]:
        yield from super().at_rest()
        row = self.row()
        for id_, bodies in self.desk.gateway.hooks.items():
            if id_ != row.delivery_id or set(bodies) != {bytes(row.body)}:
                yield "arrived under another id or with another body"
            if len(bodies) > len(self.attempts()):
                yield f"came {len(bodies)} times in {len(self.attempts())} attempts"


class SlackTrial(DeliveryTrial):
    """A message is due to a chat, which cannot tell repetitions apart."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "slack", SlackMessage("chat", "{lead_id} crossed"))
        desk.gateway.posts.clear()

    def sender(self, url: str, seconds: float) -> Sender:
        base = url if "://" in url else f"http://{url}"
        return SlackSender(lambda name: base + SLACK, Session(seconds=seconds, largest=64 * 1024))

    def effects(self) -> int:
        """Once, and again after each attempt that was not confirmed: that is Slack's limit."""
        unconfirmed = sum(one.outcome != "ok" for one in self.attempts())
        return max(min(len(self.desk.gateway.posts), 1), len(self.desk.gateway.posts) - unconfirmed)


def _card(action: Action) -> Scorecard:
    fires = when(score={"at_least": 100})
    return a_card(Automation("mql", "The one", fires, when(score={"below": 85}), (action,), line=1))
