"""What crossings set off, as rows and as bulk writes: armings, crossings with their outcome, deliveries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from rescore.automations.action_body import action_body
from rescore.automations.crossing_body import crossing_body, delivery_id
from rescore.automations.score_conditions import Values
from rescore.automations.state_machine import Outcome
from rescore.ledger import tables
from rescore.ledger.upsert import insert
from rescore.messages import filler
from rescore.rules.actions import Webhook, receiver
from rescore.rules.card import Automation, Scorecard


@dataclass(slots=True)
class SetOff:
    """What a chunk sets off, ready to be written; `ended` are crossings that were held until now."""

    armings: list[dict[str, Any]] = field(default_factory=list)
    crossings: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def write(self, connection: Connection) -> Counter[str]:
        """Write it; how many transitions of each outcome."""
        write_armings(connection, self.armings)
        if self.crossings:
            connection.execute(tables.crossing.insert(), self.crossings)
        if self.ended:
            connection.execute(_END_HELD, self.ended)
        write_deliveries(connection, self.deliveries)
        return self.counts


def write_armings(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Where automations stand with leads from now on."""
    if not rows:
        return
    arming = insert(connection, tables.arming).values(
        {column.name: bindparam(column.name) for column in tables.arming.c}
    )
    connection.execute(
        arming.on_conflict_do_update(
            index_elements=["scorecard", "automation", "lead"],
            set_={name: arming.excluded[name] for name in ("state", "n", "since")},
        ),
        rows,
    )


def write_deliveries(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What is to be sent from now on."""
    if rows:
        connection.execute(insert(connection, tables.delivery).on_conflict_do_nothing(), rows)


def delivery_rows(
    *,
    card: Scorecard,
    automation: Automation,
    lead: str,
    n: int,
    old: Values | None,
    new: Values,
    reasons: Sequence[Mapping[str, Any]],
    causes: Mapping[str, int],
    rules_version: int,
    activation_seq: int,
    as_of: datetime,
    run_key: str,
    at: datetime,
    lead_urls: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """One delivery per action of a crossing that fires, its body frozen; `at` is the time of the commit."""
    fill = filler(
        scorecard=card.id,
        automation=automation.id,
        label=automation.label,
        lead=lead,
        old=old,
        new=new,
        reasons=reasons,
        as_of=as_of,
        zone=card.timezone,
        lead_urls=lead_urls,
    )
    hours = None if automation.deliver is None else automation.deliver.expires
    expires_at = None if hours is None else at + timedelta(hours=hours)
    for position, action in enumerate(automation.actions):
        name = delivery_id(card.id, automation.id, lead, n, position)
        if isinstance(action, Webhook):
            body = crossing_body(
                delivery=name,
                scorecard=card.id,
                automation=automation,
                lead=lead,
                n=n,
                old=old,
                new=new,
                reasons=reasons,
                causes=causes,
                rules_version=rules_version,
                activation=activation_seq,
                as_of=as_of,
            )
        else:
            body = action_body(
                action,
                delivery=name,
                scorecard=card.id,
                automation=automation.id,
                lead=lead,
                as_of=as_of,
                fill=fill,
            )
        yield {
            "delivery_id": name,
            "scorecard": card.id,
            "automation": automation.id,
            "lead": lead,
            "n": n,
            "action": position,
            "kind": action.kind,
            "connection": receiver(action),
            "body": body,
            "run_key": run_key,
            "activation_seq": activation_seq,
            "state": "due",
            "tries": 0,
            "created_at": at,
            "expires_at": expires_at,
        }


def rules_version(connection: Connection, scorecard: str, activation_seq: int) -> int:
    """The number of the version that an activation put in force."""
    table = tables.activation
    version: int = connection.execute(
        select(table.c.version_seq).where(
            table.c.scorecard == scorecard, table.c.activation_seq == activation_seq
        )
    ).scalar_one()
    return version


_END_HELD = (
    update(tables.crossing)
    .where(
        tables.crossing.c.scorecard == bindparam("at_scorecard"),
        tables.crossing.c.automation == bindparam("at_automation"),
        tables.crossing.c.lead == bindparam("at_lead"),
        tables.crossing.c.n == bindparam("at_n"),
    )
    .values(outcome=Outcome.SUPPRESSED.value, reason=bindparam("reason"))
)
