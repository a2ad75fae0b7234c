"""Lives that nobody has scripted: any order of what people, crashes and time do, against a small model."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rescore.errors import CrmRateLimited, CrmUnavailable
from rescore.ledger.rules import holds
from rescore.outcome import Outcome
from rescore.pipeline.maintain import maintain
from tests.faults import homes
from tests.faults.crash import Crash, Points, watched
from tests.faults.happenings import DAYS, POINTS, TIGHT, WIDE, Happenings, Model, first_load
from tests.faults.homes import Snapshot
from tests.faults.life import Moment
from tests.faults.report import Layer, Say

LIVES, STEPS, WORKERS = 300, 30, 2
SHORT_LIVES, SHORT_STEPS = 2, 10
SEED = 20261102
RUNS_KEPT = 4
LAST_POINT = 450
"""Of a run, about; a crash at a later one does not come."""

NAMES = ("ada", "bob", "cyd", "dan")
people = st.sampled_from(NAMES)


@dataclass(frozen=True)
class Lives:
    """So many lives by one seed, all from one beginning."""

    seed: int
    number: int
    steps: int
    begins: Snapshot
    model: Model


@dataclass(frozen=True)
class Lived:
    """How many there were, how long they were in all, and the shortest one that broke a promise."""

    lives: int
    steps: int
    violations: list[str]


class AnyLife(RuleBasedStateMachine):
    """Each rule is something that may happen next; at the end everything has to come right."""

    plan: Lives  # set by whoever lets it be lived
    lives = 0
    steps = 0

    @initialize()
    def begin(self) -> None:
        self.rest = ExitStack()
        place = self.rest.enter_context(homes.scratch())
        self.life = self.rest.enter_context(self.plan.begins.live(place))
        self.does = Happenings(self.life, deepcopy(self.plan.model))
        self.moments: list[Moment] = []
        AnyLife.lives += 1

    def _note(self) -> None:
        assert self.life.last is not None
        self.moments.append(self.life.last)

    # ── outside ──────────────────────────────────────────────────────────────────────────────────────

    @rule(lead=people, number=st.integers(1, 4), days_ago=st.integers(0, DAYS + 1))
    def views(self, lead: str, number: int, days_ago: int) -> None:
        self.does.view(lead, number=number, days_ago=days_ago)

    @rule(lead=people, director=st.booleans(), opted_out=st.booleans())
    def changes_or_is_restored(self, lead: str, director: bool, opted_out: bool) -> None:
        self.does.say(lead, director=director, opted_out=opted_out)

    @rule(lead=people)
    def is_deleted(self, lead: str) -> None:
        self.does.delete(lead)

    @rule(lost=people, left=people)
    def are_merged(self, lost: str, left: str) -> None:
        self.does.merge(lost, left)

    @rule(lead=people, value=st.sampled_from(["7", "77", None]))
    def is_edited_by_hand(self, lead: str, value: str | None) -> None:
        self.does.edit_in_crm(lead, value)

    @rule(trouble=st.sampled_from(["down", "lost", "limit"]))
    def crm_fails(self, trouble: str) -> None:
        failures = self.life.world.crm.failures
        if trouble == "limit":
            failures.append(CrmRateLimited("too many calls", retry_after=600))
        else:
            failures.append(CrmUnavailable("no answer", sent=trouble == "lost"))

    @rule(outcome=st.sampled_from([Outcome("transient", "down"), Outcome("unknown", "no answer")]))
    def receiver_fails(self, outcome: Outcome) -> None:
        self.life.world.receiver.answers.append(outcome)

    @rule(hours=st.sampled_from([1, 5, 30, 100]))
    def time_passes(self, hours: int) -> None:
        self.life.now += timedelta(hours=hours)

    # ── people of the house ──────────────────────────────────────────────────────────────────────────

    @rule(points=st.sampled_from(POINTS))
    def rules_are_edited(self, points: int) -> None:
        self.does.edit_rules(points)

    @rule(band_moves=st.sampled_from([WIDE, TIGHT]))
    def limits_are_set(self, band_moves: int) -> None:
        self.does.set_limits(band_moves)

    @rule(answer=st.sampled_from(["release", "release_without_automations", "discard"]))
    def a_hold_is_answered(self, answer: holds.Answer) -> None:
        self.does.answer(answer, at_most=1)

    @rule(paused=st.booleans())
    def is_paused_or_goes_on(self, paused: bool) -> None:
        self.does.pause(paused)

    # ── the deployment ───────────────────────────────────────────────────────────────────────────────

    @rule()
    def runs(self) -> None:
        self.life.run()
        self._note()

    @rule(point=st.integers(1, LAST_POINT))
    def dies_in_a_run(self, point: int) -> None:
        try:
            with watched(self.life, Points(point)):
                self.life.run()
        except Crash:
            self.life.reopen()
        self._note()

    @precondition(lambda self: self.moments)
    @rule(ago=st.integers(1, RUNS_KEPT))
    def a_run_is_cleared(self, ago: int) -> None:
        self.life.run(again=self.moments[-min(ago, len(self.moments))])

    @rule()
    def reconciles(self) -> None:
        self.life.reconcile()

    @rule()
    def is_maintained(self) -> None:
        self.life.ws.lake.fold_in()
        maintain(self.life.ws, at=self.life.now)

    @invariant()
    def is_counted(self) -> None:
        AnyLife.steps += 1

    def teardown(self) -> None:
        """Every life has to come right in the end."""
        with self.rest:
            found = self.does.problems()
            assert not found, found


def lived(lives: Lives) -> Lived:
    """Let them be lived; Hypothesis makes a life that breaks something as short as it can."""
    AnyLife.plan, AnyLife.steps, AnyLife.lives = lives, 0, 0
    how = settings(
        max_examples=lives.number,
        stateful_step_count=lives.steps,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
    )
    found: list[str] = []
    try:
        run_state_machine_as_test(seed(lives.seed)(AnyLife), settings=how)
    except Exception as error:  # the harness reports whatever it was
        example = " ".join(" ".join(getattr(error, "__notes__", ())).split())
        found.append(f"seed {lives.seed}: {type(error).__name__}: {error}; {example}")
    return Lived(min(AnyLife.lives, lives.number), AnyLife.steps, found)


def run(short: bool, say: Say) -> Layer:
    """On SQLite; the full form in as many processes as there are cores, each with a seed of its own."""
    layer = Layer("random lives", SHORT_LIVES if short else LIVES)
    with homes.scratch() as place, homes.new_life(place, "sqlite") as life:
        model = first_load(life, NAMES).model
        begins = homes.take(life, place / "begins", "sqlite")
        if short:
            found = [lived(Lives(SEED, SHORT_LIVES, SHORT_STEPS, begins, model))]
        else:
            seeds = range(SEED, SEED + WORKERS)
            shares = [Lives(seed_, LIVES // WORKERS, STEPS, begins, model) for seed_ in seeds]
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["tests.faults.random_lives"])
            with ProcessPoolExecutor(WORKERS, context) as pool:
                found = list(pool.map(lived, shares))
    layer.done = sum(one.lives for one in found)
    layer.violations = [violation for one in found for violation in one.violations]
    say(f"{layer.done:,} lives of {sum(one.steps for one in found):,} steps in all")
    return layer
