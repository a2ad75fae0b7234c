"""Lives that nobody has scripted: any order of what people, crashes and time do, against a small model."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

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

from rescore.delivery.outcome import Outcome
from rescore.errors import CrmRateLimited, CrmUnavailable, RescoreError
from rescore.lake.records import ActivityRecord
from rescore.ledger import activations, holds, registry
from rescore.pipeline.holds import decide
from rescore.pipeline.maintain import maintain
from tests.faults import homes
from tests.faults.crash import Crash, Points, watched
from tests.faults.homes import Snapshot
from tests.faults.invariants import violations
from tests.faults.life import LONGER_THAN_ANY_LEASE, Life
from tests.faults.report import Layer, Say
from tests.faults.story_files import MAPPING, POLICY, RULES

LIVES, STEPS, WORKERS = 300, 30, 2
SHORT_LIVES, SHORT_STEPS = 3, 12
SEED = 20261102

NAMES = ("ada", "bob", "cyd", "dan")
POINTS = (6, 10, 20, 30)
DAYS = 10
WIDE, TIGHT = 200, 1
BERLIN = ZoneInfo("Europe/Berlin")
CARD = RULES.replace("points: 10}", f"points: {POINTS[1]}, decay: {{linear: {DAYS}d}}}}")
SCORECARD = "b2b_saas"

people = st.sampled_from(NAMES)


@dataclass
class Model:
    """What everybody is worth, from what has happened alone, by arithmetic on a slip of paper."""

    titles: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(NAMES, False))
    opted_out: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    visits: list[tuple[str, datetime]] = field(default_factory=list)

    def alive(self, lead: str) -> bool:
        """Whether the CRM has such a record."""
        return lead not in self.deleted and lead not in self.merged

    def left(self, lead: str) -> str:
        """Whom a record became part of."""
        while lead in self.merged:
            lead = self.merged[lead]
        return lead

    def scores(self, now: datetime, points: int) -> dict[str, int | None]:
        """In whole points: a view loses a tenth each day, half a point counts as one."""
        today = now.astimezone(BERLIN).date()
        tenths = dict.fromkeys(NAMES, 0)
        for lead, at in self.visits:
            tenths[self.left(lead)] += points * max(0, DAYS - (today - at.astimezone(BERLIN).date()).days)
        found: dict[str, int | None] = {}
        for lead in NAMES:
            if lead not in self.merged:
                all_ = tenths[lead] + 200 * self.titles[lead] - 400 * (lead in self.opted_out)
                found[lead] = None if lead in self.deleted else min(500, (max(0, all_) + 5) // 10)
        return found


class AnyLife(RuleBasedStateMachine):
    """Each rule is something that may happen next; at the end everything has to come right."""

    begins: Snapshot  # set by whoever runs it
    steps = 0
    lives = 0

    @initialize()
    def begin(self) -> None:
        self._rest = ExitStack()
        place = self._rest.enter_context(homes.scratch())
        self.life: Life = self._rest.enter_context(type(self).begins.live(place))
        self.model = Model()
        type(self).lives += 1

    # ── outside ──────────────────────────────────────────────────────────────────────────────────────

    @rule(lead=people, number=st.integers(1, 4), days=st.integers(0, DAYS + 1))
    def views(self, lead: str, number: int, days: int) -> None:
        if self.model.alive(lead):
            at = self.life.now - timedelta(days=days)
            for _ in range(number):
                id_ = f"view-{len(self.model.visits)}"
                self.life.world.crm.put_activity(ActivityRecord(id_, lead, "page_view", at, asset="/pricing"))
                self.model.visits.append((lead, at))

    @rule(lead=people, director=st.booleans(), opted_out=st.booleans())
    def changes(self, lead: str, director: bool, opted_out: bool) -> None:
        """Also restores whoever was deleted."""
        if lead not in self.model.merged:
            self.model.deleted.discard(lead)
            self.model.titles[lead] = director
            (self.model.opted_out.add if opted_out else self.model.opted_out.discard)(lead)
            self._say(lead)

    @rule(lead=people)
    def is_deleted(self, lead: str) -> None:
        if self.model.alive(lead):
            self.model.deleted.add(lead)
            self.life.world.crm.delete(lead)

    @rule(lost=people, left=people)
    def are_merged(self, lost: str, left: str) -> None:
        if lost != left and self.model.alive(lost) and self.model.alive(left):
            self.model.merged[lost] = left
            self._say(left, merged=(lost,))

    @rule(lead=people, value=st.sampled_from(["7", "77", None]))
    def is_edited_by_hand(self, lead: str, value: str | None) -> None:
        if self.model.alive(lead):
            self.life.world.crm.edit(lead, "score", value, at=self.life.now, by="ute")

    @rule(trouble=st.sampled_from(["down", "lost", "limit"]))
    def crm_fails(self, trouble: str) -> None:
        if trouble == "limit":
            self.life.world.crm.failures.append(CrmRateLimited("too many calls", retry_after=600))
        else:
            self.life.world.crm.failures.append(CrmUnavailable("no answer", sent=trouble == "lost"))

    @rule(kind=st.sampled_from(["transient", "unknown"]))
    def receiver_fails(self, kind: str) -> None:
        self.life.world.receiver.answers.append(Outcome(kind, "no answer"))  # type: ignore[arg-type]

    @rule(hours=st.sampled_from([1, 5, 30, 100]))
    def time_passes(self, hours: int) -> None:
        self.life.now += timedelta(hours=hours)

    # ── people of the house ──────────────────────────────────────────────────────────────────────────

    @rule(points=st.sampled_from(POINTS))
    def rules_are_edited(self, points: int) -> None:
        body = CARD.replace(f"points: {POINTS[1]}, decay", f"points: {points}, decay")
        self.life.write(f"rules/{SCORECARD}.yaml", body)

    @rule(band_moves=st.sampled_from([WIDE, TIGHT]))
    def limits_are_set(self, band_moves: int) -> None:
        self.life.write("policy.yaml", POLICY % band_moves)

    @rule(answer=st.sampled_from(["release", "release_without_automations", "discard"]))
    def hold_is_answered(self, answer: holds.Answer) -> None:
        for hold_id in self._asked()[:1]:
            self._answer(hold_id, answer)

    @rule(paused=st.booleans())
    def is_paused_or_resumed(self, paused: bool) -> None:
        change = activations.pause if paused else activations.resume
        with self.life.ws.ledger.transaction() as connection:
            change(connection, SCORECARD, at=self.life.now, by="rita")

    # ── the deployment ───────────────────────────────────────────────────────────────────────────────

    @rule()
    def runs(self) -> None:
        self.life.run()

    @rule(point=st.integers(1, 450))
    def dies_in_a_run(self, point: int) -> None:
        try:
            with watched(self.life, Points(point)):
                self.life.run()
        except Crash:
            self.life.reopen()

    @precondition(lambda self: self.life.last is not None)
    @rule()
    def last_run_is_cleared(self) -> None:
        self.life.run(again=self.life.last)

    @rule()
    def reconciles(self) -> None:
        self.life.reconcile()

    @rule()
    def is_maintained(self) -> None:
        self.life.ws.lake.fold_in()
        maintain(self.life.ws, at=self.life.now)

    @invariant()
    def counted(self) -> None:
        type(self).steps += 1

    # ── what must hold ───────────────────────────────────────────────────────────────────────────────

    def teardown(self) -> None:
        """Faults stop, questions are answered, time goes on; then every promise is looked at."""
        if not hasattr(self, "life"):
            return
        try:
            self._comes_to_rest()
            found = violations(self.life.ws, self.life.world, now=self.life.now, truth=self._truth())
            assert not found, found
        finally:
            self._rest.close()

    def _comes_to_rest(self) -> None:
        self.life.world.crm.failures.clear()
        self.life.world.receiver.answers.clear()
        self.life.write("policy.yaml", POLICY % WIDE)
        self.life.reopen()
        self.life.now += LONGER_THAN_ANY_LEASE
        self.is_paused_or_resumed(paused=False)
        for _ in range(3):
            self.life.run()
            for hold_id in self._asked():
                self._answer(hold_id, "release")
        self.life.reconcile(everybody=True)
        assert self.life.settle(), "the runs do not come to rest"

    def _truth(self) -> dict[str, int | None]:
        """By the model; which rules are in force is the ledger's word, for a person may have refused some."""
        with self.life.ws.ledger.reading() as connection:
            active = activations.active(connection, SCORECARD)
            assert active is not None
            body = registry.version(connection, SCORECARD, active.version_seq).body.decode()
        [points] = [points for points in POINTS if f"points: {points}, decay" in body]
        return self.model.scores(self.life.now, points)

    def _asked(self) -> list[str]:
        with self.life.ws.ledger.reading() as connection:
            return [hold.hold_id for hold in holds.open_holds(connection)]

    def _answer(self, hold_id: str, answer: holds.Answer) -> None:
        try:
            decide(self.life.ws, hold_id, answer, by="rita", at=self.life.now)
        except RescoreError as error:  # it is over meanwhile
            self.life.trouble.append(str(error))

    def _say(self, lead: str, merged: tuple[str, ...] = ()) -> None:
        title = "Director of Sales" if self.model.titles[lead] else "Developer"
        attributes = {"job_title": title, "email_opt_out": lead in self.model.opted_out}
        self.life.world.crm.put_lead(lead, attributes, merged=merged)


