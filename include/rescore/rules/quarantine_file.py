"""The `quarantine` of a rules file: which activities no person did, so that they count for nothing."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from rescore.rules.conditions import FactsCondition
from rescore.rules.names import Label, Name
from rescore.rules.rule_file import Activities
from rescore.rules.values import Span
from rescore.strict.model import StrictMap, refuse


class BurstFile(StrictMap):
    """How many within how short a span."""

    count: int = Field(ge=2, le=1_000_000, description="So many activities, or different values.")
    distinct: str | None = Field(None, min_length=1, description="Count the different values of this field.")
    within: Span


class SoonAfterFile(StrictMap):
    """How soon after which other activity of the same lead."""

    activity: Activities
    within: Span


class QuarantineFile(StrictMap):
    """Activities that count for nothing."""

    misplaced: ClassVar = {
        "count": "`count` belongs under `burst`; write `burst: {count: 4, within: 10s}`",
        "distinct": "`distinct` belongs under `burst`; write it beside `count`",
        "within": "`within` belongs under `burst` or `soon_after`; write `burst: {count: 4, within: 10s}`",
        "points": "what is in quarantine gives no points; take `points` out",
        "dimension": "what is in quarantine counts in no dimension; take `dimension` out",
        "scope": "the quarantine looks at each lead by itself; take `scope` out",
    }

    id: Name
    label: Label | None = Field(None, description="What people read as the reason.")
    activity: Activities
    where: FactsCondition | None = None
    burst: BurstFile | None = Field(
        None, description="All activities of any such span that has at least so many of them."
    )
    soon_after: SoonAfterFile | None = Field(
        None, description="Only so soon after another activity of the lead."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.burst and self.soon_after:
            refuse("`burst` and `soon_after` cannot go together; make two entries of them", "soon_after")
        if self.soon_after and (both := set(self.soon_after.activity) & set(self.activity)):
            refuse(
                f"each `{min(both)}` would be soon after itself; name another type, or write a `burst`",
                *("soon_after", "activity"),
            )
        if not (self.burst or self.soon_after or self.where):
            refuse(
                "this takes every such activity; say which by `where`, `burst` or `soon_after`, or take the "
                "type out of the rules"
            )
        return self
