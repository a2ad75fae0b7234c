"""The names that tables of the lake have for themselves, which nothing that a mapping brings may bear."""

from __future__ import annotations

from typing import Final

_EVERY_ROW: Final = frozenset(
    {"bucket", "place", "revision", "content", "landed_by", "landing", "source", "lead", "known_at"}
    | {"serial", "first_serial", "next_serial", "next_known_at"}
)
_TEXT_FORMS: Final = ("__folded", "__words")

OF_ACTIVITIES: Final = _EVERY_ROW | {
    *("activity_id", "lead_id", "type", "occurred_at", "value"),
    *(name + form for name in ("asset", "channel") for form in ("", *_TEXT_FORMS)),
}
"""Beside the columns of the table what activities are given with."""

OF_LEADS: Final = _EVERY_ROW | {"carried", "lost_account"}
"""Of accounts too: leads carry the attributes of theirs."""


def is_taken(name: str, own: frozenset[str]) -> bool:
    """Whether a name is one of the lake's own, or looks like a form that it keeps of another's text."""
    return name.lower() in own or name.endswith(_TEXT_FORMS)
