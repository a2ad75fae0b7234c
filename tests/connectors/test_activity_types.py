"""docs/activity-types.md lists every type that a shipped mapping brings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rescore.connectors.catalog import read_mapping

PROJECT = Path(__file__).parents[2]
MAPPINGS = sorted((PROJECT / "include" / "mappings").rglob("*.yaml"))
ONE = ("type", "created", "open", "won", "lost", "opened", "clicked")


def types_of(stream: dict[str, Any]) -> Iterator[str]:
    """Whatever a stream's activities may be called."""
    for key in (*ONE, "types"):
        said = stream.get(key)
        if isinstance(said, str):
            yield said
        elif isinstance(said, dict):
            yield from said.get("values", {}).values() if key == "type" else said.values()
            if said.get("otherwise"):
                yield said["otherwise"]


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_every_type_of_a_shipped_mapping_is_listed(path):
    page = (PROJECT / "docs" / "activity-types.md").read_text().partition("## What each system offers")[0]
    listed = set(re.findall(r"`([a-z_]+)`", page))
    brought = {
        kind for stream in read_mapping(path).model_dump()["activities"].values() for kind in types_of(stream)
    }
    assert brought
    assert brought <= listed
