"""A system by the name of its mapping, as commands open it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from rescore.connectors.catalog import open_source, read_mappings
from rescore.connectors.connection import connection_from_environment
from rescore.errors import InputUnreadable
from rescore.mapping import Mapping
from rescore.settings import Settings
from rescore.strict.model import did_you_mean


def find_mapping(name: str, settings: Settings, *, also: Sequence[str] = ()) -> Mapping:
    """The mapping of that name; `also` can be named in its place.

    Raises:
        InputUnreadable: There is none.
        MappingInvalid: A mapping file does not hold.
    """
    mappings = read_mappings(settings.mappings_dir)
    if name not in mappings:
        raise InputUnreadable(f"no mapping is called `{name}`; {did_you_mean(name, [*also, *mappings])}")
    return mappings[name]


def open_system(mapping: Mapping) -> Any:
    """Its connector; host and token come from the environment variable AIRFLOW_CONN_RESCORE_<NAME>.

    Raises:
        SettingsIncomplete: The variable is missing, or something in it.
    """
    return open_source(connection_from_environment(f"rescore_{mapping.name}", os.environ), mapping)
