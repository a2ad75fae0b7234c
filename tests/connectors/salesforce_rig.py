"""A connector to a sandbox organisation, as an Airflow Connection would make it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rescore.connectors.catalog import read_mapping
from rescore.connectors.connection import Connection
from rescore.connectors.salesforce import Limits, Salesforce, SalesforceMapping
from rescore.connectors.salesforce.login import Login
from sandbox_salesforce.organisation import Account
from sandbox_salesforce.testing import SalesforceServer

SALESFORCE_YAML = Path(__file__).parents[2] / "include" / "mappings" / "examples" / "salesforce.yaml"
MAPPING = read_mapping(SALESFORCE_YAML)
assert isinstance(MAPPING, SalesforceMapping)


def connection(url: str, **changed: Any) -> Connection:
    """A Connection of an external client app: consumer key and secret."""
    account = Account()
    extra = {
        "consumer_key": account.consumer_key,
        "consumer_secret": account.consumer_secret,
        "domain": "sandbox.my",
    }
    return Connection("rescore_salesforce", url, extra=extra | changed, kind="salesforce")


def salesforce(
    server: SalesforceServer,
    mapping: SalesforceMapping = MAPPING,
    *,
    pace: Any = None,
    sleep: Callable[[float], None] = lambda seconds: None,
    clock: Callable[[], float] = time.monotonic,
    **limits: Any,
) -> Salesforce:
    """Nothing ever waits: what would sleep notes that the server works on."""
    return Salesforce(
        Login.from_connection(connection(server.url)),
        mapping,
        Limits(**{"calls": 10**6, **limits}),
        origin=server.url,
        pace=pace,
        clock=clock,
        sleep=sleep,
    )
