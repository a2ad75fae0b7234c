"""Salesforce's own fixed words, told from its free texts: those may quote a lead and stay out of messages."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

CODE = re.compile(r"[A-Z][A-Za-z0-9_]{0,79}")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")
API_NAME = re.compile(r"\b[A-Za-z][A-Za-z0-9_]*\b")
QUOTED = re.compile(r"'([A-Za-z][A-Za-z0-9_.]*)'")


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of an error's list: its code, the fields it names, and its text, which is never shown."""

    code: str
    fields: tuple[str, ...]
    text: str

    @classmethod
    def read(cls, entry: Any) -> Problem:
        """From `{"errorCode": ..., "message": ..., "fields": [...]}`; a row's error says `statusCode`."""
        said = entry if isinstance(entry, dict) else {}
        named = said.get("fields")
        return cls(
            code(said.get("errorCode") or said.get("statusCode")),
            tuple(name for name in (named if isinstance(named, list) else []) if is_name(name)),
            str(said.get("message") or ""),
        )

    @classmethod
    def of_bulk(cls, text: str) -> Problem:
        """From a bulk result's `CODE:words:FIELD,FIELD --`."""
        first, _, rest = text.partition(":")
        words, _, named = rest.rpartition(":")
        fields = named.replace("--", "").split(",")
        return cls(code(first), tuple(name.strip() for name in fields if is_name(name.strip())), words)

    def among(self, names: Collection[str]) -> list[str]:
        """Those of the names that the problem is about, wherever it says them.

        A text that quotes a name is about that one: it may repeat half of the query before.
        """
        said = {*self.fields, *QUOTED.findall(self.text)} or set(API_NAME.findall(self.text))
        return sorted(name for name in names if name.rpartition(".")[2] in said)

    def told(self) -> str:
        """`STRING_TOO_LONG (Rescore_Reasons__c)`."""
        return self.code + (f" ({', '.join(self.fields)})" if self.fields else "")


def problems(content: Any) -> list[Problem]:
    """What an error's body lists; nothing when it is no body of Salesforce's."""
    entries = content if isinstance(content, list) else []
    return [Problem.read(entry) for entry in entries if isinstance(entry, dict)]


def code(value: Any) -> str:
    """An error's code such as `INVALID_FIELD`."""
    return value if isinstance(value, str) and CODE.fullmatch(value) else "no code"


def is_name(value: Any) -> bool:
    """Whether it is the name of a field or an object."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None
