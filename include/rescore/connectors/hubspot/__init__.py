"""HubSpot, or any server that speaks its API."""

from rescore.connectors.hubspot.client import Limits
from rescore.connectors.hubspot.connector import HubSpot, setup

__all__ = ["HubSpot", "Limits", "setup"]
