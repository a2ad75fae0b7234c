"""Erasing a person from the files of the reports folder; plans stay usable without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rescore.erased import Person, spellings
from rescore.errors import TerminalError
from rescore.plan.plan import Examples, Plan
from rescore.plan.report_html import html
from rescore.plan.report_markdown import markdown
from rescore.plan.reports import MARKDOWN, PAGE, PLAN, read_report, write_report


def erase_from_reports(folder: Path, person: Person) -> int:
    """Take a person out of every file that names them; how many files.

    Plans are written again without their examples of the person; lists lose the lines. A file of any other
    kind, or a damaged one, goes altogether.
    """
    names = [name.encode() for name in sorted(person.leads.union(*map(spellings, person.addresses)))]
    count = 0
    for path in sorted(folder.rglob("*")):
        # a plan's page and Markdown may be gone by now, written again with its data
        if path.is_file() and any(name in path.read_bytes().lower() for name in map(bytes.lower, names)):
            _erase(folder, path, person)
            count += 1
    return count


def _erase(folder: Path, path: Path, person: Person) -> None:
    if path.name in (PLAN, MARKDOWN, PAGE) and path.parent.parent == folder:
        try:
            plan = _without(read_report(folder, path.parent.name), person)
        except (ValueError, TerminalError):
            path.unlink()
            return
        write_report(folder, plan, markdown=markdown(plan), page=html(plan))
    elif path.suffix == ".json":
        _rewrite(path, lambda text: _list_without(text, person))
    elif path.suffix in (".csv", ".txt"):
        _rewrite(path, lambda text: _lines_without(text, person))
    else:
        path.unlink()


def _without(plan: Plan, person: Person) -> Plan:
    up, down, drawn = (
        tuple(example for example in examples if example.lead not in person.leads)
        for examples in (plan.examples.up, plan.examples.down, plan.examples.random)
    )
    return replace(plan, examples=Examples(up, down, drawn))


def _rewrite(path: Path, rewritten: Callable[[str], str]) -> None:
    try:
        text = rewritten(path.read_text(encoding="utf-8"))
    except ValueError:
        path.unlink()
        return
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _list_without(text: str, person: Person) -> str:
    """A JSON list of objects with a `lead`."""
    rows = [row for row in json.loads(text) if row["lead"] not in person.leads]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def _lines_without(text: str, person: Person) -> str:
    """Lines that begin with a lead's key, alone or as the first value of a CSV."""
    kept = [
        line
        for line in text.splitlines(keepends=True)
        if line.rstrip("\r\n").partition(",")[0].strip('"') not in person.leads
    ]
    return "".join(kept)
