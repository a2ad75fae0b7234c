"""The table of `docs/operations.md` that says what is stuck and what to do, as rows and commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
QUOTED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """One state: its name, where it is told more of, and the cells of its row."""

    name: str
    section: str
    seen: str
    why: str
    todo: str

    @property
    def words(self) -> tuple[str, ...]:
        """What is printed, word for word; `…` stands for anything in the same line of a frame."""
        return tuple(word for word in QUOTED.findall(self.seen) if word != "review_hold")

    @property
    def ways(self) -> list[str]:
        """The ways out, any of which will do."""
        return re.split(r", or\b", self.todo)


def rows() -> list[Row]:
    """Every row of the table."""
    _, _, rest = DOCUMENT.partition("\n## What is stuck, and what to do\n")
    lines = rest.partition("\n## ")[0].splitlines()
    told = [line.strip("|").split(" | ") for line in lines if line.startswith("| [")]
    cells = [[cell.strip() for cell in line] for line in told]
    return [Row(*_link(state), seen, why, todo) for state, seen, why, todo, _ in cells]


def sections() -> set[str]:
    """The anchors of the page's headings."""
    headings = re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text: str, names: Mapping[str, str]) -> Iterator[list[str]]:
    """The arguments of every `rescore ...` in a text, with the words in CAPITALS filled in."""
    for quoted in QUOTED.findall(text):
        program, *arguments = shlex.split(quoted)
        if program == "rescore":
            yield [names[each] if each.isupper() else each for each in arguments]


def is_said(word: str, said: str) -> bool:
    """Whether the words are printed, wherever the lines break."""
    pattern = "[^│]*?".join(re.escape(part) for part in word.split("…"))
    return re.search(pattern, " ".join(said.split())) is not None


def _link(cell: str) -> tuple[str, str]:
    found = re.fullmatch(r"\[(.+)\]\(#(.+)\)", cell)
    assert found, cell
    return found[1], found[2]
