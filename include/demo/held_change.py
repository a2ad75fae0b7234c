"""Line 4: a change that is too big waits for a person; a small one passes and does what its plan said."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import requests
from sqlalchemy import select

from demo.checks import eventually, holds
from demo.evidence import Evidence
from demo.first_load import run
from demo.rule_edits import activation, change_points, rescored, settled
from demo.standalone import Standalone
from demo.talk import step
from rescore.automations.score_conditions import holds as is_true
from rescore.ledger.rules import activations
from rescore.ledger.rules import holds as ledger_holds
from rescore.ledger.rules.holds import Hold
from rescore.ledger.tables import arming, crossing, delivery, delta, score, sync
from rescore.ledger.tables import run as runs
from rescore.pipeline.overtaken import FILE as OVERTAKEN
from rescore.pipeline.rules import edited_files
from rescore.plan.make import find_plan, plan_results

SCORECARD = "b2b_saas"
MANY_POINTS = 72
"""So many more for a talk on the phone move two leads in five to another band."""
Row = tuple[int | None, str | None, dict[str, int | None]]
"""Score, band, dimensions."""
STATE = (score, delta, sync, arming, crossing, delivery)
"""What nobody but the gate may change."""


def tell(world: Standalone, evidence: Evidence) -> None:
    """Held and discarded; passed as planned while activity kept arriving; rolled back.

    Raises:
        DoesNotHold: The line is false.
    """
    file = world.places.rules_dir / f"{SCORECARD}.yaml"
    _held_and_discarded(world, evidence, file)
    before = _scores(evidence)
    newer = _passed_as_planned(world, evidence, file)
    _rolled_back(world, evidence, before, newer)


def _held_and_discarded(world: Standalone, evidence: Evidence, file: Path) -> None:
    good, was, crm = file.read_text(), activation(evidence), _told_the_crm(world)
    state = _digest(evidence)
    with step("An edit that moves two leads in five to another band") as say:
        change_points(file, by=MANY_POINTS, rule="call_connected")
        eventually("it is held", lambda: _open(evidence) is not None, seconds=300, say=say)
        hold = _open(evidence)
        assert hold is not None and hold.plan_hash is not None  # noqa: S101, PT018
        eventually(
            "a person is asked",
            lambda: _state_of_question(world, hold.hold_id) == "awaiting_input",
            seconds=180,
            say=say,
        )
    plan = find_plan(evidence.workspace, hold.plan_hash)
    moved = plan.leads.band_moves / plan.leads.banded
    holds("it is held, with its plan", moved >= 0.4, plan.opening_line())
    _report_needs_a_login(world, hold.plan_hash)
    run(world, evidence, "Scoring goes on")
    with step("A person discards it") as say:
        _answer(world, hold.hold_id, "Discard")
        eventually("the answer is carried out", lambda: _open(evidence) is None, say=say)
        eventually(
            "its run has ended",
            lambda: world.api.get(f"dags/review_hold/dagRuns/{hold.hold_id}")["state"] == "success",
            say=say,
        )
    with evidence.workspace.ledger.reading() as connection:
        decided = ledger_holds.find(connection, hold.hold_id)
    holds("who decided is on record", decided.state == ledger_holds.DISCARDED, decided.decided_by)
    holds("the rules in force are the old ones", activation(evidence).activation_seq == was.activation_seq)
    holds("the CRM was told nothing, no webhook was sent", _told_the_crm(world) == crm, crm)
    holds("scores, deltas, automations and deliveries are what they were", _digest(evidence) == state)
    file.write_text(good)
    with step("The file put back as it was") as say:
        eventually("it is noticed", lambda: not _edited(evidence), say=say)
    holds("which changes nothing", activation(evidence).activation_seq == was.activation_seq)


def _passed_as_planned(world: Standalone, evidence: Evidence, file: Path) -> set[str]:
    """A smaller edit while activity arrives; the leads that had newer facts than the plan."""
    was, before = activation(evidence), _scores(evidence)
    with step("A smaller edit, while activity keeps arriving") as say:
        world.api.send("PATCH", "dags/rescore_all", {"is_paused": True})  # so that activity overtakes it
        change_points(file, by=1, rule="call_connected")
        eventually(
            "its plan passes and it comes into force",
            lambda: activation(evidence).activation_seq > was.activation_seq,
            seconds=300,
            say=say,
        )
        plan_hash = activation(evidence).plan_hash
        assert plan_hash is not None  # noqa: S101 - it moves scores
        planned = _planned(evidence, plan_hash)
        crossing_leads = _would_cross(evidence, planned)
        world.crm("POST", "/sandbox/release")
        run_id = world.api.trigger("score_leads")
        state = world.api.wait("score_leads", run_id, seconds=400, say=say)
        arrived = _scores(evidence)
        world.api.send("PATCH", "dags/rescore_all", {"is_paused": False})
        eventually("the rescore ends", lambda: rescored(evidence, was.activation_seq), seconds=400, say=say)
    plan = find_plan(evidence.workspace, plan_hash)
    holds("the run beside it is green", state == "success")
    overtaken = set((evidence.workspace.reports_dir / plan_hash / OVERTAKEN).read_text().split())
    newer = overtaken | {lead for lead, row in arrived.items() if before.get(lead) != row}
    holds("leads with newer facts than the plan are listed as overtaken", bool(overtaken), len(overtaken))
    rescore = _rescore_with(evidence, plan_hash)
    changed = {lead for lead, row in planned.items() if before.get(lead) != row}
    written = _changed_by(evidence, rescore)
    holds(
        "the leads written are those of the plan, except the overtaken",
        written == changed - overtaken,
        f"{len(written):,} of {len(changed):,}; {plan.opening_line()}",
    )
    now = _scores(evidence)
    holds(
        "and so is every score",
        all(now[lead] == row for lead, row in planned.items() if lead not in newer),
        f"{len(planned) - len(newer):,} leads",
    )
    fires = {automation.id: automation.fires for automation in plan.automations}
    told = {name: len(leads) for name, leads in crossing_leads.items()}
    holds("the plan counted every automation's crossings", fires == told, told)
    crossed = {name: _crossed_in(evidence, rescore, name) for name in fires}
    holds(
        "the automations fired for the leads of the plan, except the overtaken",
        all(crossed[name] == crossing_leads[name] - overtaken for name in fires),
        {name: len(leads) for name, leads in crossed.items()},
    )
    return newer


def _would_cross(evidence: Evidence, planned: dict[str, Row]) -> dict[str, set[str]]:
    """By automation, the leads that are armed and for which it is true under the plan's numbers."""
    with evidence.workspace.ledger.reading() as connection:
        card = activations.card_of(connection, SCORECARD, activation(evidence).activation_seq)
        spent = {
            (row.automation, row.lead)
            for row in connection.execute(
                select(arming.c.automation, arming.c.lead).where(
                    arming.c.scorecard == SCORECARD, arming.c.state != "armed"
                )
            )
        }
    return {
        automation.id: {
            lead
            for lead, (points, band, dimensions) in planned.items()
            if points is not None
            and (automation.id, lead) not in spent
            and is_true(automation.fire_when, {"score": points, "band": band, **dimensions})
        }
        for automation in card.automations
    }


