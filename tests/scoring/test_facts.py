"""Facts from tables and files: what becomes a fact, and what is set aside with its reason."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rescore.errors import InputUnreadable
from rescore.rules.card import AllOf
from rescore.scoring.engine import score, score_to_parquet
from rescore.scoring.facts import facts_from_files, facts_from_tables, with_text_forms
from tests.scoring.builders import NOON, a_card, a_lead_rule, an_activity_rule, compares, facts, visits


def test_text_forms_fold_each_text_and_leave_empty_ones_missing():
    table = with_text_forms(pa.table({"title": ["VP, Sales", "", None, "VP, Sales"]}), ["title"])
    assert table["title"].to_pylist() == ["VP, Sales", "", None, "VP, Sales"]
    assert table["title__folded"].to_pylist() == ["vp, sales", None, None, "vp, sales"]
    assert table["title__words"].to_pylist() == [" vp sales ", None, None, " vp sales "]


def test_a_column_that_pretends_to_be_a_text_form_is_replaced():
    table = with_text_forms(pa.table({"title": ["A"], "title__folded": ["forged"]}), ["title"])
    assert table["title__folded"].to_pylist() == ["a"]


CSV_LEADS = "lead_id,title,size\nada,CTO,12\nbob,Director,\n,nobody,1\nada,again,1\n"
CSV_ACTIVITIES = """activity_id,lead_id,type,occurred_at,asset,value
1,ada,visit,2026-11-01T01:00:00,/a,1.5
1,ada,visit,2026-11-01T01:00:00,/a,1.5
2,ada,visit,2026-11-01 02:00:00+02:00,/a,x
3,ada,visit,yesterday,/a,
4,ada,,2026-11-01,/a,
5,,visit,2026-11-01,/a,
6,eve,visit,2026-11-01,/a,
,ada,visit,2026-11-01,/a,
7,ada,visit,2026-11-01,too,many,cells
"""


def test_what_cannot_be_a_fact_is_counted_by_its_reason(tmp_path):
    (tmp_path / "leads.csv").write_text(CSV_LEADS)
    (tmp_path / "activities.csv").write_text(CSV_ACTIVITIES)
    given = facts_from_files(tmp_path / "leads.csv", tmp_path / "activities.csv")
    assert {one.reason: (one.rows, one.first) for one in given.set_aside} == {
        "lead_without_id": (1, (4,)),
        "lead_repeated": (1, (5,)),
        "activity_repeated": (1, (3,)),
        "activity_time_unreadable": (1, (5,)),
        "activity_without_type": (1, (6,)),
        "activity_without_lead": (1, (7,)),
        "activity_without_id": (1, (9,)),
        "activity_of_unknown_lead": (1, (8,)),
        "row_malformed": (1, (10,)),
    }
    card = a_card(
        an_activity_rule(1000),
        a_lead_rule(compares("has_word", "cto", field="title")).__class__(
            id="cto",
            label="",
            dimension="engagement",
            line=1,
            condition=compares("above", 10, field="size"),
            points=7,
        ),
    )
    rows = score(card, given, as_of=NOON).sort_by("lead").to_pylist()
    assert [(row["lead"], row["rule"], row["cto"]) for row in rows] == [("ada", 2000, 7), ("bob", 0, 0)]


def test_parquet_of_any_types_gives_what_csv_gives(tmp_path):
    berlin = timezone(timedelta(hours=1))
    leads = pa.table(
        {
            "lead_id": pa.array([1, 2]),
            "price": pa.array([Decimal("0.10"), None], pa.decimal128(9, 2)),
            "size": pa.array([1.5, 2], pa.float32()),
            "born": pa.array([date(2026, 10, 31), None]),
            "seen": pa.array(
                [datetime(2026, 11, 1, 0, 30, tzinfo=berlin)] * 2, pa.timestamp("ns", "Europe/Berlin")
            ),
            "tags": pa.array([["a"], []]),
            "level": pa.array(["High", "low"]).dictionary_encode(),
        }
    )
    activities = pa.table(
        {"lead_id": [1, 1], "type": ["visit"] * 2, "occurred_at": [date(2026, 10, 31), date(2026, 11, 2)]}
    )
    pq.write_table(leads, tmp_path / "leads.parquet")
    pq.write_table(activities, tmp_path / "activities.parquet")
    given = facts_from_files(tmp_path / "leads.parquet", tmp_path / "activities.parquet")
    condition = AllOf(
        (
            compares("equals", 0.1, field="price"),
            compares("equals", 1.5, field="size"),
            compares("older_than", 1, field="born"),
            compares("older_than", 1, field="seen"),  # half past midnight in Berlin is the day before in UTC
            compares("exists", False, field="tags"),
            compares("equals", "HIGH", field="level"),
        )
    )
    first, second = score(a_card(a_lead_rule(condition)), given, as_of=NOON).sort_by("lead").to_pylist()
    assert (first["lead"], first["rule"], second["rule"]) == ("1", 1000, 0)
    visited = score(a_card(an_activity_rule(1000)), given, as_of=NOON).sort_by("lead")
    assert visited["rule"].to_pylist() == [1000, 0]


def test_activities_without_a_time_column_are_refused():
    with pytest.raises(InputUnreadable, match="`occurred_at`"):
        facts_from_tables(pa.table({"lead": ["ada"]}), pa.table({"lead": ["ada"], "type": ["visit"]}))


def test_results_on_disk_are_the_results_in_memory(tmp_path):
    given, card = facts(visits("2026-11-01T01:00")), a_card(an_activity_rule(1000))
    path = tmp_path / "it's here.parquet"
    assert score_to_parquet(card, given, as_of=NOON, path=str(path)) == 1
    assert pq.read_table(path).to_pylist() == score(card, given, as_of=NOON).to_pylist()


def test_facts_in_parts_give_the_same_results(tmp_path):
    activities = [*visits("2026-11-01T01:00", lead="ada"), *visits("2026-11-01T01:00", lead="bob")]
    given = facts(activities, [{"lead": "ada"}, {"lead": "bob"}, {"lead": "eve"}])
    for name, condition in (("early", "lead < 'b'"), ("late", "lead >= 'b'")):
        for relation in ("activities", "leads"):
            given.connection.table(relation).filter(condition).create_view(f"{name}_{relation}")
    parts = [("early_activities", "early_leads"), ("late_activities", "late_leads")]
    path, card = tmp_path / "parts.parquet", a_card(an_activity_rule(1000))
    assert score_to_parquet(card, replace(given, parts=parts), as_of=NOON, path=str(path)) == 3
    assert pq.read_table(path).sort_by("lead") == score(card, given, as_of=NOON).sort_by("lead")
