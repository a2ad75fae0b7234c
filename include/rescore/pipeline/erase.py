"""Erases a person from everywhere, and leaves a tombstone so that they do not come back.

    ask ─► begin ─────────────► lake ─► reports ─► sweep ───────► compact ─► done
           tombstones stand,    files   files      no row names   no byte
           landings shut out,                      the person     does
           nothing owed

Every step may be the last one that a crash lets through; `resume` goes on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from rescore.erased import Person, is_address, is_key
from rescore.errors import InputUnreadable, RescoreError, TerminalError
from rescore.ledger.people import erasures
from rescore.ledger.people.erasures import ASKED, BEGUN, DONE, ERASED, KEPT_OUT, Erasure
from rescore.ledger.scores import streams
from rescore.model import split_lead_key
from rescore.pipeline.colleagues import colleagues_of
from rescore.pipeline.known import known_addresses, known_leads, sources_read
from rescore.pipeline.restore import notice_restore
from rescore.plan.erase_reports import erase_from_reports
from rescore.progress import Progress, silent
from rescore.workspace import Workspace


def ask_to_erase(
    ws: Workspace, leads: Collection[str], *, addresses: Collection[str] = (), by: str, at: datetime
) -> str:
    """Register whom to erase, to be carried out by `resume`; an id that names nobody.

    Args:
        ws: The stores.
        leads: Lead keys of one person; records merged with them are found by ourselves.
        addresses: The person's e-mail addresses.
        by: Who asks, for the record.
        at: The present (aware).

    Raises:
        InputUnreadable: A key or an address cannot be one, or no mapping has the source of a key.
    """
    refuse_what_nobody_is(ws, leads, addresses)
    with ws.ledger.transaction() as connection:
        return erasures.ask(connection, Person.of(leads, addresses), at=at, by=by)


def erase(
    ws: Workspace,
    leads: Collection[str],
    *,
    addresses: Collection[str] = (),
    by: str,
    at: datetime,
    progress: Progress = silent,
) -> Counter[str]:
    """Erase a person now; see `ask_to_erase` and `resume`."""
    erasure_id = ask_to_erase(ws, leads, addresses=addresses, by=by, at=at)
    return resume(ws, at=at, erasure_id=erasure_id, progress=progress)


def resume(
    ws: Workspace,
    *,
    at: datetime,
    erasure_id: str | None = None,
    asked: bool = True,
    progress: Progress = silent,
) -> Counter[str]:
    """Carry out one erasure, or all that were asked for or interrupted; without `asked` the latter only.

    Returns:
        How many rows, files and cursors were removed, by table; `erased` people, and under
        `KEPT_OUT` those of whom nothing was here.

    Raises:
        InputUnreadable: There is no such erasure.
        RetryableError: A store was too busy; the erasure is taken up again by the next call.
        LakeBehind: Facts are missing that the ledger has committed: what is erased now would come back.
        TerminalError: Some could not be carried out, for a reason of their own; all others were.
    """
    with ws.ledger.reading() as connection:
        if erasure_id is None:
            open_ones = [each for each in erasures.unfinished(connection) if asked or each.state != ASKED]
        else:
            open_ones = [erasures.find(connection, erasure_id)]
    counts: Counter[str] = Counter()
    failed: list[str] = []
    for erasure in open_ones:
        if erasure.state == DONE:
            continue
        try:
            counts += _carry_out(ws, erasure, at, progress)
        except RescoreError:  # of a store: the next person would meet it too
            raise
        except Exception as problem:  # of this person's alone
            failed.append(f"erasure {erasure.erasure_id} could not be carried out ({_in_short(problem)})")
    if failed:
        raise TerminalError(
            "; ".join(failed)
            + "; it stays open, the others are done: mend what is said there, then `rescore erase`"
        )
    return counts


def _in_short(problem: Exception) -> str:
    """What happened, without what it happened to."""
    return (isinstance(problem, OSError) and problem.strerror) or type(problem).__name__


def _carry_out(ws: Workspace, erasure: Erasure, at: datetime, progress: Progress) -> Counter[str]:
    counts = Counter(erasure.counts)
    if erasure.state in (ASKED, BEGUN):
        notice_restore(ws, at=at)  # its fences would hide that the lake lacks landings
        # with merges while the lake still knows them; a second attempt has them from the first
        asked = erasure.person.leads
        known = erasure.counts.get(ERASED, 0) > 0 or bool(
            known_leads(ws, asked) or known_addresses(ws, erasure.person.addresses)
        )
        leads = ws.lake.family(asked) if erasure.state == ASKED else asked
        person = Person(frozenset(leads), erasure.person.addresses)
        hashes = ws.lake.address_hashes(leads)
        woken = colleagues_of(ws, leads)
        with ws.ledger.transaction() as connection:
            streams.wake(connection, woken)
            fences, counts = erasures.start(connection, erasure, person, at=at, known=known, hashes=hashes)
        progress(f"erasure {erasure.erasure_id}: begun, nothing is written or sent about the person any more")
        counts += ws.lake.erase(person, fences=fences)
        progress(f"erasure {erasure.erasure_id}: the lake is clean")
        counts["reports"] += erase_from_reports(ws.reports_dir, person)
        if (+counts).keys() - {KEPT_OUT, "cursor"} and counts.pop(KEPT_OUT, 0):
            counts[ERASED] = 1  # something that was set aside named them
        with ws.ledger.transaction() as connection:
            streams.wake(connection, woken)  # a run may have scored them meanwhile, from what is gone now
            counts += erasures.forget(connection, person)
            erasures.sweep(connection, erasure.erasure_id, counts)
        progress(f"erasure {erasure.erasure_id}: no row names the person")
    if left := ws.ledger.compact():
        counts["tables left to autovacuum"] += left
        progress(f"erasure {erasure.erasure_id}: this role may not vacuum {left} tables; autovacuum will")
    with ws.ledger.transaction() as connection:
        erasures.finish(connection, erasure.erasure_id, at)
    progress(f"erasure {erasure.erasure_id}: done")
    return +counts


def refuse_what_nobody_is(ws: Workspace, leads: Collection[str], addresses: Collection[str]) -> None:
    """Refuse keys and addresses that nobody can have.

    Raises:
        InputUnreadable: A key or an address cannot be one, or no mapping has the source of a key.
    """
    for lead in leads:
        if not is_key(lead):
            raise InputUnreadable(
                "a lead's key is the CRM's name in small letters, a colon and its record id: hubspot:1042"
            )
    for address in addresses:
        if not is_address(address):
            raise InputUnreadable(
                "an e-mail address stands alone, as in ada@example.com: without a name, quotes or any sign "
                "around it, and one to each --email"
            )
    if not leads and not addresses:
        raise InputUnreadable("say whom to erase: a lead's key, or --email")
    if strange := {split_lead_key(lead)[0] for lead in leads} - sources_read(ws):
        there = ws.mappings()
        for source in sorted(strange - there.keys()):
            names = ", ".join(sorted(there)) or "none"
            raise InputUnreadable(
                f"no mapping is called `{source}`, so nobody has such a key; there is {names}"
            )
