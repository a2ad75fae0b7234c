"""What a person answers to a hold, and what follows; every answer can be carried out again after a crash."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, delete

from rescore.errors import Fenced, InputUnreadable, ScorecardInvalid
from rescore.ledger import tables
from rescore.ledger.automations import held
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.rules import activations, holds, registry
from rescore.ledger.rules.holds import Answer, Hold
from rescore.ledger.scores import runs
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.rules_change import RulesNews, put_forward, reject_if_refused
from rescore.plan.make import results_key
from rescore.policy.file import Policy, read_policy
from rescore.progress import Progress, silent
from rescore.workspace import Workspace

NOBODY = "nobody answered"


def decide(
    ws: Workspace,
    hold_id: str,
    answer: Answer,
    *,
    by: str,
    at: datetime,
    plan_hash: str | None = None,
    progress: Progress = silent,
) -> Counter[str]:
    """Note a person's answer, and carry it out.

    A held rules change that is released comes into force, unless its plan has to be made again and turns
    out worse: then it is held anew. A held stage that is released is judged once more and promoted. One that
    is discarded leaves its leads dirty and pauses the scorecard, so that the next run does not raise the
    same hold again. Held crossings that are released fire if they are still true.

    Args:
        ws: The stores.
        hold_id: Which hold.
        answer: `release`, `release_without_automations` or `discard`.
        by: Who answers.
        at: Now.
        plan_hash: The plan that this person has seen; the answer counts for no other.
        progress: Told what is being done.

    Returns:
        Counts: `released`, `silenced` or `discarded` 1; and those of what was carried out, such as
        `activated`, `promoted`, `fired`, `suppressed`, or `held` when it is held anew.

    Raises:
        InputUnreadable: There is no such hold; it is over, or was decided otherwise; it is about another
            plan; or this person may not release it.
        PolicyInvalid: The limits cannot be read.
    """
    policy = read_policy(ws.policy_file)
    expire_holds(ws, at)
    with ws.ledger.transaction() as connection:
        lock_scorecard(connection, holds.find(connection, hold_id).scorecard)
        hold = holds.find(connection, hold_id)
        state = holds.STATE_OF[answer]
        if hold.state not in (holds.OPEN, state):
            raise InputUnreadable(f"hold {hold_id} is over: {hold.ending}")
        if plan_hash is not None and hold.plan_hash is not None and plan_hash != hold.plan_hash:
            raise InputUnreadable(
                f"hold {hold_id} is about plan {hold.plan_hash[:8]}, not {plan_hash[:8]}; look at it again"
            )
        if state in holds.GRANTED:
            _make_sure_may_release(connection, policy, hold, by)
        holds.close(connection, hold, state, at=at, by=by)
        hold = holds.find(connection, hold_id)
    return Counter({hold.state: 1}) + _carry_out(ws, hold, at, progress)


def expire_holds(ws: Workspace, at: datetime, *, progress: Progress = silent) -> Counter[str]:
    """Close what nobody answered in time, and carry out what an interrupted process has left undone.

    Unanswered: crossings are suppressed and stay listed, a stage is discarded, a rules change stays out of
    force. Held rules that this build refuses, though an earlier one accepted them, are rejected. Every run
    calls this, so no hold outlives its time for long, and none keeps the others waiting.

    Returns:
        Counts: `expired` holds, `rejected` versions, and what was carried out.
    """
    counts: Counter[str] = Counter()
    with ws.ledger.reading() as connection:
        asked = holds.open_holds(connection, what=holds.RULES)
    for hold in asked:
        assert hold.version_seq is not None  # noqa: S101 - a rules hold is about a version
        if news := reject_if_refused(ws, hold.scorecard, hold.version_seq, at=at):
            counts += _told(news, progress)
    with ws.ledger.reading() as connection:
        lapsed, unfinished = holds.lapsed(connection, at), holds.unfinished(connection)
    for hold in lapsed:
        with ws.ledger.transaction() as connection:
            lock_scorecard(connection, hold.scorecard)
            if holds.close(connection, hold, holds.EXPIRED, at=at, by=NOBODY):
                counts["expired"] += 1
                unfinished.append(holds.find(connection, hold.hold_id))
    for hold in unfinished:
        progress(f"{hold.hold_id}: {hold.ending}")
        try:
            counts += _carry_out(ws, hold, at, progress)
        except (Fenced, ScorecardInvalid) as obstacle:
            progress(f"{hold.hold_id}: {obstacle}; it is carried out later")
    return counts


def _carry_out(ws: Workspace, hold: Hold, at: datetime, progress: Progress) -> Counter[str]:
    """Make a decision true; nothing happens where it is already."""
    if hold.what == holds.RULES:
        return _carry_out_rules(ws, hold, at, progress)
    if hold.what == holds.STAGE:
        return _carry_out_stage(ws, hold, at, progress)
    with ws.ledger.transaction() as connection:
        lock_scorecard(connection, hold.scorecard)
        if hold.state == holds.RELEASED:
            active = activations.active(connection, hold.scorecard)
            assert active is not None  # noqa: S101 - its crossings were committed under rules in force
            card = activations.card_of(connection, hold.scorecard, active.activation_seq)
            urls = read_policy(ws.policy_file).house.lead_urls
            return held.release_held(connection, hold.hold_id, card, at, urls)
        reason = f"held and {hold.ending}"
        return Counter(suppressed=held.refuse_held(connection, hold.hold_id, at, reason))


def _carry_out_rules(ws: Workspace, hold: Hold, at: datetime, progress: Progress) -> Counter[str]:
    assert hold.version_seq is not None  # noqa: S101 - a rules hold is about a version
    with ws.ledger.transaction() as connection:
        lock_scorecard(connection, hold.scorecard)
        status = registry.version(connection, hold.scorecard, hold.version_seq).status
        if status != registry.HELD or not holds.is_last(connection, hold):
            return Counter()
        if hold.state not in holds.GRANTED:
            registry.set_status(connection, hold.scorecard, hold.version_seq, registry.DISCARDED)
            if hold.plan_hash is not None:
                ws.lake.drop_results(results_key(hold.plan_hash))
            return Counter()
    news = put_forward(
        ws,
        hold.scorecard,
        hold.version_seq,
        at=at,
        by=hold.decided_by or hold.opened_by,
        granted=hold,
        progress=progress,
    )
    return _told(news, progress)


def _told(news: RulesNews, progress: Progress) -> Counter[str]:
    for problem in news.problems:
        progress(f"{news.path} is rejected: {problem}")
    return Counter({news.what: 1})


def _carry_out_stage(ws: Workspace, hold: Hold, at: datetime, progress: Progress) -> Counter[str]:
    assert hold.run_key is not None  # noqa: S101 - a stage is a run's
    with ws.ledger.transaction() as connection:
        lock_scorecard(connection, hold.scorecard)
        run = runs.find(connection, hold.run_key)
        if run.state != runs.HELD or not holds.is_last(connection, hold):
            return Counter()
        if hold.state not in holds.GRANTED:
            over = runs.SUPERSEDED if hold.state == holds.SUPERSEDED else runs.DISCARDED
            runs.set_state(connection, run, over, finished_at=at)
            stage = tables.stage_score
            connection.execute(delete(stage).where(stage.c.run_key == run.run_key))
            if over == runs.DISCARDED:
                reason = f"its run was held and {hold.ending}: {'; '.join(hold.reasons)}"
                by = hold.decided_by or hold.opened_by
                activations.pause(connection, hold.scorecard, at=at, by=by, reason=reason)
            return Counter()
    return promote_or_hold(ws, hold.run_key, at=at, progress=progress)


def _make_sure_may_release(connection: Connection, policy: Policy, hold: Hold, by: str) -> None:
    person = _person(by)
    if policy.approvers and person not in policy.approvers:
        there = ", ".join(sorted(policy.approvers))
        raise InputUnreadable(f"{person} is not among the `approvers` of the policy; there is {there}")
    if policy.author_is_not_approver and person in map(_person, _authors(connection, hold)):
        raise InputUnreadable(
            f"{person} put the change forward that {hold.hold_id} is about; somebody else releases it"
        )


def _person(by: str) -> str:
    """The same name, whether somebody came through Airflow or the command line."""
    return by.removeprefix("airflow: ")


def _authors(connection: Connection, hold: Hold) -> set[str]:
    """Who put the rules forward that a hold is about."""
    if hold.version_seq is not None:
        return {hold.opened_by, registry.version(connection, hold.scorecard, hold.version_seq).registered_by}
    active = activations.active(connection, hold.scorecard)
    if active is None:
        return {hold.opened_by}
    version = registry.version(connection, hold.scorecard, active.version_seq)
    return {hold.opened_by, version.registered_by}
