"""A preview of a stage and its promotion tell the same, whatever is staged and whatever the policies."""

import json
from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescore.automations.state_machine import Restraint
from rescore.ledger import tables
from rescore.ledger.promotion import crossings
from rescore.rules.card import Comparison, Kind, Operator
from tests.ledger.world import World, a_card, an_automation, when
from tests.support import databases

LEADS = tuple(f"crm:{number}" for number in range(6))
SCORES = st.none() | st.sampled_from([0, 49, 50, 99, 100, 150])
DAYS = st.none() | st.integers(1, 3)
CUSTOMER = Comparison("stage", Operator.EQUALS, Kind.TEXT, ("customer",))

POLICIES = st.fixed_dictionaries(
    {
        "first_seen": st.sampled_from([None, "fire", "ignore"]),
        "already_past": st.sampled_from(["fire", "ignore"]),
        "on_rules_change": st.sampled_from(["gate", "suppress"]),
        "cooldown": DAYS,
        "max_age": DAYS,
        "unless": st.sampled_from([None, CUSTOMER]),
        "group": st.sampled_from([None, "ladder"]),
    }
)
AUTOMATIONS = st.fixed_dictionaries({}, optional={"warm": POLICIES, "hot": POLICIES})
FLAGS = st.none() | st.lists(st.sampled_from(["hot unless", "warm unless", "warm already_fired"]), max_size=2)


@st.composite
def stages(draw):
    """Scores of some leads, and what the run knows of them besides."""
    scores = draw(st.dictionaries(st.sampled_from(LEADS), SCORES, min_size=1))
    also = {}
    for lead in scores:
        flags, under = draw(FLAGS), draw(st.none() | SCORES)
        old = {"score": under, "band": None, "dimensions": {"engagement": under}}
        also[lead] = {
            "flags": json.dumps(sorted(set(flags))) if flags else None,
            "under_old_rules": None if under is None else json.dumps(old),
        }
    return scores, also


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), stages(), st.sampled_from([None, None, "hot", "warm"])),
        st.tuples(st.just("run"), stages(), st.just(None)),
        st.tuples(st.just("edit"), AUTOMATIONS, st.integers(4, 6)),
        st.tuples(st.just("land"), st.sampled_from(LEADS), st.none() | st.integers(0, 5), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 3)),
    ),
    min_size=4,
    max_size=12,
)


def card(policies, points):
    at = {"warm": 50, "hot": 100}
    return a_card(
        *(
            an_automation(
                name, when(score={"at_least": at[name]}), when(score={"below": at[name] - 5}), **own
            )
            for name, own in sorted(policies.items(), reverse=True)
        ),
        points=points,
    )


def previewed(world, run) -> Counter:
    with world.ledger.reading() as connection:
        found = crossings.preview(connection, run, world.card, chunk=2)
    total: Counter = Counter()
    for foreseen in found.values():
        total.update(
            fired=foreseen.fired,
            by_rules=foreseen.by_rules,
            suppressed=sum(foreseen.suppressed.values()),
            ready_again=foreseen.ready_again,
            started_fired=foreseen.started_fired,
        )
    return +total


def on_record(world, run) -> Counter:
    """What the crossing table says of a run: outcomes, reasons, and which crossings are the rules'."""
    rows = world.rows(tables.crossing, "run_key", "automation", "outcome", "by_rules")
    mine = [row for row in rows if row[0] == run.run_key]
    return +Counter(
        fired=sum(row[2] in ("fired", "held") for row in mine),
        by_rules=sum(row[3] for row in mine if row[2] in ("fired", "held")),
    )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(policies=AUTOMATIONS, steps=STEPS, first=st.dictionaries(st.sampled_from(LEADS), SCORES))
def test_promotion_does_what_the_preview_said(ledger, policies, steps, first):
    databases.empty(ledger)
    world = World(ledger, card=card(policies, points=5))
    world.first_load(**first)
    for verb, *what in steps:
        if verb == "edit":
            world.adopt(card(*what))
        elif verb == "land":
            lead, days, history = what
            at = None if days is None else world.now - timedelta(days=days)
            world.land(lead, at=at, history=history)
        elif verb == "wait":
            world.now += timedelta(days=what[0])
        else:
            (scores, also), over = what
            run = world.stage(world.start("rescore"), scores, also)
            foreseen = previewed(world, run)
            restrained = {} if over is None else {over: Restraint("too many", hold_id=run.run_key)}
            counts = world.promote(run, chunk=3, restrained=restrained)
            assert on_record(world, run) == +Counter(fired=foreseen["fired"], by_rules=foreseen["by_rules"])
            assert counts["fired"] + counts["held"] == foreseen["fired"]
            for name in ("suppressed", "ready_again", "started_fired"):
                assert counts[name] == foreseen[name]
            delivered = [row for row in world.rows(tables.delivery, "run_key") if row[0] == run.run_key]
            assert len(delivered) == counts["fired"]
