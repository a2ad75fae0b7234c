"""From the bytes of a rules file to a checked scorecard, or to everything that is wrong with it."""

from typing import Any, Final

from pydantic import ValidationError

from rescore.errors import ScorecardInvalid
from rescore.rules.build import build_scorecard
from rescore.rules.card import Scorecard
from rescore.rules.file import ScorecardFile
from rescore.rules.names import Names, repeated_ids
from rescore.strict_model import Path
from rescore.strict_yaml import Document, Problem, problems_of, read_document

MAX_PROBLEMS: Final = 200


def check_scorecard(body: bytes) -> tuple[Scorecard | None, list[Problem]]:
    """Check a rules file; its examples are not run here (`rescore.rules.examples`).

    Returns:
        The scorecard, or None and every problem of the file, in the file's order.
    """
    document, problems = read_document(body)
    if document is None:
        return None, problems
    problems += [
        Problem.at(document.where(path), _subject(path, document) + message)
        for path, message in repeated_ids(document.data)
    ]
    file = None
    try:
        file = ScorecardFile.model_validate(document.data, context=Names.declared_in(document.data))
    except ValidationError as error:
        problems += problems_of(error, document, about=lambda path: _subject(path, document))
    if file is None or problems:
        return None, _first(sorted(set(problems)))
    return build_scorecard(file, document), []


def load_scorecard(body: bytes, *, name: str) -> Scorecard:
    """The scorecard of a rules file.

    Args:
        body: The file's bytes.
        name: What messages call the file.

    Raises:
        ScorecardInvalid: Lists every problem as `name:line:col: message`.
    """
    card, problems = check_scorecard(body)
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


def _subject(path: Path, document: Document) -> str:
    """Whom a problem at this path is about: "rule `pricing_page`: "."""
    match path:
        case ("rules" | "automations" as key, int(index), *_):
            item: Any = document.data[key][index]
            named = item.get("id") if isinstance(item, dict) else None
            who = f"`{named}`" if isinstance(named, str) else f"number {index + 1}"
            return f"{key[:-1]} {who}: "
        case ("examples", int(index), *_):
            item = document.data["examples"][index]
            named = item.get("name") if isinstance(item, dict) else None
            return f"example `{named}`: " if isinstance(named, str) else f"example number {index + 1}: "
        case ("dimensions", str(name), *_):
            return f"dimension `{name}`: "
        case _:
            return ""
