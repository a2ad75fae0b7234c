"""Files as a source: those of leads, and one stream for each pattern of activities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Literal, Self

import pyarrow as pa

from rescore.connectors.base import Cursor
from rescore.connectors.connection import Connection
from rescore.connectors.describing import Listing
from rescore.connectors.files.describing import listings
from rescore.connectors.files.folder import File, FileBroken, Folder
from rescore.connectors.files.mapping import FileActivities, FileLeads, FilesMapping
from rescore.connectors.files.reading import ROWS_A_TURN, Malformed, look_at, read_file
from rescore.connectors.pace import Calls
from rescore.connectors.tabular.activities import batch_of
from rescore.connectors.tabular.leads import read_leads, records_of
from rescore.errors import CrmFieldMissing, TerminalError
from rescore.lake.records import Page, SetAside

LEADS = "leads"
UNREADABLE = "file_unreadable"
LEADS_OUT = "a link that leads out of the folder is not followed; put the file itself there"
HEADS, TOLD = 100, 5
"""Of how many files of a stream a check looks at the heads, and how many problems it tells."""


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

    def describe(self) -> Iterator[Listing]:
        """See `Describable.describe`."""
        return listings(self._folder, self.mapping)

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`; files come in the order in which they changed.

        Where one of leads is new, those that changed after it are read again: they have the last word.
        """
        read = self._read(stream)
        told = cursor or {}
        known, (begun, rows) = set(told.get("read", ())), told.get("at", ("", 0))
        listed = [file for file in self._folder.files() if read.takes(file.path)]
        known &= {file.fingerprint for file in listed}
        due = [file for file in listed if not file.leads_out and file.changed <= until - read.settle]
        new = next((place for place, file in enumerate(due) if file.fingerprint not in known), len(due))
        again = {file.fingerprint for file in due[new:]} & known if isinstance(read, FileLeads) else set()
        known -= again
        for file in due[new:]:
            if (print_ := file.fingerprint) in known:
                continue
            skip, begun = rows if print_ == begun else 0, ""  # behind another file all of its rows count
            for page in self._file(read, file, sorted(known), skip):
                yield replace(page, again=page.rows) if print_ in again else page
            known.add(print_)
        kind, links = _kind(read), [file for file in listed if file.leads_out]
        outside = [SetAside(kind, file.path, UNREADABLE, LEADS_OUT) for file in links]
        yield Page(set_aside=outside, cursor={"read": sorted(known)})

    def check(self) -> str:
        """Look at the heads of files, the newest of each stream; says how many of how many.

        Raises:
            TerminalError: Naming those that would stop a stream or be set aside, and why.
            SettingsIncomplete, CrmRejectedCredentials, CrmUnavailable: As `pages`.
        """
        there, said, troubles = self._folder.files(), [], []
        for stream in self.streams:
            read = self._read(stream)
            files = [file for file in there if read.takes(file.path)]
            for file in files[-HEADS:]:
                try:
                    if file.leads_out:
                        troubles.append(f"`{file.path}`: {LEADS_OUT}")
                    else:
                        look_at(self._folder, file, read.columns)
                except FileBroken:
                    troubles.append(f"`{file.path}` is not what its name says, and would be set aside")
                except CrmFieldMissing as error:
                    troubles.append(str(error))
            said.append(f"{stream} {len(files[-HEADS:]):,} of {len(files):,}")
        if troubles:
            more = f"; and {len(troubles) - TOLD:,} more" if len(troubles) > TOLD else ""
            raise TerminalError("; ".join(troubles[:TOLD]) + more)
        return f"the heads of files: {', '.join(said)}"

    def _read(self, stream: str) -> FileLeads | FileActivities:
        return self.mapping.leads if stream == LEADS else self.mapping.activities[stream]

    def _file(
        self, read: FileLeads | FileActivities, file: File, known: list[str], skip: int
    ) -> Iterator[Page]:
        """Its rows behind the first so many; what is wrong with it as a whole is set aside under its name."""
        malformed, rows, problem = Malformed(), 0, None
        try:
            for table in read_file(self._folder, file, read.columns, malformed, turn=self._turn):
                new = table.slice(max(0, skip - rows))
                rows += table.num_rows
                if new.num_rows:
                    yield _page(read, file, new, {"read": known, "at": [file.fingerprint, rows]})
        except FileBroken as error:
            problem = f"unreadable after {rows:,} rows: {error}"
        page, kind = Page(cursor={"read": sorted([*known, file.fingerprint])}), _kind(read)
        if malformed.rows:
            page.set_aside.append(SetAside(kind, file.path, "row_malformed", f"{malformed.rows:,} rows"))
        if problem:
            page.set_aside.append(SetAside(kind, file.path, UNREADABLE, problem))
        yield page


def _kind(read: FileLeads | FileActivities) -> Literal["lead", "activity"]:
    return "lead" if isinstance(read, FileLeads) else "activity"


def _page(read: FileLeads | FileActivities, file: File, rows: pa.Table, cursor: Cursor) -> Page:
    if isinstance(read, FileActivities):
        for column in read.columns:
            kind = rows.schema.field(column).type
            if pa.types.is_nested(kind) or pa.types.is_binary(kind):
                raise CrmFieldMissing(
                    f"`{column}` of the file `{file.path}` holds structures or bytes and no single values; "
                    "name another column, or write texts there"
                )
        return Page(cursor=cursor, batch=batch_of(rows, read))
    page = Page(cursor=cursor)
    read_leads(records_of(rows), read, page)
    return page
