"""The shape of a rules file: every key it may have, and what each may hold."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from rescore.rules.action_file import ActionFile
from rescore.rules.card import Grades, OnRulesChange
from rescore.rules.conditions import FactsCondition, ScoresCondition
from rescore.rules.deliver_file import DeliverFile, OncePer
from rescore.rules.example_file import ExampleFile
from rescore.rules.grades import GradesFile
from rescore.rules.lists import MAX_LISTS, PATH, list_text
from rescore.rules.names import Id, Label, Name, Names
from rescore.rules.quarantine_file import QuarantineFile
from rescore.rules.restart_file import RestartFile
from rescore.rules.rule_file import RuleFile
from rescore.rules.values import Days, Points
from rescore.rules.zones import Zone
from rescore.strict.model import StrictMap, Trouble, refuse, refuse_all


class RangeFile(StrictMap):
    """Floor and ceiling of the total."""

    floor: Points | None = None
    ceiling: Points | None = None

    @model_validator(mode="after")
    def _floor_below_ceiling(self) -> Self:
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            refuse("`floor` is above `ceiling`; swap them", "floor")
        return self


class DimensionFile(RangeFile):
    """A sub-score."""

    in_total: bool = True


class AudienceFile(StrictMap):
    """Who is scored."""

    misplaced: ClassVar = {"include": "`include` is not a key; write `exclude: {not: {...}}`"}

    exclude: FactsCondition


class AutomationFile(StrictMap):
    """What to do when a committed score crosses."""

    not_yet: ClassVar = frozenset({"scope", "owner"})
    misplaced: ClassVar = {"when": "`when` is not a key here; write `fire_when`"}

    id: Name
    label: Label | None = None
    fire_when: ScoresCondition
    ready_again_when: ScoresCondition | None = None
    unless: FactsCondition | None = Field(
        None, description="Suppresses the crossings of leads with these attributes."
    )
    cooldown: Days | None = Field(None, description="Suppresses crossings so soon after a firing.")
    max_age: Days | None = Field(None, description="Suppresses crossings whose cause is older.")
    max_per_run: int | None = Field(None, ge=1, description="More crossings in one run are held.")
    max_per_day: int | None = Field(None, ge=1, description="More crossings in 24 hours are held.")
    on_rules_change: OnRulesChange = Field(
        "gate", description="What becomes of crossings that only new rules cause."
    )
    first_seen: Literal["fire", "ignore"] | None = Field(
        None, description="Whether a lead's first score may fire; by default if `fire_when` looks upward."
    )
    already_past: Literal["fire", "ignore"] = Field(
        "ignore", description="Whether it fires for leads that satisfy it already when it is new."
    )
    already_fired: FactsCondition | None = Field(
        None, description="Leads with these attributes start as fired."
    )
    group: Name | None = Field(
        None, description="Of the automations of one group only the last in the file fires at a time."
    )
    once_per: OncePer | None = None
    deliver: DeliverFile | None = None
    do: list[ActionFile] = Field(min_length=1)

    @field_validator("do")
    @classmethod
    def _each_action_once(cls, do: list[ActionFile]) -> list[ActionFile]:
        refuse_all(
            Trouble((index,), "this action is already in the list; keep one of them")
            for index, action in enumerate(do)
            if action in do[:index]
        )
        return do


def _list_can_be_read(path: str, info: ValidationInfo) -> str:
    """Each list by itself: what is wrong with one hides no other."""
    if not PATH.fullmatch(path):
        refuse(
            f"`{path[:60]}` cannot be the path of a list; write one below this folder, such as `lists/x.txt`"
        )
    files = (info.context or Names()).list_files
    if path not in files:
        refuse(f"there is no readable file `{path}` below the rules folder; write it or correct the path")
    refuse_all(Trouble((), f"`{path}` {said}") for said in list_text(files[path]).troubles)
    return path


ListPath = Annotated[
    str,
    AfterValidator(_list_can_be_read),
    WithJsonSchema({"type": "string", "pattern": f"^{PATH.pattern}$", "description": "One value a line."}),
]
BandName = Annotated[str, Field(min_length=1, max_length=40)]


class ScorecardFile(StrictMap):
    """One rules file."""

    misplaced: ClassVar = {
        policy: f"`{policy}` is a policy of an automation; write it below `automations`"
        for policy in ("on_rules_change", "max_per_run", "max_per_day", "once_per", "deliver")
    } | {
        "scope": "`scope` belongs into a rule about activities; write it there",
        "minimum_change": "`minimum_change` is about what a CRM is told; write it into that CRM's mapping",
    }

    scorecard: Name = Field(description="The scorecard's identity; file names may change, this may not.")
    description: str | None = Field(None, max_length=2000)
    timezone: Zone = Field("UTC", description="An IANA name: Europe/Berlin.")
    score: RangeFile = Field(default_factory=RangeFile, description="Floor and ceiling of the total.")
    dimensions: dict[Id, DimensionFile] = Field(min_length=1)
    lists: dict[Name, ListPath] = Field(
        default_factory=dict, max_length=MAX_LISTS, description="Lists of values in files of their own."
    )
    rules: list[RuleFile] = Field(min_length=1)
    audience: AudienceFile | None = None
    bands: dict[BandName, Points] = Field(default_factory=dict, description="Where each band begins.")
    grades: GradesFile | None = None
    restart: RestartFile | None = None
    quarantine: list[QuarantineFile] = Field(
        default_factory=list, description="What no person did; it counts for no rule and no restart."
    )
    automations: list[AutomationFile] = Field(default_factory=list)
    examples: list[ExampleFile] = Field(default_factory=list)

    @field_validator("restart")
    @classmethod
    def _a_restart_is_of_one_lead(cls, restart: RestartFile, info: ValidationInfo) -> RestartFile:
        refuse_all(
            Trouble(
                (),
                f"the rule `{rule.id}` of `{rule.dimension}` is about the whole account, and a restart is "
                "about one lead; name the other `dimensions` here, or put the rule into another one",
            )
            for rule in info.data.get("rules") or ()
            if getattr(rule, "scope", "lead") == "account"
            and rule.dimension in (restart.dimensions or [rule.dimension])
        )
        return restart

    @field_validator("bands")
    @classmethod
    def _bands_differ_and_can_be_reached(
        cls, bands: dict[BandName, Points], info: ValidationInfo
    ) -> dict[BandName, Points]:
        bounds: dict[int, str] = {}
        score = info.data.get("score")  # not there when something is wrong with it
        troubles = []
        for name, bound in bands.items():
            if bound in bounds:
                message = f"band `{name}` begins where `{bounds[bound]}` does; move one of them"
                troubles.append(Trouble((name,), message))
            elif score is not None and score.ceiling is not None and bound > score.ceiling:
                troubles.append(Trouble((name,), f"band `{name}` begins above the score's ceiling; lower it"))
            bounds.setdefault(bound, name)
        refuse_all(troubles)
        return bands

    @field_validator("grades")
    @classmethod
    def _grades_can_be_reached(cls, grades: Grades, info: ValidationInfo) -> Grades:
        dimensions = info.data.get("dimensions") or {}
        refuse_all(
            Trouble((name, band.id), f"band `{band.id}` begins above the ceiling of `{name}`; lower it")
            for name, bands in grades.dimensions
            for band in bands
            if (ceiling := dimensions[name].ceiling if name in dimensions else None) is not None
            and band.bound > ceiling
        )
        return grades
