"""Is this still the account that we have always read and written?"""

from __future__ import annotations

from rescore.connectors.base import Target
from rescore.errors import ConnectionLeadsElsewhere
from rescore.ledger.outbox import destinations
from rescore.ledger.transaction import Ledger


def require_same_account(ledger: Ledger, target: Target) -> None:
    """Ask a target which account it is, and refuse another one than at its first use.

    So credentials of a sandbox never write to production, nor the other way round.

    Raises:
        ConnectionLeadsElsewhere: It is another one.
        TerminalError, RetryableError: The target did not say.
    """
    fingerprint = target.fingerprint()
    try:
        with ledger.transaction() as connection:
            destinations.require(connection, target.name, fingerprint)
    except ConnectionLeadsElsewhere:
        with ledger.transaction() as connection:
            destinations.refuse(connection, target.name, fingerprint)
        raise
