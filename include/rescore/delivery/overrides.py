"""Is what a CRM shows ours, drift to be mended, or a person's word that stays for a while?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rescore.connectors.base import FieldValue
from rescore.connectors.readback import Edit, Shown
from rescore.delivery.readback import figures, number, same
from rescore.ledger.outbox.confirmed import DELETED, Confirmed, Found
from rescore.ledger.outbox.overrides import Override
from rescore.mapping import ScoreFields

SOMEBODY = "somebody"
PUT_BACK, WRITTEN_OVER = "put back", "written over"
"""What ends an override in the CRM: our value is there again, or another one that may not stay."""

Edits = Mapping[tuple[str, str], list[Edit]]
"""By record and property, newest first."""


@dataclass(frozen=True, slots=True)
class Case:
    """One record under one scorecard.

    `kept` are the lead's open overrides by property, `filled` the properties that drift where they are empty.
    """

    confirmed: Confirmed
    record: str
    shown_as: ScoreFields
    kept: Mapping[str, Override]
    filled: Collection[str] = ()

    @property
    def wanted(self) -> dict[str, FieldValue]:
        """What it should show, by property."""
        return figures(self.confirmed, self.shown_as)

    @property
    def keeps(self) -> Mapping[str, timedelta]:
        """By property how long a person's value stays; nobody's stays where the person objects."""
        return {} if self.confirmed.objects else self.shown_as.keeps()

    def differing(self, shown: Shown) -> dict[str, str | None]:
        """The properties that show neither our value nor the one that a person is known to have set."""
        return {
            name: shown.get(name)
            for name, value in self.wanted.items()
            if not same(value, shown.get(name))
            and not (name in self.kept and self.kept[name].value == shown.get(name))
        }

    def doubtful(self, shown: Shown) -> set[str]:
        """The properties whose history decides between drift and an override."""
        if self.confirmed.state == DELETED:
            return set()
        return self.keeps.keys() & self.differing(shown).keys()

    def judge(self, shown: Shown, edits: Edits, *, now: datetime, people_only: bool) -> Found:
        """What to make of what is shown.

        Args:
            shown: The record's values.
            edits: The history of what is doubtful.
            now: The present.
            people_only: Only what the CRM says a person did stays; else also what it does not say.
        """
        known, keeps = self.confirmed, self.keeps
        drift = known.state == DELETED or any(shown.get(name) is None for name in self.filled)
        opened = []
        ended = [
            (self.kept[name], PUT_BACK)
            for name, value in self.wanted.items()
            if name in self.kept and same(value, shown.get(name))
        ]
        for name, text in ({} if known.state == DELETED else self.differing(shown)).items():
            edit = next(iter(edits.get((self.record, name), [])), None)
            until = _until(edit, text, keeps.get(name), now, people_only)
            if until is None:
                drift = True
                ended += [(self.kept[name], WRITTEN_OVER)] if name in self.kept else []
            else:
                opened.append(self._override(name, text, edit, now, until))
        return Found(
            known,
            drift=drift,
            shown_score=number(shown.get(self.shown_as.score)),
            shown_band=shown.get(self.shown_as.band) if self.shown_as.band else known.shown_band,
            opened=opened,
            ended=ended,
        )

    def _override(
        self, name: str, text: str | None, edit: Edit | None, now: datetime, until: datetime
    ) -> Override:
        known = self.confirmed
        return Override(
            target=known.target,
            lead=known.lead,
            property=name,
            scorecard=known.scorecard,
            value=text,
            owner=(edit.by if edit else None) or SOMEBODY,
            reason=f"changed in {known.target}{f' on {edit.at:%Y-%m-%d}' if edit else ''}",
            seen_at=now,
            expires_at=until,
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
