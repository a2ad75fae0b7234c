"""Any life of a few leads, on real databases: what was delivered follows from the committed history alone."""

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescore.ledger import tables
from tests.ledger.world import MINUTE, MQL, World, a_card
from tests.support import databases

LEADS = ("crm:1", "crm:2", "crm:3")
SCORES = st.none() | st.sampled_from([0, 84, 85, 99, 100, 150])

WHOLE_RUN = st.tuples(st.just("whole run"), st.dictionaries(st.sampled_from(LEADS), SCORES, min_size=2))

STEPS = st.lists(
    st.one_of(
        WHOLE_RUN,
        WHOLE_RUN,
        WHOLE_RUN,
        st.tuples(st.just("land"), st.sampled_from(LEADS)),
        st.tuples(
            st.just("start"), st.integers(-1, 2)
        ),  # as_of is earlier or later than now: runs cross over
        st.tuples(st.just("stage"), st.integers(0, 5), st.dictionaries(st.sampled_from(LEADS), SCORES)),
        st.tuples(st.just("promote"), st.integers(0, 5)),
        st.tuples(st.just("rules"), st.integers(1, 3)),
    ),
    min_size=10,
    max_size=25,
)


def crossings(history: list[tuple[int | None, int | None]]) -> int:
    """The independent model: firings over one lead's committed (old, new) scores, by hysteresis alone."""
    spent, fired = history[0][1] >= 100, 0  # the first load starts as fired what is past
    for old, new in history[1:]:
        if new is None:
            continue
        if spent:
            spent = new >= 85
        elif new >= 100:
            spent, fired = True, fired + (old is not None)
    return fired


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=st.fixed_dictionaries({lead: st.sampled_from([0, 90, 120]) for lead in LEADS}), steps=STEPS)
def test_deliveries_deltas_and_targets_follow_from_the_committed_scores(ledger, first, steps):
    databases.empty(ledger)
    world = World(ledger, card=a_card(MQL))
    world.first_load(**first)
    runs = []
    for verb, *what in steps:
        if verb == "land":
            world.land(what[0], at=world.now)
        elif verb == "whole run":
            world.score(**what[0])
        elif verb == "rules":
            world.adopt(a_card(MQL, points=what[0]))
        elif verb == "start":
            runs.append(world.start(as_of=world.tick() + what[0] * 3 * MINUTE))
        elif runs and verb == "stage":
            run = runs[what[0] % len(runs)]
            if world.run_state(run) == "scoring":
                world.stage(run, what[1])
        elif runs and world.run_state(run := runs[what[0] % len(runs)]) != "scoring":
            world.promote(run, chunk=2)

    deltas = world.rows(tables.delta, "lead", "ver", "old_score", "new_score")
    deliveries = world.rows(tables.delivery, "lead", "n")
    owed = dict(world.rows(tables.sync, "lead", "want_ver"))
    for lead in LEADS:
        history = [(old, new) for owner, _, old, new in deltas if owner == lead]
        assert [ver for owner, ver, *_ in deltas if owner == lead] == list(range(1, len(history) + 1))
        assert all(before[1] == after[0] for before, after in pairwise(history))
        assert history[-1][1] == world.scores()[lead]
        assert owed[lead] == len(history)
        numbers = [n for owner, n in deliveries if owner == lead]
        assert len(numbers) == len(set(numbers)) == crossings(history), history
