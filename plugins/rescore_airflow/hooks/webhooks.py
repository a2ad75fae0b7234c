"""The Connections that automations may send to: those that said so themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rescore.delivery.webhook import Endpoint
from rescore.errors import SettingsIncomplete
from rescore_airflow.hooks.connection import find_connection

OPT_IN = "rescore_webhook"


class WebhookEndpoints(Mapping[str, Endpoint]):
    """Endpoints by Connection id, looked up when a delivery asks for one.

    A Connection opts in with `{"rescore_webhook": true}` in its extra: whoever may edit rules must not be
    able to send leads through a Connection that was made for something else. Nobody can list them.
    """

    def __getitem__(self, conn_id: str) -> Endpoint:
        """The endpoint behind a Connection.

        Raises:
            SettingsIncomplete: It is missing, has no usable host, or has not opted in.
        """
        found = find_connection(conn_id)
        if found.extra.get(OPT_IN) is not True:
            raise SettingsIncomplete(
                f"the Connection `{conn_id}` does not allow Rescore to send to it; if it may, write "
                f'{{"{OPT_IN}": true}} into its extra'
            )
        return Endpoint(url=found.url, secret=found.password)

    def __iter__(self) -> Iterator[str]:
        """None are known beforehand."""
        return iter(())

    def __len__(self) -> int:
        """None are known beforehand."""
        return 0
