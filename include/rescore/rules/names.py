"""The names a rules file declares, and what a name may look like."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, WithJsonSchema

from rescore.messages import House
from rescore.rules.grade_labels import grades_in
from rescore.rules.lists import NO_LISTS, ListFiles, list_text
from rescore.strict.model import Path, refuse

MAX_ID: Final = 60
ID: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*_?")
FIELD: Final = re.compile(r"(?!.*__(folded|words)$)[^\W\d]([\w .-]{0,98}\w)?")
RESERVED: Final = frozenset(
    {"all", "any", "as_of", "audience", "band", "bands", "changed_at", "dimension", "dimensions", "grade"}
    | {"grades", "label", "lead", "lead_id", "lists", "not", "reasons", "restart", "restarted_at", "rule"}
    | {"rules", "rules_version", "score", "scorecard", "total"}
)
"""Words that stand for something else wherever ids appear: in conditions, result columns, CRM fields."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a file declares, read before anything is checked, so that references can be.

    `lists` has the values of each list; `list_files` what was read of the files that they are in. `house`
    is what the deployment says about messages; None where a file is read whose messages are settled.
    """

    dimensions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    list_files: ListFiles = field(default_factory=dict)
    house: House | None = None

    @classmethod
    def declared_in(
        cls, data: dict[str, Any], list_files: ListFiles = NO_LISTS, house: House | None = None
    ) -> Self:
        """Whatever can be made out; a broken part declares nothing."""
        return cls(
            dimensions=tuple(_map(data, "dimensions")),
            rules=tuple(name for _, name in ids_in(data, "rules")),
            bands=tuple(_map(data, "bands")),
            grades=grades_in(data.get("grades")),
            lists={name: _values(path, list_files) for name, path in _map(data, "lists").items()},
            list_files=list_files,
            house=house,
        )


def _values(path: Any, list_files: ListFiles) -> frozenset[str]:
    content = list_files.get(path) if isinstance(path, str) else None
    return frozenset() if content is None else list_text(content).values


def ids_in(data: dict[str, Any], key: str) -> Iterator[tuple[int, str]]:
    """(index, id) of the maps in a list that have one."""
    items = data.get(key)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            yield index, item["id"]


def repeated_ids(data: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Rules and dimensions share one namespace; automations and entries of the quarantine have their own."""
    for key, who, taken in (
        ("rules", "a rule", dict.fromkeys(_map(data, "dimensions"), "a dimension")),
        ("automations", "an automation", {}),
        ("quarantine", "an entry", {}),
    ):
        for index, name in ids_in(data, key):
            if name in taken:
                yield (
                    (key, index, "id"),
                    f"`{name}` is already the id of {taken[name]}; give this one another",
                )
            taken.setdefault(name, f"{who} above")


def _map(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _id(text: str) -> str:
    if len(text) > MAX_ID:
        refuse(f"an id has at most {MAX_ID} characters; shorten it")
    if not ID.fullmatch(text):
        refuse(
            f"`{text}` cannot be an id; write small letters, digits and single `_`, beginning with a letter"
        )
    return text


def _own_id(text: str) -> str:
    if text in RESERVED:
        refuse(f"`{text}` is a reserved word; choose another id")
    return _id(text)


_ID_SCHEMA: Final = {"type": "string", "pattern": f"^{ID.pattern}$", "maxLength": MAX_ID}

Name = Annotated[str, AfterValidator(_id), WithJsonSchema(_ID_SCHEMA)]
"""An id that is never a column."""

Id = Annotated[str, AfterValidator(_own_id), WithJsonSchema(_ID_SCHEMA)]
"""The id of a rule or dimension: a column of its own, so some words are taken."""

Label = Annotated[str, Field(min_length=1, max_length=120)]
