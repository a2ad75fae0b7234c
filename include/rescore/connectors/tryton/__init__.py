"""Tryton: leads and opportunities of its sales module, over the JSON-RPC that its own clients speak."""

from rescore.connectors.catalog import System
from rescore.connectors.tryton.connector import Tryton
from rescore.connectors.tryton.limits import Limits
from rescore.connectors.tryton.mapping import TrytonMapping

SYSTEM = System(TrytonMapping, Tryton.from_connection)

__all__ = ["SYSTEM", "Limits", "Tryton", "TrytonMapping"]
