"""The search for changes: complete under every page size, crowd and change, and never by offset."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rescore.connectors.hubspot.client import Client, Limits
from rescore.connectors.hubspot.search import changed_since
from rescore.connectors.hubspot.values import iso, milliseconds
from rescore.errors import CursorStuck
from tests.connectors.pretend_server import Asked, PretendServer, Reply

UNTIL = datetime(2026, 11, 21, 12, tzinfo=UTC)
START = milliseconds(datetime(2026, 11, 1, tzinfo=UTC))
PAGE = 5
FROM_THE_BEGINNING = {"since": 0}


class Objects:
    """HubSpot's search over (id, modified) rows, with its window of rows and its offsets."""

    def __init__(self, modified: dict[int, int], window: int = 20) -> None:
        self.modified = modified
        self.window = window
        self.searches = 0
        self.meanwhile = {}  # search number -> ids that change right after it

    def __call__(self, asked: Asked) -> Reply:
        wanted = asked.json
        if int(wanted.get("after") or 0) + wanted["limit"] > self.window:
            return Reply(400, {"category": "VALIDATION_ERROR"})
        rows = [(i, at) for i, at in self.modified.items() if self._holds(wanted["filterGroups"][0], i, at)]
        [sort] = wanted["sorts"]
        by_id, down = sort["propertyName"] == "hs_object_id", sort["direction"] == "DESCENDING"
        rows.sort(key=lambda row: row if by_id else (row[1], -row[0]), reverse=down)
        self.searches += 1
        for changed in self.meanwhile.get(self.searches, ()):
            self.modified[changed] = max(self.modified.values()) + 1
        results = [
            {"id": str(i), "properties": {"lastmodifieddate": iso(datetime.fromtimestamp(at / 1000, UTC))}}
            for i, at in rows[: wanted["limit"]]
        ]
        return Reply(body={"total": len(rows), "results": results})

    def _holds(self, group: dict, object_id: int, modified: int) -> bool:
        values = {"lastmodifieddate": modified, "hs_object_id": object_id}
        compare = {"GTE": int.__ge__, "LTE": int.__le__, "GT": int.__gt__}
        return all(
            compare[one["operator"]](values[one["propertyName"]], int(one["value"]))
            for one in group["filters"]
        )


@pytest.fixture
def server() -> Iterator[PretendServer]:
    with PretendServer(Objects({})) as server:
        yield server


def read(server: PretendServer, cursor=None, *, page=PAGE, pages=None, until=UNTIL, overlap=0):
    limits = Limits(calls=10**6, searches=10**6, search_page=page, overlap=overlap)
    found = changed_since(
        Client(server.url, "t", limits),
        "/search",
        modified="lastmodifieddate",
        properties=[],
        cursor=cursor,
        until=until,
    )
    ids: list[int] = []
    for number, (rows, following) in enumerate(found, start=1):
        cursor = following
        ids += [int(row["id"]) for row in rows]
        if number == pages:
            break
    return ids, cursor


