"""Columns that a mapping names and a table lacks, all of them in one sentence."""

from __future__ import annotations

from collections.abc import Collection

from rescore.errors import CrmFieldMissing
from rescore.strict.model import MANY, did_you_mean, nearest


def require_columns(what: str, wanted: Collection[str], there: Collection[str]) -> None:
    """Pass when a table has all of them; `what` is how the sentence calls it.

    Raises:
        CrmFieldMissing: Naming each that is missing, with the nearest there is.
    """
    missing = [column for column in dict.fromkeys(wanted) if column not in there]
    if not missing:
        return
    lists = "`rescore describe` lists those it has"
    if len(missing) == 1:
        [column] = missing
        way_out = did_you_mean(column, there) if nearest(column, there) or len(there) <= MANY else lists
        raise CrmFieldMissing(f"{what} has no column `{column}`; {way_out}")
    hints = [f" (did you mean `{near}`?)" if (near := nearest(one, there)) else "" for one in missing]
    told = ", ".join(f"`{column}`{hint}" for column, hint in zip(missing, hints, strict=True))
    raise CrmFieldMissing(f"{what} has no columns {told}; correct the mapping, {lists}")
