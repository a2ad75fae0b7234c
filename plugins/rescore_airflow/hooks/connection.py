"""An Airflow Connection as the core knows it."""

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from rescore.connectors.connection import Connection
from rescore.errors import SettingsIncomplete


def find_connection(conn_id: str) -> Connection:
    """The Connection of that id.

    Raises:
        SettingsIncomplete: There is none.
    """
    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise SettingsIncomplete(
            f"there is no Connection `{conn_id}`; create it under Admin, Connections, or set "
            f"AIRFLOW_CONN_{conn_id.upper()}"
        ) from None
    return Connection(
        conn_id,
        found.host or "",
        found.password or "",
        found.extra_dejson,
        kind=found.conn_type or "",
        login=found.login or "",
        port=found.port,
        schema=found.schema or "",
    )
