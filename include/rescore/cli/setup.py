"""Commands run once: the ledger's tables, the CRM's properties."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from rescore.connectors.catalog import open_source, read_mapping
from rescore.connectors.connection import connection_from_environment
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from rescore.settings import Settings

setup = typer.Typer(help="Prepare a ledger or a CRM.", no_args_is_help=True, add_completion=False)


@setup.command()
def ledger() -> None:
    """Make or upgrade the ledger's tables; safe to repeat."""
    ledger = Ledger(Settings.from_environment(os.environ).ledger_url)
    where = Path(ledger.name).absolute() if ledger.dialect == "sqlite" else ledger.name
    print(f"ledger {where}: {migrate(ledger)}")


@setup.command()
def hubspot() -> None:
    """Create the score properties that the mapping names; safe to repeat.

    Host and token come from the environment variable AIRFLOW_CONN_RESCORE_HUBSPOT, in the form that
    Airflow itself reads.
    """
    settings = Settings.from_environment(os.environ)
    mapping = read_mapping(settings.mappings_dir / "hubspot.yaml")
    connection = connection_from_environment("rescore_hubspot", os.environ)
    for line in open_source(connection, mapping).setup():
        print(line)
