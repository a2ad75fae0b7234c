"""A CSV or Parquet file as people have it becomes a relation; one that is something else is told so."""

import codecs
import csv
import gzip
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from rescore.errors import InputUnreadable

_CHUNK = 1024 * 1024
_KINDS = {".parquet": "Parquet", ".csv": "CSV", ".csv.gz": "CSV"}
_MADE_DIFFERENT = re.compile(r"(.+)_\d+")
"""What the reader makes of a column's name that is there already, but for case."""

_NO_CSV = (
    (codecs.BOM_UTF16_LE, "is UTF-16, not UTF-8; export it again as UTF-8, or convert it: {utf16}"),
    (codecs.BOM_UTF16_BE, "is UTF-16, not UTF-8; export it again as UTF-8, or convert it: {utf16}"),
    (b"PAR1", "is a Parquet file; give it a name that ends in .parquet"),
    (b"\x1f\x8b", "is packed with gzip; give it a name that ends in .csv.gz"),
    (b"PK\x03\x04", "is a workbook or a zip archive; export it as UTF-8 CSV, or unpack it"),
)
"""How files begin that are called .csv and are none, and what to do about each."""


@dataclass(frozen=True)
class InputFile:
    """A file that was read.

    Attributes:
        path: As it was given.
        rows: How many of its rows could be read.
        malformed: The rows of the file that could not, in order; the header of a CSV is row 1.
        header: How many rows stand above the first; None where blank lines hide what stands where.
    """

    path: Path
    rows: int
    malformed: Sequence[int]
    header: int | None

    def rows_of(self, readable: Iterable[int]) -> tuple[int, ...]:
        """Where rows stand in the file, as people count; nothing where that cannot be told exactly.

        Args:
            readable: Which of the rows that could be read, the first of them being 1; ascending.
        """
        if self.header is None:
            return ()
        found, skipped = [], 0
        for number in readable:
            row = number + self.header
            while skipped < len(self.malformed) and self.malformed[skipped] <= row + skipped:
                skipped += 1
            found.append(row + skipped)
        return tuple(found)


def open_file(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> InputFile:
    """Make a CSV or Parquet file known under a name.

    Raises:
        InputUnreadable: The file is not there, cannot be read, is not what its name says, or has two columns
            that no rule could tell apart.
    """
    kind = _kind_of(path)
    header: int | None = 0
    if kind == "CSV":
        header = None if _look_through(path) else 1
    try:
        if kind == "Parquet":
            rows = connection.read_parquet(_literally(path))
            malformed = []
            rows.create(name)
        else:
            rows = connection.read_csv(
                _literally(path),
                all_varchar=True,
                header=True,
                comment="",
                store_rejects=True,
                rejects_table=f"{name}_rejects",
                rejects_scan=f"{name}_scan",
            )
            rows.create(name)
            rejected = connection.table(f"{name}_rejects").project("line").distinct().order("line")
            malformed = [line for (line,) in rejected.fetchall()]
        if any(_made_different(column, rows.columns) for column in rows.columns):
            names = pq.read_schema(path).names if kind == "Parquet" else _names_in_csv(connection, path)
            _require_different(path, names)
    except duckdb.Error as error:  # its text may quote rows of the file
        wanted = "UTF-8 CSV with a first line of names" if kind == "CSV" else kind
        raise InputUnreadable(f"{path} cannot be read as {kind}; export it again as {wanted}.") from error
    (count,) = connection.table(name).count("*").fetchall()[0]
    return InputFile(path, count, malformed, header)


def _kind_of(path: Path) -> str:
    """What the name says a file is, once it is one that can be read at all."""
    if not path.exists():
        raise InputUnreadable(f"There is no file {path}.")
    if not path.is_file():
        what = "a folder, and no file" if path.is_dir() else "no regular file; save what it gives to one"
        raise InputUnreadable(f"{path} is {what}.")
    kind = next((kind for suffix, kind in _KINDS.items() if path.name.lower().endswith(suffix)), None)
    if kind is None:
        raise InputUnreadable(f"{path} is neither .parquet nor .csv; the name has to tell which it is.")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise InputUnreadable(f"{path} is empty; export it again.")
    except OSError as problem:
        raise InputUnreadable(f"{path}: cannot be read ({problem.strerror})") from None
    return kind


def _literally(path: Path) -> str:
    """The path as a pattern that no other file matches: DuckDB takes every path for one."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _look_through(path: Path) -> bool:
    """Say where a CSV stops being UTF-8: row by row it would lose everybody whose name has an umlaut.

    Returns:
        Whether there are blank lines, which the reader leaves out, before the last line that is not.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    line, ended, blank = 1, b"\n", False
    try:
        with opened(path, "rb") as file:
            for number, chunk in enumerate(iter(lambda: file.read(_CHUNK), b"")):
                if not number:
                    _require_csv(path, chunk)
                decoder.decode(chunk)
                line += chunk.count(b"\n")
                both = ended + chunk
                lines = both.rstrip(b"\r\n")
                blank = blank or b"\n\n" in lines or b"\n\r\n" in lines
                ended = both[len(lines) :][-3:]
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
        byte = error.object[error.start]
        raise InputUnreadable(
            f"{path} is not UTF-8: line {line:,} has the byte {byte:#04x}; export it again as UTF-8, "
            f"or convert it: {_converted(path, 'WINDOWS-1252')}"
        ) from None
    except (OSError, EOFError):
        pass  # whatever is wrong with it, the reader says so
    return blank


def _require_csv(path: Path, beginning: bytes) -> None:
    for head, said in _NO_CSV:
        if beginning.startswith(head):
            raise InputUnreadable(f"{path} {said.format(utf16=_converted(path, 'UTF-16'))}")


def _converted(path: Path, encoding: str) -> str:
    """The command that makes UTF-8 of a file."""
    name, convert = shlex.quote(str(path)), f"iconv -f {encoding} -t UTF-8"
    if path.suffix.lower() == ".gz":
        return f"gzip -dc {name} | {convert} > utf8.csv"
    return f"{convert} {name} > utf8.csv"


def _made_different(column: str, columns: Sequence[str]) -> bool:
    """Whether a name looks as if the reader had made it of one that was taken."""
    found = _MADE_DIFFERENT.fullmatch(column)
    return found is not None and found[1].casefold() in {name.casefold() for name in columns}


def _names_in_csv(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The names as the file has them."""
    sniffed = connection.execute(
        "SELECT Delimiter, Quote FROM sniff_csv(?, all_varchar = true, header = true, comment = '')",
        [_literally(path)],
    )
    delimiter, quote = sniffed.fetchall()[0]
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, quotechar=quote if len(quote) == 1 else '"')
        return [name.strip() for name in next(row for row in rows if row)]


def _require_different(path: Path, names: Iterable[str]) -> None:
    for one, other in combinations(filter(None, names), 2):
        if one.casefold() == other.casefold():
            raise InputUnreadable(
                f"{path} has the columns `{one}` and `{other}`, and a rule can mean only one of them; "
                "rename one, or leave it out."
            )
