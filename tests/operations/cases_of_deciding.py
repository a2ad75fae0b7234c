"""Rules, runs and holds that wait, and a ledger that does."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import MetaData, create_engine

from rescore.errors import CrmUnavailable, InputUnreadable, LakeBehind, PolicyInvalid
from rescore.ledger import tables
from rescore.ledger.people import erasures
from rescore.ledger.rules import activations, holds
from rescore.pipeline.erase import ask_to_erase, erase
from rescore.pipeline.holds import decide
from rescore.pipeline.score import start_runs
from tests.operations.cases import Case
from tests.operations.place import Place
from tests.support.main_job import RULES

BOLD = RULES.replace("points: 10", "points: 30")
MILD = RULES.replace("points: 10", "points: 11")
TIGHT = "band_moves: {leads: 0, share: 40%}\n"


def run(place: Place) -> None:
    """The next run of score_leads, rules adopted first."""
    place.run()


def adopt(place: Place) -> None:
    """`adopt_rules` of the next run."""
    place.adopt()


def save(place: Place, text: str) -> None:
    place.write_rules(text)
    place.adopt()


def hold(place: Place) -> str:
    """The hold that waits, and that HOLD stands for from now on."""
    with place.ws.ledger.reading() as connection:
        [waiting] = holds.open_holds(connection)
    place.saved["HOLD"] = waiting.hold_id
    return waiting.hold_id


def _time_read(said: str) -> str:
    return re.search(r"last read to its end (\S+ \S+) UTC", said)[1]


def _history_fails(place: Place) -> None:
    place.adopt()
    place.crm.failures = [CrmUnavailable("it is down")]
    with contextlib.suppress(CrmUnavailable):
        place.extract()
    place.promote(place.start())


def _older_build(place: Place) -> None:
    engine, ours = create_engine(place.ws.ledger.url), MetaData()
    ours.reflect(engine)
    ours.drop_all(engine)
    with engine.begin() as theirs:
        theirs.exec_driver_sql("CREATE TABLE before_the_first_migration (name TEXT)")
    engine.dispose()


def _killed_days_ago(place: Place) -> None:
    ago = datetime.now(UTC) - timedelta(days=3)
    start_runs(place.ws, run_id="killed", as_of=ago, at=ago)


def _pause(place: Place) -> None:
    with place.ws.ledger.transaction() as connection:
        activations.pause(connection, "b2b_saas", at=place.now, by="rita")


def _held_run(place: Place) -> None:
    place.send()
    place.set_policy(TIGHT)
    place.visit("bob", number=2)
    place.run()
    hold(place)


def _discarded_run(place: Place) -> None:
    _held_run(place)
    decide(place.ws, place.saved["HOLD"], "discard", by="rita", at=place.now)


def _refused(place: Place) -> None:
    """As if an earlier build had accepted a key that this one does not have."""
    version = tables.rules_version
    with place.ws.ledger.transaction() as connection:
        body = bytes(connection.scalar(version.select().with_only_columns(version.c.body)))
        old = body.replace(b"bands:", b"older_key: 1\nbands:")
        connection.execute(version.update().values(body=old))
    place.start()


def _broken_policy(place: Place) -> None:
    place.ws.policy_file.write_text("band_moves: many\n")
    with contextlib.suppress(PolicyInvalid):
        save(place, MILD)


def _held_rules(place: Place) -> None:
    place.set_policy(TIGHT)
    save(place, BOLD)
    hold(place)


def _discarded_rules(place: Place) -> None:
    _held_rules(place)
    decide(place.ws, place.saved["HOLD"], "discard", by="rita", at=place.now)
    place.set_policy("")


def _held_crossings(place: Place) -> None:
    place.crowd()
    hold(place)


def _answered_and_killed(place: Place) -> None:
    _held_rules(place)
    with place.ws.ledger.transaction() as connection:
        found = holds.find(connection, place.saved["HOLD"])
        holds.close(connection, found, holds.RELEASED, at=place.now, by="rita")


def _late_answer_does_nothing(place: Place, said: str) -> bool:
    try:
        decide(place.ws, place.saved["HOLD"], "release", by="carl", at=place.now)
    except InputUnreadable as refused:
        return "is over: discarded by rita" in str(refused)
    return False


def _restored(place: Place) -> None:
    place.send()
    backup = place.backup()
    place.visit("bob")
    place.run()
    place.restore(backup)
    place.run()


def _read_back_and_scored(place: Place) -> None:
    place.run()
    place.reconcile()


def _lake_unmounted(place: Place) -> None:
    place.send()
    (place.home / "lake").rename(place.home / "unmounted")
    with contextlib.suppress(LakeBehind):
        place.run()


def _lake_put_back(place: Place) -> None:
    (place.home / "unmounted").rename(place.home / "lake")
    _read_back_and_scored(place)


def _lay_out(place: Place, *, was: str, becomes: str) -> None:
    """What the tables' logs say of their layout, changed."""
    for made in (place.home / "lake").glob(f"*/_delta_log/{0:020}.json"):
        made.write_text(
            made.read_text().replace(f'"rescore.layout":"{was}"', f'"rescore.layout":"{becomes}"')
        )


