"""Is what a CRM shows ours, drift to be mended, or a person's word that stays for a while?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from rescore.connectors.base import FieldValue
from rescore.connectors.readback import Edit, Shown
from rescore.delivery.readback import number, same
from rescore.ledger.confirmed import DELETED, Confirmed, Found
from rescore.ledger.overrides import Override
from rescore.mapping import ScoreFields

SOMEBODY = "somebody"

Edits = Mapping[tuple[str, str], list[Edit]]
"""By record and property, newest first."""


def differing(
    wanted: Mapping[str, FieldValue], shown: Shown, kept: Mapping[str, Override]
) -> dict[str, str | None]:
    """The properties that show neither our value nor the one that a person is known to have set."""
    return {
        name: shown.get(name)
        for name, value in wanted.items()
        if not same(value, shown.get(name)) and not (name in kept and kept[name].value == shown.get(name))
    }


def put_back(
    wanted: Mapping[str, FieldValue], shown: Shown, kept: Mapping[str, Override]
) -> tuple[Override, ...]:
    """The overrides whose property shows our value again."""
    return tuple(
        kept[name] for name, value in wanted.items() if name in kept and same(value, shown.get(name))
    )


def judge(
    confirmed: Confirmed,
    shown_as: ScoreFields,
    *,
    wanted: Mapping[str, FieldValue],
    shown: Shown,
    kept: Mapping[str, Override],
    edits: Edits,
    lead_id: str,
    now: datetime,
    people_only: bool,
) -> Found:
    """What to make of one record under one scorecard.

    Args:
        confirmed: What it should show, and in which state it is.
        shown_as: The mapping of its scorecard.
        wanted: `readback.figures` of it.
        shown: What it shows.
        kept: Its open overrides, by property.
        edits: The history of what differs and may stay.
        lead_id: The record, as in `edits`.
        now: The present.
        people_only: Count only what the CRM says a person did; else also what it does not say.
    """
    drift, opened = confirmed.state == DELETED, []
    keeps = shown_as.keeps()
    differs = {} if drift else differing(wanted, shown, kept)
    for name, text in differs.items():
        edit = next(iter(edits.get((lead_id, name), [])), None)
        until = _until(edit, text, keeps.get(name), now, people_only)
        if until is None:
            drift = True
            continue
        opened.append(
            Override(
                target=confirmed.target,
                lead=confirmed.lead,
                property=name,
                scorecard=confirmed.scorecard,
                value=text,
                owner=(edit.by if edit else None) or SOMEBODY,
                reason=f"changed in {confirmed.target}{f' on {edit.at:%Y-%m-%d}' if edit else ''}",
                seen_at=now,
                expires_at=until,
            )
        )
    return Found(
        confirmed,
        drift=drift,
        shown_score=number(shown.get(shown_as.score)),
        shown_band=shown.get(shown_as.band) if shown_as.band else confirmed.shown_band,
        opened=opened,
        ended=put_back(wanted, shown, kept),
    )


def _until(
    edit: Edit | None, text: str | None, keep: timedelta | None, now: datetime, people_only: bool
) -> datetime | None:
    """Until when a value stays that is not ours; None writes ours over it."""
    if keep is None:
        return None
    if edit is None or edit.value != text:  # the CRM tells nothing, or not of this value
        return None if people_only else now + keep
    if edit.by_person is False or (people_only and edit.by_person is None):
        return None
    until = min(edit.at, now) + keep
    return until if until > now else None
