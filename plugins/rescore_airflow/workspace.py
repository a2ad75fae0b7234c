"""Where a deployment keeps its stores: the environment, or the Connection `rescore_ledger`."""

import logging
import os

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy import URL

from rescore.errors import SettingsIncomplete
from rescore.settings import Settings
from rescore.workspace import Workspace

LEDGER_CONNECTION = "rescore_ledger"

# every check of the ledger's tables would leave two lines in the task's log that nobody asked for
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)


def open_workspace() -> Workspace:
    """The workspace of this deployment, for a task.

    Raises:
        SettingsIncomplete: A folder is missing, or the Connection does not say where the ledger is.
        LedgerBehind: The ledger's tables are not those of this build.
    """
    return open_with(ledger_url())


def ledger_url() -> str | None:
    """The ledger's address from the Connection; None leaves it to the environment."""
    try:
        return _url(BaseHook.get_connection(LEDGER_CONNECTION))
    except AirflowNotFoundException:
        return None


async def aledger_url() -> str | None:
    """The same inside a trigger, whose event loop must not wait for the answer."""
    try:
        return _url(await BaseHook.aget_connection(LEDGER_CONNECTION))
    except AirflowNotFoundException:
        return None


def open_with(url: str | None) -> Workspace:
    """The workspace whose ledger is at `url`, or where the environment says."""
    return Workspace.open(Settings.from_environment(os.environ, ledger_url=url))


def _url(connection: Connection) -> str:
    if connection.conn_type not in ("postgres", "postgresql") or not connection.host:
        raise SettingsIncomplete(
            f"the Connection {LEDGER_CONNECTION} has to be of type postgres with a host; "
            "for SQLite drop it and set RESCORE_LEDGER_URL"
        )
    return URL.create(
        "postgresql+psycopg",
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
    ).render_as_string(hide_password=False)
