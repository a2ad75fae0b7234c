"""Files keep every promise of a source, in a folder and in an object store."""

import csv
import os
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rescore.connectors.catalog import load_mapping
from rescore.connectors.connection import Connection
from rescore.connectors.files import FileSource
from rescore.connectors.files.folder import Folder
from rescore.errors import SettingsIncomplete
from tests.connectors.contract import UNTIL, SourceContract, SourceRig, read
from tests.connectors.pretend_store import serving

MAPPING = b"""\
mapping: exports
connector: files
leads:
  files: people/*.csv
  id: Record ID
  attributes:
    job_title: {property: Job Title, type: text}
    company_size: {property: size, type: number}
activities:
  views:
    files: '**/views-*.parquet'
    id: id
    lead: person
    type: page_view
    occurred_at: at
    asset: page
"""
LEADS = [str(number) for number in range(300)]


def fill(folder):
    (folder / "people").mkdir(parents=True)
    (folder / "2026" / "11").mkdir(parents=True)
    for turn in range(3):
        path = folder / "people" / f"{turn}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = [[lead, "CTO\nand more", 5] for lead in LEADS[turn * 100 : turn * 100 + 100]]
            csv.writer(file).writerows([["Record ID", "Job Title", "size"], *rows])
    count = 250
    views = pa.table(
        {
            "id": range(count),
            "person": [n % 90 for n in range(count)],
            "at": [UNTIL - timedelta(days=n % 5) for n in range(count)],
            "page": ["/pricing"] * count,
        }
    )
    pq.write_table(views, folder / "2026" / "11" / "views-1.parquet", row_group_size=64)
    pq.write_table(views.slice(0, 5), folder / "views-0.parquet")
    for path in folder.rglob("*.*"):
        os.utime(path, (UNTIL.timestamp() - 3600,) * 2)


class FilesRig:
    leads = LEADS

    def __init__(self, connection, lock_out):
        folder = Folder(connection)
        self.connector = FileSource(folder, load_mapping(MAPPING, "exports.yaml"), turn=40)
        self.lock_out = lock_out


class TestFolder(SourceContract):
    @pytest.fixture
    def rig(self, tmp_path):
        fill(tmp_path / "exports")
        connection = Connection("rescore_exports", extra={"path": str(tmp_path / "exports")}, kind="fs")
        return FilesRig(connection, lambda: (tmp_path / "exports").rename(tmp_path / "elsewhere"))

    def test_a_bad_token_is_told_apart_in_reading(self, rig: SourceRig):
        """A folder has none: it is there or it is not."""
        rig.lock_out()
        with pytest.raises(SettingsIncomplete, match="there is no folder"):
            read(rig.connector, "leads")


class TestObjectStore(SourceContract):
    @pytest.fixture
    def rig(self, tmp_path):
        fill(tmp_path / "store" / "daily")
        with serving(tmp_path / "store") as url:
            options = {"AWS_ALLOW_HTTP": "true", "AWS_REGION": "eu-central-1"}
            extra = {"url": "s3://exports/daily", "storage_options": options, "endpoint_url": url}
            connection = Connection("rescore_exports", "", "secret", extra, kind="aws", login="key")
            yield FilesRig(connection, (tmp_path / "closed").touch)
