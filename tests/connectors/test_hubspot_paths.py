"""Paths of HubSpot: each is a setting of its own and dated, or known not to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rescore.connectors.catalog import load_mapping
from tests.connectors.conftest import HUBSPOT_YAML

DATED = re.compile(r"/20[0-9]{2}-(03|09)(/|$)")
UNDATED = {
    "/email/public/v1/events": "opens and clicks of marketing e-mails are nowhere else",
    "/form-integrations/v1/submissions/forms/{form}": "submissions are nowhere else",
    "/marketing/v3/forms": "its dated form is in beta",
}
CODE = Path(__file__).parents[2] / "include" / "rescore" / "connectors" / "hubspot"
ACCOUNTS = b"""
accounts:
  search: /crm/objects/2026-09/companies/search
  properties: /crm/properties/2026-09/companies
  attributes: {company_industry: {property: industry, type: text}}
"""


def _paths(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _paths(one)
    elif isinstance(value, str) and value.startswith("/"):
        yield value


def test_every_path_of_the_mapping_is_dated_or_known_not_to_be():
    mapping = load_mapping(HUBSPOT_YAML.read_bytes() + ACCOUNTS, "hubspot.yaml")
    paths = set(_paths(mapping.model_dump()))
    assert len(paths) > 30
    assert {path for path in paths if not DATED.search(path)} == set(UNDATED)
    assert not [path for path in paths if path.startswith("/crm/v3")]


@pytest.mark.parametrize("file", sorted(CODE.glob("*.py")), ids=lambda file: file.stem)
def test_no_path_is_written_into_the_code(file):
    assert not re.findall(r"""["']/[a-z-]+/[a-z0-9/{}_-]+["']""", file.read_text())
