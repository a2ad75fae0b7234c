"""Linting: what a rules file may say, and what its author probably did not mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from rescore.mapping import Mapping as MappingFile
from rescore.rules.card import Scorecard
from rescore.rules.lint.found import Census, Found, LintWarning
from rescore.rules.lint.history import beyond_history
from rescore.rules.lint.letters import upside_down
from rescore.rules.lint.names import unknown_names, unused_lists
from rescore.rules.lint.never import never
from rescore.rules.lint.openings import not_open
from rescore.rules.lint.overlap import overlapping
from rescore.rules.lint.pace import burying, freezing
from rescore.rules.lint.reach import out_of_reach, unreachable
from rescore.rules.lint.substrings import found_inside_words
from rescore.rules.lint.tasks import skipped
from rescore.strict.model import Path
from rescore.strict.yaml import Document, Place, read_document

__all__ = ["CODES", "Census", "LintWarning", "lint", "unreachable"]

CODES: Final = {
    "unknown-activity": "nothing in the lake has been such an activity",
    "unknown-field": "nothing in the lake has such a field",
    "unused-list": "a list that no condition names",
    "beyond-history": "a rule that looks back further than a CRM's `history`",
    "not-open": "a CRM, a task or a property that no mapping opens to automations",
    "never": "a condition or an entry that can never match",
    "unreachable": "a threshold beyond what the points allow",
    "upside-down": "bands of which `A` is not the best",
    "flapping": "an automation that is ready again while it fires",
    "one-task": "several tasks of an automation, of which an open one keeps the next from being made",
    "overlap": "two rules that count the same",
    "inside-words": "a `contains` that also finds other words",
    "frozen": "a cap that one busy day keeps reached",
    "buried": "minus points that never go",
}
"""Every kind of warning."""

MEANT: Final = re.compile(r"#\s*lint:\s*meant\s+([a-z, -]+)")


def lint(
    card: Scorecard,
    census: Census | None = None,
    *,
    body: bytes | None = None,
    mappings: Mapping[str, MappingFile] | None = None,
) -> list[LintWarning]:
    """Everything that holds and is probably not meant, in the file's order.

    Args:
        card: The checked scorecard.
        census: What the lake holds; without one, names are not looked up.
        body: The file the card was read from: it gives exact places, and its comments `# lint: meant CODE`
            silence a kind of warning for a rule, entry or automation, or above the first key for the file.
        mappings: Every CRM's mapping by name; without them, what they open is not asked.
    """
    document = read_document(body)[0] if body is not None else None
    meant = _Meant(body, card) if body is not None else None
    warnings = []
    for found in _findings(card, census, mappings):
        line, column = _place(found.path, card, document)
        if meant is None or not meant.covers(found.code, line):
            warnings.append(LintWarning(line, column, found.code, found.message))
    return sorted(set(warnings))


def _findings(
    card: Scorecard, census: Census | None, mappings: Mapping[str, MappingFile] | None
) -> Iterator[Found]:
    if census is not None:
        yield from unknown_names(card, census)
    yield from unused_lists(card)
    if mappings is not None:
        yield from not_open(card, mappings)
        yield from beyond_history(card, mappings)
    yield from never(card)
    yield from out_of_reach(card)
    yield from upside_down(card)
    yield from skipped(card)
    yield from overlapping(card)
    yield from found_inside_words(card, census)
    yield from freezing(card)
    yield from burying(card)


def _place(path: Path, card: Scorecard, document: Document | None) -> Place:
    if document is not None:
        return document.where(path, key=True)
    match path:
        case ("rules", int(at), *_):
            return card.rules[at].line, 1
        case ("automations", int(at), *_):
            return card.automations[at].line, 1
        case ("quarantine", int(at), *_):
            return card.quarantine[at].line, 1
        case ("restart", *_) if card.restart is not None:
            return card.restart.line, 1
        case _:
            return 1, 1


class _Meant:
    """The comments of a file that say a warning's subject is meant so."""

    def __init__(self, body: bytes, card: Scorecard) -> None:
        lines = body.decode("utf-8-sig").splitlines()
        first_key = next((at for at, line in enumerate(lines, 1) if line and line[0] not in "#- "), 1)
        self._starts = sorted(item.line for item in (*card.rules, *card.quarantine, *card.automations))
        self._codes: dict[int, set[str]] = {}
        for at, line in enumerate(lines, 1):
            if found := MEANT.search(line):
                place = 0 if at < first_key else self._item(at)
                self._codes.setdefault(place, set()).update(found[1].replace(",", " ").split())

    def covers(self, code: str, line: int) -> bool:
        """Whether a warning of this kind at this line is meant."""
        return any(code in self._codes.get(place, ()) for place in (0, self._item(line)))

    def _item(self, line: int) -> int:
        """The line at which the rule, entry or automation that holds a line begins."""
        return max((start for start in self._starts if start <= line), default=0)
