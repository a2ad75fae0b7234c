"""Web addresses as rules compare them: every spelling of a page has one host, one path and one query."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
SPACE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")
INDEX_PAGE = re.compile(r"(index|default)\.(html?|php|aspx?|jsp)", re.IGNORECASE)
REGION = re.compile(r"[-_][a-z]{2,4}$")
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class PageAddress:
    """One page: `https://Example.com:443//de/Pricing/?utm=x#top` is `example.com`, `/Pricing`, `utm=x`.

    The path keeps its case (conditions fold it), begins with a slash and has none at its end. The host
    is empty for an address without one.
    """

    host: str
    path: str
    query: str


def page_address(url: str, languages: Collection[str] = ()) -> PageAddress:
    """Bring an address, with or without scheme and host, to its one spelling.

    Args:
        url: As a browser or a CRM recorded it.
        languages: Lower-case path prefixes that name a language and nothing else; `de` also covers `de-at`.

    Raises:
        ValueError: It is no address (an unclosed bracket, a port that is no number).
    """
    url = url.strip()
    if "://" not in url and not url.startswith("/"):
        url = f"//{url}"
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.port not in (None, DEFAULT_PORTS.get(parts.scheme or "https")):
        host = f"{host}:{parts.port}"
    return PageAddress(host, page_path(parts.path, languages), parts.query)


def page_path(path: str, languages: Collection[str] = ()) -> str:
    """The path alone; see `page_address`."""
    segments: list[str] = []
    for segment in _decoded(path).split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    while segments and INDEX_PAGE.fullmatch(segments[-1]):
        segments.pop()
    while segments and REGION.sub("", segments[0].lower()) in languages:
        segments.pop(0)
    return "/" + "/".join(segments)


def _decoded(path: str) -> str:
    """Escapes that hide a readable character become it; the others, such as %2F, stay, in capitals."""
    text = ESCAPES.sub(_readable, STRAY_PERCENT.sub("%25", path))
    return SPACE_OR_CONTROL.sub(lambda found: _kept_or_escaped(found[0]), text)


def _readable(run: re.Match[str]) -> str:
    """One run of escapes: invalid UTF-8 and everything that means something in a path stays escaped."""
    text = bytes.fromhex(run[0].replace("%", "")).decode("utf-8", "surrogateescape")
    return "".join(_kept_or_escaped(character) for character in text)


def _kept_or_escaped(character: str) -> str:
    if character in UNRESERVED or (ord(character) > 0x7F and character.isprintable()):
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))
