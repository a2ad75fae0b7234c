"""What may happen to a deployment that nobody has scripted, and a small model of what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rescore.errors import RescoreError
from rescore.lake.records import ActivityRecord
from rescore.ledger.rules import activations, holds, registry
from rescore.pipeline.holds import decide
from tests.faults.invariants import NOTHING, Forgotten, violations
from tests.faults.life import LONGER_THAN_ANY_LEASE, Life
from tests.faults.story_files import MAPPING, POLICY, RULES

SCORECARD = "b2b_saas"
POINTS = (6, 10, 20, 30)
DAYS = 10
WIDE, TIGHT = 200, 1
MOST_ANSWERS = 3
BERLIN = ZoneInfo("Europe/Berlin")


def rules(points: int) -> str:
    """A scorecard in which a view of the pricing page is worth so much, and less every day."""
    return RULES.replace("points: 10}", f"points: {points}, decay: {{linear: {DAYS}d}}}}")


@dataclass
class Model:
    """What everybody is worth, from what has happened alone, by arithmetic on a slip of paper."""

    directors: dict[str, bool] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    views: list[tuple[str, datetime]] = field(default_factory=list)

    def alive(self, lead: str) -> bool:
        """Whether the CRM has such a record."""
        return lead not in self.deleted and lead not in self.merged

    def scores(self, now: datetime, points: int) -> dict[str, int | None]:
        """In whole points: a view loses a tenth each day, half a point counts as one."""
        today = now.astimezone(BERLIN).date()
        tenths = dict.fromkeys(self.directors, 0)
        for lead, at in self.views:
            while lead in self.merged:
                lead = self.merged[lead]
            tenths[lead] += points * max(0, DAYS - (today - at.astimezone(BERLIN).date()).days)
        found: dict[str, int | None] = {}
        for lead in self.directors.keys() - self.merged.keys():
            total = tenths[lead] + 200 * self.directors[lead] - 400 * (lead in self.opted_out)
            found[lead] = None if lead in self.deleted else min(500, (max(0, total) + 5) // 10)
        return found


class Happenings:
    """One life and its model; whatever happens, happens to both."""

    def __init__(self, life: Life, model: Model) -> None:
        self.life, self.model = life, model

    def view(self, lead: str, *, number: int = 1, days_ago: int = 0) -> None:
        """Somebody looks at the pricing page, or has; the CRM tells only now."""
        at = self.life.now - timedelta(days=days_ago)
        for _ in range(number if self.model.alive(lead) else 0):
            id_ = f"view-{len(self.model.views)}"
            self.life.world.crm.put_activity(ActivityRecord(id_, lead, "page_view", at, asset="/pricing"))
            self.model.views.append((lead, at))

    def say(self, lead: str, *, director: bool = False, opted_out: bool = False) -> None:
        """The CRM says what it knows of somebody: a new lead, a change, or one that was deleted is back."""
        if lead in self.model.merged:
            return
        self.model.deleted.discard(lead)
        self.model.directors[lead] = director
        (self.model.opted_out.add if opted_out else self.model.opted_out.discard)(lead)
        self._tell(lead)

    def delete(self, lead: str) -> None:
        """Somebody deletes a record."""
        if self.model.alive(lead):
            self.model.deleted.add(lead)
            self.life.world.crm.delete(lead)

    def merge(self, lost: str, left: str) -> None:
        """Somebody merges two records."""
        if lost != left and self.model.alive(lost) and self.model.alive(left):
            self.model.merged[lost] = left
            self._tell(left, merged=(lost,))

    def edit_in_crm(self, lead: str, value: str | None) -> None:
        """Somebody writes over a score by hand."""
        if self.model.alive(lead):
            self.life.world.crm.edit(lead, "score", value, at=self.life.now, by="ute")

    def edit_rules(self, points: int) -> None:
        """Somebody saves other rules."""
        self.life.write(f"rules/{SCORECARD}.yaml", rules(points))

    def set_limits(self, band_moves: int) -> None:
        """Somebody saves another policy."""
        self.life.write("policy.yaml", POLICY % band_moves)

    def pause(self, paused: bool) -> None:
        """Somebody pauses the scorecard, or lets it go on."""
        change = activations.pause if paused else activations.resume
        with self.life.ws.ledger.transaction() as connection:
            change(connection, SCORECARD, at=self.life.now, by="rita")

    def answer(self, answer: holds.Answer, *, at_most: int = 10) -> bool:
        """A person answers what is asked, oldest first; whether there was anything."""
        with self.life.ws.ledger.reading() as connection:
            asked = holds.open_holds(connection)[:at_most]
        for hold in asked:
            try:
                decide(self.life.ws, hold.hold_id, answer, by="rita", at=self.life.now)
            except RescoreError as error:  # it is over meanwhile, or made again and held anew
                self.life.trouble.append(str(error))
        return bool(asked)

    def problems(self, forgotten: Forgotten = NOTHING) -> list[str]:
        """Let faults stop, questions be answered and time go on; then look at every promise."""
        self.life.world.crm.failures.clear()
        self.life.world.crm.rooms.clear()
        self.life.world.receiver.answers.clear()
        self.set_limits(WIDE)
        self.life.reopen()
        self.life.now += LONGER_THAN_ANY_LEASE
        self.pause(False)
        for _ in range(MOST_ANSWERS):
            self.life.run()
            if not self.answer("release"):
                break
        self.life.reconcile(everybody=True)
        if not self.life.settle():
            return ["the runs do not come to rest"]
        truth = self._truth()
        return violations(self.life.ws, self.life.world, now=self.life.now, truth=truth, forgotten=forgotten)

    def _truth(self) -> dict[str, int | None]:
        """By the model; which rules are in force is the ledger's word, for a person may have refused some."""
        with self.life.ws.ledger.reading() as connection:
            active = activations.active(connection, SCORECARD)
            assert active is not None
            body = registry.version(connection, SCORECARD, active.version_seq).body.decode()
        [points] = [points for points in POINTS if f"points: {points}, decay" in body]
        return self.model.scores(self.life.now, points)

    def _tell(self, lead: str, merged: tuple[str, ...] = ()) -> None:
        title = "Director of Sales" if self.model.directors[lead] else "Developer"
        attributes = {"job_title": title, "email_opt_out": lead in self.model.opted_out}
        self.life.world.crm.put_lead(lead, attributes, merged=merged)


def first_load(life: Life, leads: tuple[str, ...]) -> Happenings:
    """Everybody is known and scored, nobody has done anything yet."""
    happenings = Happenings(life, Model())
    life.write("mappings/hubspot.yaml", MAPPING)
    happenings.edit_rules(POINTS[1])
    happenings.set_limits(WIDE)
    for lead in leads:
        happenings.say(lead)
    life.run()
    return happenings
