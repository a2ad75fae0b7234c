"""Automations over any history: the machine against a small model that thinks in another way."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rescore.automations.score_conditions import test_of as as_test
from rescore.automations.state_machine import FRESH, Commit, Judge, OldRules, Restraint, State
from tests.automations.leads import NOW
from tests.ledger.world import a_card, an_automation, when

THRESHOLDS = st.sampled_from([50, 80, 100])
SCORES = st.none() | st.sampled_from([0, 49, 50, 79, 80, 99, 100, 150])
DAYS = st.none() | st.integers(1, 5)

POLICIES = st.fixed_dictionaries(
    {
        "first_seen": st.sampled_from([None, "fire", "ignore"]),
        "already_past": st.sampled_from(["fire", "ignore"]),
        "on_rules_change": st.sampled_from(["gate", "suppress"]),
        "cooldown": DAYS,
        "max_age": DAYS,
    }
)
FACTS = st.fixed_dictionaries(
    {
        "days": st.sampled_from([0, 0, 1, 3]),
        "facts": st.none() | st.integers(0, 6),
        "unless": st.sampled_from([False, False, True]),
        "already": st.sampled_from([False, False, True]),
        "gate": st.sampled_from(["open", "open", "open", "hold", "silence"]),
        "handed_back": st.sampled_from([None, None, None, 0, 2]),
    }
)


class OneLead(RuleBasedStateMachine):
    """A lead, an automation with moving thresholds and policies, and what the model remembers of them.

    The model knows no states and transitions. It remembers whether the lead has had its turn (`spent`), how
    many turns were used up, when the last one was and whether a person still has to decide about it; of a
    commit it asks first whether this turn is over, and only then whether a new one begins.
    """

    @initialize(at_least=THRESHOLDS, upward=st.booleans(), policies=POLICIES)
    def begin(self, at_least, upward, policies):
        self.upward, self.threshold, self.margin, self.policies = upward, at_least, 20, policies
        self.standing, self.old, self.newborn, self.loading = FRESH, None, False, True
        self.today, self.old_threshold = 0, None
        self.spent, self.used, self.turn, self.waiting, self.last = False, 0, None, False, None
        self.said: list[int] = []

    def condition(self, threshold):
        return when(score={"at_least": threshold} if self.upward else {"below": threshold})

    def judge(self, gate) -> Judge:
        margin = self.threshold - self.margin if self.upward else self.threshold + self.margin
        ready = when(score={"below": margin} if self.upward else {"at_least": margin})
        automation = an_automation("a", self.condition(self.threshold), ready, **self.policies)
        restrained = {
            "open": {},
            "hold": {"a": Restraint("held", hold_id="h")},
            "silence": {"a": Restraint("silenced")},
        }
        return Judge(a_card(automation), may_fire=not self.loading, restrained=restrained[gate])

    def true(self, score, threshold=None) -> bool:
        threshold = self.threshold if threshold is None else threshold
        return score is not None and (score >= threshold if self.upward else score < threshold)

    def over(self, score) -> bool:
        low, high = self.threshold - self.margin, self.threshold + self.margin
        return score < low if self.upward else score >= high

    @rule(score=SCORES, facts=FACTS)
    def commit(self, score, facts):
        self.today += facts["days"]
        now = NOW + timedelta(days=self.today)
        back = None if facts["handed_back"] is None else now - timedelta(days=facts["handed_back"], hours=1)
        old = None if self.old is None else {"score": self.old[0], "band": None}
        change = None
        if self.old_threshold is not None:
            change = OldRules({"a": as_test(self.condition(self.old_threshold))}, {"score": score})
        commit = Commit(
            old=old,
            new={"score": score, "band": None},
            as_of=now,
            newborn=frozenset({"a"} if self.newborn else ()),
            flags=frozenset(
                name
                for name, held in (("a unless", facts["unless"]), ("a already_fired", facts["already"]))
                if held
            ),
            restarted_at=back,
            facts_until=None if facts["facts"] is None else now - timedelta(days=facts["facts"]),
            last_fired={} if self.last is None else {"a": NOW + timedelta(days=self.last)},
            old_rules=change,
        )
        found = self.judge(facts["gate"]).judge(commit, {"a": self.standing})
        expected = self.expected(score, facts, back)
        outcome = None
        if found:
            [step] = found
            self.standing = type(FRESH)(step.standing.state, step.standing.n, now)
            outcome = step.outcome.value if step.crosses else None
        assert outcome == expected
        if outcome == "fired":
            self.said.append(self.standing.n)
            self.last = self.today
        if score is not None or self.old is not None:
            self.old = (score,)
        self.newborn, self.old_threshold = False, None

    def expected(self, score, facts, back):
        """What the crossing of this commit is, or None."""
        past = self.meet(score, facts)
        if score is None:
            return None
        now = NOW + timedelta(days=self.today)
        if self.spent:
            if self.over(score) or (back is not None and self.turn is not None and back > self.turn):
                self.spent, self.used, self.waiting = False, self.used + 1, False
            elif self.waiting and facts["unless"]:
                self.waiting, self.turn = False, now
                return "suppressed"
            self.turn = self.turn or now
            return None
        if not self.true(score):
            return None
        self.spent, self.turn = True, now
        first, returns = self.old is None, self.old == (None,)
        seen = self.policies["first_seen"]
        if self.loading or returns or (first and not (self.upward if seen is None else seen == "fire")):
            return None
        self.waiting = facts["gate"] == "hold" and not self.own_reason(score, facts, past)
        if self.waiting:
            return "held"
        return "suppressed" if self.own_reason(score, facts, past) or facts["gate"] == "silence" else "fired"

    def meet(self, score, facts) -> bool:
        """The automation and the lead meet for the first time; whether what is past may still fire."""
        if not self.newborn and (self.old is not None or score is None):
            return False
        before = None if self.old is None else self.old[0]
        self.used += self.spent
        past = self.true(before) and not facts["already"]
        self.spent = facts["already"] or (past and self.policies["already_past"] == "ignore")
        self.turn, self.waiting = None, False
        if self.spent and score is None:
            self.turn = NOW + timedelta(days=self.today)
        return past and not self.spent

    def own_reason(self, score, facts, past) -> bool:
        policies, moved = self.policies, self.old_threshold
        by_rules = moved is not None and not past and not self.true(score, moved)
        return (
            facts["unless"]
            or (policies["on_rules_change"] == "suppress" and by_rules)
            or (policies["max_age"] is not None and (facts["facts"] or 0) > policies["max_age"])
            or (
                policies["cooldown"] is not None
                and self.last is not None
                and self.today - self.last < policies["cooldown"]
            )
        )

    @rule()
    def the_first_load_ends(self):
        self.loading = False

    @rule(threshold=THRESHOLDS, policies=POLICIES)
    def somebody_edits_the_automation(self, threshold, policies):
        self.old_threshold = self.threshold if self.old_threshold is None else self.old_threshold
        self.threshold, self.policies = threshold, policies

    @rule()
    def it_is_removed_and_comes_back(self):
        if self.waiting:  # what is held ends with the automation
            self.waiting = False
            self.standing = type(FRESH)(State.FIRED, self.standing.n, self.standing.since)
        self.newborn = True

    @rule()
    def a_person_decides(self):
        if self.waiting:
            self.waiting, self.turn = False, NOW + timedelta(days=self.today)
            self.standing = type(FRESH)(State.FIRED, self.standing.n, self.turn)

    @invariant()
    def no_arming_number_is_said_twice(self):
        assert len(self.said) == len(set(self.said)) if hasattr(self, "said") else True

    @invariant()
    def state_and_number_follow_the_log(self):
        if hasattr(self, "said") and not self.newborn:
            expected = State.HELD if self.waiting else State.FIRED if self.spent else State.ARMED
            assert self.standing.state is expected
            assert self.standing.n == self.used + 1


TestOneLead = OneLead.TestCase
TestOneLead.settings = settings(max_examples=300, stateful_step_count=30)
