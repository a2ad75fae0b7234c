"""What the ledger forgets, and what it keeps however old it is, because some decision still looks at it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from rescore.errors import Fenced
from rescore.ledger import tables
from rescore.ledger.automations.accounts import all_accounts
from rescore.ledger.automations.firing_history import last_fired, usual_daily
from rescore.ledger.outbox import dead_letters
from rescore.ledger.outbox.dead_letters import Chosen
from rescore.ledger.outbox.deliveries import due
from rescore.ledger.rules.holds import unfinished
from rescore.ledger.scores import runs
from rescore.pipeline.maintain import maintain
from rescore.policy.limits import Measures
from rescore.rules.actions import OncePer
from tests.ledger.world import a_card, an_automation, when
from tests.maintain.conftest import open_workspace
from tests.maintain.rows import NOW, put, there
from tests.support import databases

CARD = "b2b"


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def a_run(key: str, state: str, days: float, **more: object) -> dict[str, object]:
    ended = ago(days) if state in runs.OVER else None
    return {
        "run_key": key,
        "scorecard": CARD,
        "state": state,
        "as_of": ago(days),
        "started_at": ago(days),
        "finished_at": ended,
    } | more


def a_delivery(name: str, state: str, days: float, **more: object) -> dict[str, object]:
    ended = None if state == "due" else ago(days)
    return {
        "delivery_id": name,
        "state": state,
        "lead": name,
        "created_at": ago(days),
        "settled_at": ended,
    } | more


def a_crossing(lead: str, n: int, days: float, outcome: str = "fired", **more: object) -> dict[str, object]:
    where = {"scorecard": CARD, "automation": "mql", "lead": lead, "n": n}
    return where | {"as_of": ago(days), "outcome": outcome} | more


@pytest.mark.parametrize(
    ("table", "column", "given", "kept"),
    [
        pytest.param(
            tables.delta,
            "lead",
            [{"lead": "old", "as_of": ago(401)}, {"lead": "young", "as_of": ago(399)}],
            ["young"],
            id="deltas",
        ),
        pytest.param(
            tables.run,
            "run_key",
            [
                a_run("old", "promoted", 91),
                a_run("young", "promoted", 89),
                a_run("held", "held", 91),
                a_run("superseded", "superseded", 91),
            ],
            ["held", "young"],
            id="runs, but for those that wait for a person",
        ),
        pytest.param(
            tables.delivery,
            "delivery_id",
            [
                a_delivery("sent", "delivered", 401),
                a_delivery("given up on", "parked", 401),
                a_delivery("lately", "delivered", 399),
                a_delivery("owed", "due", 401),
            ],
            ["lately", "owed"],
            id="deliveries, but for those that are owed",
        ),
        pytest.param(
            tables.crossing,
            "n",
            [
                a_crossing("a", 1, 600),
                a_crossing("a", 2, 500),
                a_crossing("a", 3, 450, "suppressed"),
                a_crossing("b", 4, 500, "held"),
                a_crossing("b", 5, 399, "suppressed"),
            ],
            [2, 4, 5],
            id="crossings, but for the last firing and what is held",
        ),
        pytest.param(
            tables.crossing,
            "n",
            [
                a_crossing("a", 1, 700, once_key="acme"),
                a_crossing("b", 2, 650, once_key="acme"),
                a_crossing("b", 3, 600, once_key="umbrella"),
                a_crossing("a", 4, 550, once_key="umbrella"),
            ],
            [2, 3, 4],
            id="crossings, but for the last firing of each account",
        ),
        pytest.param(
            tables.override,
            "lead",
            [
                {"lead": "ended", "state": "ended", "ended_at": ago(401), "seen_at": ago(402)},
                {"lead": "ended lately", "state": "ended", "ended_at": ago(1), "seen_at": ago(402)},
                {"lead": "open", "state": "open", "seen_at": ago(402)},
            ],
            ["ended lately", "open"],
            id="overrides, but for open ones",
        ),
        pytest.param(
            tables.extract,
            "stream",
            [{"stream": "old", "until": ago(91)}, {"stream": "young", "until": ago(89)}],
            ["young"],
            id="extracts",
        ),
        pytest.param(
            tables.shadow_run,
            "run_key",
            [{"run_key": "old", "as_of": ago(31)}, {"run_key": "young", "as_of": ago(29)}],
            ["young"],
            id="runs of a shadow",
        ),
    ],
)
def test_what_is_old_and_nobody_looks_at_goes(ws, table, column, given, kept):
    put(ws.ledger, table, given)
    counts = maintain(ws, at=NOW)
    assert there(ws.ledger, table, column) == kept
    assert len(given) - len(kept) in counts.values()
    again = maintain(ws, at=NOW)
    assert not again, "a second look finds nothing"


def test_attempts_are_kept_for_as_long_as_what_they_were_made_for_may_be_sent(ws):
    put(
        ws.ledger,
        tables.delivery,
        [
            a_delivery("owed", "due", 100),
            a_delivery("parked", "parked", 100),
            a_delivery("ended lately", "expired", 10),
            a_delivery("long over", "delivered", 100),
        ],
    )
    names = ["owed", "parked", "ended lately", "long over", "of a delivery that is gone"]
    attempts = [{"delivery_id": name, "started_at": ago(100), "outcome": "unknown"} for name in names]
    put(ws.ledger, tables.attempt, [*attempts, attempts[3] | {"started_at": ago(89)}])
    assert maintain(ws, at=NOW)["attempts"] == 2
    kept = ["ended lately", "long over", "owed", "parked"]
    assert there(ws.ledger, tables.attempt, "delivery_id") == kept


def test_the_run_behind_a_score_stays_however_old(ws):
    put(
        ws.ledger,
        tables.run,
        [
            a_run("behind", "promoted", 200, input_ver=7),
            a_run("other facts", "promoted", 200, input_ver=8),
            a_run("other card", "promoted", 200, input_ver=7, scorecard="b2c"),
        ],
    )
    paused = {"scorecard": CARD, "lead": "ada", "as_of": ago(200), "input_ver": 7}
    put(ws.ledger, tables.score, [paused])
    assert maintain(ws, at=NOW)["runs"] == 2
    assert there(ws.ledger, tables.run, "run_key") == ["behind"]


def test_a_hold_stays_while_it_is_open_not_carried_out_or_behind_an_activation(ws):
    def a_hold(name, state="discarded", **more):
        return {
            "hold_id": name,
            "scorecard": CARD,
            "what": "stage",
            "state": state,
            "opened_at": ago(402),
            "decided_at": None if state == "open" else ago(401),
            "decided_by": "rita",
            "summary": '{"reasons": [], "measures": null, "only_by_rules": false}',
        } | more

    put(ws.ledger, tables.rules_version, [{"scorecard": CARD, "seq": 1, "status": "active"}])
    behind = {"scorecard": CARD, "activation_seq": 1, "version_seq": 1, "hold_id": "released"}
    put(ws.ledger, tables.activation, [behind])
    put(ws.ledger, tables.run, [a_run("held", "held", 401)])
    put(ws.ledger, tables.crossing, [a_crossing("a", 1, 401, "held", hold_id="of crossings")])
    holds = [
        a_hold("over"),
        a_hold("lately", decided_at=ago(399)),
        a_hold("open", "open"),
        a_hold("released", "released"),
        a_hold("of a held run", run_key="held"),
        a_hold("of crossings"),
    ]
    put(ws.ledger, tables.hold, holds)
    assert maintain(ws, at=NOW)["holds"] == 1
    kept = ["lately", "of a held run", "of crossings", "open", "released"]
    assert there(ws.ledger, tables.hold, "hold_id") == kept


def test_a_plan_and_its_report_stay_while_an_activation_in_force_a_hold_or_a_run_names_them(ws):
    names = {name: name[0] * 64 for name in ("active", "before", "charged", "driven", "e nobody's")}
    put(ws.ledger, tables.rules_version, [{"scorecard": CARD, "seq": 1, "status": "active"}])
    activations = [
        {"scorecard": CARD, "activation_seq": seq, "version_seq": 1, "plan_hash": names[name]}
        for seq, name in ((1, "before"), (2, "active"))
    ]
    put(ws.ledger, tables.activation, activations)
    put(ws.ledger, tables.control, [{"scorecard": CARD, "activation_seq": 2}])
    put(ws.ledger, tables.hold, [{"hold_id": "h", "state": "open", "plan_hash": names["charged"]}])
    put(ws.ledger, tables.run, [a_run("r", "held", 1, plan_hash=names["driven"])])
    put(ws.ledger, tables.plan, [{"plan_hash": plan, "made_at": ago(91)} for plan in names.values()])
    assert maintain(ws, at=NOW)["plans"] == 2
    assert there(ws.ledger, tables.plan, "plan_hash") == ["a" * 64, "c" * 64, "d" * 64]


def test_a_dead_run_is_given_up_its_stage_goes_and_its_zombie_meets_the_fence(ws):
    put(ws.ledger, tables.control, [{"scorecard": CARD}])
    given = [("dead", "staged", 3), ("dying", "promoting", 3), ("alive", "scoring", 1), ("held", "held", 3)]
    put(ws.ledger, tables.run, [a_run(key, state, days) for key, state, days in given])
    put(ws.ledger, tables.stage_score, [{"run_key": key, "lead": "a"} for key, _, _ in given])
    with ws.ledger.reading() as connection:
        zombie = runs.find(connection, "dead")

    counts = maintain(ws, at=NOW)
    assert counts["runs given up"] == 2
    assert there(ws.ledger, tables.run, "run_key", "state") == [
        ("alive", "scoring"),
        ("dead", "discarded"),
        ("dying", "discarded"),
        ("held", "held"),
    ]
    with pytest.raises(Fenced), ws.ledger.transaction() as connection:
        runs.hold_fence(connection, zombie)
    maintain(ws, at=NOW + timedelta(days=3))
    assert there(ws.ledger, tables.stage_score, "run_key") == ["alive", "held"]


def test_a_run_that_is_begun_again_is_not_given_up(ws):
    put(ws.ledger, tables.run, [a_run("cleared", "discarded", 100)])
    with ws.ledger.transaction() as connection:
        runs.start_run(
            connection,
            run_key="cleared",
            scorecard=CARD,
            kind="incremental",
            activation_seq=1,
            as_of=NOW,
            at=NOW,
        )
    maintain(ws, at=NOW)
    assert there(ws.ledger, tables.run, "run_key", "state") == [("cleared", "scoring")]


def test_bodies_of_what_ended_are_emptied_and_such_a_delivery_is_not_sent_again(ws):
    ended = ["delivered", "expired", "cancelled", "discarded"]
    old = [
        a_delivery(f"{state} long ago", state, 31, n=i) for i, state in enumerate([*ended, "parked", "due"])
    ]
    put(ws.ledger, tables.delivery, [*old, a_delivery("lately", "expired", 29)])

    assert maintain(ws, at=NOW)["bodies emptied"] == 4
    full = [name for name, body in there(ws.ledger, tables.delivery, "delivery_id", "body") if body]
    assert full == ["due long ago", "lately", "parked long ago"]
    with ws.ledger.transaction() as connection:
        assert [row.delivery_id for row in due(connection, now=NOW, limit=9)] == ["due long ago"]
        replayed = dead_letters.replay(connection, Chosen(), at=NOW, by="anna", dry_run=True)
        assert replayed == {"again": 2, "cancelled": 1, "due": 1, "discarded": 1, "body gone": 2}
        again = dead_letters.retry(connection, Chosen(), at=NOW, by="anna")
        assert again == {"again": 3, "cancelled": 1, "delivered": 1, "body gone": 2}


def test_what_cooldown_once_per_and_the_gate_look_back_at_says_the_same_after_years(ws):
    card = a_card(
        an_automation("mql", when(score={"at_least": 100}), cooldown=900),
        an_automation("sql", when(score={"at_least": 90}), once_per=OncePer("account", 900)),
    )
    given = [a_crossing(lead, n, 30 * (24 - n)) for lead in ("a", "b") for n in range(1, 24)]
    given += [
        a_crossing(lead, n, 25 * (24 - n), automation="sql", once_key=f"key {n % 3}")
        for lead in ("a", "b")
        for n in range(1, 24)
    ]
    put(ws.ledger, tables.crossing, given)

    def looked_back():
        with ws.ledger.reading() as connection:
            return (
                last_fired(connection, card),
                all_accounts(connection, card),
                usual_daily(connection, card.id, "sql", NOW),
            )

    before = looked_back()
    assert maintain(ws, at=NOW)["crossings"] > 20
    assert looked_back() == before


def test_a_release_that_nobody_has_carried_out_is_found_after_years(ws):
    measures = Measures(banded=0, band_moves=0, first_bands=0, automations=(), extracts=())
    summary = json.dumps({"reasons": [], "measures": measures.as_json(), "only_by_rules": False})
    released = {"state": "released", "decided_at": ago(500), "decided_by": "rita", "opened_at": ago(501)}
    hold = {"hold_id": "h", "scorecard": CARD, "what": "automation", "summary": summary} | released
    put(ws.ledger, tables.hold, [hold])
    put(ws.ledger, tables.crossing, [a_crossing("a", 1, 500, "held", hold_id="h")])
    maintain(ws, at=NOW)
    with ws.ledger.reading() as connection:
        assert [each.hold_id for each in unfinished(connection)] == ["h"]


def test_many_rows_go_in_small_transactions(ws):
    put(ws.ledger, tables.delta, [{"lead": str(n), "as_of": ago(401)} for n in range(95)])
    told = []
    assert maintain(ws, at=NOW, chunk=10, progress=told.append)["deltas"] == 95
    assert "ledger: 95 deltas deleted" in told


@pytest.mark.postgres
def test_what_somebody_takes_up_at_this_moment_stays(migrated_postgresql, tmp_path):
    databases.empty(migrated_postgresql)
    ws = open_workspace(migrated_postgresql, tmp_path)
    put(
        ws.ledger,
        tables.delivery,
        [a_delivery("retried", "parked", 500), a_delivery("left", "parked", 500, n=1)],
    )
    with ws.ledger.transaction() as connection:
        dead_letters.retry(connection, Chosen(ids=["retried"]), at=NOW, by="anna")
        maintain(ws, at=NOW)
    assert there(ws.ledger, tables.delivery, "delivery_id", "state") == [("retried", "due")]
