"""When does an automation fire? One pure state machine: standings and a commit in, transitions out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from rescore.automations.score_conditions import Values, only_looks_upward, test_of
from rescore.rules.card import Automation, Band, Not, Scorecard

NO_LONGER_TRUE = "no longer true"
HISTORY = "it comes from a history that was being read"


class State(StrEnum):
    """Where an automation stands with a lead."""

    ARMED = "armed"
    FIRED = "fired"
    HELD = "held"


class Outcome(StrEnum):
    """What a transition is: the first three are crossings; `ready_again` also ends one that was held."""

    FIRED = "fired"
    SUPPRESSED = "suppressed"
    HELD = "held"
    READY_AGAIN = "ready_again"
    STARTED_FIRED = "started_fired"


CROSSINGS = frozenset({Outcome.FIRED, Outcome.SUPPRESSED, Outcome.HELD})


@dataclass(frozen=True, slots=True)
class Standing:
    """State and arming number, and since when; a lead that nothing is known of stands at `FRESH`."""

    state: State
    n: int
    since: datetime | None = field(default=None, compare=False)


FRESH = Standing(State.ARMED, 1)


@dataclass(frozen=True, slots=True)
class OldRules:
    """What tells a crossing from one that only new rules cause: the rules that judged the lead before.

    `fires` has their `fire_when` by automation. `values` are the lead's values under them at the moment of
    the commit, None when nobody computed them: then every crossing counts as one of the new rules.
    """

    fires: Mapping[str, Callable[[Values], bool]]
    values: Values | None


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit brings for one lead.

    Attributes:
        old: The committed values before it; None when the lead never had a score. A null score means that
            the lead was outside the audience.
        new: The values being committed.
        as_of: The scoring time.
        newborn: The automations that appeared after `old` was committed, so that their standing has to be
            found from `old`.
        flags: Which lead conditions hold: `mql unless`, `mql already_fired`.
        restarted_at: The lead's newest restart, where it is newer than the committed one.
        facts_until: When the newest of the lead's new facts happened; None when nothing new is known.
        history: Some of its new facts come from a stream whose history is being read for the first time.
        last_fired: By automation, the last crossing of this lead that fired, for those with a cooldown.
        account_fired: By automation, the last crossing that fired of any lead of the same account, for
            those with a `once_per`.
        old_rules: None when these rules have judged the lead before.
    """

    old: Values | None
    new: Values
    as_of: datetime
    newborn: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    restarted_at: datetime | None = None
    facts_until: datetime | None = None
    history: bool = False
    last_fired: Mapping[str, datetime] = field(default_factory=dict)
    account_fired: Mapping[str, datetime] = field(default_factory=dict)
    old_rules: OldRules | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """What a commit does to one standing; `reason` says why a crossing is held or suppressed."""

    automation: Automation
    was: Standing
    standing: Standing
    outcome: Outcome
    reason: str | None = None
    by_rules: bool = False

    @property
    def crosses(self) -> bool:
        """Whether it is a crossing, whatever becomes of it."""
        return self.outcome in CROSSINGS


@dataclass(frozen=True, slots=True)
class Restraint:
    """Crossings of one automation that do not fire now: all of them, or those that only new rules cause.

    With a `hold_id` they wait for a person; without one they are suppressed.
    """

    reason: str
    hold_id: str | None = None
    only_by_rules: bool = False


