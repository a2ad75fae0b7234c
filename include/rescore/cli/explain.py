"""Why does a lead have its score, or had another once?"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from rescore.causes import in_words
from rescore.cli.given import LARGEST
from rescore.cli.operate import Card, unknown
from rescore.errors import InputUnreadable
from rescore.ledger.rules import activations
from rescore.ledger.rules.activations import Active
from rescore.ledger.scores.history import Change
from rescore.pipeline.belief import Belief, belief, committed_belief
from rescore.rules.moments import end_of, is_moment
from rescore.settings import Settings
from rescore.workspace import Workspace


def explain(
    lead: Annotated[str, typer.Argument(metavar="LEAD", help="A lead's key, such as hubspot:1042.")],
    scorecard: Card = "",
    as_of: Annotated[str, typer.Option(help="Score as of this time: 2026-11-01, 2026-11-01T12:00Z.")] = "",
    known_as_of: Annotated[str, typer.Option(help="Only with facts that had landed by this time.")] = "",
    version: Annotated[int, typer.Option(min=0, max=LARGEST, help="Under this version of the rules.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Account for a lead's score, rule by rule, by computing it again, and for its last changes.

    A record that counts as another lead, joined with it or merged into it, is accounted for under that one.

    Without a time it is the committed score, from the facts it was made of. A date means the end of that
    day in the scorecard's zone. With --known-as-of alone it is the score as of then; the rules are those
    in force then, or now, unless --version names others. Scorecards that cannot tell say why on stderr.
    """
    for option, text in (("--as-of", as_of), ("--known-as-of", known_as_of)):
        _check_moment(option, text)
    ws = Workspace.open(Settings.from_environment(os.environ))
    key = lead.strip()
    left = ws.lake.canonical([key]).get(key)
    with ws.ledger.reading() as connection:
        in_force = activations.in_force(connection)
        zones = {
            active.scorecard: activations.card_of(
                connection, active.scorecard, active.activation_seq
            ).timezone
            for active in in_force
        }
    cards = [active for active in in_force if scorecard in ("", active.scorecard)]
    if scorecard and not cards:
        raise unknown(scorecard, in_force)
    found: list[Belief] = []
    reasons: list[str] = []
    for active in cards:
        moments = _moments(as_of, known_as_of, zones[active.scorecard])
        try:
            told = _belief(ws, active, key, left, moments, version or None)
        except InputUnreadable as why_not:
            reasons.append(str(why_not))
            continue
        if told is not None:
            found.append(told)
    if left is not None and any(told.explanation.lead == left for told in found):
        print(f"{key} counts as {left}, under which the score is kept", file=sys.stderr)
    if not found:
        raise InputUnreadable("\n".join(dict.fromkeys(reasons)) or _unknown(key, left))
    for reason in reasons:
        print(reason, file=sys.stderr)
    if as_json:
        print(json.dumps([_as_dict(told) for told in found], ensure_ascii=False, indent=2))
    else:
        print("\n\n".join("\n".join(_lines(told)) for told in found))


def _unknown(lead: str, left: str | None) -> str:
    if left is not None:
        return f"{lead} counts as {left}, and of that lead no score is kept yet: the next run scores it"
    return (
        f"no score is kept for lead {lead[:80]!r}; a key is the CRM's name in small letters, a colon and "
        "its record id, as in hubspot:1042"
    )


def _moments(as_of: str, known_as_of: str, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The two times; a time of knowledge alone is the scoring time too."""
    known = end_of(known_as_of, zone) if known_as_of else None
    return (end_of(as_of, zone) if as_of else known), known


def _check_moment(option: str, text: str) -> None:
    """Before anything is opened: what is wrong with the words comes before what is not there."""
    if text and not is_moment(text):
        raise InputUnreadable(
            f"{option} {text!r} is no date or time from 1970 to 2199; "
            "write 2026-11-01 or 2026-11-01T12:00:00Z"
        )


def _belief(
    ws: Workspace,
    active: Active,
    lead: str,
    left: str | None,
    moments: tuple[datetime | None, datetime | None],
    version: int | None,
) -> Belief | None:
    """Under the lead that it counts as; under itself at a time at which it still was one of its own."""
    as_of, known = moments
    if as_of is None:
        return committed_belief(ws, active, left or lead, version=version)
    try:
        return belief(ws, active, lead, as_of=as_of, known_as_of=known, version=version)
    except InputUnreadable:
        if left is None:
            raise
    return belief(ws, active, left, as_of=as_of, known_as_of=known, version=version)


def _lines(told: Belief) -> Iterator[str]:
    heading, *lines = told.explanation.text().split("\n")
    yield heading
    known = f", from what was known on {_when(told.known_as_of)}" if told.known_as_of else ""
    yield f"under version {told.version} of the rules{known}"
    yield from lines
    if told.changes:
        yield ""
        yield "last changes"
        yield from (f"  {_change(change)}" for change in told.changes)


def _change(change: Change) -> str:
    moved = f" ({change.old_band or 'no band'} to {change.new_band or 'no band'})"
    bands = "" if change.old_band == change.new_band else moved
    points = f"{_score(change.old_score)} to {_score(change.new_score)}{bands}"
    causes = in_words(change.causes) or "no points"
    first = "first score, " if change.old_score is None else ""
    return f"{_when(change.as_of)}  {points}: {first}{causes} (version {change.version})"


def _score(score: int | None) -> str:
    return "none" if score is None else str(score)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _as_dict(told: Belief) -> dict[str, Any]:
    return told.explanation.as_dict() | {
        "version": told.version,
        "known_as_of": told.known_as_of and told.known_as_of.isoformat(),
        "changes": [asdict(change) | {"as_of": change.as_of.isoformat()} for change in told.changes],
    }
