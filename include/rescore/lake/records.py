"""What a source hands over: one page of leads, accounts and activities, and what it could not read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import pyarrow as pa

AttributeValue = str | float | bool | datetime | date | None
"""A typed attribute of a lead or an account; a whole number may be an int. None: the source has no value."""


@dataclass(frozen=True, slots=True)
class LeadRecord:
    """A person as the source knows them at this moment.

    `attributes` is the whole set: a name that is missing here has no value any more. `merged` lists
    the source's ids of leads that were merged into this one (or that it was converted from). `addresses` are
    the e-mail addresses under which activities may wait for them; they are compared and not kept. `same_as`
    are the keys of other sources' records of this person, such as `salesforce:003A`, if this source says so.
    `deleted` says that the record is gone, at least for now, and then it says nothing else.
    """

    lead_id: str
    attributes: Mapping[str, AttributeValue]
    merged: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    deleted: bool = False
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """A company as the source knows it at this moment; `attributes` is the whole set.

    Its leads are those of the source whose attribute `account` is `account_id`, or one of `merged`: the ids
    of accounts that were merged into this one. They carry its attributes, whichever lands first. An
    attribute that the source brings of the lead itself stays the lead's own. `deleted` says that the account
    is gone, at least for now: whoever names it has none.
    """

    account_id: str
    attributes: Mapping[str, AttributeValue]
    merged: tuple[str, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ActivityRecord:
    """One time-stamped thing a lead did.

    `occurred_at` is aware. `fields` are further texts that rules may compare, by name. `shared` names the
    thing where several leads may have the same one: each has an activity `<shared>:<lead_id>`.
    """

    activity_id: str
    lead_id: str
    type: str
    occurred_at: datetime
    asset: str | None = None
    channel: str | None = None
    value: float | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    shared: str | None = None


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An activity of somebody whom the source knows by an e-mail address only; its `lead_id` is empty.

    It waits in the lake until a lead of the same source comes with that address.
    """

    address: str
    activity: ActivityRecord


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that cannot be used, kept where a person can look it up.

    `reason` is a short code that is counted in the open; `detail` may hold raw data and goes to the
    lake only.
    """

    kind: Literal["lead", "activity", "account"]
    record_id: str
    reason: str
    detail: str


BATCH = pa.schema(
    [
        ("activity_id", pa.string()),
        ("lead_id", pa.string()),
        ("type", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("asset", pa.string()),
        ("channel", pa.string()),
        ("value", pa.float64()),
    ]
)
"""Many activities as columns, for sources that have them so; each further column is a text field by its name.

A null is what None is in an `ActivityRecord`, and a null time is one that could not be read.
"""

UNREADABLE = "\0"
"""Stands in a batch for what should be a text and is none, as NaN does for numbers: it is set aside."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a source's stream; `cursor` (plain JSON) says where to resume after it.

    `batch` has further activities, as `BATCH`, that come after those of the list.
    `noted` are no words of the source: attributes of `rescore.withheld.NOTED_HERE`, lead ids, and whether
    somebody noted it of the lead here (False: took it back). `again` is how many of its rows are no news but
    were read once more in turn: what a source brings is measured without them.
    """

    leads: list[LeadRecord] = field(default_factory=list)
    activities: list[ActivityRecord] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    cursor: dict[str, Any] = field(default_factory=dict)
    unclaimed: list[Unclaimed] = field(default_factory=list)
    noted: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    accounts: list[AccountRecord] = field(default_factory=list)
    batch: pa.Table | None = None
    again: int = 0

    @property
    def rows(self) -> int:
        """How many of the source's records it holds."""
        known = len(self.leads) + len(self.accounts) + len(self.activities)
        return known + len(self.unclaimed) + len(self.set_aside) + self.batch_rows

    @property
    def batch_rows(self) -> int:
        """How many of them come as columns."""
        return 0 if self.batch is None else int(self.batch.num_rows)
