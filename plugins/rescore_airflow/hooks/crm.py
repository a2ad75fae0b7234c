"""A mapping and its Connection become a connector, whose calls are counted in the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rescore.connectors.catalog import open_source
from rescore.delivery.shared_pace import SharedPace
from rescore.errors import SettingsIncomplete
from rescore.workspace import Workspace
from rescore_airflow.hooks.connection import find_connection


def connect(name: str, ws: Workspace, *, patient: bool = True) -> Any:
    """The source called `name`, and the target it is where it has scores: its Connection is `rescore_<name>`.

    It touches nothing yet. Every call is counted in the ledger first, where all workers share the limits.
    Not `patient`, it answers a limit with an error instead of waiting.

    Raises:
        SettingsIncomplete: No mapping has that name, or the Connection does not hold.
        MappingInvalid: A mapping file does not hold.
    """
    mappings = ws.mappings()
    if name not in mappings:
        known = ", ".join(sorted(mappings)) or "none"
        raise SettingsIncomplete(f"no mapping is called `{name}`; those there are: {known}")
    return open_source(
        find_connection(f"rescore_{name}"),
        mappings[name],
        patient=patient,
        pace=lambda named, rates: SharedPace(ws.ledger, named, rates, clock=lambda: datetime.now(UTC)),
    )
