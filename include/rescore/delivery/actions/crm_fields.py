"""Sets properties of a lead in the CRM where their present values allow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rescore.delivery.actions.crm import (
    Connect,
    MappingOf,
    Merged,
    RecordOf,
    nobody_merged,
    own_record,
    record_id,
    rehearsal,
)
from rescore.delivery.actions.outcomes import of_action
from rescore.errors import RescoreError, SettingsIncomplete
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.mapping import Settable
from rescore.outcome import Outcome

THERE = "it is so already"


class CrmFieldsSender:
    """See `Sender`; for a merged lead the properties of the lead that is left are set.

    Between reading a property and writing it there is a moment in which somebody may change it; the CRM
    offers no write that depends on the present value.
    """

    def __init__(
        self,
        connect: Connect,
        mapping_of: MappingOf,
        merged: Merged = nobody_merged,
        record_of: RecordOf = own_record,
    ) -> None:
        self._connect = connect
        self._mapping_of = mapping_of
        self._merged, self._record_of = merged, record_of

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        """Read, judge each property by its guard, and write those that pass in one call."""
        try:
            said: dict[str, Any] = json.loads(claim.body)
            mapping = self._mapping_of(said["target"])
            if rehearsed := rehearsal(mapping, claim):
                return rehearsed
            settable = mapping.settable
            _allow(said, settable)
            fields = self._connect(said["target"]).fields
            lead_id = record_id(said, self._merged, self._record_of)
            present = fields.read(lead_id, [field["property"] for field in said["fields"]])
        except RescoreError as error:
            return of_action(error, effect=False)
        kept = {
            field["property"]: why
            for field in said["fields"]
            if (why := why_left(present.get(field["property"]), field, settable[field["property"]].stages))
        }
        values = {f["property"]: f["value"] for f in said["fields"] if f["property"] not in kept}
        note = _note(kept)
        if not values:
            return Outcome("ok", note)
        try:
            outcome = fields.write(lead_id, values)
        except RescoreError as error:
            return of_action(error, effect=True)
        return replace(outcome, reason=note) if outcome.kind == "ok" else outcome


def why_left(present: str | None, field: Mapping[str, Any], stages: tuple[str, ...]) -> str | None:
    """Why a property keeps its present value; None when it may be written. Names no value of the lead."""
    value, only_from = field["value"], field["only_from"]
    if present == value:
        return THERE
    if present in stages and value in stages and stages.index(value) < stages.index(present):
        return "it is further already"
    guarded = only_from is not None or field["if_empty"]
    if not guarded or (field["if_empty"] and not present) or (only_from and present in only_from):
        return None
    return "it is not empty" if only_from is None else "it is none of `only_from`"


def _allow(said: Mapping[str, Any], settable: Mapping[str, Settable]) -> None:
    for field in said["fields"]:
        if field["property"] not in settable:
            raise SettingsIncomplete(
                f"the mapping {said['target']}.yaml does not let automations set `{field['property']}`; "
                "if they may, name it under `settable`"
            )


def _note(kept: Mapping[str, str]) -> str | None:
    if not kept:
        return None
    return "left as it is: " + "; ".join(f"{name}, because {why}" for name, why in sorted(kept.items()))
