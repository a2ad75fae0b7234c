"""Tables as they are: ties, late rows, times without a zone, changes, and what a database refuses."""

import socket
import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from rescore.connectors.connection import Connection, connection_from_environment
from rescore.connectors.sql import SqlSource
from rescore.connectors.sql.cursors import before
from rescore.connectors.sql.database import Database
from rescore.errors import (
    CrmFieldMissing,
    CrmLacksScope,
    CrmRejectedCredentials,
    CrmUnavailable,
    MappingInvalid,
    SettingsIncomplete,
    TerminalError,
)
from rescore.lake.batches import screen_batch
from tests.conftest import BOTH
from tests.connectors.contract import UNTIL, activities_of, read
from tests.connectors.warehouse import MAPPING, warehouse

NINE = "2026-11-01 09:00:00"


@pytest.fixture(params=BOTH)
def db(request, tmp_path):
    with warehouse(request.param, tmp_path) as found:
        yield found


def a_view(number, *, person="1", loaded=NINE, at=NINE, page="/a", amount=None):
    return (number, person, loaded, at, page, amount, "spring")


def views(source, cursor=None):
    pages = read(source, "views", cursor)
    return [one for page in pages for one in activities_of(page)], pages[-1].cursor, pages


def ids(found):
    return [one.activity_id for one in found]


def test_more_rows_of_the_newest_time_that_come_later_are_read_whatever_their_ids_are(db):
    db.fill("views", [a_view(5), a_view(7)])
    source = db.source(MAPPING.replace(b"cursor: loaded", b"cursor: loaded\n    overlap: 0s"))
    first, cursor, _ = views(source)
    db.fill("views", [a_view(1), a_view(6), a_view(9)])
    assert ids(first) == ["5", "7"]
    assert ids(views(source, cursor)[0]) == ["1", "5", "6", "7", "9"]


def test_a_run_that_was_cut_within_rows_of_one_time_goes_on_by_their_ids(db):
    db.fill("views", [a_view(number) for number in range(12)])
    source = db.source(turn=5)
    first = next(iter(source.pages("views", None, until=UNTIL)))
    assert len(activities_of(first)) == 5
    rest = list(source.pages("views", first.cursor, until=UNTIL))
    found = {one.activity_id for page in [first, *rest] for one in activities_of(page)}
    assert found == {str(number) for number in range(12)}
    assert ids(activities_of(rest[0])) == ["5", "6", "7", "8", "9"]


def test_rows_that_a_long_transaction_brings_late_are_read_within_the_overlap(db):
    db.fill("views", [a_view(1, loaded="2026-11-01 09:10:00")])
    source = db.source()
    _, cursor, _ = views(source)
    db.fill("views", [a_view(2, loaded="2026-11-01 09:06:00"), a_view(3, loaded="2026-11-01 08:00:00")])
    assert ids(views(source, cursor)[0]) == ["2", "1"]
    wider = db.source(MAPPING.replace(b"cursor: loaded", b"cursor: loaded\n    overlap: 2h"))
    assert ids(views(wider, cursor)[0]) == ["3", "2", "1"]


def test_rows_of_the_future_wait_for_their_time(db):
    db.fill("views", [a_view(1), a_view(2, loaded="2026-11-21 12:00:01")])
    found, cursor, _ = views(db.source())
    assert ids(found) == ["1"]
    later = [*db.source().pages("views", cursor, until=UNTIL + timedelta(minutes=1))]
    assert ids(activities_of(later[0])) == ["1", "2"]


def test_a_changed_row_comes_again_with_what_it_says_now(db):
    db.fill("views", [a_view(1)])
    source = db.source()
    _, cursor, _ = views(source)
    db.run("UPDATE views SET page = '/b', loaded = '2026-11-02 00:00:00'")
    assert [one.asset for one in views(source, cursor)[0]] == ["/b"]


def test_a_number_can_be_the_cursor_and_the_id_at_once(db):
    mapping = MAPPING.replace(b"cursor: loaded", b"cursor: id")
    db.fill("views", [a_view(number) for number in (2, 10, 9)])
    source = db.source(mapping, turn=2)
    found, cursor, _ = views(source)
    assert ids(found) == ["2", "9", "10"]
    db.fill("views", [a_view(11)])
    assert ids(views(source, cursor)[0]) == ["10", "11"]


def test_an_empty_table_has_no_rows_and_no_cursor(db):
    assert views(db.source())[:2] == ([], {})