class Machine:
    """One automation's state machine, its conditions made ready for many leads.

    `bands` are the scorecard's, from the highest to the lowest; days are those of `zone`.
    """

    def __init__(self, automation: Automation, bands: Sequence[Band], zone: ZoneInfo) -> None:
        self.automation = automation
        self.fires = test_of(automation.fire_when)
        again = automation.ready_again_when
        self._ready = test_of(Not(automation.fire_when) if again is None else again)
        upward = only_looks_upward(automation.fire_when, bands)
        self._first_seen = upward if automation.first_seen is None else automation.first_seen == "fire"
        self._unless = unless_flag(automation.id)
        self._already_fired = already_fired_flag(automation.id)
        self._zone = zone

    def step(self, standing: Standing, commit: Commit, *, may_fire: bool = True) -> Transition | None:
        """What a commit does to one lead's standing; None when nothing.

        A commit makes at most one transition: what re-arms cannot fire in the same commit.

        Args:
            standing: Before the commit.
            commit: What it brings for the lead.
            may_fire: False while the first load of a scorecard runs.
        """
        start, past = self._start(standing, commit)
        after, outcome, reason, by_rules = start, Outcome.STARTED_FIRED, None, False
        if commit.new["score"] is None:
            pass
        elif start.state is State.ARMED:
            if self.fires(commit.new):
                after = Standing(State.FIRED, start.n)
                if may_fire and self._is_crossing(commit):
                    by_rules = past or self._only_by_rules(commit)
                    reason = self._suppressed(commit, by_rules=by_rules and not past)
                    outcome = Outcome.SUPPRESSED if reason else Outcome.FIRED
        elif self._ready(commit.new) or _restarted(start, commit):
            after, outcome = Standing(State.ARMED, start.n + 1), Outcome.READY_AGAIN
        elif start.state is State.HELD and self._unless in commit.flags:
            after, outcome, reason = Standing(State.FIRED, start.n), Outcome.SUPPRESSED, "`unless` holds"
        if after == standing:
            return None
        return Transition(self.automation, standing, after, outcome, reason, by_rules)

    def _start(self, standing: Standing, commit: Commit) -> tuple[Standing, bool]:
        """The standing to go on from, and whether what is past is to fire.

        An automation that appears (again) starts from the old values, with an arming number never used.
        """
        newborn = self.automation.id in commit.newborn
        if not newborn and (commit.old is not None or commit.new["score"] is None):
            return standing, False
        n = standing.n + (standing.state is not State.ARMED)
        if self._already_fired in commit.flags:
            return Standing(State.FIRED, n), False
        past = commit.old is not None and self.fires(commit.old)
        if past and self.automation.already_past == "ignore":
            return Standing(State.FIRED, n), False
        return Standing(State.ARMED, n), past

    def _is_crossing(self, commit: Commit) -> bool:
        if commit.old is None:
            return self._first_seen
        return commit.old["score"] is not None  # a lead that returns goes on silently

    def _only_by_rules(self, commit: Commit) -> bool:
        if commit.old_rules is None:
            return False
        values = commit.old_rules.values
        fired = commit.old_rules.fires.get(self.automation.id, self.fires)
        return values is None or not fired(values)

    def _suppressed(self, commit: Commit, *, by_rules: bool) -> str | None:
        """Why a crossing does not fire, if one of the automation's own policies says so."""
        automation = self.automation
        if commit.history:
            return HISTORY
        if self._unless in commit.flags:
            return "`unless` holds"
        if by_rules and automation.on_rules_change == "suppress":
            return "only new rules cause it"
        if automation.max_age is not None and commit.facts_until is not None:
            age = self._days(commit.facts_until, commit.as_of)
            if age > automation.max_age:
                return f"what caused it is older than {_in_days(automation.max_age)}"
        last = commit.last_fired.get(automation.id)
        if (
            automation.cooldown is not None
            and last is not None
            and self._days(last, commit.as_of) < automation.cooldown
        ):
            return f"fired less than {_in_days(automation.cooldown)} ago"
        return self.taken(commit.account_fired, commit.as_of)

    def taken(self, account_fired: Mapping[str, datetime], at: datetime) -> str | None:
        """Why `once_per` lets a lead's crossing not fire; None when it has no say."""
        once, last = self.automation.once_per, account_fired.get(self.automation.id)
        if once is None or last is None or self._days(last, at) >= once.within:
            return None
        whose = "account" if once.key == "account" else "e-mail domain"
        return f"a lead of the same {whose} fired less than {_in_days(once.within)} ago"

    def _days(self, earlier: datetime, later: datetime) -> int:
        """Whole calendar days in the scorecard's zone, as everywhere."""
        return (later.astimezone(self._zone).date() - earlier.astimezone(self._zone).date()).days

    def released(self, values: Values | None, crossed: datetime, now: datetime) -> str | None:
        """Why a crossing that was held does not fire after all; None when it does.

        `values` are the committed ones, None where the lead is outside the audience.
        """
        if values is None or not self.fires(values):
            return NO_LONGER_TRUE
        max_age = self.automation.max_age
        if max_age is not None and self._days(crossed, now) > max_age:
            return f"held for longer than {_in_days(max_age)}"
        return None


class Judge:
    """All automations of a scorecard, lead by lead.

    Args:
        card: The rules being committed.
        may_fire: False while the first load runs.
        restrained: By automation, the crossings that a gate does not let fire.
    """

    def __init__(
        self,
        card: Scorecard,
        *,
        may_fire: bool = True,
        restrained: Mapping[str, Restraint] = MappingProxyType({}),
    ) -> None:
        self.machines = {each.id: Machine(each, card.bands, card.timezone) for each in card.automations}
        self._may_fire = may_fire
        self._restrained = restrained
        self._grouped = any(each.group is not None for each in card.automations)

    def judge(self, commit: Commit, standings: Mapping[str, Standing]) -> list[Transition]:
        """The transitions of one lead, in the order of the file; standings that are not there are fresh."""
        steps = [
            step
            for name, machine in self.machines.items()
            if (step := machine.step(standings.get(name, FRESH), commit, may_fire=self._may_fire))
        ]
        if self._grouped:
            steps = _only_the_last_of_each_group(steps)
        return [self._restrain(step) for step in steps] if self._restrained else steps

    def _restrain(self, step: Transition) -> Transition:
        restraint = self._restrained.get(step.automation.id)
        if restraint is None or step.outcome is not Outcome.FIRED:
            return step
        if restraint.only_by_rules and not step.by_rules:
            return step
        if restraint.hold_id is None:
            return replace(step, outcome=Outcome.SUPPRESSED, reason=restraint.reason)
        held = Standing(State.HELD, step.standing.n)
        return replace(step, standing=held, outcome=Outcome.HELD, reason=restraint.reason)


def unless_flag(automation: str) -> str:
    """The flag of a lead for which an automation's `unless` holds."""
    return f"{automation} unless"


def already_fired_flag(automation: str) -> str:
    """The flag of a lead for which an automation's `already_fired` holds."""
    return f"{automation} already_fired"


def _in_days(number: int) -> str:
    """`1 day`, `30 days`."""
    return "1 day" if number == 1 else f"{number} days"


def _restarted(standing: Standing, commit: Commit) -> bool:
    """Whether the lead was restarted after the automation fired, and only now we know."""
    restarted_at, since = commit.restarted_at, standing.since
    return restarted_at is not None and since is not None and restarted_at > since


def _only_the_last_of_each_group(steps: list[Transition]) -> list[Transition]:
    last = {step.automation.group: step.automation.id for step in steps if step.outcome is Outcome.FIRED}
    return [
        replace(step, outcome=Outcome.SUPPRESSED, reason=f"`{last[group]}` of the same group fires")
        if step.outcome is Outcome.FIRED
        and (group := step.automation.group) is not None
        and last[group] != step.automation.id
        else step
        for step in steps
    ]
