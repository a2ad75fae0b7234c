"""Automations over any history: the machine against a small model that thinks in another way."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rescore.automations import FRESH, Machine, State
from rescore.rules.card import Band
from tests.ledger.world import an_automation, when

BANDS = (Band("A", 100_000), Band("C", 0))
SCORES = st.none() | st.sampled_from([0, 49, 50, 79, 80, 99, 100, 150])


class OneLead(RuleBasedStateMachine):
    """A lead, an automation with moving thresholds, and a log of what was true, from which all is derived.

    The model keeps no state and number: it remembers the commits since the last firing (or silent start) and
    asks of the log whether the automation was ready again in between.
    """

    @initialize(at_least=st.sampled_from([50, 80, 100]), upward=st.booleans())
    def begin(self, at_least, upward):
        self.upward, self.threshold, self.margin = upward, at_least, 20
        self.standing, self.old, self.newborn, self.loading = FRESH, None, False, True
        self.spent = False  # the model: fired, or started so, and not ready again since
        self.used = 0  # the model: how many arming numbers were used up
        self.said: list[int] = []

    def machine(self) -> Machine:
        if self.upward:
            fire, ready = {"at_least": self.threshold}, {"below": self.threshold - self.margin}
        else:
            fire, ready = {"below": self.threshold}, {"at_least": self.threshold + self.margin}
        return Machine(an_automation("a", when(score=fire), when(score=ready)), BANDS)

    def true(self, score) -> bool:
        return score >= self.threshold if self.upward else score < self.threshold

    def over(self, score) -> bool:
        low, high = self.threshold - self.margin, self.threshold + self.margin
        return score < low if self.upward else score >= high

    @rule(score=SCORES)
    def commit(self, score):
        new = {"score": score, "band": None}
        old = None if self.old is None else {"score": self.old[0], "band": None}
        step = self.machine().step(self.standing, old, new, newborn=self.newborn, may_fire=not self.loading)
        self.standing = step.standing if step else self.standing
        fired = bool(step and step.fires)
        assert fired == self.expected(score)
        if fired:
            self.said.append(self.standing.n)
        if score is not None or self.old is not None:
            self.old = (score,)
        self.newborn = False

    def expected(self, score) -> bool:
        if score is None:
            return False
        before = None if self.old is None else self.old[0]
        if self.newborn:
            self.used += self.spent
            self.spent = before is not None and self.true(before)
        if self.spent:
            if self.over(score):
                self.spent, self.used = False, self.used + 1
            return False
        if not self.true(score):
            return False
        self.spent = True
        if self.loading:
            return False
        return before is not None or (self.old is None and self.upward)

    @rule()
    def the_first_load_ends(self):
        self.loading = False

    @rule(threshold=st.sampled_from([50, 80, 100]))
    def somebody_moves_the_threshold(self, threshold):
        self.threshold = threshold

    @rule()
    def it_is_removed_and_comes_back(self):
        self.newborn = True

    @invariant()
    def no_arming_number_is_said_twice(self):
        assert len(self.said) == len(set(self.said)) if hasattr(self, "said") else True

    @invariant()
    def state_and_number_follow_the_log(self):
        if hasattr(self, "said") and not self.newborn:
            assert (self.standing.state is State.FIRED) == self.spent
            assert self.standing.n == self.used + 1


TestOneLead = OneLead.TestCase
TestOneLead.settings = settings(max_examples=300, stateful_step_count=30)
