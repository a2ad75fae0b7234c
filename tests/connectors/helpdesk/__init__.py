"""The connector of docs/connectors.md: of a help desk, customers are leads and tickets are activities."""

from rescore.connectors.catalog import System
from tests.connectors.helpdesk.connector import Helpdesk
from tests.connectors.helpdesk.mapping import HelpdeskMapping

SYSTEM = System(HelpdeskMapping, Helpdesk.from_connection)
