"""The matrix of faults and operations as tables for docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rescore.outcome import Kind
from tests.faults.network_faults import GROUPS, Fault
from tests.faults.network_mail import MAIL_FAULTS, STEPS

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGINS, ENDS = "<!-- matrix -->", "<!-- /matrix -->"

COLUMNS: Mapping[str, str] = {
    "read": "read a stream",
    "scores": "write scores",
    "back": "read back",
    "look": "look a task up",
    "task": "make a task",
    "see": "read a property",
    "set": "set a property",
    "webhook": "webhook",
    "slack": "Slack",
}
WORDS: Mapping[Kind, str] = {
    "ok": "done",
    "transient": "again",
    "unknown": "again, unknown",
    "auth": "left alone, told",
    "schema": "left alone, told",
    "quota": "left alone",
    "record": "parked",
    "gone": "parked",
    "unready": "waits",
}
OTHERWISE: Mapping[tuple[str, Kind], str] = {
    ("scores", "gone"): "deleted",
    ("back", "gone"): "deleted",
    ("task", "unknown"): "looked up, again",
    **{("read", kind): "next run" for kind in ("transient", "quota")},
    **{("back", kind): "next run" for kind in ("transient", "quota")},
    **{(looks, kind): "told" for looks in ("read", "back") for kind in ("auth", "unready")},
}
LEGEND = """\
What becomes of the first attempt. Afterwards, when the fault is over, each of them ends as it should: nothing
is lost, and nothing happens twice that its other side can tell apart.

- *again*: sent again after the usual waits;
- *again, unknown*: also, but it may have had its effect: what the CRM shows is not guessed, a webhook
  keeps its id, and Slack may show a message twice;
- *looked up, again*: made again only if it is not there;
- *next run*: the task fails with a sentence; its retry or the next run goes on where this one began;
- *left alone*: the breaker of the Connection opens, and nothing spends a try;
- *told*: the task fails and says what a person has to mend;
- *waits*: nothing was sent, and it is due again in five minutes;
- an empty place: no such case.

`python -m tests.faults --only network` plays every place of it, and writes the tables with `--write-docs`."""


def render() -> str:
    """Both tables with their legend."""
    return "\n\n".join([LEGEND, "\n".join(_http()), "\n".join(_mail())])


def write_docs() -> None:
    """Put them between the marks of the page."""
    before, _, rest = PAGE.read_text().partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    PAGE.write_text(f"{before}{BEGINS}\n{render()}\n{ENDS}{after}")


def committed() -> str:
    """What the page has between the marks."""
    return PAGE.read_text().partition(BEGINS)[2].partition(ENDS)[0].strip("\n")


def _http() -> Iterator[str]:
    yield f"| fault | {' | '.join(COLUMNS.values())} |"
    yield "|---" * (len(COLUMNS) + 1) + "|"
    for group, faults in GROUPS.items():
        rows: dict[tuple[str, ...], list[str]] = {}
        for fault in faults:
            rows.setdefault(_cells(fault), []).append(fault.name)
        for cells, names in rows.items():
            yield _line([f"*{group}*: {'; '.join(names)}", *cells])


def _line(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _cells(fault: Fault) -> tuple[str, ...]:
    return tuple(_word(family, fault.kinds.get(family)) for family in COLUMNS)


def _word(family: str, kind: Kind | None) -> str:
    return "" if kind is None else OTHERWISE.get((family, kind), WORDS[kind])


def _mail() -> Iterator[str]:
    """A row for each kind of fault, a column for each step of the conversation."""
    kinds = {fault.name: fault.kind for fault in MAIL_FAULTS}
    names = dict.fromkeys(name.partition(": ")[2] for name in kinds if ": " in name)
    yield f"| e-mail | {' | '.join(STEPS)} |"
    yield "|---" * (len(STEPS) + 1) + "|"
    for name in names:
        cells = [_mail_word(kinds.get(f"{step}: {name}")) for step in STEPS]
        yield _line([name, *cells])
    for name, kind in kinds.items():
        if ": " not in name:
            yield _line([name, _mail_word(kind), *[""] * (len(STEPS) - 1)])


def _mail_word(kind: Kind | None) -> str:
    return "" if kind is None else "parked, unknown" if kind == "unknown" else WORDS[kind]
