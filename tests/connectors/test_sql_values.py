"""What a row says: times without a zone, types, and odd values, each set aside alone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rescore.lake.batches import screen_batch
from tests.connectors.contract import UNTIL, activities_of, read
from tests.connectors.warehouse import MAPPING, NINE, a_view, ids, views, warehouse

PNG = b"\x89PNG"


def test_a_time_without_a_zone_is_utc_and_any_other_zone_is_brought_to_it(db):
    zoned, nothing = "2026-11-01 09:00:00+02:00", None
    db.fill("views", [a_view(1, at=NINE), a_view(2, at=zoned), a_view(3, at=nothing)])
    at = {one.activity_id: one.occurred_at for one in views(db.source())[0]}
    nine = datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert at == {"1": nine, "2": nine - timedelta(hours=2), "3": None}


def test_a_column_of_times_without_a_zone_is_utc_on_postgresql_too(tmp_path):
    with warehouse("postgresql", tmp_path) as db:
        db.run("ALTER TABLE views ALTER at TYPE timestamp, ALTER loaded TYPE date")
        db.fill("views", [a_view(1, at=NINE, loaded="2026-11-01"), a_view(2, at="infinity")])
        source = db.source()
        found, cursor, _ = views(source)
        assert [one.occurred_at for one in found] == [datetime(2026, 11, 1, 9, tzinfo=UTC), None]
        assert cursor == {"since": {"date": "2026-11-01"}}
        assert len(views(source, cursor)[0]) == 2


def test_nulls_numbers_and_texts_are_what_the_table_says(db):
    db.fill("views", [a_view(1, page=None, amount=2.5), a_view(2, page="", amount=None)])
    found = {one.activity_id: one for one in views(db.source())[0]}
    assert (found["1"].asset, found["1"].value, found["2"].value) == (None, 2.5, None)
    assert found["1"].fields == {"campaign": "spring"}
    assert {one.type for one in found.values()} == {"page_view"}
    assert {one.channel for one in found.values()} == {"web"}


def test_words_of_the_table_become_ours(db):
    mapping = MAPPING.replace(
        b"type: page_view", b"type: {property: page, values: {/a: page_view}, otherwise: other}"
    )
    db.fill("views", [a_view(1, page="/a"), a_view(2, page="/b"), a_view(3, page=None)])
    types = {one.activity_id: one.type for one in views(db.source(mapping))[0]}
    assert types == {"1": "page_view", "2": "other", "3": None}


def test_leads_have_typed_attributes_and_deleted_ones_nothing_else(db):
    db.fill(
        "people",
        [
            ("1", NINE, False, "CTO", 250, True, "1990-05-01"),
            ("2", NINE, True, "CEO", 1, False, None),
            ("3", NINE, None, None, None, None, None),
        ],
    )
    leads = {lead.lead_id: lead for page in read(db.source(), "leads") for lead in page.leads}
    assert leads["1"].attributes == {
        "job_title": "CTO",
        "company_size": 250.0,
        "opted_out": True,
        "born": date(1990, 5, 1),
    }
    assert (leads["2"].deleted, leads["2"].attributes) == (True, {})
    assert set(leads["3"].attributes.values()) == {None}


def test_a_table_may_have_the_ids_of_another_source_for_its_own(db):
    known = b"  same_person: {records: {hubspot: [id]}}\n  attributes:"
    db.fill("people", [("1042", NINE, False, "CTO", 250, True, None)])
    [page, *_] = read(db.source(MAPPING.replace(b"  attributes:", known)), "leads")
    assert [(lead.lead_id, lead.same_as) for lead in page.leads] == [("1042", ("hubspot:1042",))]


def test_a_deletion_may_be_told_by_its_time(db):
    db.run("ALTER TABLE people ADD COLUMN gone_at text")
    row = (NINE, False, "CTO", 250, True, None)
    db.fill("people", [("1", *row, None), ("2", *row, "2026-11-01T00:00:00Z"), ("3", *row, "perhaps")])
    [page, *_] = read(db.source(MAPPING.replace(b"deleted: gone", b"deleted: gone_at")), "leads")
    assert {lead.lead_id: lead.deleted for lead in page.leads} == {"1": False, "2": True, "3": False}
    assert [(one.record_id, one.reason) for one in page.set_aside] == [("3", "deleted_unreadable")]


def test_a_view_is_read_like_a_table(db):
    db.run("CREATE VIEW recent AS SELECT * FROM views WHERE page = '/a'")
    db.fill("views", [a_view(1), a_view(2, page="/b")])
    assert ids(views(db.source(MAPPING.replace(b"table: views", b"table: recent")))[0]) == ["1"]


@pytest.mark.parametrize("odd", ["infinity", "0044-03-15 BC"])
def test_an_attribute_beyond_the_calendar_is_set_aside_alone(tmp_path, odd):
    with warehouse("postgresql", tmp_path) as db:
        db.run("ALTER TABLE people ADD COLUMN gone_at timestamptz")
        db.fill("people", [("1", NINE, False, "CTO", 5, None, odd, odd), ("2", NINE, *[None] * 6)])
        [page, *_] = read(db.source(MAPPING.replace(b"deleted: gone", b"deleted: gone_at")), "leads")
        lead = page.leads[0]
        assert (lead.deleted, lead.attributes["job_title"], lead.attributes["born"]) == (False, "CTO", None)
        assert {(one.record_id, one.reason) for one in page.set_aside} == {
            ("1", "deleted_unreadable"),
            ("1", "born_unreadable"),
        }


def test_money_is_what_it_says_and_a_short_text_has_no_blanks_behind_it(tmp_path):
    with warehouse("postgresql", tmp_path) as db:
        db.run("CREATE TABLE odd (id char(8), land char(4), at timestamptz, paid money)")
        db.fill("odd", [("7", "DE", NINE, "12.50")])
        mapping = b"""\
