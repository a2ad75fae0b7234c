"""Parquet and CSV files in a folder or an object store, as exports and loaders leave them."""

from rescore.connectors.catalog import System
from rescore.connectors.files.connector import FileSource
from rescore.connectors.files.mapping import FilesMapping

SYSTEM = System(FilesMapping, FileSource.from_connection)

__all__ = ["SYSTEM", "FileSource", "FilesMapping"]