def _crossed_in(evidence: Evidence, run_key: str, automation: str) -> set[str]:
    """The leads for which it fired in a run, or would have, had nobody to be asked first."""
    with evidence.workspace.ledger.reading() as connection:
        return set(
            connection.scalars(
                select(crossing.c.lead).where(
                    crossing.c.run_key == run_key,
                    crossing.c.automation == automation,
                    crossing.c.outcome.in_(["fired", "held"]),
                )
            )
        )


def _rolled_back(world: Standalone, evidence: Evidence, before: dict[str, Row], newer: set[str]) -> None:
    was = activation(evidence)
    with step("Rolled back, from the form of rollback_rules") as say:
        run_id = world.api.trigger("rollback_rules", {"scorecard": SCORECARD})
        state = world.api.wait("rollback_rules", run_id, seconds=400, say=say)
        eventually(
            "everybody is rescored", lambda: rescored(evidence, was.activation_seq), say=say, seconds=400
        )
        eventually("the CRM has confirmed", lambda: settled(evidence), say=say)
    holds("the rollback is an activation like any other", state == "success")
    now = _scores(evidence)
    different = [lead for lead in before if lead not in newer and now[lead] != before[lead]]
    holds("every score is what it was before the edit", not different, f"{len(before) - len(newer):,} leads")


