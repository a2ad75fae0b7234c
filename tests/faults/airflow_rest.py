"""What a disturbed Airflow has come to: beside a deployment that nothing ever happened to, and for itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from demo.undisturbed import wrong_scores
from rescore.connectors.connection import connection_from_environment
from rescore.connectors.hubspot import HubSpot
from rescore.connectors.pace import Calls
from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.rules import activations
from rescore.ledger.transaction import Ledger
from rescore.pipeline.extract import extract
from rescore.scoring.engine import score
from rescore.settings import Settings
from rescore.workspace import Workspace
from tests.faults import invariants
from tests.faults.airflow_world import World
from tests.faults.world import Mailbox, Receiver, Write

RUNS_UNTIL_QUIET = 3
BATCH_WITH_HISTORY = 50
TARGET = "hubspot"


def settle(world: World) -> Iterator[str]:
    """Run on until a whole run tells the world nothing."""
    world.standalone.crm("POST", "/sandbox/faults", {"faults": []})
    for _ in range(RUNS_UNTIL_QUIET):
        before = world.told()
        world.run()
        said = world.told() - before
        if not said:
            return
    yield f"run number {RUNS_UNTIL_QUIET} with nothing new still tells the world something: {dict(said)}"


class Undisturbed:
    """A lake beside the world's that reads the same CRM; no process of it is ever harmed."""

    def __init__(self, world: World, folder: Path) -> None:
        environment = world.standalone.places.environment()
        own = {"RESCORE_HOME": str(folder / "undisturbed"), "RESCORE_LEDGER_URL": ""}
        settings = Settings.from_environment(environment | own)
        ledger = Ledger(settings.ledger_url)
        migrate(ledger)
        ledger.close()
        self._ws = Workspace.open(settings)
        self._disturbed = world.evidence.workspace
        connection = connection_from_environment(f"rescore_{TARGET}", environment)
        self._source = HubSpot.from_connection(connection, self._ws.mappings()[TARGET], Calls())

    def close(self) -> None:
        """Let go of its ledger."""
        self._ws.ledger.close()

    def differences(self) -> Iterator[str]:
        """Leads whose score of record is not what this side makes of what it has read itself."""
        present = datetime.now(UTC)
        extract(self._ws, self._source, until=present, known_at=present)
        with self._disturbed.ledger.reading() as connection:
            cards = [
                activations.card_of(connection, active.scorecard, active.activation_seq)
                for active in activations.in_force(connection)
            ]
            as_of = connection.scalar(select(func.max(tables.run.c.as_of)))
            rows = connection.execute(
                select(tables.score.c.scorecard, tables.score.c.lead, tables.score.c.score)
            ).all()
        record = {(row.scorecard, row.lead): row.score for row in rows}
        with self._ws.lake.facts() as facts:
            for card in cards:
                fresh = {row["lead"]: row["score"] for row in score(card, facts, as_of=as_of).to_pylist()}
                known = {lead: points for (name, lead), points in record.items() if name == card.id}
                for lead in sorted(fresh.keys() | known.keys()):
                    if fresh.get(lead) != known.get(lead):
                        yield (
                            f"{lead} has {known.get(lead)} points in {card.id} and "
                            f"{fresh.get(lead)} where nothing was disturbed"
                        )


def violations(world: World, undisturbed: Undisturbed) -> Iterator[str]:
    """Everything that must hold of a world at rest."""
    ws = world.evidence.workspace
    yield from (f"{lead} is not what its facts make it" for lead in wrong_scores(ws))
    yield from undisturbed.differences()
    for scorecard, fields in ws.mappings()[TARGET].scores.items():
        names = [fields.score, *([fields.changed_at] if fields.changed_at else [])]
        shown = world.evidence.crm_scores(names)
        yield from invariants.crm_shows_the_record(ws, TARGET, scorecard, fields.score, shown)
        if fields.changed_at:
            written = list(_written(world, fields.changed_at, shown))
            yield from invariants.older_never_came_later(written, fields.score, fields.changed_at)
    receiver = _receiver(world)
    with ws.ledger.reading() as connection:
        yield from invariants.one_delivery_per_crossing(connection)
        yield from invariants.deliveries_arrived_once(connection, receiver, Mailbox())
        yield from invariants.nothing_is_silent(connection, datetime.now(UTC))


def _written(world: World, changed_at: str, shown: dict[str, dict[str, Any]]) -> Iterator[Write]:
    """Every write that the CRM remembers of one property, oldest first."""
    ids = [id_ for id_, properties in shown.items() if properties.get(changed_at)]
    for start in range(0, len(ids), BATCH_WITH_HISTORY):
        wanted = {
            "inputs": [{"id": id_} for id_ in ids[start : start + BATCH_WITH_HISTORY]],
            "properties": [],
            "propertiesWithHistory": [changed_at],
        }
        answer = world.standalone.crm("POST", "/crm/objects/2026-09/contacts/batch/read", wanted)
        for contact in answer["results"]:
            for entry in reversed(contact["propertiesWithHistory"][changed_at]):
                if entry["value"]:
                    yield Write(contact["id"], {changed_at: entry["value"]})


def _receiver(world: World) -> Receiver:
    """What has arrived, by delivery; a body that is not the ledger's counts as another."""
    with world.evidence.workspace.ledger.reading() as connection:
        rows = connection.execute(select(tables.delivery.c.delivery_id, tables.delivery.c.body))
        bodies = {row.delivery_id: bytes(row.body) for row in rows}
    receiver = Receiver()
    for arrived in world.standalone.crm("GET", "/sandbox/received")["results"]:
        id_ = arrived["webhook_id"]
        frozen = bodies.get(id_, b"null")
        body = frozen if json.loads(frozen) == arrived["body"] else json.dumps(arrived["body"]).encode()
        receiver.bodies[id_] += [body] * arrived["times"]
    return receiver
