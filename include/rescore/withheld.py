"""Why a lead has no score whatever the rules say, and the attributes that say so."""

from __future__ import annotations

from typing import Final

DELETED: Final = "deleted"
OBJECTION: Final = "objection"
MERGED: Final = "merged"
"""Reasons; a lead is withheld for one of them or not at all."""

IS_DELETED: Final = "rescore_deleted"
"""Flag: its record was deleted at the source, and has not been restored."""
OBJECTS: Final = "rescore_objection"
"""Flag: the source says that the person objects to profiling."""
OBJECTED_HERE: Final = "rescore_objection_noted"
"""Flag: somebody noted here that the person objects; no word of the source takes it away."""

ATTRIBUTES: Final = {IS_DELETED: DELETED, OBJECTS: OBJECTION, OBJECTED_HERE: OBJECTION}
"""Reserved attribute -> the reason it stands for, the strongest first."""