mapping: warehouse
connector: sql
leads:
  table: odd
  id: id
  cursor: at
  attributes: {land: {property: land, type: text}, paid: {property: paid, type: number}}
activities:
  paid: {table: odd, id: id, lead: id, cursor: at, type: paid, occurred_at: at, asset: land, value: paid}
"""
        source = db.source(mapping)
        [lead] = [lead for page in read(source, "leads") for lead in page.leads]
        assert (lead.lead_id, lead.attributes) == ("7", {"land": "DE", "paid": 12.5})
        [paid] = [one for page in read(source, "paid") for one in activities_of(page)]
        assert (paid.activity_id, paid.lead_id, paid.asset, paid.value) == ("7", "7", "DE", 12.5)


def test_one_value_that_is_no_text_is_set_aside_alone(tmp_path):
    with warehouse("sqlite", tmp_path) as db:
        db.run("DROP TABLE people;\nCREATE TABLE people (id, changed, gone, title, size, opt_out, born)")
        nothing = (None, None, None)
        db.fill("people", [(1, NINE, 0, "CTO", *nothing), (2, NINE, 0, b"\x89PNG", *nothing)])
        [page, *_] = read(db.source(), "leads")
        assert [lead.attributes["job_title"] for lead in page.leads] == ["CTO", None]
        assert [(one.record_id, one.reason) for one in page.set_aside] == [("2", "job_title_unreadable")]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"page": PNG}, ("unreadable value", "asset")),
        ({"kind": PNG}, ("unreadable value", "type")),
        ({"campaign": PNG}, ("unreadable value", "campaign")),
        ({"person": PNG}, ("unreadable value", "id")),
        ({"amount": PNG}, ("impossible number", "value")),
        ({"at": PNG}, ("unreadable time", "occurred_at")),
    ],
    ids=lambda odd: next(iter(odd)) if isinstance(odd, dict) else "",
)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside texts"])
def test_bytes_in_any_column_of_sqlite_set_their_activity_aside_and_no_other(tmp_path, odd, reason, beside):
    mapping = MAPPING.replace(
        b"type: page_view", b"type: {property: kind, values: {seen: page_view}, otherwise: other}"
    )
    row = {
        "person": "1",
        "loaded": NINE,
        "at": NINE,
        "page": "/a",
        "amount": 2,
        "campaign": "x",
        "kind": "seen",
    }
    with warehouse("sqlite", tmp_path) as db:
        db.run(f"DROP TABLE views;\nCREATE TABLE views (id, {', '.join(row)})")
        db.fill("views", [(1, *(row | odd).values()), *([(2, *row.values())] if beside else [])])
        [page, *_] = read(db.source(mapping), "views")
        facts, aside = screen_batch("warehouse", page.batch, known_at=UNTIL)
    assert [(one.record_id, one.reason, one.detail) for one in aside] == [("1", *reason)]
    assert [(one["activity_id"], one["type"], one["asset"]) for one in facts.to_pylist()] == (
        [("2", "page_view", "/a")] if beside else []
    )


def test_a_text_that_is_not_utf_8_sets_its_activity_aside_and_no_other(tmp_path):
    with warehouse("sqlite", tmp_path) as db:
        db.fill("views", [a_view(1), a_view(2)])
        db.run("UPDATE views SET page = CAST(x'ff41' AS TEXT) WHERE id = 1")
        [page, *_] = read(db.source(), "views")
        facts, aside = screen_batch("warehouse", page.batch, known_at=UNTIL)
    assert facts["activity_id"].to_pylist() == ["2"]
    assert [(one.record_id, one.reason, one.detail) for one in aside] == [("1", "unreadable value", "asset")]


def test_bytes_among_what_says_who_a_lead_is_are_set_aside_alone(tmp_path):
    known = b"  email: address\n  same_person: {email: true, records: {hubspot: [theirs]}}\n  attributes:"
    with warehouse("sqlite", tmp_path) as db:
        db.run("ALTER TABLE people ADD COLUMN address;\nALTER TABLE people ADD COLUMN theirs")
        row = (NINE, 0, "CTO", 1, 0, None)
        db.fill("people", [("1", *row, "Ada@b.example", 17.0), ("2", *row, PNG, PNG)])
        [page, *_] = read(db.source(MAPPING.replace(b"  attributes:", known)), "leads")
    assert [(lead.addresses, lead.same_as) for lead in page.leads] == [
        (("Ada@b.example",), ("hubspot:17",)),
        ((), ()),
    ]
    assert [(one.record_id, one.reason) for one in page.set_aside] == [
        ("2", "email_unreadable"),
        ("2", "same_person_unreadable"),
    ]
