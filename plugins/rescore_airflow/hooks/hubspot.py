"""The Connection of a HubSpot account, or of a server that speaks like it, becomes a connector."""

from datetime import UTC, datetime

from airflow.sdk import BaseHook

from rescore.connectors.hubspot import HubSpot
from rescore.delivery.shared_pace import SharedPace
from rescore.ledger.transaction import Ledger
from rescore.mapping import Mapping
from rescore_airflow.hooks.connection import find_connection


class HubSpotHook(BaseHook):
    """Host and token come from the Connection, names from the mapping; extra may set limits.

    Args:
        conn_id: The Connection: `host` is the address, `password` the private app's token.
    """

    conn_name_attr = "conn_id"
    default_conn_name = "rescore_hubspot"
    conn_type = "http"
    hook_name = "HubSpot (Rescore)"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_conn(self, mapping: Mapping, ledger: Ledger, *, patient: bool = True) -> HubSpot:
        """A source of facts and a target of scores; touches nothing yet. For `patient` see the connector.

        Every call is counted in the ledger first, where all workers share the CRM's limits.

        Raises:
            SettingsIncomplete: The Connection is missing, or something in it does not hold.
        """
        return HubSpot.from_connection(
            find_connection(self.conn_id),
            mapping,
            patient=patient,
            pace=lambda name, rates: SharedPace(ledger, name, rates, clock=lambda: datetime.now(UTC)),
        )
