"""A CRM that lives in memory: for tests, and for trying a scorecard without a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rescore.connectors.base import Cursor, FieldValue, ScoreUpdate, WriteResult
from rescore.connectors.describing import Listing, Offered, Volume
from rescore.connectors.memory_actions import MemoryFields, MemoryTasks
from rescore.connectors.pace import Rates
from rescore.connectors.readback import Edit, Shown
from rescore.errors import RescoreError
from rescore.lake.records import (
    AccountRecord,
    ActivityRecord,
    AttributeValue,
    LeadRecord,
    Page,
    SetAside,
    Unclaimed,
)

LEADS, ACCOUNTS, ACTIVITIES = "leads", "accounts", "activities"


_Record = LeadRecord | AccountRecord | ActivityRecord | Unclaimed | SetAside


class MemoryCrm:
    """A source and a target that keep what the contract of connectors asks for.

    Everything it is told goes into one log per stream; a cursor is a position in it. `shown` holds, per
    lead, the fields that were written; `failures` are raised by the next calls, one each. Automations make
    `tasks` and set `fields`; a lead's field `owner` says whose it is.
    """

    streams: tuple[str, ...] = (LEADS, ACTIVITIES)
    longest_write = 1.0
    call_seconds = 0.0
    rates = Rates({}, day=1, reserve=0.0, zone=ZoneInfo("UTC"), longest_wait=0.0)

    def __init__(self, name: str = "memory", *, page_size: int = 100, batch_size: int = 100) -> None:
        self.name = self.account = name
        self.batch_size = batch_size
        self.shown: dict[str, dict[str, FieldValue]] = {}
        self.refusals: dict[str, str] = {}
        self.failures: list[RescoreError] = []
        self.rooms: dict[int, float] = {}
        self.writes = 0
        self.tasks = MemoryTasks(self.shown, self._fail_when_told)
        self.fields = MemoryFields(self.shown, self._fail_when_told)
        self._edits: dict[tuple[str, str], Edit] = {}
        self._page_size = page_size
        self._log: dict[str, list[_Record]] = {LEADS: [], ACCOUNTS: [], ACTIVITIES: []}

    def put_lead(
        self,
        lead_id: str,
        attributes: Mapping[str, AttributeValue],
        *,
        merged: Sequence[str] = (),
        addresses: Sequence[str] = (),
        same_as: Sequence[str] = (),
    ) -> None:
        """Add a lead or change it; the merged ones are gone from now on."""
        self._log[LEADS].append(
            LeadRecord(lead_id, dict(attributes), tuple(merged), tuple(addresses), same_as=tuple(same_as))
        )
        self.shown.setdefault(lead_id, {})
        for gone in merged:
            self.shown.pop(gone, None)

    def delete(self, lead_id: str) -> None:
        """Delete a lead; `put_lead` restores it."""
        self._log[LEADS].append(LeadRecord(lead_id, {}, deleted=True))
        self.shown.pop(lead_id, None)

    def put_account(
        self, account_id: str, attributes: Mapping[str, AttributeValue], *, merged: Sequence[str] = ()
    ) -> None:
        """Add an account or change it; its leads are those whose `account` it is, or one that was merged."""
        self.streams = (LEADS, ACCOUNTS, ACTIVITIES)
        self._log[ACCOUNTS].append(AccountRecord(account_id, dict(attributes), tuple(merged)))

    def delete_account(self, account_id: str) -> None:
        """Delete an account; its leads have none then."""
        self._log[ACCOUNTS].append(AccountRecord(account_id, {}, deleted=True))

    def put_activity(self, activity: ActivityRecord | Unclaimed) -> None:
        """Add an activity, of a lead or of an address, or a correction of one."""
        self._log[ACTIVITIES].append(activity)

    def put_unreadable(self, stream: str, record: SetAside) -> None:
        """Add a record that no reader can make sense of."""
        self._log[stream].append(record)

    def refuse(self, lead_id: str, reason: str) -> None:
        """Refuse every update of one lead from now on."""
        self.refusals[lead_id] = reason

    def edit(
        self, lead_id: str, name: str, value: str | None, *, at: datetime, by: str, by_person: bool = True
    ) -> None:
        """Let a person change a property, or another program."""
        self.shown[lead_id][name] = value
        self._edits[lead_id, name] = Edit(value, at, by, by_person)

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`; the log holds nothing later than `until`."""
        position = (cursor or {"position": 0})["position"]
        while True:
            self._fail_when_told()
            rows = self._log[stream][position : position + self._page_size]
            position += len(rows)
            page = Page(cursor={"position": position})
            for row in rows:
                if isinstance(row, LeadRecord):
                    page.leads.append(row)
                elif isinstance(row, ActivityRecord):
                    page.activities.append(row)
                elif isinstance(row, AccountRecord):
                    page.accounts.append(row)
                elif isinstance(row, Unclaimed):
                    page.unclaimed.append(row)
                else:
                    page.set_aside.append(row)
            yield page
            if position >= len(self._log[stream]):
                return

    def write(self, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
        """See `Target.write`."""
        self._fail_when_told()
        self.writes += 1
        return [self._write(update) for update in updates]

    def read(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[str, Shown | None]:
        """See `ReadBack.read`."""
        self._fail_when_told()
        return {
            lead_id: {name: _text(self.shown[lead_id].get(name)) for name in properties}
            if lead_id in self.shown
            else None
            for lead_id in lead_ids
        }

    def edits(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[tuple[str, str], list[Edit]]:
        """See `ReadBack.edits`; it remembers a person's last edit until it is written over."""
        self._fail_when_told()
        return {
            (lead_id, name): [self._edits[lead_id, name]]
            for lead_id in lead_ids
            for name in properties
            if (lead_id, name) in self._edits
        }

    def fingerprint(self) -> str:
        """See `Target.fingerprint`; `account` says otherwise."""
        return self.account

    def describe(self) -> Iterator[Listing]:
        """See `Describable.describe`: the attributes that any lead ever had, whatever they hold."""
        self._fail_when_told()
        names = sorted(
            {name for row in self._log[LEADS] if isinstance(row, LeadRecord) for name in row.attributes}
        )
        yield Listing(LEADS, [Offered(name, name, "other", "any") for name in names])

    def volumes(self, *, since: datetime | None) -> Iterator[Volume]:
        """See `Describable.volumes`."""
        for stream in self.streams:
            yield Volume(stream, len(self._log[stream]))

    def room(self, priority: int) -> float:
        """See `Target.room`; `rooms` says otherwise."""
        return self.rooms.get(priority, 0.0)

    def _write(self, update: ScoreUpdate) -> WriteResult:
        if update.lead_id not in self.shown:
            return WriteResult(update.lead_id, "gone", "this record does not exist")
        if update.lead_id in self.refusals:
            return WriteResult(update.lead_id, "record", self.refusals[update.lead_id])
        self.shown[update.lead_id].update(update.fields)
        for name in update.fields:
            self._edits.pop((update.lead_id, name), None)
        return WriteResult(update.lead_id, "ok")

    def _fail_when_told(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


def _text(value: FieldValue) -> str | None:
    return None if value in (None, "") else str(value)
