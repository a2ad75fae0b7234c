"""A length of time as people write it: `24h`, `3d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import PlainValidator

from rescore.strict.messages import described
from rescore.strict.model import refuse

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_WRITTEN = re.compile(r"([0-9]{1,4})([hd])")


def read_span(value: Any) -> timedelta:
    """Check one value of a file; a length of nothing is none."""
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        refuse(f"`{{name}}` takes hours or days, not {described(value)}; write `24h` or `3d`")
    return int(found[1]) * (HOUR if found[2] == "h" else DAY)


def written(span: timedelta) -> str:
    """The shortest way to write it."""
    return f"{span // HOUR}h" if span % DAY else f"{span // DAY}d"


Span = Annotated[timedelta, PlainValidator(read_span)]
