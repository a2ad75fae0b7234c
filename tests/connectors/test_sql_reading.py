"""Rows in the order of their cursor: ties, late rows, rows of the future, and cursors that are none."""

from datetime import UTC, datetime, timedelta

import pytest

from rescore.connectors.sql.cursors import before
from rescore.errors import (
    MappingInvalid,
)
from tests.connectors.contract import UNTIL, activities_of
from tests.connectors.warehouse import MAPPING, NINE, a_view, ids, views, warehouse


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
