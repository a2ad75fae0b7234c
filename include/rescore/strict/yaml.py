"""YAML files that people write, read strictly: one document, nothing implied, every value with its place.

YAML 1.2 core schema: `NO` is a text, `2026-11-01` is a text, numbers keep their decimal digits. What
makes two readers disagree about a file, or a small file large, is refused: duplicate keys, anchors
and aliases, tags, directives, NaN and infinity, several documents, and anything out of proportion.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Self, TypeAlias

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from rescore.strict import messages as say

Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 20
MAX_VALUES: Final = 12_000  # 400 rules of ordinary length; that many take a quarter of a second
MAX_DIGITS: Final = 30
MAX_QUOTED: Final = 70
NOWHERE: Final = -1  # a step no path has: the place of what the data does not keep

NULL = re.compile(r"null|Null|NULL|~|")
FLAG = re.compile(r"(true|True|TRUE)|false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]+")
COUNTED = re.compile(r"0|[1-9][0-9]{0,8}")
OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
PADDED = re.compile(r"[-+]?0[0-9]+")
QUOTED = re.compile(r"`([^`]*)`")
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a file: where (both counted from 1), what, and the way out."""

    line: int
    column: int
    message: str

    @classmethod
    def at(cls, place: Place, message: str) -> Self:
        """With the message as one printable line in which long quotations are cut."""
        return cls(*place, QUOTED.sub(_cut, "".join(c if c.isprintable() else " " for c in message)))


