"""HubSpot, or any server that speaks its API."""

from rescore.connectors.catalog import System
from rescore.connectors.hubspot.connector import HubSpot
from rescore.connectors.hubspot.limits import Limits
from rescore.connectors.hubspot.mapping import HubSpotMapping

SYSTEM = System(HubSpotMapping, HubSpot.from_connection)

__all__ = ["SYSTEM", "HubSpot", "HubSpotMapping", "Limits"]
