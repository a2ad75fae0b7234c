"""What HubSpot may send: read, or set aside with a reason that is counted; the stream goes on."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from rescore.connectors.hubspot import HubSpot, Limits
from rescore.connectors.hubspot.values import milliseconds, read_plain
from rescore.errors import CrmUnavailable, CursorStuck
from rescore.lake.records import Page
from rescore.mapping import SamePerson
from tests.connectors.conftest import NOW
from tests.connectors.pretend_server import Asked, PretendServer, Reply

FAST = Limits(calls=10**6, searches=10**6, overlap=0)
AT = "2026-11-20T10:00:00.000Z"
AT_MS = milliseconds(datetime(2026, 11, 20, 10, tzinfo=UTC))
ADA = "ada@lovelace.example"


class Account:
    """An account whose every list holds the given rows; e-mail addresses are those of contact 7.

    Page views all happened in the first window that is asked for. `addresses` has how each is kept by how it
    can be asked for.
    """

    def __init__(self) -> None:
        self.rows: list[object] = []
        self.addresses = {ADA: ADA}

    def __call__(self, asked: Asked) -> Reply:
        if asked.path.endswith("contacts/batch/read") and asked.path.startswith("/crm/objects"):
            asked_for = [self.addresses.get(one["id"]) for one in asked.json["inputs"]]
            found = [{"id": "7", "properties": {"email": kept}} for kept in asked_for if kept]
            return Reply(207, {"results": found, "errors": [{"category": "OBJECT_NOT_FOUND"}]})
        if asked.path.startswith("/crm/associations"):
            ids = [one["id"] for one in asked.json["inputs"]]
            return Reply(
                207, {"results": [{"from": {"id": i}, "to": [{"toObjectId": 7}]} for i in ids if i != "404"]}
            )
        if asked.path == "/marketing/v3/forms":
            return Reply(body={"results": [{"id": "f-1", "name": "Demo"}]})
        if asked.path.startswith("/email"):
            return Reply(body={"events": self.rows, "hasMore": False, "offset": "x"})
        found = self.rows
        if asked.path.startswith("/events"):
            self.rows = []
        return Reply(body={"results": found})


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def server(account) -> Iterator[PretendServer]:
    with PretendServer(account) as server:
        yield server


@pytest.fixture
def hubspot(server, mapping) -> HubSpot:
    return HubSpot(server.url, "t", mapping, FAST)


def read(hubspot: HubSpot, stream: str) -> Page:
    pages = list(hubspot.pages(stream, None, until=NOW))
    return Page(
        leads=[lead for page in pages for lead in page.leads],
        activities=[activity for page in pages for activity in page.activities],
        set_aside=[one for page in pages for one in page.set_aside],
        cursor=pages[-1].cursor,
        unclaimed=[one for page in pages for one in page.unclaimed],
    )


def contact(**properties: object) -> dict:
    return {"id": "1", "properties": {"lastmodifieddate": AT, **properties}}


def view(**changes: object) -> dict:
    good = {
        "id": "v1",
        "objectId": "7",
        "occurredAt": AT,
        "properties": {"hs_url": "https://x.example/de/pricing"},
    }
    return good | changes


def event(**changes: object) -> dict:
    return {"id": "e1", "created": AT_MS, "type": "OPEN", "recipient": ADA, "subject": "Hello"} | changes


def submission(**changes: object) -> dict:
    good = {"conversionId": "s1", "submittedAt": AT_MS, "pageUrl": "https://x.example/demo"}
    return good | {"values": [{"name": "email", "value": ADA}]} | changes


def call(**properties: object) -> dict:
    return {"id": "c1", "properties": {"hs_timestamp": AT, "hs_lastmodifieddate": AT, **properties}}


GIANT = "x" * 1_000_000

READ = {
    "page_views": [
        pytest.param(view(), {"asset": "/pricing", "fields": {"host": "x.example"}}, id="a view"),
        pytest.param(view(objectId=7), {"lead_id": "7"}, id="a contact's id as a number"),
        pytest.param(view(properties={}), {"asset": None}, id="a view of nobody knows what"),
        pytest.param(
            view(occurredAt="2026-11-20T11:00:00+01:00"),
            {"occurred_at": datetime(2026, 11, 20, 10, tzinfo=UTC)},
            id="another zone",
        ),
        pytest.param(view(properties={"hs_url": "https://x.example/🚀"}), {"asset": "/🚀"}, id="emoji"),
        pytest.param(
            view(properties={"hs_url": "https://x.example/" + GIANT}),
            {"asset": "/" + GIANT},
            id="a giant address",
        ),
        pytest.param(
            view(occurredAt="2031-01-01T00:00:00Z"),
            {"type": "page_view"},
            id="the future, which the lake judges",
        ),
    ],
    "email_events": [
        pytest.param(event(), {"type": "email_open", "lead_id": "7", "asset": "Hello"}, id="an open"),
        pytest.param(
            event(type="CLICK", url="https://x.example/pricing?utm=1"),
            {"type": "email_click", "asset": "/pricing"},
            id="a click",
        ),
        pytest.param(
            event(recipient=" ADA@Lovelace.example "), {"lead_id": "7"}, id="an address in capitals"
        ),
        pytest.param(event(subject=None), {"asset": None}, id="no subject"),
    ],
    "form_submissions": [
        pytest.param(
            submission(), {"asset": "Demo", "type": "form_submit", "lead_id": "7"}, id="a submission"
        ),
        pytest.param(submission(pageUrl=None), {"fields": {"form": "f-1"}}, id="no page"),
        pytest.param(submission(submittedAt=str(AT_MS)), {"lead_id": "7"}, id="a time as text"),
    ],
    "calls": [
        pytest.param(call(), {"activity_id": "calls:c1:7", "lead_id": "7", "type": "call"}, id="a call"),
        pytest.param(call(hs_call_duration="90000"), {"value": 90000.0}, id="its length"),
        pytest.param(
            call(hs_call_disposition="f240bbac-87c9-4f6e-bf70-924b57d47db7"),
            {"fields": {"outcome": "connected"}},
            id="an outcome in words",
        ),
        pytest.param(
            call(hs_call_disposition="made-up"),
            {"fields": {"outcome": "made-up"}},
            id="an outcome of the account's own",
        ),
        pytest.param(
            call(hs_timestamp=str(AT_MS)),
            {"occurred_at": datetime(2026, 11, 20, 10, tzinfo=UTC)},
            id="milliseconds",
        ),
    ],
    "emails": [
        pytest.param(call(hs_email_direction="INCOMING_EMAIL"), {"type": "email_reply"}, id="a reply"),
        pytest.param(call(hs_email_direction="EMAIL"), {"type": "email_sent"}, id="sent"),
    ],
}


@pytest.mark.parametrize(
    ("stream", "row", "expected"),
    [
        pytest.param(stream, *case.values, id=f"{stream}: {case.id}")
        for stream, cases in READ.items()
        for case in cases
    ],
)
def test_what_can_be_read_is_read(account, hubspot, stream, row, expected):
    account.rows = [row]
    page = read(hubspot, stream)
    assert page.set_aside == []
    [activity] = page.activities
    assert {name: getattr(activity, name) for name in expected} == expected


def test_an_address_is_asked_for_as_it_is_written_and_compared_in_every_spelling(account, hubspot):
    account.addresses = {"ada@bücher.example": "ada@xn--bcher-kva.example"}
    account.rows = [event(recipient="Ada@bücher.example")]
    [activity] = read(hubspot, "email_events").activities
    assert activity.lead_id == "7"


def test_what_hubspot_takes_for_a_scanner_is_left_out_by_hubspot_unless_the_mapping_brings_it(
    account, server, mapping, hubspot
):
    account.rows = [event(), event(id="e2", filteredEvent=True, userAgent="Scanner/1.0")]
    read(hubspot, "email_events")
    assert [one.query["excludeFilteredEvents"] for one in server.asked if "/email/" in one.path] == ["true"]

    told = {"filtered": True, "fields": {"user_agent": "userAgent"}}
    events = mapping.activities["email_events"].model_copy(update=told)
    bringing = mapping.model_copy(update={"activities": mapping.activities | {"email_events": events}})
    server.asked.clear()
    person, scanner = read(HubSpot(server.url, "t", bringing, FAST), "email_events").activities

    assert not any("excludeFilteredEvents" in one.query for one in server.asked)
    assert not {"filtered", "user_agent"} & person.fields.keys()
    assert (scanner.fields["filtered"], scanner.fields["user_agent"]) == ("true", "Scanner/1.0")


ASIDE = {
    "page_views": [
        pytest.param(view(id=None), "id_missing", id="no id"),
        pytest.param(view(id={}), "id_missing", id="a structure as id"),
        pytest.param(view(objectId=None), "no_contact", id="nobody"),
        pytest.param(view(occurredAt=None), "time_missing", id="no time"),
        pytest.param(view(occurredAt="yesterday"), "time_unreadable", id="words as time"),
        pytest.param(view(occurredAt="99999999999999999"), "time_unreadable", id="beyond the calendar"),
        pytest.param(view(occurredAt=[1]), "time_unreadable", id="a list as time"),
        pytest.param(view(properties=None), "properties_missing", id="no properties"),
        pytest.param(view(properties={"hs_url": "https://[x"}), "url_unreadable", id="no address"),
    ],
    "email_events": [
        pytest.param(event(recipient=None), "no_contact", id="nobody"),
        pytest.param(event(id=None), "id_missing", id="no id"),
        pytest.param(event(created=None), "time_missing", id="no time"),
        pytest.param(event(created="soon"), "time_unreadable", id="words as time"),
    ],
    "form_submissions": [
        pytest.param(submission(values=None), "no_contact", id="no values"),
        pytest.param(submission(values=[None, "x", {"name": "email"}]), "no_contact", id="junk values"),
        pytest.param(submission(conversionId=None), "id_missing", id="no id"),
        pytest.param(submission(submittedAt=None), "time_missing", id="no time"),
        pytest.param(submission(submittedAt="soon"), "time_unreadable", id="words as time"),
    ],
    "calls": [
        pytest.param(call() | {"id": None}, "id_missing", id="no id"),
        pytest.param(call() | {"id": "404"}, "no_contact", id="about nobody"),
        pytest.param(call(hs_timestamp=None), "time_missing", id="no time"),
        pytest.param(call(hs_timestamp="soon"), "time_unreadable", id="words as time"),
        pytest.param(call(hs_call_duration="long"), "value_unreadable", id="words as length"),
        pytest.param(call(hs_call_duration="NaN"), "value_unreadable", id="no number as length"),
        pytest.param({"id": "c1", "properties": None}, "properties_missing", id="no properties"),
    ],
    "emails": [pytest.param(call(hs_email_direction="SMOKE"), "type_unknown", id="a direction nobody knows")],
}


@pytest.mark.parametrize(
    ("stream", "row", "reason"),
    [
        pytest.param(stream, *case.values, id=f"{stream}: {case.id}")
        for stream, cases in ASIDE.items()
        for case in cases
    ],
)
def test_what_cannot_be_read_is_set_aside_and_its_neighbours_are_not(account, hubspot, stream, row, reason):
    good = {"page_views": view, "email_events": event, "form_submissions": submission}.get(stream, call)()
    if stream == "emails":
        good["properties"]["hs_email_direction"] = "EMAIL"
    key = "conversionId" if stream == "form_submissions" else "id"
    account.rows = [row, good | {key: "good"}]
    page = read(hubspot, stream)
    assert [one.reason for one in page.set_aside] == [reason]
    assert len(page.activities) == 1


@pytest.mark.parametrize(
    ("stream", "row"),
    [
        pytest.param("email_events", event(recipient="Who@x.example"), id="an e-mail"),
        pytest.param(
            "form_submissions", submission(values=[{"name": "email", "value": "Who@x.example"}]), id="a form"
        ),
    ],
)
def test_what_an_address_did_that_no_contact_has_waits_for_one(account, hubspot, stream, row):
    account.rows = [row]
    page = read(hubspot, stream)
    [one] = page.unclaimed
    assert (one.address, one.activity.lead_id) == ("Who@x.example", "")
    assert one.activity.occurred_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (page.activities, page.set_aside) == ([], [])


def test_a_contact_comes_with_every_address_it_has(account, hubspot):
    account.rows = [contact(email="Ada@x.example", hs_additional_emails="old@x.example; other@x.example")]
    [lead] = read(hubspot, "contacts").leads
    assert lead.addresses == ("ada@x.example", "old@x.example", "other@x.example")


def test_rows_that_are_no_objects_are_left_out(account, hubspot):
    account.rows = [None, 3, "row", [view()], view()]
    assert len(read(hubspot, "page_views").activities) == 1


def test_events_that_are_no_activity_of_the_lead_are_left_out(account, hubspot):
    account.rows = [event(type="DELIVERED"), event(type=None), event()]
    page = read(hubspot, "email_events")
    assert (len(page.activities), page.set_aside) == (1, [])


def test_an_engagement_about_several_contacts_is_one_activity_for_each(server, hubspot):
    server.answer = lambda asked: Reply(
        body={
            "results": [call()]
            if asked.path.endswith("search")
            else [{"from": {"id": "c1"}, "to": [{"toObjectId": 7}, {"id": "8"}, {"toObjectId": 7}, {}]}]
        }
    )
    assert [a.activity_id for a in read(hubspot, "calls").activities] == ["calls:c1:7", "calls:c1:8"]


def test_a_lead_keeps_what_can_be_read_and_says_what_cannot(account, hubspot):
    account.rows = [
        contact(
            jobtitle="CTO 🚀",
            numemployees="many",
            hs_email_optout="perhaps",
            createdate="2026-01-02T03:04:05Z",
        )
    ]
    page = read(hubspot, "contacts")
    [lead] = page.leads
    assert lead.attributes["job_title"] == "CTO 🚀"
    assert lead.attributes["created_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (lead.attributes["company_size"], lead.attributes["email_opt_out"]) == (None, None)
    assert {one.reason for one in page.set_aside} == {"company_size_unreadable", "email_opt_out_unreadable"}


def test_merged_contacts_are_named_by_the_one_that_is_left(account, hubspot):
    account.rows = [contact(hs_merged_object_ids="11;12;;x")]
    assert read(hubspot, "contacts").leads[0].merged == ("11", "12")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"properties": {"lastmodifieddate": AT}}, "id_missing"),
        ({"id": None, "properties": {"lastmodifieddate": AT}}, "id_missing"),
        ({"id": "1", "properties": None}, "properties_missing"),
    ],
    ids=["no id", "a null id", "no properties"],
)
def test_a_contact_nobody_can_name_is_set_aside(account, hubspot, row, reason):
    account.rows = [row, contact() | {"id": "2"}]
    page = read(hubspot, "contacts")
    assert [one.reason for one in page.set_aside] == [reason]
    assert [lead.lead_id for lead in page.leads] == ["2"]


def test_no_score_property_is_ever_asked_for(server, hubspot, mapping):
    read(hubspot, "contacts")
    asked = set(server.asked[0].json["properties"])
    assert asked.isdisjoint(name for fields in mapping.scores.values() for name in fields.properties)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (" 12 ", "number", 12.0),
        ("1e3", "number", 1000.0),
        ("-.5", "number", -0.5),
        ("TRUE", "flag", True),
        (False, "flag", False),
        ("2026-11-01", "date", date(2026, 11, 1)),
        ("1793491200000", "date", date(2026, 11, 1)),
        ("2026-11-01T12:00:00", "timestamp", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("0", "timestamp", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
    ids=str,
)
def test_texts_become_what_the_mapping_says(value, kind, expected):
    assert read_plain(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1_000", "number"),
        ("nan", "number"),
        ("inf", "number"),
        ("1e999", "number"),
        ("1,5", "number"),
        ("٣", "number"),
        ("yes", "flag"),
        ("1", "flag"),
        ("2026-13-01", "date"),
        ("soon", "timestamp"),
        ("999999999999999", "timestamp"),
        ({"a": 1}, "text"),
        ([], "text"),
    ],
    ids=str,
)
def test_what_is_something_else_is_not_guessed(value, kind):
    with pytest.raises(ValueError, match=r"not|nei|cal|iso|month|Invalid|beyond"):
        read_plain(value, kind)


@pytest.mark.parametrize("stream", ["contacts", "page_views", "email_events", "form_submissions", "calls"])
@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": {}, "events": 3}], ids=str)
def test_an_answer_without_its_list_is_no_answer(server, hubspot, stream, body):
    server.answer = lambda asked: Reply(body=body)
    with pytest.raises(CrmUnavailable):
        read(hubspot, stream)


def test_a_token_that_comes_again_is_noticed(server, hubspot):
    server.answer = lambda asked: Reply(body={"results": [view()], "paging": {"next": {"after": "same"}}})
    with pytest.raises(CursorStuck, match="page_views"):
        read(hubspot, "page_views")


def test_a_token_the_server_has_forgotten_starts_the_window_again(server, hubspot):
    def forgetful(asked: Asked) -> Reply:
        if asked.query.get("after") == "old":
            return Reply(400, {"category": "VALIDATION_ERROR"})
        return Reply(body={"results": [view()]})

    server.answer = forgetful
    cursor = {"since": 0, "until": milliseconds(NOW), "after": "old", "newest": 5}
    pages = list(hubspot.pages("page_views", cursor, until=NOW))
    assert [len(page.activities) for page in pages] == [1]
    assert json.dumps(pages[-1].cursor) == json.dumps({"since": AT_MS})


def test_the_cursor_stays_at_the_newest_fact_seen_so_that_late_ones_are_found(account, hubspot):
    account.rows = [view()]
    assert read(hubspot, "page_views").cursor == {"since": AT_MS}
    account.rows = []
    again = list(hubspot.pages("page_views", {"since": AT_MS}, until=NOW))
    assert again[-1].cursor == {"since": AT_MS}


def test_a_form_is_read_back_to_its_cursor_less_the_overlap_and_no_further(server, mapping):
    minute = 60_000
    times = [AT_MS - minute * number for number in range(200)]
    account = Account()

    def by_pages(asked: Asked) -> Reply:
        if not asked.path.startswith("/form-integrations"):
            return account(asked)
        start = int(asked.query.get("after", 0))
        rows = [submission(conversionId=f"s{at}", submittedAt=at) for at in times[start : start + 50]]
        paging = {"paging": {"next": {"after": str(start + 50)}}} if start + 50 < len(times) else {}
        return Reply(body={"results": rows, **paging})

    server.answer = by_pages
    hubspot = HubSpot(server.url, "t", mapping, Limits(calls=10**6, searches=10**6, overlap=600))
    first = list(hubspot.pages("form_submissions", None, until=NOW))
    assert sum(len(page.activities) for page in first) == 200
    assert first[-1].cursor == {"since": {"f-1": AT_MS}}
    late = AT_MS - 5 * minute - 1
    times.insert(6, late)
    times.insert(0, AT_MS + minute)
    pages = list(hubspot.pages("form_submissions", first[-1].cursor, until=NOW))
    found = {activity.activity_id for page in pages for activity in page.activities}
    assert {f"form_submissions:s{late}", f"form_submissions:s{AT_MS + minute}"} <= found
    assert len(found) == 13
    assert len(pages) == 1


def test_a_contact_says_which_records_of_other_sources_are_the_same_person(server, account, mapping):
    told = {"records": {"salesforce": ["salesforcecontactid", "salesforceleadid"]}}
    leads = mapping.leads.model_copy(update={"same_person": SamePerson.model_validate(told)})
    account.rows = [contact(salesforcecontactid=" 003A ", salesforceleadid="", email=ADA)]
    hubspot = HubSpot(server.url, "t", mapping.model_copy(update={"leads": leads}), FAST)
    [lead] = read(hubspot, "contacts").leads
    assert (lead.same_as, lead.addresses) == (("salesforce:003A",), (ADA,))
    asked = next(each.json["properties"] for each in server.asked if each.path.endswith("/search"))
    assert {"salesforcecontactid", "salesforceleadid"} <= set(asked)


def test_an_account_that_does_not_say_its_number_is_no_account(hubspot, account):
    with pytest.raises(CrmUnavailable, match="did not say which account"):
        hubspot.fingerprint()