def test_a_row_without_a_cursor_is_set_aside_and_not_lost_in_silence(db):
    db.fill("views", [a_view(1), a_view(2, loaded=None)])
    found, _, pages = views(db.source())
    assert ids(found) == ["1"]
    assert [(one.record_id, one.reason) for page in pages for one in page.set_aside] == [
        ("2", "cursor_missing")
    ]


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


def test_columns_that_are_missing_are_named_all_at_once(db):
    wrong = MAPPING.replace(b"asset: page", b"asset: pag").replace(b"cursor: loaded", b"cursor: landed")
    with pytest.raises(CrmFieldMissing) as caught:
        views(db.source(wrong))
    assert str(caught.value) == (
        "`views` has no columns `landed` (did you mean `loaded`?), `pag` (did you mean `page`?); correct the "
        "mapping, `rescore describe` lists those it has"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"table: views", b"table: visits", "no table or view `visits`; correct `table` in the mapping"),
        (b"asset: page", b"asset: pag", "`views` has no column `pag`; did you mean `page`?"),
        (b"cursor: loaded", b"cursor: landed", "`views` has no column `landed`; did you mean `loaded`?"),
    ],
    ids=["table", "column", "cursor"],
)
def test_what_the_database_does_not_have_is_named(db, old, new, said):
    with pytest.raises(CrmFieldMissing) as caught:
        views(db.source(MAPPING.replace(old, new)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_vanished_between_two_runs_is_named(db):
    source = db.source()
    views(source)
    db.run("DROP TABLE views")
    with pytest.raises(CrmFieldMissing, match="`views`; correct `table` in the mapping"):
        views(source)


def test_a_right_that_was_taken_away_is_named_with_the_table(tmp_path):
    with warehouse("postgresql", tmp_path) as db:
        source = db.source()
        with db.engine.begin() as owner:
            owner.exec_driver_sql(f"REVOKE SELECT ON views FROM {db.connection.login}")
        with pytest.raises(CrmLacksScope, match=f"does not let `{db.connection.login}` read `views`; grant"):
            views(source)


def test_nothing_can_be_written_through_it(tmp_path):
    with warehouse("postgresql", tmp_path) as db:
        db.fill("views", [a_view(1)])
        with db.engine.begin() as owner:
            owner.exec_driver_sql(
                "CREATE FUNCTION spy() RETURNS text SECURITY DEFINER LANGUAGE sql AS "
                "$$ INSERT INTO views (id) VALUES (99) RETURNING 'x' $$"
            )
            owner.exec_driver_sql("CREATE VIEW trap AS SELECT *, spy() AS caught FROM views")
        db.let_read()
        mapping = MAPPING.replace(b"table: views", b"table: trap").replace(b"asset: page", b"asset: caught")
        with pytest.raises(TerminalError, match=r"`trap` \(25006\)"):
            views(db.source(mapping))
        assert ids(views(db.source())[0]) == ["1"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"login": "nobody_of_that_name"}, CrmRejectedCredentials),
        ({"schema": "no_such_database"}, CrmRejectedCredentials),
        ({"host": "127.0.0.1", "port": 1}, CrmUnavailable),
    ],
    ids=["login", "database", "nobody there"],
)
def test_a_connection_that_leads_nowhere_is_one_sentence_without_the_password(tmp_path, change, error):
    with warehouse("postgresql", tmp_path) as db:
        given = {name: getattr(db.connection, name) for name in Connection.__slots__} | {"password": "s3cr3t"}
        source = SqlSource(Database(Connection(**(given | change))), db.source().mapping)
        with pytest.raises(error) as caught:
            views(source)
    assert "rescore_warehouse" in str(caught.value)
    assert "s3cr3t" not in repr(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "has no type; make it a database's"),
        ({"kind": "http"}, "is of type `http`, which is no database that is known here; make it Postgres"),
        ({"kind": "oracle"}, "needs the SQLAlchemy driver `oracle`, which is not installed"),
        ({"kind": "http", "extra": {"driver": "my+sql"}}, "names the driver `my+sql`, which is no database"),
        ({"kind": "postgres", "host": ""}, "has no host; write there where the database's server is"),
        ({"kind": "sqlite", "host": ""}, "has no host; write the file's path there"),
        ({"kind": "postgres", "extra": {"sslmode": "requir"}}, "cannot be `requir`; did you mean `require`?"),
    ],
    ids=["no type", "http", "no driver", "odd driver", "no host", "no path", "sslmode"],
)
def test_a_connection_that_cannot_be_one_is_told_before_anything_is_asked(given, said):
    with pytest.raises(SettingsIncomplete) as caught:
        Database(Connection("w", **({"host": "h"} | given)))
    assert said in str(caught.value)
    assert "Connection `w`" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not there, or closed to us; correct the path in the Airflow Connection `w`"),
        ("id,name\n" * 500, "is no SQLite database; correct the path in the Airflow Connection `w`"),
    ],
    ids=["missing", "a text"],
)
def test_a_sqlite_file_that_is_none_is_told_by_its_path_and_never_made(tmp_path, content, said):
    path = tmp_path / "some.db"
    if content:
        path.write_text(content)
    with pytest.raises(CrmRejectedCredentials) as caught:
        Database(Connection("w", str(path), kind="sqlite")).check_columns("views", ["id"])
    assert str(caught.value) == f"the SQLite file {path} {said}"
    assert path.exists() == bool(content)


