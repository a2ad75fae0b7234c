"""What a folder offers: of each pattern of the mapping the columns of the newest file."""

from __future__ import annotations

from collections.abc import Iterator

from rescore.connectors.describing import Listing, Offered
from rescore.connectors.files.folder import FileBroken, Folder
from rescore.connectors.files.mapping import FilesMapping
from rescore.connectors.files.reading import columns_of
from rescore.connectors.tabular.describing import uses_of


def listings(folder: Folder, mapping: FilesMapping) -> Iterator[Listing]:
    """See `Describable.describe`.

    A file that has none of the mapping's columns may have no header: then its first line is a row, and is
    not shown.
    """
    reads = {"leads": mapping.leads} | {f"activities.{name}": at for name, at in mapping.activities.items()}
    there = folder.files()
    for place, read in reads.items():
        uses = uses_of(read, place)
        files = [file for file in there if read.takes(file.path) and not file.leads_out]
        if not files:
            yield Listing(f"{place} columns", None, uses, note=f"there is no file `{read.files}`")
            continue
        newest = files[-1].path
        try:
            columns = columns_of(folder, files[-1])
        except FileBroken:
            yield Listing(f"{place} columns", None, uses, note=f"`{newest}` cannot be read")
            continue
        if not {use.field for use in uses} & columns.keys():
            note = f"`{newest}` has none of the columns that the mapping names; see that it has a header"
            yield Listing(f"{place} columns", None, uses, note=note)
            continue
        offered = [Offered(name, "", "other", kind) for name, kind in columns.items()]
        yield Listing(f"{place} columns of {newest}, the newest of {len(files):,}", offered, uses)
