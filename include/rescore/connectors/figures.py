"""Figures that the extra of a Connection may set, one by one, over the defaults of a dataclass."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rescore.connectors.connection import Connection
from rescore.errors import SettingsIncomplete


def figures_in(connection: Connection, limits: type[Any]) -> dict[str, Any]:
    """The numbers among the fields of `limits` that the extra names; `reserve` is a share below one.

    Raises:
        SettingsIncomplete: One is no positive number, or `reserve` is no share.
    """
    given: dict[str, Any] = {}
    for limit in fields(limits):
        if limit.name not in connection.extra or isinstance(limit.default, str):
            continue
        kind = float if isinstance(limit.default, float) else int
        try:
            given[limit.name] = kind(connection.extra[limit.name])
        except (TypeError, ValueError):
            given[limit.name] = -1
        if not given[limit.name] > 0:
            raise SettingsIncomplete(
                f"`{limit.name}` in the extra of the Connection `{connection.id}` must be above zero"
            )
    if given.get("reserve", 0) >= 1:
        raise SettingsIncomplete(
            f"`reserve` in the extra of the Connection `{connection.id}` is a share of the day's calls; "
            "write 0.2 for a fifth"
        )
    return given
