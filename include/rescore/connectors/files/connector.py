"""Files as a source: those of leads, and one stream for each pattern of activities."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Self

import pyarrow as pa

from rescore.connectors.base import Cursor
from rescore.connectors.connection import Connection
from rescore.connectors.files.folder import File, Folder
from rescore.connectors.files.mapping import FileActivities, FileLeads, FilesMapping
from rescore.connectors.files.reading import ROWS_A_TURN, Malformed, read_file
from rescore.connectors.pace import Calls
from rescore.connectors.tabular.activities import batch_of
from rescore.connectors.tabular.leads import read_leads, records_of
from rescore.lake.records import Page, SetAside

LEADS = "leads"


class FileSource:
    """Files below one folder; the streams are `leads` and the activities of the mapping by their names.

    A file that changed is read again from its start. A stream's cursor is {"read": fingerprints}, and within
    a file also {"at": [fingerprint, rows]}.
    """

    def __init__(self, folder: Folder, mapping: FilesMapping, *, turn: int = ROWS_A_TURN) -> None:
        self.name = mapping.name
        self.streams = (LEADS, *mapping.activities)
        self.mapping = mapping
        self._folder, self._turn = folder, turn

    @classmethod
    def from_connection(cls, connection: Connection, mapping: FilesMapping, _: Calls) -> Self:
        """From an Airflow Connection: `path` or `url` in its extra, and what opens an object store.

        Raises:
            SettingsIncomplete: It names no place.
        """
        return cls(Folder(connection), mapping)

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`; files come in the order in which they changed."""
        read = self.mapping.leads if stream == LEADS else self.mapping.activities[stream]
        told = cursor or {}
        known, (begun, rows) = set(told.get("read", ())), told.get("at", ("", 0))
        there = [file for file in self._folder.files() if read.takes(file.path)]
        known &= {file.fingerprint for file in there}
        for file in there:
            print_ = file.fingerprint
            if print_ in known or file.changed > until - read.settle:
                continue
            yield from self._file(read, file, sorted(known), rows if print_ == begun else 0)
            known.add(print_)
        yield Page(cursor={"read": sorted(known)})

    def _file(
        self, read: FileLeads | FileActivities, file: File, known: list[str], skip: int
    ) -> Iterator[Page]:
        """Its rows behind the first so many; what is wrong with it as a whole is set aside under its name."""
        kind: Literal["lead", "activity"] = "lead" if isinstance(read, FileLeads) else "activity"
        malformed, rows, problem = Malformed(), 0, None
        try:
            for table in read_file(self._folder, file, read.columns, malformed, turn=self._turn):
                new = table.slice(max(0, skip - rows))
                rows += table.num_rows
                if new.num_rows:
                    yield _page(read, new, {"read": known, "at": [file.fingerprint, rows]})
        except pa.ArrowException as error:
            problem = f"unreadable after {rows:,} rows: {type(error).__name__}"
        page = Page(cursor={"read": sorted([*known, file.fingerprint])})
        if malformed.rows:
            page.set_aside.append(SetAside(kind, file.path, "row_malformed", f"{malformed.rows:,} rows"))
        if problem:
            page.set_aside.append(SetAside(kind, file.path, "file_unreadable", problem))
        yield page


def _page(read: FileLeads | FileActivities, rows: pa.Table, cursor: Cursor) -> Page:
    if isinstance(read, FileActivities):
        return Page(cursor=cursor, batch=batch_of(rows, read))
    page = Page(cursor=cursor)
    read_leads(records_of(rows), read, page)
    return page
