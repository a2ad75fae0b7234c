"""Makes a plan: old and new rules over one state of the facts, compared with the state of record."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from rescore.errors import InputUnreadable
from rescore.ledger.automations.firing_history import fired_since, usual_daily
from rescore.ledger.rules import activations, registry
from rescore.ledger.rules.plans import remember_plan
from rescore.ledger.rules.record import due_deliveries, read_record
from rescore.owed_marks import make_owed_marks
from rescore.plan.assemble import History, Setting, assemble
from rescore.plan.plan import Plan, Version
from rescore.plan.plan_hash import meaning_of, plan_hash_of
from rescore.plan.report_html import html
from rescore.plan.report_markdown import markdown
from rescore.plan.reports import read_report, write_report
from rescore.plan.scores import scored, under_new_thresholds
from rescore.policy.file import read_policy
from rescore.progress import Progress, silent
from rescore.rules.card import Scorecard
from rescore.rules.fingerprint import fingerprint
from rescore.whole_lake import require_facts
from rescore.workspace import Workspace

GOOD_FOR = timedelta(hours=24)


def make_plan(
    ws: Workspace,
    *,
    scorecard: str,
    new: Scorecard,
    new_version: int | None,
    as_of: datetime,
    at: datetime,
    by: str,
    old_version: int | None = None,
    split: str | None = None,
    progress: Progress = silent,
) -> Plan:
    """Plan putting `new` in force in place of the rules in force; nothing but the plan is written.

    Everybody is scored under both, unless only thresholds move and stored scores will do. The results of a
    registered version stay in the lake under `results_key`, for the rescore that applies them; its plan gets
    a row in the ledger. The report's files are below the reports folder.

    Args:
        ws: The stores.
        scorecard: Which scorecard.
        new: The rules that may follow.
        new_version: Their number where they are registered, else None.
        as_of: The scoring time (aware).
        at: The present, for the record and for what is usual lately.
        by: Who asked.
        old_version: Compare with this registered version instead of the one in force.
        split: An attribute of leads to split the effect by.
        progress: Told before every long step.

    Raises:
        InputUnreadable: Nothing is in force to compare with, or no lead has the attribute.
        LakeBehind: Facts are missing that the ledger has committed.
    """
    make_owed_marks(ws)
    with ws.ledger.reading() as connection:
        active = activations.active(connection, scorecard)
        if active is None:
            raise InputUnreadable(
                f"no version of `{scorecard}` is in force, so there is nothing to compare with"
            )
        compared = active.version_seq if old_version is None else old_version
        old = registry.card(connection, scorecard, compared)
        # marks first, facts second, as a run does
        record = read_record(connection, new)
        history = _history(connection, old, new, at)
    wakes = fingerprint(new).wakes(fingerprint(old))
    # stored scores are those of the rules in force once everybody was rescored under them
    from_store = wakes != "scoring" and compared == active.version_seq and active.rescored_at is not None
    with ws.lake.facts() as facts:
        require_facts(ws)
        snapshot = {"input_ver": record.input_ver} if from_store else dict(facts.seen)
        plan_hash = plan_hash_of(old, new, snapshot, as_of)
        path = ws.lake.results_path(results_key(plan_hash))
        if from_store:
            progress(f"{scorecard}: {record.committed.num_rows:,} stored scores under new thresholds")
            both = under_new_thresholds(old, new, record, path=path)
            if not any(automation.asks_leads for automation in new.automations):
                record = record.without_marks()
        else:
            progress(f"{scorecard}: scoring everybody under both versions")
            both = scored(old, new, facts, as_of=as_of, path=path)
        setting = Setting(
            plan_hash=plan_hash,
            old=Version(compared, meaning_of(old)),
            new=Version(new_version, meaning_of(new)),
            as_of=as_of,
            snapshot=snapshot,
            activation_seq=active.activation_seq,
            input_ver=record.input_ver,
            at=at,
            by=by,
            limits=read_policy(ws.policy_file).limits(scorecard),
            mappings=ws.mappings(),
        )
        some_facts = partial(ws.lake.facts, known_as_of=facts.seen)
        plan = assemble(
            setting, both, record, history, facts=facts, some=some_facts, split=split, progress=progress
        )
    write_report(ws.reports_dir, plan, markdown=markdown(plan), page=html(plan))
    if new_version is None:
        ws.lake.drop_results(results_key(plan_hash))
        return plan
    with ws.ledger.transaction() as connection:
        remember_plan(
            connection,
            plan_hash=plan_hash,
            scorecard=scorecard,
            old_version=compared,
            new_version=new_version,
            activation_seq=active.activation_seq,
            as_of=as_of,
            input_ver=record.input_ver,
            snapshot=snapshot,
            summary=plan.summary(),
            at=at,
            by=by,
        )
    return plan


def results_key(plan_hash: str) -> str:
    """The run key under which the lake keeps a plan's results."""
    return f"plan/{plan_hash}"


def plan_results(ws: Workspace, plan_hash: str) -> str:
    """Where a plan's results are: a Parquet file with the columns of a run's results, and the old side's."""
    return ws.lake.results_path(results_key(plan_hash))


def find_plan(ws: Workspace, plan_hash: str) -> Plan:
    """A plan as it was made.

    Raises:
        TerminalError: Its files are gone.
    """
    return read_report(ws.reports_dir, plan_hash)


def is_stale(plan: Plan, card: Scorecard, now: datetime) -> bool:
    """Whether a plan says too little of the present: a local midnight has passed, or a whole day."""
    days = {moment.astimezone(card.timezone).date() for moment in (plan.as_of, now)}
    return len(days) > 1 or now - plan.as_of > GOOD_FOR


def _history(connection: Connection, old: Scorecard, new: Scorecard, at: datetime) -> dict[str, History]:
    """What every automation of either card has done lately."""
    kept = {automation.id for automation in new.automations}
    return {
        name: History(
            usual_daily=usual_daily(connection, new.id, name, at),
            fired_today=fired_since(connection, new.id, name, at - timedelta(days=1)),
            cancelled=0 if name in kept else due_deliveries(connection, new.id, name),
        )
        for name in dict.fromkeys(each.id for card in (new, old) for each in card.automations)
    }
