"""Any life of a few leads: every delta's causes sum to its change and name only what happened, and scores are
those that everybody would have if they were scored anew."""

from collections import defaultdict
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescore.lake.lake import Lake
from rescore.pipeline.release import note_release
from rescore.rules.load import load_scorecard
from rescore.scoring.engine import score
from rescore.workspace import Workspace
from tests.pipeline.lives import RULES, Life
from tests.support import databases
from tests.support.main_job import MAPPINGS

LEADS = ("ada", "bob", "cleo")
HELD = f"""{RULES}
quarantine:
  - {{id: bursts, activity: page_view, burst: {{count: 2, within: 10s}}}}
  - {{id: soon, activity: page_view, soon_after: {{activity: form_submit, within: 5s}}}}
"""
MINUTE = timedelta(minutes=1)
DAY = 24 * 60

LEAD = st.sampled_from(LEADS)
NAME = st.integers(0, 5)
KIND = st.sampled_from(["page_view", "form_submit"])

HAPPENINGS = st.one_of(
    st.tuples(st.just("activity"), LEAD, KIND),
    st.tuples(st.just("late"), LEAD, KIND),
    st.tuples(st.just("correction"), NAME, LEAD, KIND),
    st.tuples(st.just("merge"), LEAD, LEAD),
    st.tuples(st.just("attribute"), LEAD, st.sampled_from(["Director", "CTO"]), st.booleans()),
    st.tuples(st.just("rules"), st.integers(20, 23)),
    st.tuples(st.just("release"), LEAD, st.booleans()),
    st.tuples(st.just("fold")),
)
ROUNDS = st.lists(
    st.tuples(st.lists(HAPPENINGS, max_size=4), st.sampled_from([15, 15, 30, DAY])), min_size=3, max_size=6
)


class Story:
    """Tells a life what happens, and remembers which causes that can have."""

    def __init__(self, life):
        self.life, self.names, self.into = life, [], {}
        self.happened = defaultdict(set)
        for lead in LEADS:
            life.crm.put_lead(lead, {"job_title": "Director"})

    def tell(self, verb, *what):
        getattr(self, f"_{verb}")(*what)

    def _activity(self, lead, kind):
        self._did(lead, kind, minutes=-1)

    def _late(self, lead, kind):
        self._did(lead, kind, days=3)

    def _did(self, lead, kind, **ago):
        self.names.append((f"a{len(self.names)}", ago))
        self.life.does(lead, self.names[-1][0], kind=kind, **ago)

    def _correction(self, name, lead, kind):
        if self.names:
            chosen, ago = self.names[name % len(self.names)]
            self.life.does(lead, chosen, kind=kind, asset="/about", **ago)

    def _merge(self, lead, gone):
        if lead != gone:
            self.life.crm.put_lead(lead, {"job_title": "Director"}, merged=[gone])

    def _attribute(self, lead, title, customer):
        stage = {"lifecycle_stage": "customer"} if customer else {}
        self.life.crm.put_lead(lead, {"job_title": title} | stage)

    def _rules(self, points):
        self.life.rules = HELD.replace("points: 20", f"points: {points}")

    def _release(self, lead, released):
        key = f"hubspot:{lead}"
        if self.life.ws.lake.first_known(key):
            note_release(self.life.ws, key, released=released, at=self.life.now)

    def _fold(self):
        self.life.ws.lake.fold_in()


MAY_CAUSE = {
    "activity": {"activity", "late", "correction"},  # a correction of one that nobody had seen is just new
    "late": {"late", "activity"},
    "correction": {"correction", "late", "activity"},
    "merge": {"merge", "attribute"},
    "attribute": {"attribute"},
    "rules": {"rules"},
    "release": {"attribute"},
    "fold": set(),
}


def anew(life):
    """The scores there are, by the rules in force and all facts, whatever was computed before."""
    card = load_scorecard(life.rules.encode(), name="rules")
    with life.ws.lake.facts() as facts:
        rows = score(card, facts, as_of=life.now).to_pylist()
    return {row["lead"].partition(":")[2]: row["score"] for row in rows if row["score"] is not None}


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(rounds=ROUNDS)
def test_causes_sum_to_the_change_and_name_only_what_happened(ledger, tmp_path_factory, rounds):
    databases.empty(ledger)
    folder = tmp_path_factory.mktemp("life")
    (folder / "rules").mkdir()
    lake = Lake(str(folder / "lake"), buckets=2)
    policy = MAPPINGS.with_name("policy.yaml")
    life = Life(Workspace(ledger, lake, folder / "rules", MAPPINGS, folder / "reports", policy), rules=HELD)
    story = Story(life)
    known = 0
    ever = {"decay", "activity", "attribute"}  # of first scores, and of any day
    for happenings, minutes in [([], 15), *rounds]:
        for happening in happenings:
            story.tell(*happening)
            ever |= MAY_CAUSE[happening[0]]
        life.run(minutes=minutes)
        deltas = life.deltas()
        for lead, old, new, causes in deltas[known:]:
            assert sum(causes.values()) == (new or 0) - (old or 0), (lead, causes)
            assert 0 not in causes.values()
            assert set(causes) <= ever, (lead, causes)
        known = len(deltas)
        assert {lead: points for lead, points in life.scores().items() if points is not None} == anew(life)
