"""HubSpot, or any server that speaks its API."""
