"""What a checked rules file says: frozen, typed, exact, and free of YAML.

Points are whole thousandths of a point everywhere; durations are whole days. Past the door
(`rescore.rules.load`) nobody checks a scorecard again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from rescore.rules.actions import Action, Deliver, OncePer


class Operator(StrEnum):
    """The closed list of comparisons; the value is the word in the rules file."""

    EQUALS = "equals"
    IN = "in"
    CONTAINS = "contains"
    CONTAINS_ANY = "contains_any"
    STARTS_WITH = "starts_with"
    STARTS_WITH_ANY = "starts_with_any"
    ENDS_WITH = "ends_with"
    ENDS_WITH_ANY = "ends_with_any"
    HAS_WORD = "has_word"
    HAS_ANY_WORD = "has_any_word"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    ABOVE = "above"
    BELOW = "below"
    BETWEEN = "between"
    IS = "is"
    EXISTS = "exists"
    NEWER_THAN = "newer_than"
    OLDER_THAN = "older_than"
    IN_LIST = "in_list"
    DOMAIN_IN_LIST = "domain_in_list"


class Kind(StrEnum):
    """How a field is read for one comparison; the literal decides."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    DATE = "date"
    ANY = "any"  # exists: whatever the column holds


Scalar = str | Decimal | bool | int
"""Text as written, a number as its exact decimal, a flag, or (newer_than, older_than) days."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against literals. `values` has one entry unless the operator takes a list.

    `between` has two values (inclusive). Text literals are kept as written; whoever compares
    folds them with `rescore.text.fold`. `in_list` and `domain_in_list` have the id of a `ValueList`.
    """

    field: str
    operator: Operator
    kind: Kind
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is; `AllOf(())` is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is false; a comparison with a missing value is false, so its `Not` is true."""

    part: Condition


Condition = Comparison | AllOf | AnyOf | Not

ALWAYS = AllOf(())


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a rule counts, applied in this order: `first`, `count` (with `per_day`), `points`.

    `points` is in thousandths and clamps the rule's sum to [-points, points].
    """

    first: bool = False
    count: int | None = None
    per_day: bool = False
    points: int | None = None


@dataclass(frozen=True, slots=True)
class HalfLife:
    """Worth halves every `days` days: w(age) = 0.5 ** (age / days)."""

    days: int


@dataclass(frozen=True, slots=True)
class Linear:
    """Worth falls in a straight line to nothing at `days`: w(age) = max(0, 1 - age / days)."""

    days: int


