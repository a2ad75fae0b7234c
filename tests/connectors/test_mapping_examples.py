"""The examples of mappings hold, and refuse what a source that is only read cannot do."""

import re
from pathlib import Path

import pytest

from rescore.connectors.catalog import load_mapping, read_mapping, read_mappings
from rescore.errors import MappingInvalid

MAPPINGS = Path(__file__).parents[2] / "include" / "mappings"
EXAMPLES = sorted((MAPPINGS / "examples").glob("*.yaml"))
DOCUMENT = (Path(__file__).parents[2] / "docs" / "sql-and-files.md").read_text()
SQL = (MAPPINGS / "examples" / "warehouse.yaml").read_bytes()
FILES = (MAPPINGS / "examples" / "files.yaml").read_bytes()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_holds_and_is_called_as_its_file_is(path):
    assert read_mapping(path).name == path.stem


@pytest.mark.parametrize("path", [*EXAMPLES, MAPPINGS / "hubspot.yaml"], ids=lambda path: path.stem)
def test_what_an_example_only_shows_holds_as_well(path):
    text, shown = re.subn(r"^( *)# ( *[a-z_]+:.*)$", r"\1\2", path.read_text(), flags=re.MULTILINE)
    load_mapping(text.encode(), path.name)
    assert shown


def test_examples_are_not_sources_of_anybody():
    assert not {path.stem for path in EXAMPLES} & read_mappings(MAPPINGS).keys()


@pytest.mark.parametrize("name", ["warehouse", "files"])
def test_the_examples_are_described(name):
    assert f"examples/{name}.yaml" in DOCUMENT


@pytest.mark.parametrize(
    ("body", "old", "new", "said"),
    [
        (SQL, b"analytics.leads", b"leads; DROP TABLE leads", "`table`"),
        (SQL, b"analytics.leads", b"'(SELECT 1)'", "`table`"),
        (SQL, b"overlap: 10m", b"overlap: often", "`overlap` cannot be `often`; write a time such as `10m`"),
        (SQL, b"overlap: 10m", b"overlap: -1", "`overlap`"),
        (SQL, b"cursor: updated_at", b"#", "`cursor` is missing"),
        (SQL, b"  page_views:", b"  leads:", "`leads` is the stream of the leads themselves"),
        (FILES, b"  page_views:", b"  leads:", "`leads` is the stream of the leads themselves"),
        (SQL, b"connector: sql", b"connector: sql\nsettable: {a: {}}", "tables are only read"),
        (FILES, b"leads/*.csv", b"../leads/*.csv", "below the Connection's folder"),
        (FILES, b"leads/*.csv", b"/leads/*.csv", "below the Connection's folder"),
        (FILES, b"leads/*.csv", b"leads/*.xlsx", "ends in .parquet, .csv or .csv.gz"),
        (FILES, b"settle: 5m", b"settle: 5", "`settle` cannot be"),
    ],
    ids=lambda value: value.decode()[:24] if isinstance(value, bytes) else "",
)
def test_a_mistake_is_named_with_the_way_out(body, old, new, said):
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(body.replace(old, new, 1), "x.yaml")
    assert said in str(caught.value)
    assert str(caught.value).startswith("x.yaml:")
