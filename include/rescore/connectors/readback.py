"""What a CRM shows now of properties that we write, and who changed them last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

Shown = Mapping[str, str | None]
"""Property -> the text that the CRM keeps; None when it is empty."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One value that a property was given.

    `by` names who gave it as the CRM does, without name or address; None when the CRM does not say.
    `by_person` is None when nobody can tell whether it was a person or a program.
    """

    value: str | None
    at: datetime
    by: str | None = None
    by_person: bool | None = None


@runtime_checkable
class ReadBack(Protocol):
    """The part of a target that says what it shows."""

    def read(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[str, Shown | None]:
        """What is shown of each record, asked for by its id and not through a search, which lags.

        Returns:
            None for a record that the CRM does not have. A record it said nothing about is missing.

        Raises:
            CrmRejectedCredentials: The token is wrong or lacks a scope.
            CrmRateLimited: The CRM asked for a longer pause than this call may wait.
            CrmUnavailable: No usable answer.
        """
        ...

    def edits(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[tuple[str, str], list[Edit]]:
        """By record and property the values given to it, newest first, as far back as the CRM remembers.

        Raises:
            As `read`.
        """
        ...
