"""HubSpot, or any server that speaks its API."""

from rescore.connectors.hubspot.connector import HubSpot, setup
from rescore.connectors.hubspot.limits import Limits

__all__ = ["HubSpot", "Limits", "setup"]
