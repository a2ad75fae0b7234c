"""A plan as frozen data: what putting a rules version in force would do, in counts and in examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from rescore.policy.limits import AutomationMeasure, Measures, Verdict
from rescore.rules.card import OnRulesChange
from rescore.scoring.explanation import Explanation
from rescore.scoring.held import Held

Wakes = Literal["scoring", "thresholds", "wording"]
Change = Literal["same", "edited", "new", "removed"]

NO_BAND, NO_SCORE = "no band", "no score"
"""How a plan calls the lack of a band: below the lowest, and outside the audience."""

OTHER = "other"
"""The group of a split that takes what is not among the most frequent values; `NO_VALUE` has none."""
NO_VALUE = "no value"


@dataclass(frozen=True, slots=True)
class Version:
    """One side of a plan: its number where it is registered, and a hash of what its rules mean."""

    number: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Leads:
    """How many leads there are, and what becomes of them, under the old rules against the new ones.

    `changed` differ in score, band, grade or a dimension, by whole points; `up` and `down` are those whose
    score moves. `banded` have a band under the old rules, `band_moves` of them get another one or none,
    `first_bands` have only one under the new rules. `joined` get a score, `left` lose theirs. The means are
    over the leads that have a score.
    """

    everybody: int
    scored_old: int
    scored_new: int
    changed: int
    up: int
    down: int
    joined: int
    left: int
    banded: int
    band_moves: int
    first_bands: int
    mean_old: float
    mean_new: float


@dataclass(frozen=True, slots=True)
class Bar:
    """So many leads change by `low` to `high` points, both included; a bar never mixes up with down."""

    low: int
    high: int
    leads: int


@dataclass(frozen=True, slots=True)
class BandMatrix:
    """Leads by old and new band; `leads[i][j]` go from `old[i]` to `new[j]`.

    Bands run from the highest to the lowest, then `NO_BAND` and `NO_SCORE`.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    leads: tuple[tuple[int, ...], ...]

    @property
    def lost(self) -> int:
        """How many leads have a band under the old rules and none under the new ones."""
        without = (NO_BAND, NO_SCORE)
        return sum(
            count
            for old, row in zip(self.old, self.leads, strict=True)
            for new, count in zip(self.new, row, strict=True)
            if old not in without and new in without
        )


@dataclass(frozen=True, slots=True)
class Week:
    """One week of the replay, up to `until`: how often each version would have fired, and got ready again."""

    until: datetime
    old: int
    new: int
    old_ready: int
    new_ready: int


@dataclass(frozen=True, slots=True)
class AutomationEffect:
    """What happens to one automation.

    `fires` and the three counts after it are what the rescore sets off now: `by_rules` of them the old rules
    would not have fired at the same moment. `ready_again` leads come back below, `started_fired` begin as
    fired. `old_fires` would fire now without the change. `suppressed` counts crossings by reason.
    `upward` automations look for leads that rise, the others for leads that fall.
    `usual_daily` fired a day lately, `fired_today` in the last 24 hours; `cancelled` deliveries are still
    due and would be taken back with a removed automation. `limit` crossings may fire without asking, when it
    is judged by its number. `weeks` are those of the replay, the oldest first, and scaled up from its sample.
    """

    id: str
    label: str
    change: Change
    upward: bool
    fires: int
    by_rules: int
    ready_again: int
    started_fired: int
    old_fires: int
    suppressed: Mapping[str, int]
    usual_daily: float
    fired_today: int
    cancelled: int
    limit: int | None
    over_limit: bool
    on_rules_change: OnRulesChange
    max_per_run: int | None
    max_per_day: int | None
    weeks: tuple[Week, ...]

    @property
    def a_week(self) -> int:
        """How many more (or fewer) crossings a week, by the replay."""
        return round(sum(week.new - week.old for week in self.weeks) / max(1, len(self.weeks)))


@dataclass(frozen=True, slots=True)
class Replay:
    """Who was replayed: `leads` of `everybody`, chosen by a hash; the same where nobody was left out."""

    leads: int
    everybody: int

    @property
    def sampled(self) -> bool:
        """Whether the figures of the replay are estimates."""
        return self.leads < self.everybody


@dataclass(frozen=True, slots=True)
class TargetEffect:
    """What a CRM gets to see: `leads` written, `fields` each, in `calls`, which take about `seconds`.

    In mode `shadow` nothing is written, and the numbers say what would be.
    """

    target: str
    mode: Literal["live", "shadow"]
    leads: int
    fields: tuple[str, ...]
    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """To how many leads a rule gives points, and how many in all (thousandths)."""

    leads: int
    points: int


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """One rule under both versions; None where the version does not have it."""

    id: str
    label: str
    dimension: str
    change: Change
    old: Contribution | None
    new: Contribution | None

    @property
    def dead(self) -> bool:
        """Whether the rule is there and gives nobody anything."""
        return self.new is not None and not self.new.leads


@dataclass(frozen=True, slots=True)
class QuarantineEffect:
    """How many activities of how many leads are in quarantine under the old rules and under the new ones."""

    old: Held
    new: Held