@dataclass(frozen=True)
class Lives:
    """So many lives by one seed, all from one beginning."""

    seed: int
    number: int
    steps: int
    begins: Snapshot


@dataclass(frozen=True)
class Lived:
    """How many there were, how long they were in all, and the shortest one that broke a promise."""

    lives: int
    steps: int
    violations: list[str]


def lived(lives: Lives) -> Lived:
    """Live them; Hypothesis makes a life that breaks something as short as it can."""
    AnyLife.begins, AnyLife.steps, AnyLife.lives = lives.begins, 0, 0
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
        begins = _first_load(life, place)
        if short:
            found = [lived(Lives(SEED, SHORT_LIVES, SHORT_STEPS, begins))]
        else:
            shares = [Lives(SEED + number, LIVES // WORKERS, STEPS, begins) for number in range(WORKERS)]
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["tests.faults.random_lives"])
            with ProcessPoolExecutor(WORKERS, context) as pool:
                found = list(pool.map(lived, shares))
    layer.done = sum(one.lives for one in found)
    layer.violations = [violation for one in found for violation in one.violations]
    say(f"{layer.done:,} lives of {sum(one.steps for one in found):,} steps in all")
    return layer


def _first_load(life: Life, place: Path) -> Snapshot:
    """Everybody is known and scored, nobody has done anything yet."""
    life.write("mappings/hubspot.yaml", MAPPING)
    life.write(f"rules/{SCORECARD}.yaml", CARD)
    life.write("policy.yaml", POLICY % WIDE)
    for lead in NAMES:
        life.world.crm.put_lead(lead, {"job_title": "Developer", "email_opt_out": False})
    life.run()
    return homes.take(life, place / "begins", "sqlite")
