"""Small pages and plain readings of a lake, for tests."""

from datetime import UTC, datetime, timedelta

from rescore.lake.lake import Lake
from rescore.lake.landing import Landed
from rescore.lake.records import AccountRecord, ActivityRecord, LeadRecord, Page, SetAside

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def naive(moment):
    return moment.replace(tzinfo=None)


def a_lead(lead_id="1", merged=(), same_as=(), addresses=(), **attributes):
    return LeadRecord(lead_id, attributes, tuple(merged), tuple(addresses), same_as=tuple(same_as))


def an_account(account_id="100", merged=(), deleted=False, **attributes):
    return AccountRecord(account_id, attributes, tuple(merged), deleted)


def an_activity(activity_id="a1", lead_id="1", *, at=NOON - timedelta(days=1), **given):
    fields = given.pop("fields", {})
    return ActivityRecord(activity_id, lead_id, given.pop("type", "page_view"), at, fields=fields, **given)


def land(lake: Lake, *records, number, stream="everything", source="crm", known_at=NOON, **given) -> Landed:
    page = Page(
        leads=[r for r in records if isinstance(r, LeadRecord)],
        activities=[r for r in records if isinstance(r, ActivityRecord)],
        accounts=[r for r in records if isinstance(r, AccountRecord)],
        set_aside=[r for r in records if isinstance(r, SetAside)],
    )
    return lake.land(source, page, stream=stream, number=number, known_at=known_at, **given)


def facts_of(lake: Lake, leads=None):
    """Both relations as sorted lists of dicts; times that landing makes are left out."""
    with lake.facts(leads) as facts:
        return tuple(
            sorted(
                ({k: v for k, v in row.items() if k != "known_at"} for row in rows),
                key=lambda row: (row["lead"], row.get("activity_id", "")),
            )
            for rows in (
                facts.connection.sql(f"FROM {relation}").to_arrow_table().to_pylist()
                for relation in (facts.activities, facts.leads)
            )
        )


def brief(lake: Lake, *columns, leads=None):
    """Some columns of every activity, sorted."""
    activities, _ = facts_of(lake, leads)
    return sorted(tuple(row[column] for column in columns) for row in activities)