def test_a_server_without_tls_is_told_from_one_that_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def no_tls():
            with server.accept()[0] as client:
                client.recv(8)
                client.sendall(b"N")

        answering = threading.Thread(target=no_tls)
        answering.start()
        connection = Connection(
            "w", "127.0.0.1", kind="postgres", port=server.getsockname()[1], extra={"sslmode": "require"}
        )
        with pytest.raises(CrmRejectedCredentials, match="do not agree on encryption"):
            Database(connection).check_columns("views", ["id"])
        answering.join()


@pytest.mark.parametrize("uri", ["sqlite://%2FSome%2FWhere.db", "sqlite:////Some/Where.db"])
def test_the_environments_connections_lead_to_databases_too(uri):
    found = connection_from_environment("w", {"AIRFLOW_CONN_W": uri})
    assert (found.kind, found.host or found.schema) == ("sqlite", "/Some/Where.db")


@pytest.mark.parametrize(
    ("value", "overlap", "expected"),
    [
        (datetime(2026, 11, 1, 0, 4, tzinfo=UTC), None, datetime(2026, 10, 31, 23, 59, tzinfo=UTC)),
        (100, 10, 90),
        (100, None, 100),
        ("2026-11-01T00:04:00.123Z", timedelta(minutes=5), "2026-10-31T23:59:00"),
        ("2026-11-01", timedelta(days=1), "2026-10-31"),
        ("2026-02-31 10:00:00", None, "2026-02-31 10:00:00"),
    ],
    ids=str,
)
def test_an_overlap_is_in_the_cursors_own_terms(value, overlap, expected):
    assert before(value, overlap) == expected


@pytest.mark.parametrize(
    ("cursor", "overlap", "said"),
    [
        (
            "loaded",
            "5",
            "the cursor `loaded` of `views` is a time, and its `overlap` is a number; write",
        ),
        ("id", "1h", "the cursor `id` of `views` is a number, and its `overlap` is a time; write"),
    ],
    ids=["of a time", "of a number"],
)
def test_an_overlap_in_other_terms_is_told_in_the_first_run(db, cursor, overlap, said):
    db.fill("views", [a_view(1)])
    mapping = MAPPING.replace(b"cursor: loaded", f"cursor: {cursor}\n    overlap: {overlap}".encode())
    with pytest.raises(MappingInvalid) as caught:
        views(db.source(mapping))
    assert said in str(caught.value)


def test_an_empty_table_takes_the_overlap_it_will_need(db):
    mapping = MAPPING.replace(b"cursor: loaded", b"cursor: loaded\n    overlap: 10m")
    assert views(db.source(mapping))[:2] == ([], {})


def test_a_row_of_a_distant_future_does_not_make_our_clock_the_cursor(db):
    db.fill("views", [a_view(1, loaded="2026-11-21 10:00:00"), a_view(2, loaded="2099-01-01 00:00:00")])
    source = db.source()
    _, cursor, _ = views(source)
    db.fill("views", [a_view(3, loaded="2026-11-21 11:30:00")])
    later = list(source.pages("views", cursor, until=UNTIL + timedelta(hours=1)))
    assert ids([one for page in later for one in activities_of(page)]) == ["1", "3"]


@pytest.mark.parametrize("odd", ["infinity", "-infinity", "0044-03-15 BC"])
def test_a_cursor_beyond_the_calendar_is_set_aside_and_the_others_go_on(tmp_path, odd):
    with warehouse("postgresql", tmp_path) as db:
        db.fill("views", [a_view(1), a_view(2, loaded=odd), a_view(3, loaded=None)])
        source = db.source()
        found, cursor, pages = views(source)
        assert ids(found) == ["1"]
        assert {(one.record_id, one.reason) for page in pages for one in page.set_aside} == {
            ("2", "cursor_unreadable"),
            ("3", "cursor_missing"),
        }
        db.fill("views", [a_view(4, loaded="2026-11-02 09:00:00")])
        assert ids(views(source, cursor)[0]) == ["1", "4"]


