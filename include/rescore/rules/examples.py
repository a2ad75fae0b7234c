"""Do a scorecard's own worked examples give the numbers they promise?"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from rescore.model import MILLI
from rescore.rules.card import Example, Scalar, Scorecard
from rescore.rules.scope import about_accounts
from rescore.scoring.engine import score
from rescore.scoring.facts import facts_from_tables
from rescore.strict.messages import described
from rescore.strict.yaml import Problem


def failed_examples(card: Scorecard) -> list[Problem]:
    """Run every example; one problem per number that is not the promised one.

    Examples of one `as_of` are scored together, each as a lead of its own; where rules are about accounts,
    each by itself, because two examples may call theirs the same.
    """
    rows: dict[int, dict[str, Any]] = {}
    for group in _scored_together(card):
        facts = facts_from_tables(_leads(group), _activities(group))
        as_of = next(iter(group.values())).as_of
        found = {row["lead"]: row for row in score(card, facts, as_of=as_of).to_pylist()}
        rows |= {at: found[str(at)] for at in group}
    return [
        problem
        for at, example in enumerate(card.examples)
        for problem in _differences(card, example, rows[at])
    ]


def _scored_together(card: Scorecard) -> list[dict[int, Example]]:
    if about_accounts(card):
        return [{at: example} for at, example in enumerate(card.examples)]
    groups: dict[datetime, dict[int, Example]] = {}
    for at, example in enumerate(card.examples):
        groups.setdefault(example.as_of, {})[at] = example
    return list(groups.values())


def _differences(card: Scorecard, example: Example, row: dict[str, Any]) -> Iterator[Problem]:
    rules = {rule.id for rule in card.rules}
    for key, expected in example.expect:
        found = Decimal(row[key]) / MILLI if key in rules else row[key]
        if found != expected:
            message = (
                f"example `{example.name}`: `{key}` is {_written(found)}, not {_written(expected)}; "
                "correct the rule or the example"
            )
            yield Problem.at((example.line, 1), message)


def _leads(examples: Mapping[int, Example]) -> pa.Table:
    rows: dict[str, Mapping[str, Scalar | None]] = {
        str(at): dict(example.lead) for at, example in examples.items()
    }
    for at, example in examples.items():
        account = {"account": rows[str(at)].get("account")}
        rows |= {_colleague(at, number): account for number in range(len(example.colleagues))}
    return pa.table({"lead": pa.array(list(rows))} | _columns(list(rows.values())))


def _activities(examples: Mapping[int, Example]) -> pa.Table:
    did = {str(at): example.activities for at, example in examples.items()}
    for at, example in examples.items():
        did |= {_colleague(at, number): theirs for number, theirs in enumerate(example.colleagues)}
    found = [(lead, activity) for lead, activities in did.items() for activity in activities]
    times = [activity.at.astimezone(UTC).replace(tzinfo=None) for _, activity in found]
    columns = {
        "lead": pa.array([lead for lead, _ in found], pa.string()),
        "activity_id": pa.array([str(number) for number in range(len(found))], pa.string()),
        "type": pa.array([activity.type for _, activity in found], pa.string()),
        "occurred_at": pa.array(times, pa.timestamp("us")),
    }
    return pa.table(columns | _columns([dict(activity.fields) for _, activity in found]))


def _colleague(at: int, number: int) -> str:
    return f"{at}/{number}"


def _columns(rows: Sequence[Mapping[str, Scalar | None]]) -> dict[str, pa.Array]:
    fields = dict.fromkeys(field for row in rows for field in row)
    return {field: _column([row.get(field) for row in rows]) for field in fields}


def _column(values: Sequence[Scalar | None]) -> pa.Array:
    """A column of the type its values have; of texts, as in a CSV file, when they differ."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {Decimal}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([None if value is None else _as_text(value) for value in values], pa.string())


def _as_text(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _plain(value) if isinstance(value, Decimal) else str(value)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _written(value: Scalar | None) -> str:
    if value is None:
        return "missing"
    return (
        _plain(value)
        if isinstance(value, Decimal)
        else described(value)
        if isinstance(value, str)
        else str(value)
    )