@dataclass(frozen=True, slots=True)
class Group:
    """The leads that share one value of the attribute a plan is split by.

    `old_bands` and `new_bands` count leads by band, `fires` crossings by automation.
    """

    value: str
    leads: int
    changed: int
    up: int
    down: int
    band_moves: int
    old_bands: Mapping[str, int]
    new_bands: Mapping[str, int]
    fires: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Split:
    """The effect by one attribute: its most frequent values, then `OTHER` and `NO_VALUE`."""

    attribute: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class LeadExample:
    """One lead that changes, accounted for under both versions."""

    lead: str
    old: Explanation
    new: Explanation


@dataclass(frozen=True, slots=True)
class Examples:
    """Leads by name: the largest changes up and down, and some drawn at random.

    They are lead data: fit for a file or a page behind a login, for no log and no database of Airflow's.
    """

    up: tuple[LeadExample, ...] = ()
    down: tuple[LeadExample, ...] = ()
    random: tuple[LeadExample, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What putting `new` in force in place of `old` would do, as of one moment, on one state of the facts.

    `plan_hash` identifies old, new, snapshot and as_of. `wakes` is the strongest part of the fingerprint
    that moves, None when nothing does. `changes` are the edits in sentences. `snapshot` holds the versions of
    the lake's tables, or hashes of files. `activation_seq` and `input_ver` say what was in force and landed
    when the plan was made, None without a ledger. `unreachable` are sentences about thresholds that no
    lead can reach. `quarantine` is told where the two sides differ about it.
    """

    plan_hash: str
    scorecard: str
    old: Version
    new: Version
    wakes: Wakes | None
    as_of: datetime
    snapshot: Mapping[str, int | str]
    activation_seq: int | None
    input_ver: int | None
    made_at: datetime
    made_by: str
    changes: tuple[str, ...]
    leads: Leads
    histogram: tuple[Bar, ...]
    bands: BandMatrix
    automations: tuple[AutomationEffect, ...]
    replay: Replay | None
    targets: tuple[TargetEffect, ...]
    rules: tuple[RuleEffect, ...]
    unreachable: tuple[str, ...]
    split: Split | None
    verdict: Verdict
    examples: Examples
    quarantine: QuarantineEffect | None = None

    def opening_line(self) -> str:
        """`+14 mql a week, 310 leads change band, 12 get their first, 4 calls to hubspot`."""
        return ", ".join(self._news()) or "nothing changes"

    def measures(self) -> Measures:
        """The counts that the gate judges."""
        return Measures(
            banded=self.leads.banded,
            band_moves=self.leads.band_moves,
            first_bands=self.leads.first_bands,
            automations=tuple(
                AutomationMeasure(
                    automation=automation.id,
                    crossings=automation.fires,
                    by_rules=automation.by_rules,
                    usual_daily=automation.usual_daily,
                    fired_today=automation.fired_today,
                    max_per_run=automation.max_per_run,
                    max_per_day=automation.max_per_day,
                    on_rules_change=automation.on_rules_change,
                    cancelled=automation.cancelled,
                )
                for automation in self.automations
            ),
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything, lead data included, as plain values for `plan.json`."""
        plain: dict[str, Any] = _PLAN.dump_python(self, mode="json")
        return plain

    @staticmethod
    def from_json(text: bytes) -> Plan:
        """The plan that `as_dict` was made of."""
        return _PLAN.validate_json(text)

    def summary(self) -> dict[str, Any]:
        """Counts and verdict, fit for the ledger, a log and XCom: no lead, no attribute's value."""
        return {
            "plan_hash": self.plan_hash,
            "scorecard": self.scorecard,
            "old_version": self.old.number,
            "new_version": self.new.number,
            "wakes": self.wakes,
            "as_of": self.as_of.isoformat(),
            "opening_line": self.opening_line(),
            "changed": self.leads.changed,
            "measures": self.measures().as_json(),
            "calls": {target.target: target.calls for target in self.targets if target.mode == "live"},
            "reasons": list(self.verdict.reasons),
        }

    def _news(self) -> Iterator[str]:
        moved = sorted(self.automations, key=lambda automation: -abs(automation.a_week))
        for automation in moved[:3]:
            if automation.a_week:
                yield f"{automation.a_week:+,} {automation.id} a week"
        if self.leads.band_moves or self.leads.first_bands:
            yield from self._news_of_bands()
        elif self.leads.changed:
            yield _counted(self.leads.changed, "lead changes score", "leads change score")
        for target in self.targets:
            if target.mode == "live" and target.calls:
                yield _counted(target.calls, f"call to {target.target}", f"calls to {target.target}")
        if over := len(self.verdict.automations):
            yield _counted(over, "automation over its limit", "automations over their limit")

    def _news_of_bands(self) -> Iterator[str]:
        moves, lost, first = self.leads.band_moves, self.bands.lost, self.leads.first_bands
        if moves and moves == lost:
            yield _counted(moves, "lead loses its band", "leads lose their band")
        elif moves:
            some = f" ({_counted(lost, 'loses it', 'lose it')})" if lost else ""
            yield _counted(moves, "lead changes band", "leads change band") + some
        if first and moves:
            yield _counted(first, "gets its first", "get their first")
        elif first:
            yield _counted(first, "lead gets its first band", "leads get their first band")


_PLAN = TypeAdapter(Plan)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
