"""The census: what rules may name, and the words that several leads share."""

from rescore.lake.lake import Lake
from tests.lake.builders import a_lead, an_activity, land


def test_words_are_told_only_when_several_leads_share_them(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    leads = [a_lead(str(number), job_title="IT-Director", company=f"Ada {number} Ltd") for number in range(5)]
    visits = [an_activity(f"a{n}", str(n), asset="/pricing/eu") for n in range(5)]
    rare = [an_activity("b", "1", asset="/secret"), a_lead("9", job_title="Factotum")]
    land(lake, *leads, *visits, *rare, number=1)

    assert lake.lead_words() == {
        "job_title": frozenset({"it", "director"}),
        "company": frozenset({"ada", "ltd"}),
    }
    assert lake.activity_words()["asset"] == frozenset({"pricing", "eu"})


def test_an_empty_lake_has_no_words(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    assert lake.activity_words() == lake.lead_words() == {}