SHAPES = {
    "nobody": {},
    "one each": {i: START + i for i in range(1, 48)},
    "exactly one page": {i: START + i for i in range(1, PAGE + 1)},
    "exactly two pages": {i: START + i for i in range(1, 2 * PAGE + 1)},
    "everybody at once": dict.fromkeys(range(1, 48), START),
    "a crowd in the middle": {i: START + (10 if 7 < i < 40 else i) for i in range(1, 48)},
    "a crowd at the end": {i: START + min(i, 9) for i in range(1, 48)},
    "pairs": {i: START + i // 2 for i in range(1, 48)},
    "crowds of a page": {i: START + i // PAGE for i in range(1, 48)},
    "newest ids first": {i: START + 100 - i for i in range(1, 48)},
}


@pytest.mark.parametrize("modified", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("page", [1, 2, 5, 19])
@pytest.mark.parametrize("cursor", [None, FROM_THE_BEGINNING], ids=["history", "news"])
def test_every_row_is_found_whatever_the_page_and_the_crowd(server, cursor, modified, page):
    server.answer = Objects(dict(modified))
    ids, _ = read(server, cursor, page=page)
    assert set(ids) == set(modified)


@pytest.mark.parametrize("modified", SHAPES.values(), ids=SHAPES.keys())
def test_a_first_reading_brings_what_changed_last_first(server, modified):
    server.answer = Objects(dict(modified))
    ids, cursor = read(server)
    changed = [modified[one] for one in ids]
    assert changed == sorted(changed, reverse=True)
    assert cursor == {"since": max(modified.values(), default=0), "read": milliseconds(UNTIL)}


@pytest.mark.parametrize("modified", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize(
    ("cursor", "pages"),
    [
        pytest.param(None, 2, id="history, each time behind a page of news"),
        pytest.param(FROM_THE_BEGINNING, 1, id="news"),
    ],
)
def test_a_reading_can_stop_and_resume_after_every_page(server, modified, cursor, pages):
    server.answer = Objects(dict(modified))
    found = set()
    for _ in range(200):
        before = cursor
        ids, cursor = read(server, json.loads(json.dumps(cursor)), pages=pages)
        found |= set(ids)
        if cursor == before:
            break
    assert found == set(modified)


def test_what_changes_while_the_history_is_read_comes_before_the_rest_of_it(server):
    objects = Objects({i: START + i for i in range(1, 40)})
    server.answer = objects
    first, cursor = read(server, pages=2)
    objects.modified |= {3: START + 50, 99: START + 51}
    later = UNTIL + timedelta(hours=1)
    news, cursor = read(server, json.loads(json.dumps(cursor)), pages=1, until=later)
    rest, _ = read(server, json.loads(json.dumps(cursor)), until=later)
    assert set(first) == set(range(31, 40))
    assert news == [39, 3, 99]
    assert set(rest) - {99} == set(range(1, 32)) - {3}


def test_no_search_ever_asks_for_an_offset_so_the_window_of_rows_is_never_reached(server):
    server.answer = Objects({i: START + i for i in range(1, 500)}, window=PAGE)
    ids, _ = read(server)
    assert set(ids) == set(range(1, 500))
    assert all("after" not in asked.json for asked in server.asked)


@pytest.mark.parametrize("cursor", [None, FROM_THE_BEGINNING], ids=["history", "news"])
def test_rows_that_change_while_they_are_read_pull_no_other_row_out_of_sight(server, cursor):
    objects = Objects({i: START + i for i in range(1, 40)})
    objects.meanwhile = {1: [1, 2, 3], 2: [6], 3: [20, 21, 22, 23, 24]}
    server.answer = objects
    ids, cursor = read(server, cursor)
    news, _ = read(server, cursor)
    assert set(ids + news) == set(range(1, 40))


def test_a_server_that_always_answers_the_same_page_is_noticed(server):
    row = {"id": "7", "properties": {"lastmodifieddate": iso(UNTIL)}}
    server.answer = lambda asked: Reply(body={"results": [row] * PAGE})
    with pytest.raises(CursorStuck, match="again and again"):
        read(server)


def test_a_page_without_any_date_is_noticed_instead_of_read_for_ever(server):
    server.answer = lambda asked: Reply(body={"results": [{"id": "7", "properties": {}}] * PAGE})
    with pytest.raises(CursorStuck, match="`modified` in the mapping"):
        read(server)


def test_changes_after_until_wait_for_the_next_run(server):
    late = milliseconds(UNTIL) + 1
    server.answer = Objects({1: START, 2: late})
    ids, cursor = read(server)
    assert ids == [1]
    assert cursor == {"since": START, "read": late - 1}


@pytest.mark.parametrize(
    ("minutes", "again"),
    [
        pytest.param(5, 40, id="a moment ago: some of them may not be in the index yet"),
        pytest.param(11, 1, id="longer ago: all have been seen"),
    ],
)
def test_what_was_read_long_after_it_changed_is_not_read_in_every_run(server, minutes, again):
    last = START + 39
    server.answer = Objects({i: START + i for i in range(40)})
    read_to = datetime.fromtimestamp(last / 1000, UTC) + timedelta(minutes=minutes)
    _, cursor = read(server, until=read_to, overlap=600)
    ids, cursor = read(server, cursor, until=read_to + timedelta(minutes=15), overlap=600)
    assert len(set(ids)) == again
    ids, _ = read(server, cursor, until=read_to + timedelta(minutes=30), overlap=600)
    assert set(ids) == {39}


def test_a_row_that_reaches_the_index_late_is_found_all_the_same(server):
    seen = START + 600_000
    objects = Objects({1: START, 2: seen})
    server.answer = objects
    read_to = datetime.fromtimestamp(seen / 1000, UTC) + timedelta(minutes=1)
    _, cursor = read(server, until=read_to, overlap=600)
    objects.modified[3] = seen - 300_000
    ids, _ = read(server, cursor, until=read_to + timedelta(minutes=15), overlap=600)
    assert 3 in ids
