"""Commands for what automations send: look at it, send it again, give it up."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from sqlalchemy import Connection

from rescore.cli.again import refuse_options_before, tell
from rescore.cli.given import LARGEST, user
from rescore.cli.operate import open_ledger
from rescore.errors import CommandMiswritten, InputUnreadable
from rescore.ledger.automations import lifetimes
from rescore.ledger.automations.replays import replay_suppressed
from rescore.ledger.outbox import dead_letters
from rescore.ledger.outbox.dead_letters import Chosen
from rescore.ledger.rules import activations
from rescore.policy.file import read_policy
from rescore.rules.card import Scorecard
from rescore.settings import Settings


class State(StrEnum):
    """What became of a delivery so far."""

    DUE = "due"
    DELIVERED = "delivered"
    PARKED = "parked"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"


By = Annotated[str, typer.Option("--by", help="Who decides; by default the user of this machine.")]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="ID...", help="Deliveries, as `rescore deliveries` names them.")
]
States = Annotated[list[State] | None, typer.Option("--state", help="Only those in this state.")]
Card = Annotated[str, typer.Option("--scorecard", help="Only of this scorecard.")]
Auto = Annotated[str, typer.Option("--automation", help="Only of this automation.")]
To = Annotated[str, typer.Option("--connection", help="Only to this Connection, or CRM.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count.")]

STAYS = {
    "delivered": "it arrived, and `rescore deliveries replay` would send it once more",
    "cancelled": "it is not sent any more",
    "discarded": "it is not sent any more",
    dead_letters.BEING_SENT: "look again in a few minutes",
    dead_letters.WITHHELD: "its lead was deleted, merged into another one, or objects to profiling",
    dead_letters.NO_BODY: "it ended so long ago that what it said is no longer kept",
}
"""Why a delivery that was named stays as it is, by how it stands."""

TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]

deliveries = typer.Typer(
    help="What automations send: list it, send it again, give it up.",
    invoke_without_command=True,
    add_completion=False,
)


@deliveries.callback()
def show(
    context: typer.Context,
    state: States = None,
    scorecard: Card = "",
    automation: Auto = "",
    connection: To = "",
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=LARGEST, help="At most so many, the newest first.")
    ] = 50,
) -> None:
    """List deliveries, the newest first, with what became of them."""
    if context.invoked_subcommand is not None:
        refuse_options_before(context)
        return
    chosen = _chosen([], state, scorecard, automation, connection)
    with open_ledger(Settings.from_environment(os.environ)).reading() as database:
        rows = dead_letters.listed(database, chosen, limit=limit)
    for row in rows:
        tries = f", {row.tries} tries" if row.tries else ""
        print(
            f"{row.delivery_id}  {row.state}  {row.scorecard}.{row.automation}  {row.kind} {row.connection}  "
            f"{row.created_at:%Y-%m-%d %H:%M} UTC{tries}"
        )
        if row.reason:
            print(f"  {row.reason}")
    if not rows:
        print("there are no deliveries yet" if chosen == Chosen() else "there is no such delivery")


@deliveries.command("retry")
def retry(
    ids: Ids = None,
    state: States = None,
    scorecard: Card = "",
    automation: Auto = "",
    connection: To = "",
    dry_run: DryRun = False,
    by: By = "",
) -> None:
    """Send what was parked, expired or discarded again: same id, same body, all tries anew."""
    chosen = _some(ids, state, scorecard, automation, connection)
    with open_ledger(Settings.from_environment(os.environ)).transaction() as database:
        _refuse_unknown(database, scorecard, automation)
        stay = _staying(database, ids or [], dead_letters.RETRYABLE)
        counts = dead_letters.retry(database, chosen, at=datetime.now(UTC), by=by or user(), dry_run=dry_run)
    tell(counts, dry_run=dry_run)
    _complain(stay)


@deliveries.command("discard")
def discard(
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks later.")],
    ids: Ids = None,
    state: States = None,
    scorecard: Card = "",
    automation: Auto = "",
    connection: To = "",
    dry_run: DryRun = False,
    by: By = "",
) -> None:
    """Give deliveries up that are due, parked or expired."""
    if not reason.strip():
        raise CommandMiswritten("--reason says nothing; say why, for whoever looks later")
    chosen = _some(ids, state, scorecard, automation, connection)
    with open_ledger(Settings.from_environment(os.environ)).transaction() as database:
        _refuse_unknown(database, scorecard, automation)
        can = (*dead_letters.DISCARDABLE, dead_letters.NO_BODY, dead_letters.WITHHELD)
        stay = _staying(database, ids or [], can)
        counts = dead_letters.discard(
            database, chosen, at=datetime.now(UTC), by=by or user(), reason=reason, dry_run=dry_run
        )
    tell(counts, dry_run=dry_run)
    _complain(stay)


@deliveries.command("replay")
def replay(
    automation: Annotated[str, typer.Option("--automation", help="Of this automation.")],
    since: Annotated[
        datetime, typer.Option("--from", formats=TIMES, help="Set off at this time (UTC) or later.")
    ],
    until: Annotated[datetime, typer.Option("--to", formats=TIMES, help="Set off before this time (UTC).")],
    scorecard: Annotated[str, typer.Option("--scorecard", help="Needed when several have it.")] = "",
    suppressed: Annotated[
        bool, typer.Option("--suppressed", help="Let suppressed crossings fire that are still true.")
    ] = False,
    state: States = None,
    dry_run: DryRun = False,
    by: By = "",
) -> None:
    """Send what an automation set off in a span of time again, with the same ids: nothing is created twice.

    What a person released was set off then. With --suppressed it is about crossings that did not fire at all,
    by the time at which they crossed.
    """
    settings = Settings.from_environment(os.environ)
    at, who = datetime.now(UTC), by or user()
    begin, end = (moment.replace(tzinfo=UTC) for moment in (since, until))
    if begin > end:
        raise CommandMiswritten("--from is not before --to; swap them")
    if begin == end:
        day = begin.date()
        way_out = "an earlier --from" if day == date.max else f"--to {day + timedelta(days=1)}"
        raise CommandMiswritten(
            f"--to is the moment before which it ends, so nothing lies between; write {way_out}"
        )
    if suppressed and state:
        raise CommandMiswritten("--state is about deliveries, and what was suppressed has none; leave it out")
    ledger = open_ledger(settings)
    with ledger.reading() as database:
        cards = [
            activations.card_of(database, one.scorecard, one.activation_seq)
            for one in activations.in_force(database)
        ]
    card = _card_with(cards, automation, scorecard)
    with ledger.transaction() as database:
        if suppressed:
            urls = read_policy(settings.policy_file).house.lead_urls
            counts = replay_suppressed(
                database,
                card,
                automation,
                since=begin,
                until=end,
                at=at,
                by=who,
                lead_urls=urls,
                dry_run=dry_run,
            )
        else:
            chosen = Chosen(
                states=state or None, scorecard=card.id, automation=automation, since=begin, until=end
            )
            counts = dead_letters.replay(database, chosen, at=at, by=who, dry_run=dry_run)
    tell(counts, dry_run=dry_run)


def _card_with(cards: list[Scorecard], automation: str, scorecard: str) -> Scorecard:
    found = [
        card
        for card in cards
        if scorecard in ("", card.id) and automation in {each.id for each in card.automations}
    ]
    if not found:
        raise InputUnreadable(
            f"no scorecard in force has an automation `{automation}`; look at `rescore status`"
        )
    if len(found) > 1:
        names = " and ".join(f"`{card.id}`" for card in found)
        raise InputUnreadable(f"{names} both have an automation `{automation}`; name one with --scorecard")
    return found[0]


def _chosen(
    ids: list[str] | None, state: list[State] | None, scorecard: str, automation: str, connection: str
) -> Chosen:
    return Chosen(
        ids=ids or None,
        states=state or None,
        scorecard=scorecard or None,
        automation=automation or None,
        connection=connection or None,
    )


def _some(
    ids: list[str] | None, state: list[State] | None, scorecard: str, automation: str, connection: str
) -> Chosen:
    options = bool(state or scorecard or automation or connection)
    if bool(ids) is options:
        raise CommandMiswritten(
            "name deliveries by their ids, or choose them: --state parked, --automation ..."
            + "; not both" * options
        )
    return _chosen(ids, state, scorecard, automation, connection)


def _refuse_unknown(database: Connection, scorecard: str, automation: str) -> None:
    """Refuse a name that no automation ever had, or no scorecard with one: it would choose nothing.

    Raises:
        InputUnreadable: Names those that there are.
    """
    ever = lifetimes.ever(database)
    cards = dict.fromkeys(card for card, _ in ever)
    if scorecard and scorecard not in cards:
        raise InputUnreadable(f"no scorecard `{scorecard}` has automations; there is {_names(cards)}")
    names = dict.fromkeys(name for card, name in ever if scorecard in ("", card))
    if automation and automation not in names:
        raise InputUnreadable(f"there is no automation `{automation}`; there is {_names(names)}")


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none yet"


def _staying(database: Connection, ids: Collection[str], can: Collection[str]) -> list[str]:
    """A sentence for each delivery that was named and stays as it is, because its state is not one of `can`.

    Raises:
        InputUnreadable: Some are not there, so that nothing is done.
    """
    names = list(dict.fromkeys(ids))
    found = dead_letters.standing(database, names)
    if missing := [name for name in names if name not in found]:
        raise InputUnreadable(f"there is no delivery {', '.join(missing)}")
    return [f"{name}: {found[name]}; {STAYS[found[name]]}" for name in names if found[name] not in can]


def _complain(stay: Collection[str]) -> None:
    if stay:
        raise InputUnreadable("\n".join(stay))