class Document:
    """What a file says, and where it says it.

    `data` is made of dict (keys are texts, `1` is "1"), list, str, int, Decimal, bool and None.
    """

    def __init__(self, data: dict[str, Any], values: dict[Path, Place], keys: dict[Path, Place]) -> None:
        self.data = data
        self._values = values
        self._keys = keys

    def where(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Line and column of the value at a path, or of its key; steps that the file lacks are skipped.

        So a missing key is at the map that lacks it, and pydantic's `loc` can be passed as it is.
        """
        here: Path = ()
        for step in path:
            if (*here, step) in self._values:
                here = (*here, step)
        return self._keys[here] if key and here in self._keys else self._values[here]


def read_document(body: bytes) -> tuple[Document | None, list[Problem]]:
    """Read one strict YAML map.

    Returns:
        The document, or None when it cannot be made out at all; and every problem, in the order of
        the file. A file with any problem must be refused: the document is there so that its readers
        can list their own problems in the same breath.
    """
    if len(body) > MAX_BYTES:
        return None, [Problem.at((1, 1), say.too_long(MAX_BYTES))]
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place_in(body[: error.start].decode("utf-8", "ignore"))
        return None, [Problem.at((line, column), say.not_utf8(body[error.start]))]
    if found := UNPRINTABLE.search(text):
        return None, [Problem.at(_place_in(text[: found.start()]), say.control_character(found[0]))]
    reader = _Reader()
    try:
        document = reader.read(text)
    except _Refused as refused:
        return None, sorted([*reader.problems, refused.problem])
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reader.refuse(mark, say.syntax(error.problem or ""))
        return None, sorted(reader.problems)
    except (YAMLError, ValueError, OverflowError):  # the last two: an escape such as "\UFFFFFFFF"
        return None, sorted([*reader.problems, Problem.at((1, 1), say.syntax(""))])
    return document, sorted(reader.problems)


def problems_of(
    error: ValidationError, document: Document, *, about: Callable[[Path], str] = lambda _: ""
) -> list[Problem]:
    """A pydantic error in our words, each part at its place in the file.

    Args:
        error: What pydantic found wrong with the document's data.
        document: The file.
        about: Whom a problem at a path is about, as the beginning of a message.
    """
    problems = []
    for detail in error.errors(include_url=False):
        at_key = detail["type"] in {"extra_forbidden", "at_key"} or detail["loc"][-1:] == ("[key]",)
        place = document.where(detail["loc"], key=at_key)
        problems.append(Problem.at(place, about(detail["loc"]) + say.validation(detail)))
    return problems


class _Refused(Exception):
    """The file ends here for us."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Reader:
    """Builds the data from the parser's events, so that nothing large is ever built from a small file."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._values: dict[Path, Place] = {}
        self._keys: dict[Path, Place] = {}
        self._events: Iterator[Event] = iter(())
        self._seen = 0

    def read(self, text: str) -> Document | None:
        """The one document of a text; None when it is no map."""
        self._events = iter(YAML(typ="safe", pure=True).parse(text))
        next(self._events)  # the stream starts
        start = next(self._events)
        if not isinstance(start, DocumentStartEvent):
            raise _Refused(Problem.at((1, 1), say.EMPTY))
        if start.version or start.tags:
            self.refuse(start.start_mark, say.DIRECTIVE)
        root = next(self._events)
        data = self._value(root, (), 1)
        next(self._events)  # the document ends
        if isinstance(more := next(self._events), DocumentStartEvent):
            raise _Refused(Problem.at(_place(more.start_mark), say.SECOND_DOCUMENT))
        if data is None:
            raise _Refused(Problem.at((1, 1), say.EMPTY))
        if not isinstance(data, dict):
            raise _Refused(Problem.at(_place(root.start_mark), say.NOT_A_MAP))
        return Document(data, self._values, self._keys)

    def refuse(self, mark: Any, message: str) -> None:
        """Note a problem that does not stop the reading."""
        self.problems.append(Problem.at(_place(mark), message))

    def _value(self, event: Event, path: Path, depth: int) -> Any:
        self._seen += 1
        if self._seen > MAX_VALUES:
            raise _Refused(Problem.at(_place(event.start_mark), say.too_many(MAX_VALUES)))
        if depth > MAX_DEPTH:
            raise _Refused(Problem.at(_place(event.start_mark), say.too_deep(MAX_DEPTH)))
        if isinstance(event, AliasEvent):
            raise _Refused(Problem.at(_place(event.start_mark), say.alias(event.anchor)))
        assert isinstance(event, ScalarEvent | CollectionStartEvent)  # noqa: S101 -- the parser's grammar
        self._values[path] = _place(event.start_mark)
        if event.anchor:
            self.refuse(event.start_mark, say.anchor(event.anchor))
        if event.tag:
            self.refuse(event.start_mark, say.TAG)
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(item := next(self._events), SequenceEndEvent):
                items.append(self._value(item, (*path, len(items)), depth + 1))
            return items
        return self._map(path, depth)

    def _map(self, path: Path, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while isinstance(event := next(self._events), NodeEvent):
            key = self._key(event, depth)
            if key is None or key in data:
                if key is not None:
                    self.refuse(event.start_mark, say.duplicate(key, self._keys[(*path, key)][0]))
                self._value(next(self._events), (*path, NOWHERE), depth + 1)
            else:
                self._keys[(*path, key)] = _place(event.start_mark)
                value = next(self._events)
                data[key] = self._value(value, (*path, key), depth + 1)
                if value.start_mark.index == value.end_mark.index:  # nothing is there to point at
                    self._values[(*path, key)] = self._keys[(*path, key)]
        return data

    def _key(self, event: NodeEvent, depth: int) -> str | None:
        """The key as text, a plain number by its digits; None when it is anything else, which is noted."""
        key = self._value(event, (NOWHERE,), depth + 1)
        if isinstance(key, str):
            return key
        if isinstance(event, ScalarEvent) and COUNTED.fullmatch(event.value):
            return str(event.value)
        self.refuse(
            event.start_mark, say.key_not_text(event.value if isinstance(event, ScalarEvent) else None)
        )
        return None

    def _scalar(self, event: ScalarEvent) -> Any:
        text: str = event.value
        if found := UNPRINTABLE.search(text):
            self.refuse(event.start_mark, say.control_character(found[0]))
            return UNPRINTABLE.sub("", text)
        if not event.implicit[0]:  # in quotes, or a block
            return text
        if NULL.fullmatch(text):
            return None
        if flag := FLAG.fullmatch(text):
            return flag[1] is not None
        if NOT_A_NUMBER.fullmatch(text):
            self.refuse(event.start_mark, say.not_finite(text))
            return 0
        if OTHER_BASE.fullmatch(text) or PADDED.fullmatch(text):
            self.refuse(event.start_mark, say.odd_number(text))
            return 0
        if DECIMAL.fullmatch(text):
            if len(text) > MAX_DIGITS or abs((number := Decimal(text)).adjusted()) > MAX_DIGITS:
                self.refuse(event.start_mark, say.wild_number(MAX_DIGITS))
                return 0
            return int(text) if INTEGER.fullmatch(text) else number
        return text


def _cut(quoted: re.Match[str]) -> str:
    return quoted[0] if len(quoted[1]) <= MAX_QUOTED else f"`{quoted[1][:MAX_QUOTED]}...`"


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1


def _place_in(before: str) -> Place:
    """Line and column of what follows this text."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
