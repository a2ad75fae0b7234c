"""From the bytes of a rules file to a checked scorecard, or to everything that is wrong with it."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from rescore.errors import ScorecardInvalid
from rescore.messages import House
from rescore.rules.build import build_scorecard
from rescore.rules.card import Scorecard
from rescore.rules.file import ScorecardFile
from rescore.rules.lists import NO_LISTS, ListFiles
from rescore.rules.names import Names, repeated_ids
from rescore.strict.model import Path
from rescore.strict.yaml import Problem, problems_of, read_document

MAX_PROBLEMS: Final = 200
ITEMS: Final = {"rules": "rule", "automations": "automation", "quarantine": "quarantine entry"}


def check_scorecard(
    body: bytes, *, lists: ListFiles = NO_LISTS, house: House | None = None
) -> tuple[Scorecard | None, list[Problem]]:
    """Check a rules file; its examples are not run here (`rescore.rules.examples`).

    Args:
        body: The file's bytes.
        lists: The list files that it names: `rescore.rules.lists.read_lists(body, folder)`.
        house: What its messages are held to; None for a body that was let in before.

    Returns:
        The scorecard, or None and every problem of the file, in the file's order.
    """
    document, problems = read_document(body)
    if document is None:
        return None, problems
    meant = ScorecardFile.meant(document.data)
    written = {field: key for key, field in meant.items()}
    data = {meant.get(key, key): item for key, item in document.data.items()}
    problems += [
        Problem.at(document.where(_renamed(path, written)), _subject(path, data) + message)
        for path, message in repeated_ids(data)
    ]
    file, names = None, Names.declared_in(data, lists, house)
    try:
        file = ScorecardFile.model_validate(document.data, context=names)
    except ValidationError as error:
        problems += problems_of(error, document, about=lambda path: _subject(_renamed(path, meant), data))
    if file is None or problems:
        return None, _first(sorted(set(problems)))
    return build_scorecard(file, document, names), []


def load_scorecard(body: bytes, *, name: str, lists: ListFiles = NO_LISTS) -> Scorecard:
    """The scorecard of a rules file.

    Args:
        body: The file's bytes.
        name: What messages call the file.
        lists: The list files that it names.

    Raises:
        ScorecardInvalid: Lists every problem as `name:line:col: message`.
    """
    card, problems = check_scorecard(body, lists=lists)
    if card is None:
        raise ScorecardInvalid(
            [f"{name}:{problem.line}:{problem.column}: {problem.message}" for problem in problems]
        )
    return card


def _first(problems: list[Problem]) -> list[Problem]:
    """As many as a person can want to read at once."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    rest = problems[MAX_PROBLEMS]
    more = f"and {len(problems) - MAX_PROBLEMS:,} more problems from here on; correct those above first"
    return [*problems[:MAX_PROBLEMS], Problem(rest.line, rest.column, more)]


def _renamed(path: Path, names: Mapping[str, str]) -> Path:
    """The path with its first step under another name: as written in the file, or as meant."""
    match path:
        case (str(key), *rest):
            return (names.get(key, key), *rest)
        case _:
            return path


def _subject(path: Path, data: dict[str, Any]) -> str:
    """Whom a problem at this path is about: "rule `pricing_page`: "."""
    match path:
        case ("rules" | "automations" | "quarantine" as key, int(index), *_):
            item: Any = data[key][index]
            named = item.get("id") if isinstance(item, dict) else None
            who = f"`{named}`" if isinstance(named, str) else f"number {index + 1}"
            return f"{ITEMS[key]} {who}: "
        case ("examples", int(index), *_):
            item = data["examples"][index]
            named = item.get("name") if isinstance(item, dict) else None
            return f"example `{named}`: " if isinstance(named, str) else f"example number {index + 1}: "
        case ("dimensions", str(name), *_):
            return f"dimension `{name}`: "
        case _:
            return ""
