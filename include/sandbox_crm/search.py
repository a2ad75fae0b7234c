"""Compiles the vendor's search request to SQL: filter groups, sorts, and the 10,000-row window."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from sandbox_crm.vendor import bad_request, moment

WINDOW: Final = 10_000
COLUMNS: Final = {
    "lastmodifieddate": "modified",
    "hs_lastmodifieddate": "modified",
    "createdate": "created",
    "hs_createdate": "created",
    "hs_object_id": "id",
}
Name = Annotated[str, StringConstraints(pattern=r"^\w+$", max_length=100)]  # it becomes part of a JSON path
COMPARISONS: Final = {"EQ": "=", "NEQ": "!=", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


class Filter(BaseModel):
    """One comparison; dates as epoch milliseconds or ISO 8601, always as text."""

    propertyName: Name  # noqa: N815 - the vendor's names, here and below
    operator: Literal[
        "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"
    ]
    value: str | None = None
    highValue: str | None = None  # noqa: N815
    values: list[str] = Field(default_factory=list)


class FilterGroup(BaseModel):
    """Filters that must all hold."""

    filters: list[Filter] = Field(min_length=1, max_length=6)


class Sort(BaseModel):
    """One property to sort by."""

    propertyName: Name  # noqa: N815
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class SearchRequest(BaseModel):
    """A search; any of the groups may hold."""

    filterGroups: list[FilterGroup] = Field(default_factory=list, max_length=5)  # noqa: N815
    sorts: list[Sort] = Field(default_factory=list, max_length=1)
    properties: list[str] = Field(default_factory=list)
    limit: int = Field(10, ge=1, le=200)
    after: int = Field(0, ge=0)

    def where(self) -> tuple[str, list[Any]]:
        """The condition and its parameters."""
        if not self.filterGroups:
            return "1", []
        parameters: list[Any] = []
        groups = [
            " AND ".join(_condition(f, parameters) for f in group.filters) for group in self.filterGroups
        ]
        return "(" + " OR ".join(f"({group})" for group in groups) + ")", parameters

    def order(self) -> tuple[str, list[Any]]:
        """The sort and its parameters; records in order of creation unless told otherwise, ties by id."""
        if not self.sorts:
            return "created, id", []
        sort, parameters = self.sorts[0], list[Any]()
        direction = "DESC" if sort.direction == "DESCENDING" else "ASC"
        return f"{_operand(sort.propertyName, parameters)} {direction}, id {direction}", parameters

    def check_window(self) -> None:
        """Refuse what reaches beyond the rows a search can page through."""
        if self.after + self.limit > WINDOW:
            bad_request(
                f"The search results window is limited to {WINDOW} rows: after ({self.after}) plus "
                f"limit ({self.limit}) goes beyond it"
            )


def _condition(wanted: Filter, parameters: list[Any]) -> str:
    operand = _operand(wanted.propertyName, parameters)
    match wanted.operator:
        case "HAS_PROPERTY":
            return f"{operand} IS NOT NULL"
        case "NOT_HAS_PROPERTY":
            return f"{operand} IS NULL"
        case "IN" | "NOT_IN":
            parameters.extend(_literal(wanted, value) for value in wanted.values)
            negated = "NOT " if wanted.operator == "NOT_IN" else ""
            return f"{operand} {negated}IN ({', '.join('?' * len(wanted.values))})"
        case "BETWEEN":
            parameters += [_literal(wanted, wanted.value), _literal(wanted, wanted.highValue)]
            return f"{operand} BETWEEN ? AND ?"
        case comparison:
            parameters.append(_literal(wanted, wanted.value))
            return f"{operand} {COMPARISONS[comparison]} ?"


def _operand(name: str, parameters: list[Any]) -> str:
    if name in COLUMNS:
        return COLUMNS[name]
    parameters.append(f'$."{name}"')
    return "json_extract(properties, ?)"


def _literal(wanted: Filter, value: str | None) -> str | int:
    if value is None:
        bad_request(f"Filter on {wanted.propertyName} with {wanted.operator} needs a value")
    column = COLUMNS.get(wanted.propertyName)
    if column == "id":
        if not value.isdecimal():
            bad_request(f"{value!r} is not a record id")
        return int(value)
    return moment(value, of=wanted.propertyName) if column else value
