"""How the page words things: moments, bodies, addresses. Everything it is given may be hostile."""

import json
from datetime import UTC, datetime
from typing import Any, Final

STEPS: Final = ((60, "min"), (24, "h"), (366, "d"))
SUMMARY: Final = 140


def ago(text: str | None, now: datetime) -> str:
    """How long ago a moment was, in either form the vendor writes; anything else as it stands."""
    if not text:
        return ""
    try:
        moment = (
            datetime.fromtimestamp(int(text) / 1000, UTC)
            if text.isdecimal()
            else datetime.fromisoformat(text)
        )
    except (ValueError, OverflowError, OSError):
        return text[:24]
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    amount = (now - moment).total_seconds() / 60
    if amount < 1:
        return "just now"
    for size, unit in STEPS:
        if amount < size:
            return f"{amount:.0f} {unit} ago"
        amount /= size
    return f"{moment:%d %b %Y}"


def summary(body: Any) -> str:
    """The plain values of a JSON object on one line."""
    if not isinstance(body, dict):
        return json.dumps(body, ensure_ascii=False)[:SUMMARY]
    plain = _plain(body)
    line = " · ".join(f"{name} {value}" for name, value in plain)
    return (line if len(line) <= SUMMARY else line[:SUMMARY] + "…") or "{…}"


def combined(asked: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The address of this page with something changed; what is empty is left out."""
    return {name: value for name, value in (asked | changes).items() if value not in ("", None)}


def _plain(body: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in body.items():
        if isinstance(value, dict):
            found += _plain(value)
        elif isinstance(value, str | int | float | bool):
            found.append((name, value))
    return found
