"""HubSpot's own fixed words, told from its free texts: those may quote a lead and stay out of messages."""

from __future__ import annotations

import re
from typing import Any

CODE = re.compile(r"[A-Z][A-Z0-9_]{0,59}")
NAME = re.compile(r"[a-z][a-z0-9_.-]{0,79}", re.IGNORECASE)
MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}", re.IGNORECASE)


def code(value: Any, otherwise: str) -> str:
    """A category, an error's code or the name of a limit, such as `VALIDATION_ERROR`."""
    return value if isinstance(value, str) and CODE.fullmatch(value) else otherwise


def names(value: Any) -> list[str]:
    """The names of scopes or properties in a list, or the one there is."""
    found = value if isinstance(value, list) else [value]
    return [name for name in found if isinstance(name, str) and NAME.fullmatch(name)]


def media_type(header: str | None) -> str:
    """What an answer says it is."""
    named = (header or "").partition(";")[0].strip()
    return named if MEDIA_TYPE.fullmatch(named) else "no content type"
