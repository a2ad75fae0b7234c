"""What is said of leads above all rules: why one has no score, and that one is in no quarantine."""

from __future__ import annotations

from typing import Final

DELETED: Final = "deleted"
OBJECTION: Final = "objection"
MERGED: Final = "merged"
"""Reasons; a lead is withheld for one of them or not at all."""

IS_DELETED: Final = "rescore_deleted"
"""Flag: its record was deleted at the source, and has not been restored; of an account, too."""
BECAME: Final = "rescore_became"
"""Text, of an account: the id of the one that it was merged into."""
OBJECTS: Final = "rescore_objection"
"""Flag: the source says that the person objects to profiling."""
OBJECTED_HERE: Final = "rescore_objection_noted"
"""Flag: somebody noted here that the person objects; no word of the source takes it away."""

RELEASED_HERE: Final = "rescore_quarantine_released"
"""Flag: somebody noted here that the lead is a person, so that no quarantine takes what it did."""

NOTED_HERE: Final = frozenset({OBJECTED_HERE, RELEASED_HERE})
"""What people note here: it outlasts whatever a source says of the lead, and goes along into a merge."""

ATTRIBUTES: Final = {IS_DELETED: DELETED, OBJECTS: OBJECTION, OBJECTED_HERE: OBJECTION}
"""Attribute that withholds a lead -> the reason it stands for, the strongest first."""

RESERVED: Final = ATTRIBUTES.keys() | {BECAME, RELEASED_HERE}
"""Attributes that no mapping may bring under its own names."""
