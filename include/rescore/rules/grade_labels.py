"""How grades are written: every label that bands of several dimensions can be put together to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from typing import Any, Final

LABEL: Final = "label"
PLACE: Final = re.compile(r"\{([^{}]*)\}")
MAX_LABEL: Final = 80
MAX_GRADES: Final = 400


def labels_of(label: str, parts: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """`{fit}{engagement}` with each combination of the bands of these dimensions: `A1`, `A2`, ..."""
    for bands in product(*parts.values()):
        written = dict(zip(parts, bands, strict=True))
        yield "".join(
            written.get(piece, "") if odd % 2 else piece for odd, piece in enumerate(PLACE.split(label))
        )


def grades_in(value: Any) -> tuple[str, ...]:
    """Every grade that the `grades` of a file declare, as far as can be made out and is allowed."""
    label = value.get(LABEL) if isinstance(value, dict) else None
    if not isinstance(label, str) or len(label) > MAX_LABEL:
        return ()
    parts = {name: list(bands) for name, bands in value.items() if name != LABEL and isinstance(bands, dict)}
    return tuple(dict.fromkeys(islice(labels_of(label, parts), MAX_GRADES)))
