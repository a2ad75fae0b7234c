"""Appending to a table: rows are always made against the very version they are appended to."""

import stat
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from rescore.errors import ConfigurationError, Fenced, RetryableError
from rescore.lake.lake import Lake
from rescore.lake.rows import attribute_table
from rescore.lake.tables import LAYOUT, LEADS, SCHEMAS, Storage, append
from tests.lake.builders import a_lead, an_activity, land


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "lake"))


@pytest.fixture
def lake(storage):
    lake = Lake(storage.root, buckets=2)
    land(lake, a_lead("1"), an_activity(), number=1)
    return lake


def overtaken_by(lake, stream, seen):
    """Makes no rows, and on its first look somebody else lands."""

    def rows_against(table) -> tuple[pa.Table, dict]:
        seen.append(table.version())
        if len(seen) == 1:
            land(lake, a_lead("1"), number=2, stream=stream)
        return attribute_table([], LEADS), {"looks": len(seen)}

    return rows_against


def test_rows_are_made_again_when_another_stream_landed_meanwhile(lake, storage):
    seen = []
    counts = append(storage, LEADS, overtaken_by(lake, "another", seen), stream="crm/everything", number=2)
    assert counts == {"looks": 2}
    assert seen[0] < seen[1]


def test_a_zombie_is_refused_when_its_own_stream_went_on_meanwhile(lake, storage):
    with pytest.raises(Fenced):
        append(storage, LEADS, overtaken_by(lake, "everything", []), stream="crm/everything", number=2)


def test_a_new_lake_is_closed_to_everybody_but_its_owner(lake, storage):
    assert stat.S_IMODE(Path(storage.root).stat().st_mode) == 0o700


def test_a_folder_that_is_there_keeps_the_rights_it_was_given(tmp_path):
    (tmp_path / "shared").mkdir(mode=0o750)
    land(Lake(str(tmp_path / "shared"), buckets=2), a_lead("1"), number=1)
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o750


def test_a_lake_of_another_build_is_refused_in_a_sentence_with_a_way_out(storage):
    layout = {"rescore.layout": "0"}
    DeltaTable.create(storage.url(LEADS), SCHEMAS[LEADS], configuration=layout, raise_if_key_not_exists=False)
    with pytest.raises(ConfigurationError, match=r"another build of Rescore \(0, this one reads \d+\)"):
        land(Lake(storage.root), a_lead("1"), number=1)


def test_a_store_that_does_not_answer_is_told_in_one_sentence():
    nobody = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "x", "max_retries": "0"}
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "hidden"}
    with pytest.raises(RetryableError, match="the lake at s3://nope/x does not answer") as refused:
        Storage("s3://nope/x", nobody | keys).open(LEADS)
    assert "RESCORE_LAKE_ROOT" in str(refused.value)
    assert str(refused.value).isprintable()
    assert "hidden" not in str(refused.value)


def test_whoever_changes_the_tables_decides_whether_lakes_that_there_are_can_still_be_read():
    """Where they can not, LAYOUT is the next number; then both are noted here."""
    columns = {name: [(one.name, str(one.type)) for one in schema] for name, schema in SCHEMAS.items()}
    assert (LAYOUT, blake2b(repr(columns).encode(), digest_size=4).hexdigest()) == (1, "8ac074ac")
