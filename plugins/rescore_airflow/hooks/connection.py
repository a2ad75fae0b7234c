"""An Airflow Connection as the core knows it."""

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from rescore.connectors.connection import Connection
from rescore.errors import SettingsIncomplete


def find_connection(conn_id: str) -> Connection:
    """The Connection of that id.

    Raises:
        SettingsIncomplete: There is none, or it has no usable host.
    """
    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise SettingsIncomplete(
            f"there is no Connection `{conn_id}`; create it under Admin, Connections, or set "
            f"AIRFLOW_CONN_{conn_id.upper()}"
        ) from None
    return Connection.from_parts(
        conn_id,
        host=found.host,
        password=found.password,
        port=found.port,
        schema=found.schema,
        extra=found.extra_dejson,
    )
