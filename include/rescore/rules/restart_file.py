"""The `restart` of a rules file: which activity discounts what came before it."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from rescore.rules.conditions import FactsCondition
from rescore.rules.rule_file import Activities, declared
from rescore.rules.values import Share
from rescore.strict.model import StrictMap, refuse


class RestartFile(StrictMap):
    """The newest such activity discounts what rules counted before it."""

    activity: Activities
    where: FactsCondition | None = None
    dimensions: list[Annotated[str, AfterValidator(declared)]] | None = Field(
        None,
        min_length=1,
        description="Whose rules; all when left out.",
        json_schema_extra={"uniqueItems": True},
    )
    keep: Share

    @model_validator(mode="after")
    def _each_dimension_once(self) -> Self:
        named = self.dimensions or []
        for index, name in enumerate(named):
            if name in named[:index]:
                refuse(f"`{name}` is listed twice; keep one", "dimensions", index)
        return self
