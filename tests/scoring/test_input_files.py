"""Files as people have them: each mistake is one sentence with its way out, and nothing is lost unsaid."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rescore.errors import InputUnreadable
from rescore.scoring.facts import facts_from_files
from rescore.scoring.unreadable import unreadable
from tests.scoring.builders import a_card, a_lead_rule, an_activity_rule, compares

ACTIVITIES = "activity_id,lead_id,type,occurred_at,value\n1,ada,visit,2026-11-01,5\n"


def parquet(**columns):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def read(tmp_path, *, leads="lead_id\nada\n", activities=ACTIVITIES, leads_name="leads.csv"):
    for name, body in ((leads_name, leads), ("activities.csv", activities)):
        (tmp_path / name).write_bytes(body.encode() if isinstance(body, str) else body)
    return facts_from_files(tmp_path / leads_name, tmp_path / "activities.csv")


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        pytest.param("leads.xlsx", b"x", "neither .parquet nor .csv", id="another kind"),
        pytest.param("leads.parquet", b"lead_id\n1\n", "cannot be read as Parquet", id="not Parquet"),
        pytest.param("leads.csv", b"", "leads.csv is empty; export it again", id="empty"),
        pytest.param("leads.parquet", b"", "leads.parquet is empty", id="empty Parquet"),
        pytest.param("leads.csv", b"lead_id,a\n1,x\n2,K\xf6ln\n", "line 3 has the byte 0xf6", id="Latin-1"),
        pytest.param("leads.csv", b"lead_id,gr\xf6\xdfe\n1,2\n", "line 1 has the byte", id="Latin-1 header"),
        pytest.param("leads.csv", b"lead_id\n1\n\xc3", "line 3 has the byte 0xc3", id="cut off"),
        pytest.param(
            "leads.csv.gz", gzip.compress(b"lead_id\n\xf6\n"), "gzip -dc [^|]*gz | iconv", id="packed"
        ),
        pytest.param("leads.csv.gz", b"no gzip at all", "cannot be read as CSV", id="not packed"),
        pytest.param("leads.csv", b"name\nada@example.com\n", "no column `lead_id`", id="without a key"),
        pytest.param("leads.csv", "lead_id\n1\n".encode("utf-16"), "iconv -f UTF-16 -t", id="UTF-16"),
        pytest.param("leads.csv", "\ufefflead_id\n".encode("utf-16-be"), "is UTF-16", id="UTF-16 big endian"),
        pytest.param("leads.csv", parquet(lead_id=["1"]), "name that ends in .parquet", id="Parquet in CSV"),
        pytest.param("leads.csv", gzip.compress(b"lead_id\n1\n"), "ends in .csv.gz", id="packed in CSV"),
        pytest.param("leads.csv", b"PK\x03\x04...", "a workbook or a zip archive", id="a workbook"),
        pytest.param(
            "x y.csv", b"lead_id\n\xf6\n", r"iconv [^\']*\'.*x y.csv\' > utf8.csv", id="with a blank"
        ),
    ],
)
def test_a_file_that_is_not_what_its_name_says_gives_one_sentence_without_its_contents(
    tmp_path, name, body, message
):
    with pytest.raises(InputUnreadable, match=message) as raised:
        read(tmp_path, leads=body, leads_name=name)
    assert "ada@example.com" not in str(raised.value)
    assert ("WINDOWS-1252" in str(raised.value)) == ("has the byte" in str(raised.value))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("nowhere.csv", "There is no file .*nowhere.csv", id="not there"),
        pytest.param("activities.csv/leads.csv", "There is no file", id="below a file"),
        pytest.param(".", "is a folder, and no file", id="a folder"),
        pytest.param("/dev/null", "/dev/null is no regular file", id="a device"),
        pytest.param("memory.csv", "memory.csv: cannot be read", id="not to be read"),
    ],
)
def test_a_file_that_cannot_be_opened_is_told_rightly(tmp_path, path, message):
    (tmp_path / "activities.csv").write_text(ACTIVITIES)
    (tmp_path / "memory.csv").symlink_to(
        "/proc/self/mem"
    )  # there, and at its beginning unreadable to anybody
    with pytest.raises(InputUnreadable, match=message):
        facts_from_files(tmp_path / path, tmp_path / "activities.csv")


@pytest.mark.parametrize(
    ("leads", "said"),
    [
        pytest.param("lead_id,email,email\nada,x,y\n", "the columns `email` and `email`", id="the same"),
        pytest.param("lead_id,Email,email\nada,x,y\n", "`Email` and `email`", id="but for case"),
        pytest.param('lead_id;"E;1" ;"e;1"\nada;x;y\n', "`E;1` and `e;1`", id="quoted, after a blank"),
        pytest.param(
            "lead_id,lead\nada,ada\n", "`lead` and `lead_id`, and either tells whose", id="two keys"
        ),
        pytest.param("Lead_ID,x\nada,1\n", "a column `Lead_ID`; write `lead_id`", id="a key in capitals"),
    ],
)
def test_columns_that_could_be_mistaken_for_each_other_are_refused(tmp_path, leads, said):
    with pytest.raises(InputUnreadable, match=said) as raised:
        read(tmp_path, leads=leads)
    assert str(tmp_path / "leads.csv") in str(raised.value)


def test_in_parquet_too(tmp_path):
    table = pa.table([["ada"], ["x"], ["y"]], names=["lead_id", "Email", "email"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(InputUnreadable, match=r"twice\.parquet has the columns `Email` and `email`"):
        read(tmp_path, leads=(tmp_path / "twice.parquet").read_bytes(), leads_name="twice.parquet")


def test_a_name_that_ends_in_a_number_is_a_name_like_any_other(tmp_path):
    given = read(tmp_path, leads="lead_id,email,email_1,,\nada,x,y,,\n")
    assert {"email", "email_1"} <= set(given.columns.leads)


@pytest.mark.parametrize(
    ("leads", "told"),
    [
        pytest.param("lead_id,a\nada,1\nbob,1\nada,2\n", "(row 4)", id="one"),
        pytest.param("lead_id,a\nada,1\nada,1\nada,2\n", "(rows 3 and 4)", id="two"),
        pytest.param("lead_id,a\n" + "ada,1\n" * 9, "(the first are rows 3, 4 and 5)", id="many"),
        pytest.param('lead_id,a\nada,"x\ny"\nada,2\n', "(row 3)", id="rows, not lines"),
        pytest.param(
            "lead_id,a\nada,1\nbob\nbob\nada,2\neve\nada,3\n", "(rows 5 and 7)", id="behind malformed"
        ),
        pytest.param("lead_id,a\r\nada,1\r\nada,2\r\n\r\n\r\n", "(row 3)", id="blank lines at the end"),
        pytest.param("lead_id,a\nada,1\n\nada,2\n", "1 row of leads.csv", id="blank lines in between: none"),
        pytest.param("\nlead_id,a\nada,1\nada,2\n", "1 row of leads.csv", id="blank lines above: none"),
    ],
)
def test_rows_that_are_set_aside_are_told_as_a_spreadsheet_counts_them(tmp_path, leads, told):
    (found,) = [one for one in read(tmp_path, leads=leads).set_aside if one.reason == "lead_repeated"]
    assert str(found).replace(f"{tmp_path}/", "").endswith(told)


def test_rows_of_parquet_have_no_header_above_them(tmp_path):
    given = read(tmp_path, leads=parquet(lead_id=["ada", "ada"]), leads_name="leads.parquet")
    assert list(map(str, given.set_aside)) == [f"lead repeated, 1 row of {tmp_path}/leads.parquet (row 2)"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(
            {"leads": "lead_id,a\n,1\n,2\n"}, "leads.csv can be used: lead without id, 2", id="leads"
        ),
        pytest.param(
            {"leads": "lead_id,a\nx\ny\n"}, "leads.csv can be used: row malformed, 2", id="malformed"
        ),
        pytest.param(
            {"activities": ACTIVITIES.replace("2026", "26")},
            "activities.csv can be used: activity time unreadable, 1 row",
            id="activities",
        ),
    ],
)
def test_a_file_without_one_usable_row_is_a_problem(tmp_path, given, said):
    with pytest.raises(InputUnreadable, match=said):
        read(tmp_path, **given)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"leads": "lead_id,a\n"}, id="no leads"),
        pytest.param({"activities": ACTIVITIES.splitlines()[0] + "\n"}, id="no activities"),
        pytest.param({"leads": "lead_id\neve\n"}, id="activities of others alone"),
    ],
)
def test_a_file_that_rightly_has_nothing_is_fine(tmp_path, given):
    assert read(tmp_path, **given).connection.table("activities").count("*").fetchall() == [(0,)]


def test_no_line_is_taken_for_a_comment(tmp_path):
    with pytest.raises(InputUnreadable, match="no column `lead_id`"):
        read(tmp_path, leads="# of today\nlead_id,a\n#1,1\n2,2\n")
    given = read(tmp_path, leads="lead_id,a\n#1,1\n2,2\n")
    assert given.connection.table("leads").order("lead").project("lead").fetchall() == [("#1",), ("2",)]


def test_columns_that_no_rule_can_read_are_told_and_left_out(tmp_path):
    odd = {"tags": [["a"]], "raw": [b"x"], "address": [{"city": "x"}], "fine": ["x"]}
    given = read(tmp_path, leads=parquet(lead_id=["ada"], **odd), leads_name="leads.parquet")
    assert [told.replace(f"{tmp_path}/", "") for told in given.left_out] == [
        "column tags of leads.parquet holds lists, which no rule can read; it is left out",
        "column raw of leads.parquet holds bytes, which no rule can read; it is left out",
        "column address of leads.parquet holds records, which no rule can read; it is left out",
    ]
    assert set(given.columns.leads) == {"lead", "fine", "fine__folded", "fine__words"}


def test_a_key_that_nothing_can_read_is_refused(tmp_path):
    with pytest.raises(InputUnreadable, match=r"column `lead_id` of .*holds bytes; export it as text"):
        read(tmp_path, leads=parquet(lead_id=[b"ada"]), leads_name="leads.parquet")


def test_a_number_that_is_none_counts_as_unreadable_where_a_rule_asks_for_it(tmp_path):
    sizes, others = [float("nan"), float("inf"), None, 5.0], [float("nan")] * 4
    leads = parquet(lead_id=["ada", "bob", "eve", "kim"], size=sizes, unasked=others)
    given = read(tmp_path, leads=leads, leads_name="leads.parquet")
    card = a_card(an_activity_rule(1000), a_lead_rule(compares("above", 1, field="size")))
    assert unreadable(card, given) == {"size as number": 2}
