"""What is done once: the ledger's tables, the properties that show scores in a CRM."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from rescore.cli.systems import find_mapping, open_system
from rescore.connectors.base import CanBePrepared, Target
from rescore.delivery.destination import account_as_before
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from rescore.settings import Settings


def setup(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="`ledger`, or the name of a CRM's mapping.")],
) -> None:
    """Make or upgrade the ledger's tables, or create the properties that a CRM's mapping names.

    Safe to repeat. A CRM's host and token come from the environment variable AIRFLOW_CONN_RESCORE_<NAME>, in
    either of the forms that Airflow itself reads.
    """
    settings = Settings.from_environment(os.environ)
    for line in _ledger(settings) if what == "ledger" else _crm(what, settings):
        print(line)


def _ledger(settings: Settings) -> list[str]:
    ledger = Ledger(settings.ledger_url)
    where = Path(ledger.name).absolute() if ledger.dialect == "sqlite" else ledger.name
    return [f"ledger {where}: {migrate(ledger)}"]


def _crm(name: str, settings: Settings) -> list[str]:
    crm = open_system(find_mapping(name, settings, also=["ledger"]))
    if not isinstance(crm, CanBePrepared):
        return [f"{name}: there is nothing to prepare, Rescore only reads it"]
    if isinstance(crm, Target):
        account_as_before(Ledger(settings.ledger_url), crm)
    return crm.setup()
