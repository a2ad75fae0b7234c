"""The state of a deployment, to be looked at rather than read.

Texts are given as `Text`: a square bracket in a plain one would be read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rescore.ledger.people.erasures import ASKED
from rescore.ledger.status import RunStatus, ScorecardStatus, Status

BAR = 40
STYLES = ("green", "cyan", "yellow", "bright_black", "magenta", "blue")


def status_picture(status: Status) -> RenderableType:
    """Scorecards with their bands, what is owed, rejected files, the latest runs."""
    return Group(*_parts(status))


def _parts(status: Status) -> Iterator[RenderableType]:
    if not status.scorecards:
        yield Text(
            "No scorecard is in force yet; the first run of score_leads or watch_rules adopts the rules."
        )
    if status.restored:
        since, why = f"{status.restored.noticed_at:%Y-%m-%d %H:%M}", status.restored.why
        yield Text(f"Nothing is sent since {since} UTC: {why}; see `rescore restored`", "yellow")
    for card in status.scorecards:
        yield _scorecard(card)
    for source, moment in status.read.items():
        when = f"last read to its end {moment:%Y-%m-%d %H:%M} UTC" if moment else "its history is loading"
        yield Text(f"{source}: {when}")
    for source in status.unread:
        yield Text(
            f"{source}: never read; see `rescore doctor {source}`, or take {source}.yaml out of the mappings",
            "yellow",
        )
    if owed := list(_owed(status)):
        yield Panel(Group(*owed), title="CRM and automations", title_align="left")
    if status.ambiguous:
        yield Text(
            f"{status.ambiguous:,} records may be one person with several others; see `rescore persons`"
        )
    for breaker in status.left_alone:
        yield Text(breaker.told(), "yellow")
    for hold in status.holds:
        yield Panel(
            _paragraph(hold.reasons),
            title=f"{hold.hold_id} waits for an answer",
            subtitle=f"until {hold.expires_at:%Y-%m-%d %H:%M} UTC",
            title_align="left",
            subtitle_align="left",
            style="yellow",
        )
    for hold in status.undone:
        yield Text(f"{hold.hold_id} is {hold.ending}, and the next run carries it out", "yellow")
    for erasure in status.erasures:
        told = "asked for" if erasure.state == ASKED else "begun and not finished"
        since = f"{erasure.asked_at:%Y-%m-%d %H:%M}"
        yield Text(f"an erasure is {told} since {since} UTC; `rescore erase` goes on with it", "yellow")
    if status.plans:
        lines = [
            f"{plan.scorecard} {plan.old_version} → {plan.new_version}, {plan.plan_hash[:8]}: {plan.told}"
            for plan in status.plans
        ]
        yield Panel(_paragraph(lines), title="latest plans", title_align="left")
    for file in status.rejected:
        title = Text(f"{file.path} is rejected")
        yield Panel(_paragraph(file.problems), title=title, title_align="left", style="red")
    if status.runs:
        yield Panel(_runs(status.runs), title="latest runs", title_align="left")


def _owed(status: Status) -> Iterator[Text]:
    """What each CRM shows or is owed, and what became of deliveries: one line for each sum."""
    for target, states in status.syncs.items():
        due = ", ".join(f"{n:,} of priority {number}" for number, n in status.due.get(target, {}).items())
        yield _in_all(f"scores for {target}", states, {"due": due})
    if status.deliveries:
        line = _in_all("deliveries", status.deliveries)
        yield line.append(f"; {status.unanswered:,} without an answer" if status.unanswered else "")


def _scorecard(card: ScorecardStatus) -> Panel:
    notes = [f"{card.path} is gone"] if card.file_gone else []
    if card.file_differs and not card.file_gone:
        notes.append("the file holds other rules")
    if card.rescore_owed:
        notes.append("a rescore is owed")
    if card.paused:
        notes.append(f"paused: {card.paused_reason}" if card.paused_reason else "paused")
    states = {state: count for state, count in card.leads.items() if count}
    told = [_in_all("leads", states)] if states else []
    if card.suppressed:
        told.append(_in_all("crossings of 7 days that did not fire", card.suppressed))
    return Panel(
        Group(bars(card.bands), Text(), *told, *(Text(note, "yellow") for note in notes)),
        title=f"{card.scorecard}, {card.scored:,} leads scored",
        subtitle=f"version {card.version}, since {card.activated_at:%Y-%m-%d %H:%M} UTC",
        title_align="left",
        subtitle_align="left",
    )


def bars(counts: Mapping[str, int]) -> Table:
    """One bar a name, in the order given; the longest is `BAR` wide."""
    table = Table.grid(padding=(0, 2))
    most = max(counts.values(), default=0) or 1
    for position, (name, count) in enumerate(counts.items()):
        length = max(round(BAR * count / most), 1 if count else 0)
        table.add_row(Text(name), f"{count:>9,}", Text("█" * length, STYLES[position % len(STYLES)]))
    return table


def _paragraph(lines: Iterable[str]) -> Text:
    return Text("\n".join(lines))


def _in_all(what: str, counts: Mapping[str, int], notes: Mapping[str, str] = MappingProxyType({})) -> Text:
    """The parts of a whole with their sum; `notes` say more of some."""
    parts = (
        f"{name} {count:,}" + (f" ({note})" if (note := notes.get(name)) else "")
        for name, count in counts.items()
    )
    return Text(f"{what}, {sum(counts.values()):,} in all: {' · '.join(parts)}", overflow="fold")


def _runs(runs: tuple[RunStatus, ...]) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for heading in ("started (UTC)", "scorecard", "kind", "state"):
        table.add_column(heading)
    for heading in ("scored", "changed"):
        table.add_column(heading, justify="right")
    for run in runs:
        table.add_row(
            f"{run.started_at:%m-%d %H:%M}",
            run.scorecard,
            run.kind,
            run.state,
            *(f"{run.counts.get(name, 0):,}" for name in ("scored", "changed")),
        )
    return table
