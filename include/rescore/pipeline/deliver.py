"""What a promotion owes to the world, worked off within one deployment."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from rescore.connectors.base import Target
from rescore.delivery import automations, crm
from rescore.delivery.webhook import WebhookSender
from rescore.pipeline.progress import Progress, silent
from rescore.workspace import Workspace


def update_crm(
    ws: Workspace, target: Target, *, now: datetime, worker: str, progress: Progress = silent
) -> Counter[str]:
    """Show in one CRM what it should show and has not confirmed; see `delivery.crm.update_crm`."""
    return crm.update_crm(
        ws.ledger,
        target,
        mapping=ws.mappings()[target.name],
        now=now,
        worker=worker,
        merged=ws.lake.canonical,
        progress=progress,
    )


def run_automations(ws: Workspace, sender: WebhookSender, *, now: datetime, worker: str) -> Counter[str]:
    """Send every delivery that is due; see `delivery.automations.run_automations`."""
    return automations.run_automations(ws.ledger, sender, now=now, worker=worker)
