"""Do a scorecard's own worked examples give the numbers they promise?"""

from collections.abc import Iterable, Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any

import pyarrow as pa

from rescore.model import MILLI
from rescore.rules.card import Example, Scalar, Scorecard
from rescore.scoring.engine import score
from rescore.scoring.facts import facts_from_tables
from rescore.strict_yaml import Problem
from rescore.yaml_messages import described

LEAD = "example"


def failed_examples(card: Scorecard) -> list[Problem]:
    """Run every example; one problem per number that is not the promised one."""
    return [problem for example in card.examples for problem in _differences(card, example)]


def _differences(card: Scorecard, example: Example) -> Iterator[Problem]:
    facts = facts_from_tables(_leads(example), _activities(example))
    (row,) = score(card, facts, as_of=example.as_of).to_pylist()
    rules = {rule.id for rule in card.rules}
    for key, expected in example.expect:
        found = Decimal(row[key]) / MILLI if key in rules else row[key]
        if found != expected:
            message = (
                f"example `{example.name}`: `{key}` is {_written(found)}, not {_written(expected)}; "
                "correct the rule or the example"
            )
            yield Problem(example.line, 1, message)


def _leads(example: Example) -> pa.Table:
    columns = {field: _column([value]) for field, value in example.lead}
    return pa.table({"lead": pa.array([LEAD]), **columns})


def _activities(example: Example) -> pa.Table:
    times = [activity.at.astimezone(UTC).replace(tzinfo=None) for activity in example.activities]
    columns = {
        "lead": pa.array([LEAD] * len(times), pa.string()),
        "activity_id": pa.array([str(index) for index in range(len(times))], pa.string()),
        "type": pa.array([activity.type for activity in example.activities], pa.string()),
        "occurred_at": pa.array(times, pa.timestamp("us")),
    }
    rows = [dict(activity.fields) for activity in example.activities]
    for field in dict.fromkeys(field for row in rows for field in row):
        columns[field] = _column(row.get(field) for row in rows)
    return pa.table(columns)


def _column(values: Iterable[Scalar | None]) -> pa.Array:
    """A column of the type its values have; of texts when they differ."""
    values = list(values)
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {Decimal}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([_as_text(value) for value in values], pa.string())


def _as_text(value: Scalar | None) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return described(value)
    return (
        "missing" if value is None else f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
    )
