"""Salesforce, or any server that speaks its API."""

from rescore.connectors.catalog import System
from rescore.connectors.salesforce.connector import Salesforce
from rescore.connectors.salesforce.limits import Limits
from rescore.connectors.salesforce.mapping import SalesforceMapping

SYSTEM = System(SalesforceMapping, Salesforce.from_connection)

__all__ = ["SYSTEM", "Limits", "Salesforce", "SalesforceMapping"]