def _lake_of_another_build(place: Place) -> None:
    _lay_out(place, was="1", becomes="0")


def _build_of_the_lake(place: Place) -> None:
    _lay_out(place, was="0", becomes="1")
    place.run()


def _ask(place: Place) -> str:
    return ask_to_erase(place.ws, ["hubspot:bob"], by="rita", at=place.now)


def _erasure_begun(place: Place) -> None:
    erasure_id = _ask(place)
    with place.ws.ledger.transaction() as connection:
        found = erasures.find(connection, erasure_id)
        erasures.start(connection, found, found.person, at=place.now, known=True)


def _barred(place: Place) -> None:
    place.crm.put_lead("eve", {})
    place.extract()
    erase(place.ws, ["hubspot:eve"], by="rita", at=place.now)
    place.crm.put_lead("bob", {"job_title": "Developer"}, merged=["eve"])
    place.extract()


def _not_the_file(place: Place, said: str) -> bool:
    return "b2b_saas.yaml is gone" not in said or "paused" in said


def _facts(place: Place) -> None:
    place.visit("bob")
    place.extract()


OF_DECIDING = {
    "nothing runs": Case(
        lambda place: place.saved.update(read=f"{place.now:%Y-%m-%d %H:%M}"),
        by_hand=run,
        over=lambda place, said: _time_read(said) > place.saved["read"],
    ),
    "the history is loading": Case(_history_fails, by_hand=run, base="installed"),
    "the ledger is of another build": Case(_older_build, after=lambda place: place.adopt()),
    "a run without an end": Case(_killed_days_ago, words=("scoring",), after=lambda place: None),
    "a paused scorecard": Case(_pause),
    "paused after a discarded run": Case(_discarded_run),
    "rules that this build refuses": Case(_refused, mend=lambda place: save(place, MILD)),
    "a rescore is owed": Case(lambda place: save(place, MILD), by_hand=run),
    "rejected rules": Case(
        lambda place: save(place, "scorecard: b2b_saas\nnonsense: 1\n"),
        by_hand=lambda place: save(place, RULES),
    ),
    "rules that nobody has judged": Case(
        _broken_policy,
        words=("the file holds other rules",),
        by_hand=lambda place: place.set_policy(""),
        after=adopt,
    ),
    "the file and the rules in force differ": Case(
        _discarded_rules, by_hand=lambda place: save(place, BOLD + "# once more\n")
    ),
    "the rules file is gone": Case(
        lambda place: (place.ws.rules_dir / "b2b_saas.yaml").unlink(),
        by_hand=lambda place: place.write_rules(),
        over=_not_the_file,
    ),
    "held rules": Case(_held_rules),
    "a held run": Case(_held_run),
    "held automations": Case(_held_crossings),
    "an answer that is not carried out": Case(_answered_and_killed, by_hand=run),
    "a question that is open in Airflow alone": Case(
        lambda place: (
            _held_rules(place),
            decide(place.ws, place.saved["HOLD"], "discard", by="rita", at=place.now),
        ),
        look="holds",
        words=("nothing waits for an answer",),
        alone=lambda place: None,
        over=_late_answer_does_nothing,
    ),
    "new facts": Case(_facts, by_hand=run),
    "a restored ledger": Case(_restored, mend=_read_back_and_scored),
    "a lost lake": Case(_lake_unmounted, mend=_lake_put_back, words=("there is no lake at …",)),
    "a lake of another build": Case(_lake_of_another_build, by_hand=_build_of_the_lake, look="restored"),
    "a barred lead": Case(_barred),
    "an erasure that is asked for": Case(_ask),
    "an erasure that was interrupted": Case(_erasure_begun),
}
