"""The words that every room shares: a lead's key, and thousandths of points."""

MILLI = 1000
"""Thousandths in one point."""


def lead_key(source: str, lead_id: str) -> str:
    """The key a lead is born with: `hubspot:1042`. Merged leads share one of them (lake table `aliases`)."""
    return f"{source}:{lead_id}"


def split_lead_key(lead: str) -> tuple[str, str]:
    """(source, lead_id) of a key; sources have no colon, ids may."""
    source, _, lead_id = lead.partition(":")
    return source, lead_id
