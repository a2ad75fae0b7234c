"""What an edit does to the quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rescore.rules import readable
from rescore.rules.card import QuarantineEntry
from rescore.rules.diff.change import Change, differ, exchanged, paired, turned
from rescore.rules.diff.conditions import condition_changes

Entries = tuple[QuarantineEntry, ...]


def quarantine_changes(old: Entries, new: Entries) -> Iterator[Change]:
    """Entries that came, went, take something else or got another label."""
    lost = [entry for entry in old if entry.id not in {other.id for other in new}]
    for name, before, after in paired(old, new, lambda entry: entry.id):
        where = f"quarantine {name}"
        if before is None and after is not None:
            before = next((entry for entry in lost if not differ(replace(entry, id=name), after)), None)
            if before is None:
                yield Change("scoring", where, f"is new: takes {readable.quarantined(after)}")
                continue
            lost.remove(before)
            yield Change("scoring", where, f"is the new name of {before.id}")
        elif after is None and before is not None:
            if before in lost:
                yield Change("scoring", where, f"is gone: no longer takes {readable.quarantined(before)}")
            continue
        if before is not None and after is not None:
            yield from (Change("scoring", where, text) for text in _meaning(before, after))
            if before.label != after.label:
                yield Change("wording", where, f"label “{before.label}” → “{after.label}”")


def _meaning(old: QuarantineEntry, new: QuarantineEntry) -> Iterator[str]:
    if set(old.activities) != set(new.activities):
        yield f"activity {exchanged(old.activities, new.activities)}"
    yield from condition_changes("where", old.where, new.where)
    yield from turned("takes", old.pattern, new.pattern, readable.pattern)
