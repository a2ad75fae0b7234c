"""The mapping of a folder: which of its files hold what, and what their columns mean."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator

from rescore.connectors.tabular.mapping import ActivityColumns, LeadColumns, TabularMapping
from rescore.connectors.tabular.spans import span_of
from rescore.mapping import MappingPart, Name
from rescore.strict.messages import described
from rescore.strict.model import refuse

SUFFIXES = (".parquet", ".csv", ".csv.gz")


def _pattern(value: str) -> str:
    if value.startswith("/") or ".." in value.split("/") or not value.endswith(SUFFIXES):
        refuse(
            f"`{{name}}` cannot be {described(value)}; write a pattern below the Connection's folder that "
            f"ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, such as `views/*.parquet`"
        )
    return value


def _settle(value: Any) -> timedelta:
    if (span := span_of(value)) is None:
        refuse(f"`{{name}}` cannot be {described(value)}; write a time such as `1m` or `30s`")
    return span


class ReadFiles(MappingPart):
    """Files by a pattern: `*` is anything but a folder's end, `**/` any folders or none.

    A file that changed less than `settle` ago may still be written to and waits.
    """

    files: Annotated[str, AfterValidator(_pattern)]
    settle: Annotated[timedelta, PlainValidator(_settle)] = timedelta(minutes=1)

    def takes(self, path: str) -> bool:
        """Whether a path below the folder is one of them; names that begin with `.` or `_` never are."""
        hidden = any(part.startswith((".", "_")) for part in path.split("/"))
        return not hidden and _regex(self.files).fullmatch(path) is not None


class FileLeads(ReadFiles, LeadColumns):
    """The files of leads."""


class FileActivities(ReadFiles, ActivityColumns):
    """Files of activities."""


class FilesMapping(TabularMapping):
    """A folder's mapping; each entry of `activities` is a stream."""

    connector: Literal["files"]
    leads: FileLeads
    activities: dict[Name, FileActivities] = Field(default_factory=dict)


def _regex(pattern: str) -> re.Pattern[str]:
    words = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*|\?)", pattern)
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts))
