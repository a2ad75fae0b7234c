"""One file as tables of the columns that are asked for, from any of its rows on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from rescore.connectors.files.folder import File, Folder
from rescore.connectors.tabular.missing import require_columns
from rescore.errors import CrmFieldMissing

ROWS_A_TURN = 100_000
_BLOCK = 16 * 1024 * 1024


class Malformed:
    """Counts the rows of a CSV file that have more or fewer fields than its first line has names."""

    def __init__(self) -> None:
        self.rows = 0

    def skip(self, row: csv.InvalidRow) -> str:
        """Leave this one out."""
        self.rows += 1
        return "skip"


def read_file(
    folder: Folder, file: File, columns: Sequence[str], malformed: Malformed, *, turn: int = ROWS_A_TURN
) -> Iterator[pa.Table]:
    """Its rows in their order, at most `turn` at a time; a CSV's values are texts.

    Raises:
        CrmFieldMissing: It lacks columns, or has one of them twice.
        FileBroken: It is not what its name says, or not UTF-8.
    """
    batches = _parquet if file.path.endswith(".parquet") else _csv
    for batch in batches(folder, file, columns, malformed, turn):
        rows = pa.Table.from_batches([batch])
        yield from (rows.slice(start, turn) for start in range(0, rows.num_rows, turn))


def columns_of(folder: Folder, file: File) -> dict[str, str]:
    """The columns of a file with their types, from its head alone.

    Raises:
        FileBroken: It is not what its name says, or not UTF-8.
    """
    return dict(_head(folder, file))


def look_at(folder: Folder, file: File, columns: Sequence[str]) -> None:
    """Read its head alone, and see whether the columns are there.

    Raises:
        As `read_file`.
    """
    there = _head(folder, file)
    _check(file, columns, [name for name, _ in there])


def _head(folder: Folder, file: File) -> list[tuple[str, str]]:
    """Names and types in their order; a file may have a name twice."""
    with folder.reading(file) as opened:
        if file.path.endswith(".parquet"):
            return [(field.name, str(field.type)) for field in pq.ParquetFile(opened).schema_arrow]
        names = csv.open_csv(opened, parse_options=_parsing(Malformed())).schema.names
        return [(name, "text") for name in names]


def _parquet(
    folder: Folder, file: File, columns: Sequence[str], _: Malformed, turn: int
) -> Iterator[pa.RecordBatch]:
    look_at(folder, file, columns)
    with folder.reading(file) as opened:
        for batch in pq.ParquetFile(opened).iter_batches(batch_size=turn, columns=list(columns)):
            batch.validate(full=True)  # texts that are not UTF-8
            yield batch


def _csv(
    folder: Folder, file: File, columns: Sequence[str], malformed: Malformed, _: int
) -> Iterator[pa.RecordBatch]:
    look_at(folder, file, columns)
    converting = csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=True,
        null_values=[""],
    )
    with folder.reading(file) as opened:
        yield from csv.open_csv(opened, csv.ReadOptions(block_size=_BLOCK), _parsing(malformed), converting)


def _parsing(malformed: Malformed) -> csv.ParseOptions:
    return csv.ParseOptions(newlines_in_values=True, invalid_row_handler=malformed.skip)


def _check(file: File, columns: Sequence[str], there: Sequence[str]) -> None:
    if not set(columns) & set(there):  # it may begin with somebody's data, so nothing of it is repeated
        raise CrmFieldMissing(
            f"the file `{file.path}` has none of the columns that the mapping names; it begins with "
            f"{len(there)} fields, and its first line has to be the names, with commas between them"
        )
    require_columns(f"the file `{file.path}`", columns, there)
    if twice := [name for name in dict.fromkeys(columns) if there.count(name) > 1]:
        named = ", ".join(f"`{name}`" for name in twice)
        raise CrmFieldMissing(
            f"the file `{file.path}` has more than one column {named}, and the mapping can mean only one; "
            "rename the others, or leave them out"
        )
