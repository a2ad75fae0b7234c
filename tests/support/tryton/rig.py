"""How tests come in at the live server: its Connection, and the mapping that the project shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rescore.connectors.catalog import read_mapping
from rescore.connectors.connection import Connection
from rescore.connectors.tryton import TrytonMapping
from tests.support.tryton.installation import DATABASE
from tests.support.tryton.server import password_of

MAPPING = Path(__file__).parents[3] / "include" / "mappings" / "examples" / "tryton.yaml"


def connection_to(url: str, login: str = "rescore", *, password: str = "", **extra: Any) -> Connection:
    """As the Airflow Connection of a user that `seed.py` made."""
    return Connection(
        "rescore_tryton",
        host=url,
        login=login,
        password=password or password_of(login),
        extra={"database": DATABASE, **extra},
    )


def tryton_mapping() -> TrytonMapping:
    """The example of the project, as it is."""
    mapping = read_mapping(MAPPING)
    assert isinstance(mapping, TrytonMapping)
    return mapping
