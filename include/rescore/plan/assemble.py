"""Puts a plan together: every part of it from everybody's numbers under both cards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from rescore.automations.score_conditions import only_looks_upward
from rescore.errors import InputUnreadable
from rescore.ledger.rules.record import Record
from rescore.mapping import Mapping as CrmMapping
from rescore.plan import effects
from rescore.plan.crossings import SetOff, set_off_by_new, set_off_by_old
from rescore.plan.effects import Both
from rescore.plan.examples import Explaining, chosen
from rescore.plan.plan import AutomationEffect, Change, Examples, Plan, Split, Version
from rescore.plan.replay import Replayed, replayed, sample
from rescore.plan.writes import target_effects, written
from rescore.policy.limits import Limits, Verdict, crossing_limit, judge
from rescore.progress import Progress
from rescore.rules.card import Automation
from rescore.rules.diff import diff
from rescore.rules.diff.change import differ
from rescore.rules.fingerprint import fingerprint
from rescore.rules.lint import unreachable
from rescore.scoring.columns import FOLDED, WORDS
from rescore.scoring.facts import Facts
from rescore.scoring.sql import DIALECT, cast, column, table

SomeFacts = Callable[[Collection[str]], AbstractContextManager[Facts]]
"""The facts of a few leads, of the same state as everybody's."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan is about, and what it is judged by."""

    plan_hash: str
    old: Version
    new: Version
    as_of: datetime
    snapshot: Mapping[str, int | str]
    at: datetime
    by: str
    limits: Limits
    activation_seq: int | None = None
    input_ver: int | None = None
    mappings: Mapping[str, CrmMapping] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """What one automation has done lately, as `AutomationEffect` has it."""

    usual_daily: float = 0.0
    fired_today: int = 0
    cancelled: int = 0


def assemble(
    setting: Setting,
    both: Both,
    record: Record,
    history: Mapping[str, History],
    *,
    facts: Facts,
    some: SomeFacts,
    split: str | None,
    progress: Progress,
) -> Plan:
    """Count, judge, replay, explain.

    Args:
        setting: What goes into the plan as it is.
        both: Everybody under both cards.
        record: What is committed.
        history: What automations have done lately, by id.
        facts: Everybody's.
        some: A few leads'.
        split: An attribute of leads, or None.
        progress: Told before every long step.

    Raises:
        InputUnreadable: No lead has the attribute `split`.
    """
    old, new, as_of = both.old, both.new, setting.as_of
    by_value = None if split is None else _values_of(facts, split)
    now = set_off_by_new(both, record, as_of=as_of)
    before = set_off_by_old(both, record, as_of=as_of)
    again: Replayed | None = None
    leads = sample(both.rows["lead"].to_pylist())
    if old.automations or new.automations:
        progress(f"{new.id}: replaying eight weeks of {len(leads):,} leads")
        with some(leads) as sampled:
            again = replayed(old, new, sampled, as_of=as_of, everybody=both.rows.num_rows)
    picked = chosen(both, setting.plan_hash)
    progress(f"{new.id}: explaining {sum(map(len, picked))} leads")
    named = {lead for leads in picked for lead in leads}
    with some(named) as few:
        explaining = Explaining(both, few, named, as_of=as_of)
    up, down, drawn = (tuple(map(explaining.example, leads)) for leads in picked)
    leads = both.rows["lead"].filter(written(both, record))
    targets = target_effects(setting.mappings, new.id, leads, record.sources)
    plan = Plan(
        plan_hash=setting.plan_hash,
        scorecard=new.id,
        old=setting.old,
        new=setting.new,
        wakes=fingerprint(new).wakes(fingerprint(old)),
        as_of=as_of,
        snapshot=setting.snapshot,
        activation_seq=setting.activation_seq,
        input_ver=setting.input_ver,
        made_at=setting.at,
        made_by=setting.by,
        changes=tuple(map(str, diff(old, new))),
        leads=effects.leads(both),
        histogram=effects.histogram(both),
        bands=effects.band_matrix(both),
        automations=_automations(both, now, before, again, history),
        replay=None if again is None else again.who,
        targets=tuple(targets),
        rules=effects.rule_effects(both),
        unreachable=unreachable(new),
        split=_split(both, split, by_value, now),
        verdict=Verdict(),
        examples=Examples(up, down, drawn),
        quarantine=effects.quarantine(both, facts, as_of=as_of),
    )
    return _judged(plan, setting.limits)


def _automations(
    both: Both,
    now: Mapping[str, SetOff],
    before: Mapping[str, SetOff],
    again: Replayed | None,
    history: Mapping[str, History],
) -> tuple[AutomationEffect, ...]:
    old, new = (
        {automation.id: automation for automation in card.automations} for card in (both.old, both.new)
    )
    told = []
    for name, automation in (old | new).items():
        lately = history.get(name, History())
        does = now.get(name, SetOff())
        card = both.new if name in new else both.old
        told.append(
            AutomationEffect(
                id=name,
                label=automation.label,
                change=_change(old.get(name), new.get(name)),
                upward=only_looks_upward(automation.fire_when, card.bands),
                fires=does.fires,
                by_rules=does.by_rules,
                ready_again=does.ready_again,
                started_fired=does.started_fired,
                old_fires=before[name].fires if name in before else 0,
                suppressed=dict(does.suppressed),
                usual_daily=lately.usual_daily,
                fired_today=lately.fired_today,
                cancelled=lately.cancelled,
                limit=None,
                over_limit=False,
                on_rules_change=automation.on_rules_change,
                max_per_run=automation.max_per_run,
                max_per_day=automation.max_per_day,
                weeks=again.weeks[name] if again else (),
            )
        )
    return tuple(told)


def _judged(plan: Plan, limits: Limits) -> Plan:
    """The plan with what the gate says of it."""
    measures = plan.measures()
    verdict = judge(measures, limits)
    over = {each.automation for each in verdict.automations}
    bounds = {measure.automation: crossing_limit(measure, limits) for measure in measures.automations}
    automations = tuple(
        replace(each, limit=bounds[each.id], over_limit=each.id in over) for each in plan.automations
    )
    return replace(plan, automations=automations, verdict=verdict)


def _change(old: Automation | None, new: Automation | None) -> Change:
    if old is None:
        return "new"
    if new is None:
        return "removed"
    return "edited" if differ(old, new) else "same"


def _values_of(facts: Facts, attribute: str) -> pa.Table:
    """Every lead's value of an attribute, as text."""
    there = [name for name in facts.columns.leads if not name.endswith((FOLDED, WORDS)) and name != "lead"]
    if attribute not in there:
        known = f"there is {', '.join(sorted(there))}" if there else "leads have none at all"
        raise InputUnreadable(f"no lead has an attribute `{attribute}`; {known}")
    value = exp.func("NULLIF", cast(column(attribute), "TEXT"), exp.Literal.string(""))
    query = exp.select(column("lead"), value.as_("value")).from_(table(facts.leads))
    return facts.connection.sql(query.sql(DIALECT)).to_arrow_table()


def _split(both: Both, split: str | None, values: pa.Table | None, now: Mapping[str, SetOff]) -> Split | None:
    if split is None or values is None:
        return None
    return effects.split_by(both, split, values, {name: does.leads for name, does in now.items()})