def _open(evidence: Evidence) -> Hold | None:
    with evidence.workspace.ledger.reading() as connection:
        found = ledger_holds.open_holds(connection, SCORECARD, ledger_holds.RULES)
    return found[0] if found else None


def _state_of_question(world: Standalone, hold_id: str) -> str:
    try:
        return str(world.api.task_instance("review_hold", hold_id, "ask")["state"])
    except requests.HTTPError:
        return "none"


def _answer(world: Standalone, hold_id: str, option: str) -> None:
    path = f"dags/review_hold/dagRuns/{hold_id}/taskInstances/ask/-1/hitlDetails"
    world.api.send("PATCH", path, {"chosen_options": [option], "params_input": {}})


def _report_needs_a_login(world: Standalone, plan_hash: str) -> None:
    page = f"{world.places.airflow_url}/rescore/plans/{plan_hash}"
    stranger = requests.get(page, timeout=10).status_code
    known = world.api.page(f"/rescore/plans/{plan_hash}")
    holds("its report is a page for people who are logged in", stranger == 401 and "<svg" in known, page)


def _told_the_crm(world: Standalone) -> dict[str, int]:
    status = world.crm("GET", "/sandbox/status")
    return {
        "leads written": status["contact_writes"]["records"],
        "webhooks": status["deliveries"]["received"],
    }


def _planned(evidence: Evidence, plan_hash: str) -> dict[str, Row]:
    """Everybody under the new rules, as the plan has it."""
    rows = pq.read_table(plan_results(evidence.workspace, plan_hash)).to_pylist()
    with evidence.workspace.ledger.reading() as connection:
        active = activation(evidence)
        card = activations.card_of(connection, SCORECARD, active.activation_seq)
    names = sorted(dimension.id for dimension in card.dimensions)
    return {row["lead"]: (row["score"], row["band"], {name: row[name] for name in names}) for row in rows}


def _rescore_with(evidence: Evidence, plan_hash: str) -> str:
    with evidence.workspace.ledger.reading() as connection:
        return str(connection.scalar(select(runs.c.run_key).where(runs.c.plan_hash == plan_hash)))


def _changed_by(evidence: Evidence, run_key: str) -> set[str]:
    with evidence.workspace.ledger.reading() as connection:
        return set(connection.scalars(select(delta.c.lead).where(delta.c.run_key == run_key)))


def _edited(evidence: Evidence) -> bool:
    return bool(edited_files(evidence.workspace))


def _digest(evidence: Evidence) -> str:
    digest = hashlib.sha256()
    with evidence.workspace.ledger.reading() as connection:
        for table in STATE:
            for row in connection.execute(select(table).order_by(*table.primary_key.columns)):
                digest.update(json.dumps(list(row), default=str).encode())
    return digest.hexdigest()


def _scores(evidence: Evidence) -> dict[str, Row]:
    with evidence.workspace.ledger.reading() as connection:
        rows = connection.execute(
            select(score.c.lead, score.c.score, score.c.band, score.c.dimensions).where(
                score.c.scorecard == SCORECARD
            )
        )
        return {row.lead: (row.score, row.band, json.loads(row.dimensions)) for row in rows}