@dataclass(frozen=True, slots=True)
class Steps:
    """Worth is `keep` of the last step whose `after` (days) the age has reached, 1 before the first."""

    steps: tuple[tuple[int, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Decay:
    """How an activity's worth changes with age: a shape, and the age from which it is worth nothing."""

    shape: HalfLife | Linear | Steps | None = None
    expires: int | None = None


NO_LIMIT = Limit()
NO_DECAY = Decay()

Scope = Literal["lead", "account"]
"""Whose history a rule is about: the lead's own, or that of all leads of its account as if they were one."""


@dataclass(frozen=True, slots=True)
class _Named:
    """What every rule has: id, the label sales reads as a reason, its dimension, its line in the file."""

    id: str
    label: str
    dimension: str
    line: int


@dataclass(frozen=True, slots=True)
class ActivityRule(_Named):
    """Points for each matching activity, by its age, within a limit."""

    activities: tuple[str, ...]
    where: Condition
    points: int
    limit: Limit = NO_LIMIT
    decay: Decay = NO_DECAY
    scope: Scope = "lead"


@dataclass(frozen=True, slots=True)
class FrequencyRule(_Named):
    """Points once, if among the matching activities of the last `within` days enough are found.

    `measure` says what is counted: rows, different local days, different values of `field`, or (of an
    account) different people.
    """

    activities: tuple[str, ...]
    where: Condition
    measure: Literal["count", "days", "distinct", "people"]
    field: str | None
    at_least: int
    within: int
    points: int
    scope: Scope = "lead"


@dataclass(frozen=True, slots=True)
class SilenceRule(_Named):
    """Points once, if there is a matching activity and none in the last `none_within` days."""

    activities: tuple[str, ...]
    where: Condition
    none_within: int
    points: int
    scope: Scope = "lead"


@dataclass(frozen=True, slots=True)
class LeadRule(_Named):
    """Points once while a condition on the lead's attributes holds."""

    condition: Condition
    points: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a `first_of`; its label, where given, replaces the rule's in explanations."""

    when: Condition
    points: int
    label: str


@dataclass(frozen=True, slots=True)
class FirstOfRule(_Named):
    """The points of the first choice that holds, else nothing."""

    choices: tuple[Choice, ...]


Rule = ActivityRule | FrequencyRule | SilenceRule | LeadRule | FirstOfRule
ActivityBased = ActivityRule | FrequencyRule | SilenceRule


@dataclass(frozen=True, slots=True)
class Range:
    """Floor and ceiling in thousandths; None is unbounded."""

    floor: int | None = None
    ceiling: int | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    """A sub-score; outside the total when `in_total` is false."""

    id: str
    range: Range
    in_total: bool = True


@dataclass(frozen=True, slots=True)
class Band:
    """A labelled range of the total, from `bound` (thousandths, inclusive) up to the next band."""

    id: str
    bound: int


OnRulesChange = Literal["gate", "fire", "hold", "suppress"]


@dataclass(frozen=True, slots=True)
class Automation:
    """What to do when a committed score crosses: conditions are over `score`, `band` and dimension ids.

    The values compared are the rounded whole points; literals are `Kind.NUMBER` (`band`: `Kind.TEXT`).
    `unless` and `already_fired` are over the lead's attributes, and are answered where leads are scored.

    The policies: `on_rules_change` for crossings that only a rules change caused; `first_seen` for a lead's
    first score (None: by the direction in which `fire_when` looks); `already_past` for leads that satisfy
    `fire_when` when the automation appears; `already_fired` marks leads as fired once, when the automation
    meets them first; `cooldown` days after a firing and a `max_age` of days suppress; more crossings than
    `max_per_run` or `max_per_day` are held. Of one `group` only the last automation in the file's order
    fires in one commit. `once_per` suppresses what another lead of the same account has set off already;
    `deliver` says when what it sets off may be sent (None: at once, whatever happens).
    """

    id: str
    label: str
    fire_when: Condition
    ready_again_when: Condition | None
    actions: tuple[Action, ...]
    line: int
    on_rules_change: OnRulesChange = "gate"
    first_seen: Literal["fire", "ignore"] | None = None
    already_past: Literal["fire", "ignore"] = "ignore"
    already_fired: Condition | None = None
    unless: Condition | None = None
    cooldown: int | None = None
    max_age: int | None = None
    max_per_run: int | None = None
    max_per_day: int | None = None
    group: str | None = None
    once_per: OncePer | None = None
    deliver: Deliver | None = None

    @property
    def asks_leads(self) -> bool:
        """Whether stored scores are not enough to judge it: it asks about leads, or their accounts."""
        return bool(self.unless or self.already_fired or self.once_per)


@dataclass(frozen=True, slots=True)
class ValueList:
    """Values kept in a file of their own, one a line; `values` are folded, `path` is as the rules file says.

    As a list of domains an entry also stands for the domains below it.
    """

    id: str
    path: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grades:
    """Labelled ranges of dimensions, and one label that puts them together: `{fit}{engagement}` -> `A1`.

    Each dimension's bands run from the highest bound to the lowest; a lead below the lowest bound of one
    of them has no grade.
    """

    dimensions: tuple[tuple[str, tuple[Band, ...]], ...]
    label: str


@dataclass(frozen=True, slots=True)
class Restart:
    """The newest matching activity discounts to `keep` whatever rules of `dimensions` counted before it."""

    activities: tuple[str, ...]
    where: Condition
    dimensions: tuple[str, ...]
    keep: Fraction
    line: int


@dataclass(frozen=True, slots=True)
class Burst:
    """At least `count` matching activities, or so many values of `field`, in a span of `within` seconds."""

    count: int
    within: int
    field: str | None = None


@dataclass(frozen=True, slots=True)
class SoonAfter:
    """At most `within` seconds after such an activity of the same lead, or at the same instant."""

    activities: tuple[str, ...]
    within: int


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """Activities of a lead that count for nothing: those that match, or those of them in a `pattern`."""

    id: str
    label: str
    activities: tuple[str, ...]
    where: Condition
    line: int
    pattern: Burst | SoonAfter | None = None


@dataclass(frozen=True, slots=True)
class ExampleActivity:
    """One activity of an example; `at` is aware UTC."""

    type: str
    at: datetime
    fields: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: these activities and attributes give these numbers.

    `expect` maps `score`, `band`, dimension or rule ids to the expected value (whole points for
    score and dimensions, thousandths as a Decimal of points for rules, a label or None for band).
    `colleagues` are what each other lead of the same account did.
    """

    name: str
    as_of: datetime
    lead: tuple[tuple[str, Scalar], ...]
    activities: tuple[ExampleActivity, ...]
    expect: tuple[tuple[str, Scalar | None], ...]
    line: int
    colleagues: tuple[tuple[ExampleActivity, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One checked rules file.

    `bands` run from the highest bound to the lowest; a lead for whom `audience` is false has no score.
    """

    id: str
    description: str
    timezone: ZoneInfo
    total: Range
    dimensions: tuple[Dimension, ...]
    rules: tuple[Rule, ...]
    audience: Condition
    bands: tuple[Band, ...]
    automations: tuple[Automation, ...]
    examples: tuple[Example, ...] = ()
    lists: tuple[ValueList, ...] = ()
    grades: Grades | None = None
    restart: Restart | None = None
    quarantine: tuple[QuarantineEntry, ...] = ()