def test_a_number_that_is_none_is_no_cursor(tmp_path):
    with warehouse("postgresql", tmp_path) as db:
        db.fill("views", [a_view(1, amount=7), a_view(2, amount="NaN"), a_view(3, amount=8)])
        found, cursor, pages = views(db.source(MAPPING.replace(b"cursor: loaded", b"cursor: amount")))
        assert (ids(found), cursor) == (["1", "3"], {"since": {"number": "8"}})
        assert [one.reason for page in pages for one in page.set_aside] == ["cursor_unreadable"]


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


@pytest.mark.parametrize("odd", ["yesterday", 7, b"2026-11-01 09:00:00"], ids=str)
def test_what_is_no_time_among_times_in_sqlite_is_set_aside(tmp_path, odd):
    with warehouse("sqlite", tmp_path) as db:
        db.run("DROP TABLE views;\nCREATE TABLE views (id, person, loaded, at, page, amount, campaign)")
        rows = [a_view(1), a_view(2, loaded=odd), a_view(3, loaded="2027-01-01 00:00:00")]
        db.fill("views", rows)
        source = db.source()
        found, cursor, pages = views(source)
        assert (ids(found), cursor) == (["1"], {"since": NINE})
        assert [(one.record_id, one.reason) for page in pages for one in page.set_aside] == [
            ("2", "cursor_unreadable")
        ]
        db.fill("views", [a_view(4, loaded="2026-11-02 09:00:00")])
        assert ids(views(source, cursor)[0]) == ["1", "4"]


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


@pytest.mark.parametrize("since", [17, {"time": "2026-11-09T10:00:00"}, {"date": "2026-11-09"}], ids=str)
def test_a_cursor_of_another_type_than_it_was_begins_anew(tmp_path, since):
    with warehouse("postgresql", tmp_path) as db:
        db.fill("views", [a_view(1)])
        assert ids(views(db.source(), {"since": since})[0]) == ["1"]


@pytest.mark.parametrize("spelling", ["2026-11-02T10:00:00Z", "2026-11-02 10:00:00+02:00", "2026-11-02"])
def test_times_in_text_wait_for_the_present_in_their_own_spelling(tmp_path, spelling):
    with warehouse("sqlite", tmp_path) as db:
        odd = spelling.replace("2026-11-02", "2026-99-99")
        later = spelling.replace("2026-11-02", "2026-11-30")
        rows = [a_view(1, loaded=spelling), a_view(2, loaded=odd), a_view(3, loaded=later)]
        db.fill("views", rows)
        found, cursor, _ = views(db.source())
        assert (ids(found), cursor) == (["1"], {"since": spelling})


def test_one_value_that_is_no_text_is_set_aside_alone(tmp_path):
    with warehouse("sqlite", tmp_path) as db:
        db.run("DROP TABLE people;\nCREATE TABLE people (id, changed, gone, title, size, opt_out, born)")
        nothing = (None, None, None)
        db.fill("people", [(1, NINE, 0, "CTO", *nothing), (2, NINE, 0, b"\x89PNG", *nothing)])
        [page, *_] = read(db.source(), "leads")
        assert [lead.attributes["job_title"] for lead in page.leads] == ["CTO", None]
        assert [(one.record_id, one.reason) for one in page.set_aside] == [("2", "job_title_unreadable")]


PNG = b"\x89PNG"


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


def test_a_database_is_described_by_its_tables_and_the_columns_of_those_that_are_used(db):
    db.run("CREATE VIEW recent AS SELECT * FROM views")
    db.fill("views", [a_view(1, page="ask 0301234")])
    tables, *columns = db.source(MAPPING.replace(b"asset: page", b"asset: pag")).describe()
    offered = [(one.name, one.kind) for one in tables.offered]
    assert {("people", "table"), ("views", "table"), ("recent", "view")} <= set(offered)
    assert ("people", "leads.table") in [(use.field, use.place) for use in tables.uses]
    [views] = [listing for listing in columns if listing.what == "views columns"]
    assert {"page", "loaded"} <= {one.name for one in views.offered}
    assert {"pag", "loaded"} <= {use.field for use in views.uses}
    assert "0301234" not in repr([tables, *columns])


def test_a_table_that_is_not_there_is_not_described(db):
    tables, *columns = db.source(MAPPING.replace(b"table: views", b"table: visits")).describe()
    assert "visits" in {use.field for use in tables.uses} - {one.name for one in tables.offered}
    assert "visits columns" not in [listing.what for listing in columns]
