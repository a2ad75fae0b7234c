"""The name of a time zone, as people write it."""

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator

from rescore.strict.model import did_you_mean, refuse

NOT_ZONES = {"localtime", "Factory"}


def _zone(text: str) -> str:
    zones = available_timezones() - NOT_ZONES
    if text not in zones:
        names = {zone.lower(): zone for zone in sorted(zones)}
        near = did_you_mean(text, names)
        hint = (
            f"did you mean `{names[near.split('`')[1]]}`?"
            if near.startswith("did")
            else "write one such as `UTC`"
        )
        refuse(f"there is no time zone `{text[:60]}`; {hint}")
    return text


Zone = Annotated[str, AfterValidator(_zone)]
