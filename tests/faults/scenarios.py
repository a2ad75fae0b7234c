"""What scenarios share: the world around their ledger, who may act in it, and what must hold in the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection, select

from rescore.connectors.base import ScoreUpdate, WriteResult
from rescore.connectors.catalog import load_mapping
from rescore.delivery.automations import run_automations
from rescore.delivery.crm import LEASE, update_crm
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable
from rescore.ledger import tables
from rescore.ledger.promotion import promotion
from rescore.ledger.rules import activations
from rescore.ledger.scores import runs
from rescore.ledger.scores.runs import Run
from rescore.model import split_lead_key
from rescore.pipeline.reconcile import read_back, rescue
from rescore.rules.card import ActivityRule
from tests.delivery.conftest import MAPPING as MAPPING_FILE
from tests.faults import invariants
from tests.faults.turns import Scene
from tests.faults.world import LoggedCrm
from tests.faults.world import World as Told
from tests.ledger.world import MONDAY, World

KEEPS = b"    manual_edits: {score: {keep: 30d}}\n    reasons:"
MAPPING = load_mapping(MAPPING_FILE.replace(b"    reasons:", KEEPS), "crm.yaml")
SCORECARD = "b2b"
BEYOND_A_LEASE = LEASE + timedelta(minutes=5)

Act = Callable[[Scene], None]


class TroubledCrm(LoggedCrm):
    """A CRM whose next calls fail as `troubles` say, one each; the answer to a `lost` one is not heard."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "crm"
        self.troubles: list[str] = []

    def write(self, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
        """See `Target.write`."""
        lost = self.troubles[:1] == ["lost"]
        written = super().write(updates)
        if lost:
            raise CrmUnavailable("no answer", sent=True)
        return written

    def _fail_when_told(self) -> None:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == "quota":
            raise CrmRateLimited("a limit is reached", retry_after=600)
        if trouble == "auth":
            raise CrmRejectedCredentials("the token is not valid")


class Surroundings(Told):
    """The CRM, receivers, a clock, what has landed (lead, when, how often), and which answers were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.crm = TroubledCrm()
        self.now: datetime = MONDAY
        self.facts: list[tuple[str, datetime, int]] = []
        self.merged: dict[str, str] = {}
        self.taken: list[tuple[str, str]] = []

    def state(self) -> object:
        """Without the logs of what was said: nobody acts upon them."""
        return (
            sorted((lead, sorted(map(repr, fields.items()))) for lead, fields in self.crm.shown.items()),
            sorted(map(repr, self.crm._edits.items())),
            self.crm.troubles,
            sorted(self.facts),
            sorted(self.merged.items()),
            sorted(self.taken),
            sorted((id_, sorted(bodies)) for id_, bodies in self.receiver.bodies.items()),
            sorted(self.mailbox.letters.items()),
            [str(answer) for answer in self.receiver.answers],
        )


def world(scene: Scene) -> World:
    """The ledger's own small world, at the present of the scene."""
    return World(scene.ledger, now=scene.now)


def first_load(scene: Scene, **scores: int | None) -> World:
    """Leads `1`, `2` ... with first scores, shown by the CRM."""
    ledger = world(scene)
    ledger.first_load(**{f"crm:{lead}": score for lead, score in scores.items()})
    for lead in scores:
        scene.outside.crm.put_lead(lead, {})
    scene.outside.now = ledger.now
    send(scene)
    return ledger


# ── who acts ─────────────────────────────────────────────────────────────────────────────────────────


def send(scene: Scene) -> None:
    """`update_crm`, as a task runs it."""
    crm = scene.slow("crm")

    def merged(leads: Collection[str]) -> Mapping[str, str]:
        known = scene.outside.merged
        scene.saw(known)
        return {lost: left for lost, left in known.items() if lost in leads}

    update_crm(scene.ledger, crm, mapping=MAPPING, now=scene.now, worker="w", merged=merged)


def deliver(scene: Scene) -> None:
    """`run_automations`, as a task runs it."""
    senders = {"webhook": scene.slow("receiver"), "email": scene.slow("mailbox")}
    run_automations(scene.ledger, senders, now=scene.now, worker="w")


def sweep(scene: Scene) -> None:
    """The hourly DAG: it writes nothing itself."""
    rescue(scene.ledger, now=scene.now)
    read_back(scene.ledger, scene.slow("crm"), mapping=MAPPING, now=scene.now)


def clock(jumps: int = 1, by: timedelta = BEYOND_A_LEASE) -> Act:
    """Everybody stands still for longer than a lease lasts, so often."""

    def act(scene: Scene) -> None:
        for _ in range(jumps):
            scene.pause()
            scene.outside.now += by

    return act


# ── what must hold ───────────────────────────────────────────────────────────────────────────────────


def crm_is_right(scene: Scene) -> bool:
    """Whether the CRM shows every score of record that nothing is known to keep from it."""
    with scene.ledger.reading() as connection:
        return not list(not_shown(connection, scene))


def not_shown(connection: Connection, scene: Scene) -> Iterator[str]:
    """Where the CRM does not show the score of record, and no named state says why."""
    score, sync = tables.score, tables.sync
    rows = connection.execute(
        select(
            *(score.c[name] for name in ("lead", "score", "ver")),
            *(sync.c[name] for name in ("state", "want_ver", "acked_ver")),
        ).outerjoin(sync, (sync.c.lead == score.c.lead) & (sync.c.scorecard == score.c.scorecard))
    )
    for row in rows:
        _, lead = split_lead_key(row.lead)
        if row.state in ("settled", "overridden") and row.acked_ver < row.want_ver:
            yield f"{row.lead} is {row.state} and version {row.want_ver} was never sent"
        if row.ver == 0 or row.state in ("overridden", "deleted"):
            continue
        shown = scene.outside.crm.shown.get(lead, {}).get("my_score")
        if shown != row.score:
            yield f"{row.lead} has {row.score} points and the CRM shows {shown} ({row.state})"
        elif row.state != "settled":
            yield f"{row.lead} is shown as it should be and still {row.state}"


def everything_settles(scene: Scene) -> list[str]:
    """Let the sweep and the next runs come, and look at every promise that has to do with the world."""
    scene.outside.now += BEYOND_A_LEASE
    sweep(scene)
    send(scene)
    deliver(scene)
    with scene.ledger.reading() as connection:
        found = [*not_shown(connection, scene), *invariants.one_delivery_per_crossing(connection)]
        outside = scene.outside
        found += invariants.deliveries_arrived_once(connection, outside.receiver, outside.mailbox)
        found += held_by_the_dead(connection, scene)
    return found


def held_by_the_dead(connection: Connection, scene: Scene) -> Iterator[str]:
    """Leases that are over and were not given back."""
    for table in (tables.sync, tables.delivery):
        if connection.scalar(select(table.c.lease_by).where(table.c.lease_until <= scene.now)):
            yield f"a row of {table.name} is held by a lease that is over"


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────


def worth(connection: Connection, run: Run, scene: Scene) -> dict[str, int]:
    """What everybody is worth to a run, by an arithmetic of our own: facts times the points of its rules."""
    [rule] = activations.card_of(connection, SCORECARD, run.activation_seq).rules
    assert isinstance(rule, ActivityRule)
    scores: dict[str, int] = {}
    for lead, at, number in scene.outside.facts:
        left = scene.outside.merged.get(lead, lead)
        scores[left] = scores.get(left, 0) + rule.points // 1000 * number * (at <= run.as_of)
    return scores


def score(scene: Scene, key: str, as_of: datetime, *, kind: str = runs.INCREMENTAL) -> Run:
    """The steps `score` and `deltas` of a run: pins and marks first, facts second."""
    ledger = world(scene)
    run = ledger.start(kind, as_of=as_of, key=key)
    with scene.ledger.reading() as connection:
        leads = None if run.full else runs.dirty_leads(connection, SCORECARD)
    with scene.one_step(), scene.ledger.reading() as connection:
        found = worth(connection, run, scene)
    scene.saw(found)
    chosen = found if leads is None else {lead: found[lead] for lead in leads if lead in found}
    run = ledger.stage(run, chosen)
    with scene.ledger.transaction() as connection:
        runs.settle_absent(connection, run)
    return run


def promote(scene: Scene, run: Run, *, chunk: int = 1) -> None:
    """The step `gate` of a run that nothing holds."""
    with scene.one_step(), scene.ledger.reading() as connection:
        card = activations.card_of(connection, SCORECARD, run.activation_seq)
    promotion.promote(scene.ledger, run, card, at=scene.now, targets=["crm"], chunk=chunk)


def lands(scene: Scene, lead: str, at: datetime, number: int) -> None:
    """A fact arrives: first in the lake, then its lead is marked."""
    scene.pause()
    scene.outside.facts.append((lead, at, number))
    world(scene).land(lead, at=at)


def next_runs(scene: Scene) -> list[str]:
    """Let the next runs come until no lead is dirty; what is wrong with the record then."""
    for number in range(4):
        scene.outside.now += timedelta(minutes=15)
        with scene.ledger.reading() as connection:
            active = activations.active(connection, SCORECARD)
            dirty = runs.dirty_leads(connection, SCORECARD)
        assert active is not None
        if not dirty and active.rescored_at is not None:
            break
        kind = runs.INCREMENTAL if active.rescored_at is not None else runs.RESCORE
        promote(scene, score(scene, f"after-{number}", scene.now, kind=kind))
    with scene.ledger.reading() as connection:
        return [*record_is_true(connection, scene), *record_never_went_back(connection)]


def record_is_true(connection: Connection, scene: Scene) -> Iterator[str]:
    """Contract 1, first half, by the arithmetic of `worth`."""
    active = activations.active(connection, SCORECARD)
    assert active is not None
    present = replace(NO_RUN, activation_seq=active.activation_seq, as_of=scene.now)
    table = tables.score
    record = {row.lead: row.score for row in connection.execute(select(table.c.lead, table.c.score))}
    for lead, points in sorted(worth(connection, present, scene).items()):
        if record.get(lead) != points:
            yield f"{lead} is worth {points} and has {record.get(lead)} points of record"
    if dirty := runs.dirty_leads(connection, SCORECARD):
        yield f"{len(dirty)} leads stay dirty"


def record_never_went_back(connection: Connection) -> Iterator[str]:
    """Contract 3, in the ledger: versions of a lead come from ever newer runs, each from the one before."""
    delta = tables.delta
    rows = connection.execute(select(delta).order_by(delta.c.lead, delta.c.ver)).all()
    for before, after in pairwise(rows):
        if before.lead != after.lead:
            continue
        if (after.activation_seq, after.as_of) < (before.activation_seq, before.as_of):
            yield f"{after.lead} went from a score as of {before.as_of} back to one as of {after.as_of}"
        if after.old_score != before.new_score:
            yield f"{after.lead} went from {before.new_score} to {after.old_score} without a delta"


NO_RUN = Run("", SCORECARD, runs.INCREMENTAL, 0, None, MONDAY, 0, 0, "", None, {}, MONDAY, None)
