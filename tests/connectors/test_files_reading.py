"""Files as they are left: new, changed, half-written, broken, and in other people's ideas of CSV."""

import gzip
import io
import os
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rescore.connectors.catalog import load_mapping, open_source
from rescore.connectors.connection import Connection
from rescore.connectors.tabular.values import flag_of, says_yes
from rescore.errors import CrmFieldMissing, SettingsIncomplete, TerminalError
from rescore.withheld import OBJECTS
from tests.connectors.contract import UNTIL, activities_of, read

MAPPING = b"""\
mapping: exports
connector: files
leads:
  files: people.csv
  id: id
  deleted: gone
  attributes: {title: {property: title, type: text}, size: {property: size, type: number}}
activities:
  clicks:
    files: clicks/**/*.csv
    id: id
    lead: person
    type: {property: kind}
    occurred_at: at
    value: amount
  packed:
    files: packed/*.csv.gz
    id: id
    lead: person
    type: click
    occurred_at: at
  views:
    files: views/*.parquet
    id: id
    lead: person
    type: page_view
    occurred_at: at
"""
HEAD = "id,person,kind,at,amount\n"
ROW = "{},1,click,2026-11-01 09:00:00,2.5\n"


class Exports:
    """A folder that somebody writes files to, an hour ago unless told otherwise."""

    def __init__(self, path, mapping=MAPPING):
        self.path = path
        path.mkdir()
        self.source = open_source(
            Connection("rescore_exports", extra={"path": str(path)}, kind="fs"),
            load_mapping(mapping, "exports.yaml"),
            patient=False,
            pace=None,
        )

    def put(self, name, content, *, age=3600):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (UNTIL.timestamp() - age,) * 2)

    def read(self, stream="clicks", cursor=None):
        pages = read(self.source, stream, cursor)
        return [one for page in pages for one in activities_of(page)], pages[-1].cursor, pages


@pytest.fixture
def exports(tmp_path):
    return Exports(tmp_path / "exports")


def ids(found):
    return [one.activity_id for one in found]


def aside(pages):
    return [(one.record_id, one.reason) for page in pages for one in page.set_aside]


def test_new_files_are_read_once_and_those_read_before_are_not(exports):
    exports.put("clicks/2026/a.csv", HEAD + ROW.format(1))
    first, cursor, _ = exports.read()
    exports.put("clicks/b.csv", HEAD + ROW.format(2), age=7200)  # older than what was read: names count too
    assert ids(first) == ["1"]
    assert ids(exports.read(cursor=cursor)[0]) == ["2"]


def test_a_file_that_changed_is_read_again_whole(exports):
    exports.put("clicks/a.csv", HEAD + ROW.format(1))
    _, cursor, _ = exports.read()
    exports.put("clicks/a.csv", HEAD + ROW.format(1) + ROW.format(2), age=1800)
    found, after, _ = exports.read(cursor=cursor)
    assert ids(found) == ["1", "2"]
    assert len(after["read"]) == 1, "a file that is gone leaves the cursor"


def test_of_two_files_the_one_that_changed_later_has_the_last_word(exports):
    exports.put("people.csv", "id,title,size,gone\n1,CTO,5,\n")
    exports.put("clicks/z.csv", HEAD + ROW.format(1), age=7200)
    exports.put("clicks/a.csv", HEAD + ROW.format(2), age=3600)
    assert ids(exports.read()[0]) == ["1", "2"]


def test_a_file_that_somebody_may_still_write_to_waits(exports):
    exports.put("clicks/a.csv", HEAD + ROW.format(1), age=30)
    nothing, cursor, _ = exports.read()
    assert (nothing, cursor) == ([], {"read": []})
    exports.put("clicks/a.csv", HEAD + ROW.format(1), age=61)
    assert ids(exports.read(cursor=cursor)[0]) == ["1"]


@pytest.mark.parametrize(
    "name", ["clicks/.a.csv", "clicks/_tmp/a.csv", "clicks/a.csv.part", "other/a.csv", "a.csv"]
)
def test_other_files_are_left_alone(exports, name):
    exports.put(name, HEAD + ROW.format(1))
    assert exports.read()[0] == []


def test_a_run_that_was_cut_within_a_file_goes_on_behind_its_last_page(exports):
    rows = {"id": range(7), "person": [1] * 7, "at": [UNTIL - timedelta(days=1)] * 7}
    exports.put("views/a.parquet", pa.table(rows))
    exports.source._turn = 3
    pages = exports.source.pages("views", None, until=UNTIL)
    first = next(pages)
    assert ids(activities_of(first)) == ["0", "1", "2"]
    assert ids(exports.read("views", first.cursor)[0]) == ["3", "4", "5", "6"]


