"""The scripted life: chapters, in each of which something happens outside and the deployment reacts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from rescore.errors import CrmUnavailable
from rescore.lake.records import ActivityRecord
from rescore.ledger import tables
from rescore.ledger.people import tombstones
from rescore.ledger.rules import holds
from rescore.outcome import Outcome
from rescore.pipeline.erase import erase
from rescore.pipeline.holds import decide
from rescore.pipeline.maintain import maintain
from rescore.pipeline.objection import note_objection
from rescore.withheld import OBJECTION
from tests.faults.life import Life, Moment
from tests.faults.story_files import MAPPING, POLICY, RULES
from tests.faults.world import World

PEOPLE = {
    "ada": True,
    "bob": False,
    "cyd": True,
    "dan": False,
    "eve": False,
    "fay": True,
    "gus": False,
    "hal": False,
}
"""Who is a director."""


MONTHS_LATER = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
"""Later than the files that the life leaves on this machine, so that they are old."""

UTES = "7"
"""What a person writes over a score."""


@dataclass(frozen=True)
class Chapter:
    """`happens` outside, where nothing crashes; `act` is what the deployment does then.

    `again` is what a person does who sees that what they asked for was not done, or that they are asked: True
    when there was something. At its end a view of the pricing page is worth `points`, those in `erased`
    are gone, and those in `objecting` have no score.
    """

    name: str
    happens: Callable[[Life], None]
    act: Callable[[Life], None]
    again: Callable[[Life], bool] = lambda life: False
    points: int = 10
    erased: frozenset[str] = frozenset()
    objecting: frozenset[str] = frozenset()

    def true_scores(self, world: World) -> dict[str, int | None]:
        """What the rules make of everybody, from what the CRM knows alone, by an arithmetic of its own."""
        merged, visits = world.crm.merged(), world.crm.visits()
        for lost, left in merged.items():
            visits[left] += visits.pop(lost, 0)
        scores: dict[str, int | None] = {}
        for lead, record in world.crm.people().items():
            if lead in merged or lead in self.erased:
                continue
            fit = 20 * PEOPLE[lead] - 40 * bool(record.attributes.get("email_opt_out"))
            withheld = record.deleted or lead in self.objecting
            scores[lead] = None if withheld else max(0, min(500, self.points * visits[lead] + fit))
        return scores


def begin(life: Life) -> None:
    """The deployment as it is installed."""
    life.write("mappings/hubspot.yaml", MAPPING)
    life.write("rules/b2b_saas.yaml", RULES)
    life.write("policy.yaml", POLICY % 200)


def visit(life: Life, lead: str, number: int = 1) -> None:
    """Views of the pricing page, now."""
    for _ in range(number):
        id_ = f"view-{len(life.world.crm.owners()) + 1}"
        life.world.crm.put_activity(ActivityRecord(id_, lead, "page_view", life.now, asset="/pricing"))


def person(world: World, lead: str, **also: object) -> None:
    """What the CRM says of somebody from now on."""
    merged = also.pop("merged", ())
    title = "Director of Sales" if PEOPLE[lead] else "Developer"
    world.crm.put_lead(lead, {"job_title": title, **also}, merged=merged)


def points(life: Life, value: int) -> None:
    """Somebody edits the rules."""
    life.write("rules/b2b_saas.yaml", RULES.replace("points: 10}", f"points: {value}}}"))


def _first_load(life: Life) -> None:
    for lead in PEOPLE:
        person(life.world, lead)
    visit(life, "ada", 1)
    visit(life, "dan", 2)


def _crossing(life: Life) -> None:
    life.world.crm.refuse("fay", "its owner has locked it")
    visit(life, "ada", 3)
    visit(life, "bob", 1)
    visit(life, "fay", 1)


def _troubled(life: Life) -> None:
    visit(life, "cyd", 4)
    life.world.receiver.answers = [Outcome("transient", "down"), Outcome("unknown", "no answer")]
    life.world.crm.tasks.lost_answers = 1
    life.world.crm.failures = [CrmUnavailable("it is down")]


def _later_runs(life: Life) -> None:
    for _ in range(3):
        life.run()
        life.now += timedelta(minutes=30)


def _edited(life: Life) -> None:
    points(life, 12)
    visit(life, "bob", 1)


def _clear_the_first(life: Life) -> None:
    """The oldest run that crossed, with its own time, after everything that came since."""
    with life.ws.ledger.reading() as connection:
        rows = connection.execute(
            select(tables.run.c.run_key, tables.run.c.as_of).order_by(tables.run.c.as_of)
        )
        old = rows.all()[1]
    life.run(again=Moment(old.run_key.partition("/")[0], old.as_of))


def _erase_eve(life: Life) -> None:
    erase(life.ws, ["hubspot:eve"], by="the story", at=life.now)
    life.run()


def _erase_again(life: Life) -> bool:
    with life.ws.ledger.reading() as connection:
        erased = tombstones.read(connection)
    if erased.lead("hubspot:eve"):
        return False
    erase(life.ws, ["hubspot:eve"], by="the story", at=life.now)
    return True


def _deleted_while_owed(life: Life) -> None:
    """Dan crosses, the receiver is down, and before it is up again he is deleted."""
    visit(life, "dan", 1)
    life.world.receiver.answers = [Outcome("transient", "down")]
    life.run()
    life.world.crm.delete("dan")


def _hold(life: Life) -> None:
    life.write("policy.yaml", POLICY % 1)
    points(life, 25)


def _held_stage(life: Life) -> None:
    for lead in ("gus", "hal"):
        visit(life, lead, 2)
    person(life.world, "dan")


def _release(life: Life) -> bool:
    """A person releases what waits."""
    with life.ws.ledger.reading() as connection:
        waiting = holds.open_holds(connection)
    for hold in waiting:
        decide(life.ws, hold.hold_id, "release", by="rita", at=life.now)
    return bool(waiting)


def _run_and_release(life: Life) -> None:
    life.run()
    _release(life)
    life.run()


def _tamper(life: Life) -> None:
    life.world.crm.edit("cyd", "score", UTES, at=life.now, by="ute")


def _fold(life: Life) -> None:
    life.ws.lake.fold_in()
    life.run()


def _run(life: Life) -> None:
    life.run()


def _put_right(life: Life) -> None:
    _read_everybody_back(life)
    life.run()


def _read_everybody_back(life: Life) -> bool:
    """A person starts the DAG by hand while the CRM shows what Ute wrote."""
    if life.world.crm.shown["cyd"]["score"] != UTES:
        return False
    life.reconcile(everybody=True)
    return True


def _object(life: Life) -> None:
    note_objection(life.ws, "hubspot:gus", objects=True, at=life.now)
    life.run()


def _object_again(life: Life) -> bool:
    mine = select(tables.score.c.withheld).where(tables.score.c.lead == "hubspot:gus")
    with life.ws.ledger.reading() as connection:
        if connection.scalar(mine) == OBJECTION:
            return False
    note_objection(life.ws, "hubspot:gus", objects=True, at=life.now)
    return True


def _months_later(life: Life) -> None:
    life.now = MONTHS_LATER
    visit(life, "cyd", 1)


def _tidy(life: Life) -> None:
    maintain(life.ws, at=life.now, chunk=5)
    life.run()


def _tidy_again(life: Life) -> bool:
    maintain(life.ws, at=life.now, chunk=5)
    return False


GONE = frozenset({"eve"})
GUS = frozenset({"gus"})

CHAPTERS = (
    Chapter("first load", _first_load, _run),
    Chapter("crossing", _crossing, _run),
    Chapter("deliveries in trouble", _troubled, _later_runs),
    Chapter("opted out", lambda life: person(life.world, "ada", email_opt_out=True), _run),
    Chapter("armed again", lambda life: person(life.world, "ada"), _run),
    Chapter("rules edited", _edited, _run, points=12),
    Chapter("an old run cleared", lambda life: visit(life, "dan", 1), _clear_the_first, points=12),
    Chapter("merged", lambda life: person(life.world, "ada", merged=("bob",)), _run, points=12),
    Chapter("folded in", lambda life: visit(life, "dan", 1), _fold, points=12),
    Chapter("deleted", _deleted_while_owed, _run, points=12),
    Chapter("erased", lambda life: visit(life, "eve", 1), _erase_eve, _erase_again, 12, GONE),
    Chapter("rules held and released", _hold, _run_and_release, _release, 25, GONE),
    Chapter("a stage held and released", _held_stage, _run_and_release, _release, 25, GONE),
    Chapter("put right by hand", _tamper, _put_right, _read_everybody_back, 25, GONE),
    Chapter("objecting", lambda life: visit(life, "gus", 1), _object, _object_again, 25, GONE, GUS),
    Chapter("tidied months later", _months_later, _tidy, _tidy_again, 25, GONE, GUS),
)
