"""Parts of the facts: together they are all of it, and each lead is whole in one of them."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rescore.lake.lake import Lake
from rescore.lake.tables import bucket_of
from rescore.scoring.engine import score, score_to_parquet
from tests.lake.builders import NOON, a_lead, an_activity, land
from tests.scoring.builders import a_card, an_activity_rule

BUCKETS = 8
LEADS = 40


@pytest.fixture
def lake(tmp_path):
    """Folded buckets; on top an inbox with merges, a correction that moves an activity, and a new column."""
    lake = Lake(str(tmp_path / "lake"), buckets=BUCKETS)
    activities = [an_activity(f"a{i}", str(i % LEADS), at=NOON - timedelta(hours=i)) for i in range(400)]
    land(lake, *activities, *(a_lead(str(i), title="cto") for i in range(LEADS)), number=1)
    land(lake, an_activity("a7", "30", type="form_submit"), a_lead("31", merged=["32"]), number=2)
    lake.fold_in()
    land(
        lake,
        a_lead("1", merged=["2", "3", "4"], size=5),
        a_lead("5", merged=["1"]),
        an_activity("late", "2", channel="mail", fields={"form": "demo"}),
        an_activity("a8", "33", type="form_submit"),
        an_activity("a9", "4", type="form_submit"),
        number=3,
    )
    return lake


def read(facts, relations):
    return [
        row for relation in relations for row in facts.connection.table(relation).to_arrow_table().to_pylist()
    ]


def in_order(rows):
    return sorted(rows, key=lambda row: (row["lead"], row.get("activity_id", "")))


def test_the_setting_merges_leads_of_different_buckets():
    assert len({bucket_of(f"crm:{lead}", BUCKETS) for lead in (1, 2, 3, 4, 5)}) > 2


@pytest.mark.parametrize("folded", [False, True], ids=["with an inbox", "folded in"])
@pytest.mark.parametrize("part", [1, 60, 150])
def test_parts_are_the_whole_and_no_lead_is_in_two(lake, part, folded):
    if folded:
        lake.fold_in()
    with lake.facts(part=part) as facts:
        assert len(facts.parts) > 1
        activities, leads = zip(*facts.parts, strict=True)
        assert in_order(read(facts, activities)) == in_order(read(facts, [facts.activities]))
        assert in_order(read(facts, leads)) == in_order(read(facts, [facts.leads]))
        owners = [
            {row["lead"] for row in read(facts, [one])} | {row["lead"] for row in read(facts, [other])}
            for one, other in facts.parts
        ]
        assert sum(map(len, owners)) == len(set.union(*owners))


def test_scores_are_the_same_part_by_part(lake, tmp_path):
    card = a_card(an_activity_rule(5000))
    path = str(tmp_path / "scores.parquet")
    with lake.facts(part=60) as facts:
        rows = score_to_parquet(card, facts, as_of=NOON, path=path)
        whole = score(card, facts, as_of=NOON)
    assert rows == whole.num_rows == LEADS - 5
    assert pa.table(pq.read_table(path)).sort_by("lead") == whole.sort_by("lead")


def test_scores_of_whole_accounts_are_the_same_part_by_part_and_for_a_few(lake, tmp_path):
    land(lake, *(a_lead(str(i), account=f"account {i % 7}") for i in range(LEADS)), number=4)
    views = {"activities": ("page_view",)}
    ours = an_activity_rule(1000, id="ours", scope="account", **views)
    card = a_card(an_activity_rule(5000, id="own", **views), ours)
    path = str(tmp_path / "scores.parquet")
    with lake.facts(part=60) as facts:
        assert len(facts.parts) > 1
        score_to_parquet(card, facts, as_of=NOON, path=path)
        whole = score(card, facts, as_of=NOON).sort_by("lead")
    assert pa.table(pq.read_table(path)).sort_by("lead") == whole
    own, shared = (sum(whole[name].to_pylist()) for name in ("own", "ours"))
    assert shared > own > 0  # each activity counts for several leads
    few = [row["lead"] for row in whole.to_pylist()[::5]]
    for asked in (None, frozenset({"account"})):
        with lake.facts(few, fields=asked) as facts:
            some = score(card, facts, as_of=NOON).sort_by("lead")
        assert some.to_pylist() == [row for row in whole.to_pylist() if row["lead"] in few]


def test_a_small_lake_stays_one_part(lake):
    with lake.facts() as facts:
        assert facts.parts == ()


def test_leads_who_did_nothing_yet_stay_one_part(tmp_path):
    lake = Lake(str(tmp_path / "lake"), buckets=BUCKETS)
    land(lake, *(a_lead(str(i), title="cto") for i in range(LEADS)), number=1)
    with lake.facts() as facts:
        assert facts.parts == ()


def test_an_empty_lake_has_no_parts(tmp_path):
    with Lake(str(tmp_path / "nothing")).facts(part=1) as facts:
        assert facts.parts == ()
