"""Tables and views of a database that a loader keeps filled; they are read and never written."""

from rescore.connectors.catalog import System
from rescore.connectors.sql.connector import SqlSource
from rescore.connectors.sql.mapping import SqlMapping

SYSTEM = System(SqlMapping, SqlSource.from_connection)

__all__ = ["SYSTEM", "SqlMapping", "SqlSource"]
