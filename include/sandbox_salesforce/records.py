"""The organisation's records: made, changed, deleted, merged and converted as Salesforce does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sandbox_salesforce.schema import PREFIXES, SObject, standard_objects

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CASE: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
Row = dict[str, Any]


class Records:
    """All records by object and id; `clock` is the organisation's, and stamps whole seconds."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.objects: dict[str, SObject] = standard_objects()
        self.rows: dict[str, dict[str, Row]] = defaultdict(dict)
        self._made: dict[str, int] = defaultdict(int)

    def insert(self, name: str, by: str, **values: Any) -> str:
        """Make a record; its id."""
        self._made[name] += 1
        record_id = _id(PREFIXES[name], self._made[name])
        now = stamp(self.clock())
        system = {"Id": record_id, "IsDeleted": False, "CreatedById": by}
        dates = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
        empty = {
            one.name: False if one.type == "boolean" else None for one in self.objects[name].fields.values()
        }
        self.rows[name][record_id] = {**empty, **system, **dates, **values}
        return record_id

    def update(self, name: str, record_id: str, values: Mapping[str, Any], by: str) -> None:
        """Set fields; what is tracked gets a line in the history."""
        row = self.rows[name][record_id]
        for field, value in values.items():
            if field in self.objects[name].tracked and row.get(field) != value:
                self.insert(
                    f"{name}History",
                    by,
                    **{f"{name}Id": record_id, "Field": field, "OldValue": row.get(field), "NewValue": value},
                )
            row[field] = value
        row["LastModifiedDate"] = row["SystemModstamp"] = stamp(self.clock())

    def delete(self, name: str, record_id: str, *, master: str | None = None) -> None:
        """Into the recycle bin; `master` is the record that it was merged into, which changes too.

        The contacts of a merged account are the other one's, and bear no new stamp: whether they would is
        not documented.
        """
        row = self.rows[name][record_id]
        row |= {"IsDeleted": True, "SystemModstamp": stamp(self.clock())}
        if master:
            row["MasterRecordId"] = master
            self.rows[name][master]["SystemModstamp"] = stamp(self.clock())
        if master and name == "Account":
            for contact in self.rows["Contact"].values():
                contact["AccountId"] = master if contact["AccountId"] == record_id else contact["AccountId"]

    def convert(self, lead_id: str, contact_id: str) -> None:
        """A lead becomes a contact; what was planned with the lead is with the contact from then on."""
        lead = self.rows["Lead"][lead_id]
        lead |= {"IsConverted": True, "ConvertedContactId": contact_id, "SystemModstamp": stamp(self.clock())}
        for name in ("Task", "Event"):
            for row in self.rows[name].values():
                if row["WhoId"] == lead_id:
                    row |= {"WhoId": contact_id, "SystemModstamp": stamp(self.clock())}

    def find(self, record_id: str) -> tuple[str, Row] | None:
        """The object and the record of an id of 15 or 18 characters."""
        for name, prefix in PREFIXES.items():
            if record_id.startswith(prefix):
                long = record_id if len(record_id) == 18 else record_id + _suffix(record_id)
                row = self.rows[name].get(long)
                return (name, row) if row else None
        return None

    def all(self, name: str, *, deleted: bool) -> Iterator[Row]:
        """Records of an object; without `deleted` neither those in the recycle bin nor archived ones."""
        for row in self.rows[name].values():
            if deleted or not (row["IsDeleted"] or row.get("IsArchived")):
                yield row


def stamp(moment: datetime) -> str:
    """As Salesforce writes a moment; it keeps whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _id(prefix: str, number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = DIGITS[rest] + digits
    short = f"{prefix}SB0{digits:0>9}"
    return short + _suffix(short)


def _suffix(short: str) -> str:
    """The three characters that make an id the same in systems that do not tell capitals apart."""
    parts = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(CASE[sum(1 << place for place, one in enumerate(part) if one.isupper())] for part in parts)