def test_a_broken_file_is_set_aside_under_its_name_and_the_others_go_on(exports):
    whole = pa.table({"id": [1], "person": [1], "at": [UNTIL]})
    exports.put("views/a.parquet", b"PAR1 and no end")
    exports.put("views/b.parquet", whole, age=1800)
    found, cursor, pages = exports.read("views")
    assert ids(found) == ["1"]
    assert aside(pages) == [("views/a.parquet", "file_unreadable")]
    assert aside(exports.read("views", cursor)[2]) == []
    exports.put("views/a.parquet", whole, age=600)
    assert ids(exports.read("views", cursor)[0]) == ["1"]


CLICKS = (HEAD + ROW.format(1) * 1000).encode()
PACKED = gzip.compress(b"id,person,at\n" + b"".join(b"%d,1,2026-11-01\n" % n for n in range(9000)))


@pytest.mark.parametrize(
    ("stream", "name", "body"),
    [
        ("clicks", "clicks/a.csv", CLICKS.decode().encode("utf-16")),
        ("clicks", "clicks/a.csv", b"\x89PNG\r\n\x1a\n\0\0"),
        ("clicks", "clicks/a.csv", CLICKS + ROW.format("\udcff").encode(errors="surrogateescape")),
        ("packed", "packed/a.csv.gz", PACKED[: len(PACKED) // 2]),
        ("packed", "packed/a.csv.gz", PACKED[:-4]),
        ("packed", "packed/a.csv.gz", PACKED[:20] + b"\0\0\0\0" + PACKED[24:]),
        ("packed", "packed/a.csv.gz", b"id,person,at\n1,2,2026-11-01\n"),
        ("packed", "packed/a.csv.gz", b""),
        ("views", "views/a.parquet", b""),
    ],
    ids=["utf-16", "png", "latin-1", "cut", "end cut", "damaged", "not packed", "empty", "empty parquet"],
)
def test_a_file_that_is_not_what_its_name_says_stops_nothing(exports, stream, name, body):
    exports.put(name, body)
    _, cursor, pages = exports.read(stream)
    assert aside(pages) == [(name, "file_unreadable")]
    assert aside(exports.read(stream, cursor)[2]) == []


def test_a_parquet_file_that_is_damaged_inside_stops_nothing(exports):
    body = io.BytesIO()
    pq.write_table(pa.table({"id": range(9000), "person": ["1"] * 9000, "at": [UNTIL] * 9000}), body)
    damaged = bytearray(body.getvalue())
    damaged[100:400] = bytes(300)
    exports.put("views/a.parquet", bytes(damaged))
    assert aside(exports.read("views")[2]) == [("views/a.parquet", "file_unreadable")]


def test_a_file_without_a_first_line_of_names_is_told_without_a_word_of_it(exports):
    exports.put("people.csv", "17,ada@secret.example,5,\n18,b@secret.example,5,\n")
    with pytest.raises(CrmFieldMissing) as caught:
        exports.read("leads")
    assert str(caught.value) == (
        "the file `people.csv` has none of the columns that the mapping names; it begins with 4 fields, and "
        "its first line has to be the names, with commas between them"
    )


def test_a_column_that_a_file_has_twice_is_named(exports):
    exports.put("clicks/a.csv", HEAD.replace("\n", ",id\n") + ROW.format(1).replace("\n", ",2\n"))
    with pytest.raises(CrmFieldMissing) as caught:
        exports.read()
    assert str(caught.value) == (
        "the file `clicks/a.csv` has more than one column `id`, and the mapping can mean only one; "
        "rename the others, or leave them out"
    )


def test_a_link_that_leads_out_of_the_folder_is_not_followed(exports, tmp_path):
    (tmp_path / "secret.csv").write_text(HEAD + ROW.format(7))
    exports.put("clicks/a.csv", HEAD + ROW.format(1))
    (exports.path / "clicks" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (exports.path / "clicks" / "inside.csv").symlink_to(exports.path / "clicks" / "a.csv")
    os.utime(tmp_path / "secret.csv", (UNTIL.timestamp() - 3600,) * 2)
    found, cursor, pages = exports.read()
    assert (ids(found), aside(pages)) == (["1", "1"], [("clicks/link.csv", "file_unreadable")])
    assert aside(exports.read(cursor=cursor)[2]) == [("clicks/link.csv", "file_unreadable")]


@pytest.mark.parametrize("leads_to", ["clicks/loop.csv", "clicks"], ids=["itself", "its folder"])
def test_a_link_in_a_circle_is_named(exports, leads_to):
    exports.put("clicks/a.csv", HEAD + ROW.format(1))
    link = exports.path / "clicks" / "loop.csv"
    link.symlink_to(exports.path / leads_to)
    with pytest.raises(SettingsIncomplete) as caught:
        exports.read()
    assert str(caught.value).startswith(f"{link} is a link that leads back to itself")


def test_an_older_export_of_leads_that_arrives_late_does_not_have_the_last_word(tmp_path):
    exports = Exports(tmp_path / "exports", MAPPING.replace(b"files: people.csv", b"files: '*.csv'"))
    exports.put("new.csv", "id,title,size,gone\n1,CEO,5,\n")
    _, cursor, _ = exports.read("leads")
    exports.put("old.csv", "id,title,size,gone\n1,Intern,5,\n", age=7200)
    _, after, pages = exports.read("leads", cursor)
    assert [lead.attributes["title"] for page in pages for lead in page.leads] == ["Intern", "CEO"]
    assert sum(page.rows - page.again for page in pages) == 1, "what is read once more is no news"
    assert [page.rows for page in exports.read("leads", after)[2]] == [0]


def test_structures_in_a_column_of_activities_are_named_with_the_file(exports):
    rows = {"id": [1], "person": [{"id": 7}], "at": [UNTIL]}
    exports.put("views/a.parquet", pa.table(rows))
    with pytest.raises(CrmFieldMissing, match="holds structures"):
        exports.read("views")


def test_a_date_beyond_the_calendar_is_set_aside_alone(tmp_path):
    exports = Exports(tmp_path / "exports", MAPPING.replace(b"files: people.csv", b"files: '*.parquet'"))
    odd = pa.array([2**60, 0], pa.timestamp("us"))
    exports.put("a.parquet", pa.table({"id": ["1", "2"], "title": odd, "size": [5, 5], "gone": [None, None]}))
    pages = exports.read("leads")[2]
    assert [lead.attributes["size"] for page in pages for lead in page.leads] == [5, 5]
    assert aside(pages) == [("1", "title_unreadable")]


def test_a_check_looks_at_the_head_of_every_file_and_says_at_how_many(exports):
    exports.put("people.csv", "id,title,size,gone\n1,CEO,5,\n")
    exports.put("clicks/a.csv", HEAD + ROW.format(1))
    exports.put("clicks/b.csv", HEAD + ROW.format(2))
    assert exports.source.check() == (
        "the heads of files: leads 1 of 1, clicks 2 of 2, packed 0 of 0, views 0 of 0"
    )
    exports.put("clicks/b.csv", HEAD.replace("person", "perso"))
    exports.put("packed/a.csv.gz", b"not packed")
    with pytest.raises(TerminalError) as caught:
        exports.source.check()
    assert str(caught.value) == (
        "the file `clicks/b.csv` has no column `person`; did you mean `perso`?; "
        "`packed/a.csv.gz` is not what its name says, and would be set aside"
    )


def test_lines_of_another_length_are_counted_and_the_others_are_read(exports):
    exports.put("clicks/a.csv", HEAD + ROW.format(1) + "2,too,short\n" + ROW.format(3))
    found, _, pages = exports.read()
    assert ids(found) == ["1", "3"]
    assert aside(pages) == [("clicks/a.csv", "row_malformed")]
    assert pages[-2].set_aside[0].detail == "1 rows"


def test_an_empty_file_says_which_it_is(exports):
    exports.put("clicks/a.csv", "")
    assert aside(exports.read()[2]) == [("clicks/a.csv", "file_unreadable")]


def test_a_missing_column_is_named_with_the_file(exports):
    exports.put("clicks/a.csv", HEAD.replace("person", "perso") + ROW.format(1))
    with pytest.raises(CrmFieldMissing) as caught:
        exports.read()
    assert str(caught.value) == "the file `clicks/a.csv` has no column `person`; did you mean `perso`?"


def test_missing_columns_are_named_all_at_once(exports):
    exports.put("clicks/a.csv", HEAD.replace("person", "perso").replace("kind", "art") + ROW.format(1))
    with pytest.raises(
        CrmFieldMissing,
        match=r"no columns `person` \(did you mean `perso`\?\), `kind` .*; correct the mapping",
    ):
        exports.read()


def test_texts_of_a_csv_are_times_and_numbers_where_the_mapping_says_so(exports):
    lines = [
        "1,7,click,2026-11-01 09:00:00,2.5",
        "2,7,click,2026-11-01T09:00:00+02:00,",
        '3,7,"a, ""b""",yesterday,much',
        "4,007,,2026-11-01,1e3",
    ]
    exports.put("clicks/a.csv", "\ufeff" + HEAD + "\n".join(lines) + "\n")
    one, two, three, four = exports.read()[0]
    nine = datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert (one.occurred_at, one.value) == (nine, 2.5)
    assert (two.occurred_at, two.value) == (nine - timedelta(hours=2), None)
    assert (three.type, three.occurred_at, str(three.value)) == ('a, "b"', None, "nan")
    assert (four.lead_id, four.type, four.value) == ("007", None, 1000.0)


def test_a_packed_csv_is_read_too(exports):
    exports.put("packed/a.csv.gz", gzip.compress(b"id,person,at\n1,2,2026-11-01\n"))
    assert [(one.activity_id, one.lead_id) for one in exports.read("packed")[0]] == [("1", "2")]


def test_leads_of_a_csv_have_typed_attributes(exports):
    exports.put("people.csv", 'id,title,size,gone\n1,"CTO\nand more",5,\n2,,many,\n3,,,true\n,x,1,\n')
    pages = exports.read("leads")[2]
    leads = {lead.lead_id: lead for page in pages for lead in page.leads}
    assert leads["1"].attributes == {"title": "CTO\nand more", "size": 5.0}
    assert leads["3"].deleted
    assert aside(pages) == [("2", "size_unreadable"), ("", "id_missing")]


def people_of(folder, leads, table):
    """The leads of one Parquet file, of which the mapping says so."""
    mapping = MAPPING.replace(b"people.csv\n  id: id\n  deleted: gone", b"p/*.parquet\n  id: id\n" + leads)
    exports = Exports(folder / "exports", mapping)
    exports.put(
        "p/a.parquet", pa.table({"title": ["a"] * len(table["id"]), "size": [1] * len(table["id"]), **table})
    )
    pages = exports.read("leads")[2]
    return {lead.lead_id: lead for page in pages for lead in page.leads}, aside(pages)


def test_an_objection_and_a_deletion_are_understood_as_numbers_too(tmp_path):
    said = [0.0, 1.0, None, float("nan"), 0.5]
    table = {"id": ["no", "yes", "nothing", "none", "odd"], "objects": said, "gone": [*said[:3], None, None]}
    leads, _ = people_of(tmp_path, b"  objection: objects\n  deleted: gone", table)
    assert leads["yes"].deleted
    objects = {name: lead.attributes[OBJECTS] for name, lead in leads.items() if not lead.deleted}
    assert objects == {"no": False, "nothing": False, "none": True, "odd": True}


@pytest.mark.parametrize(("written", "means"), [("0", False), ("0.0", False), ("1.0", True), ("NO", False)])
def test_a_flag_is_understood_as_programs_write_numbers(written, means):
    assert says_yes(written) is flag_of(written) is means


def test_an_id_elsewhere_is_found_in_any_column_and_as_its_own_source_writes_it(tmp_path):
    same = b"  same_person: {records: {shop: [Shop ID]}}"
    table = {"id": ["a", "b", "c"], "Shop ID": [17.0, None, float("nan")]}
    leads, set_aside = people_of(tmp_path, same, table)
    assert {name: lead.same_as for name, lead in leads.items()} == {"a": ("shop:17",), "b": (), "c": ()}
    assert set_aside == [("c", "same_person_unreadable")]


@pytest.mark.parametrize("extra", [{}, {"path": "relative"}, {"url": 7}])
def test_a_connection_without_a_place_is_named(extra):
    with pytest.raises(SettingsIncomplete, match="Connection `rescore_exports` names no place"):
        open_source(
            Connection("rescore_exports", extra=extra, kind="fs"), load_mapping(MAPPING, "exports.yaml")
        )


def test_a_folder_is_described_by_the_columns_of_its_newest_files(exports):
    exports.put("clicks/a.csv", HEAD + ROW.format(1))
    exports.put(
        "clicks/b.csv", HEAD.replace("amount", "worth,note") + "1,1,click,2026-11-01,2,ask 0301234\n", age=60
    )
    exports.put("views/a.parquet", pa.table({"id": [1], "person": ["0301234"], "at": ["2026-11-01"]}))
    exports.put("people.csv", "7,Jane Doe,0301234\n8,John Doe,0301235\n")
    people, clicks, packed, views = exports.source.describe()
    assert clicks.what == "activities.clicks columns of clicks/b.csv, the newest of 2"
    assert [one.name for one in clicks.offered] == ["id", "person", "kind", "at", "worth", "note"]
    assert {use.field: use.place for use in clicks.uses} == {
        "id": "activities.clicks.id",
        "person": "activities.clicks.lead",
        "at": "activities.clicks.occurred_at",
        "amount": "activities.clicks.value",
        "kind": "activities.clicks.type",
    }
    assert [(one.name, one.kind) for one in views.offered] == [
        ("id", "int64"),
        ("person", "string"),
        ("at", "string"),
    ]
    assert (packed.offered, packed.note) == (None, "there is no file `packed/*.csv.gz`")
    assert people.offered is None, "what may be a row is not shown"
    assert people.note == (
        "`people.csv` has none of the columns that the mapping names; see that it has a header"
    )
    assert "0301234" not in repr([people, clicks, packed, views])


def test_a_file_that_cannot_be_read_is_not_described(exports):
    exports.put("views/a.parquet", b"no parquet")
    assert list(exports.source.describe())[3].note == "`views/a.parquet` cannot be read"
