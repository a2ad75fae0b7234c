"""The shape of one rule: exactly one of five, with its limit and its decay."""

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from rescore.rules.card import Scope
from rescore.rules.conditions import FactsCondition
from rescore.rules.names import Id, Label, Names
from rescore.rules.values import Days, Points, PositivePoints, Share
from rescore.strict.messages import described
from rescore.strict.model import StrictMap, did_you_mean, nearest, refuse

MAX_TYPE = 100
PERSON = "lead"
"""What `distinct` names to count people."""


class LimitFile(StrictMap):
    """How much of a rule counts."""

    misplaced: ClassVar = {
        "per_day": "`per_day` is not a key; write `{count: 3, per: day}`",
        "max": "`max` is not a key; write `count` for activities or `points` for points",
    }

    first: bool | None = Field(None, description="Only the oldest matching activity counts.")
    count: int | None = Field(None, ge=1, le=1_000_000, description="Only the newest so many count.")
    per: Literal["day"] | None = Field(None, description="`count` holds for each local day.")
    points: PositivePoints | None = Field(
        None, description="The rule's sum stays between -points and points."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.model_fields_set:
            refuse("`limit` is empty; write `{count: 6}`, `{points: 30}` or `{first: true}`")
        if self.first is False:
            refuse("`first` cannot be `false`; write true, or take it out", "first")
        if self.first and self.count is not None:
            refuse("`first` and `count` cannot go together; keep one of them", "first")
        if self.per and self.count is None:
            refuse("`per: day` needs `count`; write `{count: 3, per: day}`", "per")
        return self


class StepFile(StrictMap):
    """From an age on, this share is kept."""

    after: Days
    keep: Share


class DecayFile(StrictMap):
    """How the points of one activity shrink with its age."""

    half_life: Days | None = Field(None, description="Worth halves every so many days.")
    linear: Days | None = Field(None, description="Worth falls in a straight line to nothing at this age.")
    steps: list[StepFile] | None = Field(None, min_length=1, description="Worth by age, in steps.")
    expires: Days | None = Field(None, description="Worth nothing from this age on.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        shapes = [name for name in ("half_life", "linear", "steps") if getattr(self, name) is not None]
        if not self.model_fields_set:
            refuse("`decay` is empty; write `{half_life: 14d}`, or take it out")
        if len(shapes) > 1:
            refuse(f"`{shapes[0]}` and `{shapes[1]}` cannot go together; keep one of them", shapes[1])
        ages = [step.after for step in self.steps or []]
        for index, (age, next_age) in enumerate(pairwise(ages)):
            if next_age <= age:
                refuse("`after` must grow from step to step; sort the steps", "steps", index + 1, "after")
        return self


class FrequencyFile(StrictMap):
    """How often, within how many days."""

    count: int | None = Field(
        None, ge=1, le=1_000_000, description="So many activities, or different values."
    )
    days: int | None = Field(None, ge=1, description="On so many different local days.")
    distinct: str | None = Field(
        None, min_length=1, description="Count the different values of this field; `lead`: the people."
    )
    within: Days

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.count is None) == (self.days is None):
            refuse("`frequency` needs either `count` or `days`; write `{days: 3, within: 7d}`")
        if self.distinct is not None and self.days is not None:
            refuse(
                "`distinct` goes with `count`; write `{distinct: asset, count: 3, within: 7d}`", "distinct"
            )
        if self.days is not None and self.days > self.within:
            refuse(f"`days` is {self.days}, more than `within` has; write at most {self.within}", "days")
        return self


def declared(dimension: str, info: ValidationInfo) -> str:
    """Refuse a dimension that the file does not have."""
    names = info.context or Names()
    if names.dimensions and dimension not in names.dimensions:
        refuse(f"there is no dimension `{dimension}`; {did_you_mean(dimension, names.dimensions)}")
    return dimension


def _types(value: Any) -> tuple[str, ...]:
    types = value if isinstance(value, list) else [value]
    if not types:
        refuse("`activity` is empty; write at least one activity type")
    seen: set[str] = set()
    for index, name in enumerate(types):
        path = (index,) if isinstance(value, list) else ()
        if not isinstance(name, str) or not 0 < len(name) <= MAX_TYPE:
            refuse(f"an activity type is a text, not {described(name)}; write one such as `page_view`", *path)
        if name in seen:
            refuse(f"`{name}` is listed twice; keep one", *path)
        seen.add(name)
    return tuple(types)


ACTIVITY_TYPE = {"type": "string", "minLength": 1, "maxLength": MAX_TYPE}
Activities = Annotated[
    tuple[str, ...],
    PlainValidator(_types),
    WithJsonSchema(
        {
            "description": "One activity type or a list of them.",
            "anyOf": [
                ACTIVITY_TYPE,
                {"type": "array", "items": ACTIVITY_TYPE, "minItems": 1, "uniqueItems": True},
            ],
        }
    ),
]


class _RuleFile(StrictMap):
    not_yet: ClassVar = frozenset({"minimum_change"})

    id: Id
    label: Label | None = Field(None, description="What sales reads as a reason.")
    dimension: Annotated[str, AfterValidator(declared)]


NO_SCOPE = {"scope": "`scope` goes with rules about activities; take it out"}
Scoped = Annotated[Scope, Field(description="Whose history counts: the lead's own, or its whole account's.")]
ONLY_ACTIVITY = "`{}` goes with rules of `activity` and `points` alone; take it out"


class ActivityRuleFile(_RuleFile):
    """Points for each matching activity."""

    misplaced: ClassVar = {
        "expires": "`expires` belongs under `decay`; write `decay: {expires: 90d}`",
        "half_life": "`half_life` belongs under `decay`; write `decay: {half_life: 14d}`",
        "within": "`within` belongs under `frequency`; write `frequency: {count: 3, within: 7d}`",
        "first": "`first` belongs under `limit`; write `limit: {first: true}`",
        "count": "`count` belongs under `limit` or `frequency`; write `limit: {count: 6}`",
        "when": "`when` belongs into a `first_of`; write `where` for the fields of an activity",
    }

    activity: Activities
    where: FactsCondition | None = None
    points: Points
    limit: LimitFile | None = None
    decay: DecayFile | None = None
    scope: Scoped = "lead"


class FrequencyRuleFile(_RuleFile):
    """Points once, when it happened often enough lately."""

    misplaced: ClassVar = {key: ONLY_ACTIVITY.format(key) for key in ("limit", "decay")}

    activity: Activities
    where: FactsCondition | None = None
    frequency: FrequencyFile
    points: Points
    scope: Scoped = "lead"

    @model_validator(mode="after")
    def _people_are_of_an_account(self) -> Self:
        if self.frequency.distinct == PERSON and self.scope == "lead":
            refuse(
                "`distinct: lead` counts the people of an account; write `scope: account` beside it",
                *("frequency", "distinct"),
            )
        return self


class SilenceRuleFile(_RuleFile):
    """Points once, when it happened before and not lately."""

    misplaced: ClassVar = {key: ONLY_ACTIVITY.format(key) for key in ("limit", "decay")}

    activity: Activities
    where: FactsCondition | None = None
    none_within: Days
    points: Points
    scope: Scoped = "lead"


class LeadRuleFile(_RuleFile):
    """Points while a condition on the lead's attributes holds."""

    misplaced: ClassVar = {
        **{key: ONLY_ACTIVITY.format(key) for key in ("limit", "decay")},
        **NO_SCOPE,
        "activity": "`activity` and `lead` cannot go together; make two rules of them",
        "where": "`where` is for activities; put the condition under `lead`",
    }

    lead: FactsCondition
    points: Points


class ChoiceFile(StrictMap):
    """One entry of a `first_of`."""

    when: FactsCondition
    points: Points
    label: Label | None = None


class FirstOfRuleFile(_RuleFile):
    """The points of the first entry that holds."""

    misplaced: ClassVar = {
        **{key: ONLY_ACTIVITY.format(key) for key in ("limit", "decay")},
        **NO_SCOPE,
        "points": "`points` belongs into each entry of `first_of`; take it out here",
        "activity": "`activity` and `first_of` cannot go together; make two rules of them",
        "where": "`where` is for activities; put conditions under each `when`",
    }

    first_of: list[ChoiceFile] = Field(min_length=1)


SHAPES = ("frequency", "none_within", "lead", "first_of")


def _shape_of(rule: Any) -> str | None:
    """Which of the five shapes a rule is meant to have; None when its keys contradict each other."""
    if not isinstance(rule, dict):
        return "activity rule"
    found = [key for key in SHAPES if key in rule]
    found = found or [shape for key in ActivityRuleFile.unknown(rule) if (shape := nearest(key, SHAPES))][:1]
    if len(found) > 1:
        return None
    return f"{found[0]} rule" if found else "activity rule"


RuleFile = Annotated[
    Annotated[ActivityRuleFile, Tag("activity rule")]
    | Annotated[FrequencyRuleFile, Tag("frequency rule")]
    | Annotated[SilenceRuleFile, Tag("none_within rule")]
    | Annotated[LeadRuleFile, Tag("lead rule")]
    | Annotated[FirstOfRuleFile, Tag("first_of rule")],
    Discriminator(
        _shape_of,
        custom_error_type="rescore",
        custom_error_message=f"a rule has only one of `{'`, `'.join(SHAPES)}`; make several rules",
    ),
]
