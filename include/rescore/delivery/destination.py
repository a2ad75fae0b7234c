"""Is this still the account that we have always read and written?"""

from __future__ import annotations

from rescore.connectors.base import Target
from rescore.errors import ConnectionLeadsElsewhere, LedgerBehind
from rescore.ledger.migrate import require_current
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


def account_as_before(ledger: Ledger, target: Target) -> str:
    """Ask a target which account it is, for somebody who looks before anything is read: no use of it yet.

    Where the ledger is not set up nothing was ever read, and any account will do.

    Raises:
        As `require_same_account`.
    """
    fingerprint = target.fingerprint()
    try:
        require_current(ledger)
    except LedgerBehind:
        return fingerprint
    try:
        with ledger.reading() as connection:
            destinations.compare(connection, target.name, fingerprint)
    except ConnectionLeadsElsewhere:
        with ledger.transaction() as connection:
            destinations.refuse(connection, target.name, fingerprint)
        raise
    return fingerprint
