"""Single fields of leads: read by id, set one lead at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from rescore.connectors.actions import FieldTexts
from rescore.connectors.tryton.client import Client, Fault
from rescore.connectors.tryton.leads import LEAD
from rescore.connectors.tryton.reading_back import read_shown
from rescore.connectors.tryton.refusals import cause, record_id, there
from rescore.connectors.tryton.values import PARTS, moment
from rescore.connectors.tryton.writing import FAILED, GONE, REFUSED
from rescore.errors import RecordGone
from rescore.outcome import Outcome

VERSION = "_timestamp"
OVERTAKEN = "somebody changed the lead in Tryton since it was looked at; it is looked at again"


class TrytonFields:
    """See `rescore.connectors.actions.Fields`; a write holds for the version that was read before."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._versions: dict[str, str] = {}

    def read(self, lead_id: str, names: Iterable[str]) -> FieldTexts:
        """See `Fields.read`; one call."""
        wanted = list(names)
        found = read_shown(self._client, [lead_id], [*wanted, VERSION])[lead_id]
        if found is None:
            raise RecordGone(GONE)
        self._versions[lead_id] = found[VERSION] or ""
        return {name: found[name] for name in wanted}

    def write(self, lead_id: str, values: Mapping[str, str]) -> Outcome:
        """See `Fields.write`; a value becomes what Tryton's field is made of.

        `state` is refused: in Tryton it moves by its own steps only. What somebody changed since it was read
        stays, and is looked at again later.
        """
        if not record_id(lead_id):
            return Outcome("gone", GONE)
        if error := cause(self._client, model=LEAD, names=values, writing=True):
            raise error
        kinds = self._client.call(f"model.{LEAD}.fields_get", list(values))
        try:
            typed = {name: _typed(value, str(kinds[name].get("type"))) for name, value in values.items()}
        except ValueError:
            return Outcome("record", "a value of the rules is not what the field in Tryton is made of")
        try:
            self._client.call(f"model.{LEAD}.write", [int(lead_id)], typed, context=self._context(lead_id))
        except Fault as fault:
            if fault.overtaken:
                return Outcome("transient", OVERTAKEN)
            if lead_id not in there(self._client, [lead_id]):
                return Outcome("gone", GONE)
            return Outcome("record", REFUSED) if fault.refused else Outcome("transient", FAILED)
        return Outcome("ok")

    def _context(self, lead_id: str) -> dict[str, Any]:
        """The version that the write holds for; it is another one afterwards."""
        version = self._versions.pop(lead_id, None)
        return {"_timestamp": {f"{LEAD},{lead_id}": version}} if version else {}


def _typed(value: str, kind: str) -> Any:
    """A text of the rules as Tryton's JSON.

    Raises:
        ValueError: It cannot be that.
    """
    return TYPES.get(kind, str)(value)


def _flag(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError("neither true nor false")
    return value.lower() == "true"


def _date(value: str) -> dict[str, Any]:
    read = date.fromisoformat(value)
    return {"__class__": "date", **{part: getattr(read, part) for part in PARTS[:3]}}


def _moment(value: str) -> dict[str, Any]:
    return moment(datetime.fromisoformat(value).replace(microsecond=0))


TYPES: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "many2one": int,
    "float": float,
    "numeric": lambda value: {"__class__": "Decimal", "decimal": str(float(value))},
    "boolean": _flag,
    "date": _date,
    "datetime": _moment,
    "timestamp": _moment,
}
