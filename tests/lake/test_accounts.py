"""Company attributes: a lead carries its account's, whichever of the two lands first."""

import shutil
from datetime import timedelta
from itertools import permutations

import pytest

from rescore.lake.lake import Lake
from rescore.lake.records import LeadRecord, Page
from rescore.withheld import OBJECTED_HERE
from tests.lake.builders import NOON, a_lead, an_account, land


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"), buckets=3)


def told(lake, *names, **how):
    """Some attributes of every lead."""
    with lake.facts(**how) as facts:
        rows = facts.connection.sql(f"FROM {facts.leads}").to_arrow_table().to_pylist()
    return {row["lead"]: tuple(row.get(name) for name in names) for row in rows}


ADA, BOB = a_lead("ada", account="100", title="CTO"), a_lead("bob", account="200")
ACME, OTHER = an_account("100", industry="Steel", staff=250), an_account("200", industry="Wood", listed=True)


@pytest.mark.parametrize("order", list(permutations([ADA, BOB, ACME, OTHER])), ids=lambda _: "")
def test_the_order_of_landing_does_not_matter(lake, order):
    for number, record in enumerate(order, start=1):
        land(lake, record, number=number)
    assert told(lake, "title", "industry", "staff", "listed") == {
        "crm:ada": ("CTO", "Steel", 250.0, None),
        "crm:bob": (None, "Wood", None, True),
    }


def test_a_changed_account_gives_all_its_leads_new_versions_and_wakes_them_alone(lake):
    land(lake, ADA, a_lead("eve", account="100"), BOB, a_lead("zoe"), ACME, OTHER, number=1)
    landed = land(
        lake,
        an_account("100", industry="Aluminium"),
        number=2,
        known_at=NOON + timedelta(days=1),
        committed=1,
    )
    assert landed.leads == {"crm:ada": None, "crm:eve": None}
    assert landed.counts == {"accounts": 1, "leads": 2}
    assert told(lake, "industry", "staff") == {
        "crm:ada": ("Aluminium", None), "crm:eve": ("Aluminium", None), "crm:bob": ("Wood", None),
        "crm:zoe": (None, None),
    }  # fmt: skip
    then = told(lake, "industry", "staff", known_as_of=NOON)
    assert then["crm:ada"] == ("Steel", 250.0)


@pytest.mark.parametrize("fold", [False, True], ids=["in the inbox", "folded in"])
def test_an_account_that_said_the_same_again_wakes_nobody(lake, fold):
    land(lake, ADA, ACME, number=1)
    if fold:
        lake.fold_in()
    landed = land(lake, ADA, ACME, number=2, committed=1)
    assert landed.leads == {}
    assert landed.counts == {"accounts unchanged": 1, "leads unchanged": 1}


def test_a_lead_read_again_by_another_stream_than_its_accounts_wakes_nobody(lake):
    land(lake, ADA, number=1, stream="contacts")
    land(lake, ACME, number=1, stream="companies")
    again = land(lake, ADA, number=2, stream="contacts", committed=1, others={"companies": 1})
    assert again.leads == {}
    not_marked_yet = land(lake, ADA, number=3, stream="contacts", committed=2, others={"companies": 0})
    assert set(not_marked_yet.leads) == {"crm:ada"}


def test_a_lead_that_changes_company_gets_the_new_ones_attributes(lake):
    land(lake, ADA, ACME, OTHER, number=1)
    land(lake, a_lead("ada", account="200", title="CTO"), number=2)
    assert told(lake, "title", "industry", "staff", "listed") == {"crm:ada": ("CTO", "Wood", None, True)}
    land(lake, a_lead("ada", title="CTO"), number=3)
    assert told(lake, "title", "industry", "listed") == {"crm:ada": ("CTO", None, None)}
    assert land(lake, an_account("100", industry="Tin"), number=4, committed=3).leads == {}


def test_what_a_lead_says_itself_is_its_own(lake):
    land(lake, a_lead("ada", account="100", industry="Consulting"), ACME, number=1)
    land(lake, an_account("100", industry="Tin", staff=9), number=2)
    assert told(lake, "industry", "staff") == {"crm:ada": ("Consulting", 9.0)}
    land(lake, a_lead("ada", account="100"), number=3)
    assert told(lake, "industry", "staff") == {"crm:ada": ("Tin", 9.0)}


def test_accounts_of_two_sources_are_numbered_apart(lake):
    land(lake, ADA, ACME, number=1)
    land(lake, a_lead("ada", account="100"), an_account("100", industry="Wool"), number=1, source="shop")
    assert told(lake, "industry") == {"crm:ada": ("Steel",), "shop:ada": ("Wool",)}


@pytest.mark.parametrize("lost", [["leads"], ["leads", "accounts"]], ids=["before the leads", "before both"])
@pytest.mark.parametrize(
    "changed",
    [an_account("100", industry="Tin"), an_account("300", merged=["100"], industry="Tin")],
    ids=["a change", "a merge"],
)
def test_a_landing_that_was_cut_off_is_made_up_for_by_the_next(lake, tmp_path, lost, changed):
    root = tmp_path / "lake"
    land(lake, ADA, ACME, number=1)
    before = {name: shutil.copytree(root / name, tmp_path / name) for name in lost}
    land(lake, changed, number=2, committed=1)
    for name, copy in before.items():  # the crash came before these were written
        shutil.rmtree(root / name)
        shutil.copytree(copy, root / name)
    again = land(lake, changed, number=3, committed=1)
    assert set(again.leads) == {"crm:ada"}
    assert told(lake, "industry") == {"crm:ada": ("Tin",)}


def test_leads_that_were_landed_but_never_marked_are_marked_by_the_next_landing(lake):
    land(lake, ADA, ACME, number=1)
    changed = an_account("100", industry="Tin")
    land(lake, changed, number=2, committed=1)  # and then the process was killed
    assert set(land(lake, changed, number=3, committed=1).leads) == {"crm:ada"}
    assert land(lake, changed, number=4, committed=3).leads == {}


def test_a_merged_away_lead_is_not_woken_for_its_account(lake):
    land(lake, a_lead("old", account="100"), a_lead("ada"), ACME, number=1)
    land(lake, a_lead("ada", merged=["old"]), number=2)
    assert land(lake, an_account("100", industry="Tin"), number=3, committed=2).leads == {}


def test_an_account_that_cannot_be_read_is_set_aside_alone(lake):
    landed = land(
        lake, an_account("", industry="Tin"), an_account("100", industry=float("nan")), ADA, number=1
    )
    assert landed.counts == {"leads": 1, "set aside: empty id": 1, "set aside: impossible number": 1}


def test_an_objection_noted_here_keeps_what_the_account_brings(lake):
    land(lake, ADA, ACME, number=1)
    lake.land("crm", Page(noted={OBJECTED_HERE: {"ada": True}}), stream="noted", number=1, known_at=NOON)
    land(lake, an_account("100", industry="Tin"), number=2)
    assert told(lake, "title", "industry", "objected_here")["crm:ada"][:2] == ("CTO", "Tin")


def test_leads_of_an_account_that_was_deleted_have_none_and_are_woken_once(lake):
    land(lake, ADA, BOB, ACME, OTHER, number=1)
    gone = an_account("100", deleted=True)
    landed = land(lake, gone, number=2, committed=1, known_at=NOON + timedelta(days=1))
    assert landed.leads == {"crm:ada": None}
    assert landed.counts == {"accounts deleted": 1, "leads": 1}
    assert told(lake, "title", "account", "industry", "staff") == {
        "crm:ada": ("CTO", None, None, None),
        "crm:bob": (None, "200", "Wood", None),
    }
    assert told(lake, "account", "industry", known_as_of=NOON)["crm:ada"] == ("100", "Steel")
    again = land(lake, gone, ADA, number=3, committed=2)
    assert (again.leads, again.counts) == ({}, {"accounts unchanged": 1, "leads unchanged": 1})


GONE = an_account("100", deleted=True)


@pytest.mark.parametrize(
    "earlier",
    [
        pytest.param([ADA, ACME, GONE], id="deleted"),
        pytest.param([GONE, ADA], id="deleted before the lead was known"),
        pytest.param([ADA, ACME, GONE, GONE], id="listed as deleted twice"),
        pytest.param([ADA, ACME, GONE, a_lead("ada")], id="read without an account meanwhile"),
        pytest.param([ADA, ACME, GONE, a_lead("ada", title="CEO")], id="changed without an account"),
        pytest.param([a_lead("ada", title="CTO"), GONE, ADA], id="named when it was gone already"),
        pytest.param([ADA, an_account("100", merged=["90"]), GONE, a_lead("ada", account="90")], id="merged"),
    ],
)
@pytest.mark.parametrize("fold", [False, True], ids=["in the inbox", "folded in"])
def test_an_account_that_is_restored_has_all_its_leads_again_at_once(lake, earlier, fold):
    for number, record in enumerate(earlier, start=1):
        land(lake, record, BOB, number=number)
    assert told(lake, "account", "industry")["crm:ada"] == (None, None)
    if fold:
        lake.fold_in()
    landed = land(lake, ACME, number=number + 1, committed=number)
    assert landed.leads == {"crm:ada": None}
    assert landed.counts == {"accounts": 1, "leads": 1}
    assert told(lake, "account", "industry")["crm:ada"] == ("100", "Steel")
    again = land(lake, ACME, number=number + 2, committed=number + 1)
    assert (again.leads, again.counts) == ({}, {"accounts unchanged": 1})


@pytest.mark.parametrize(
    ("meanwhile", "has"),
    [
        pytest.param(a_lead("ada", account="200"), ("200", "Wood"), id="has another account"),
        pytest.param(LeadRecord("ada", {}, deleted=True), (None, None), id="is gone"),
    ],
)
def test_who_has_left_a_lost_account_does_not_come_back_with_it(lake, meanwhile, has):
    land(lake, ADA, ACME, OTHER, number=1)
    land(lake, GONE, number=2)
    land(lake, meanwhile, number=3)
    assert land(lake, ACME, number=4, committed=3).leads == {}
    assert told(lake, "account", "industry")["crm:ada"] == has


def test_a_lead_that_is_read_without_the_restored_account_has_left_it(lake):
    land(lake, ADA, ACME, number=1)
    land(lake, GONE, number=2)
    land(lake, ACME, number=3)
    assert land(lake, a_lead("ada", title="CTO"), number=4, committed=3).leads == {"crm:ada": None}
    land(lake, an_account("100", industry="Tin"), number=5)
    assert told(lake, "account", "industry") == {"crm:ada": (None, None)}


@pytest.mark.parametrize(
    "order",
    list(
        permutations(
            [ADA, BOB, an_account("200", merged=["100"], industry="Wood"), an_account("300", merged=["200"])]
        )
    ),
    ids=lambda _: "",
)
def test_leads_of_a_merged_account_are_those_of_the_one_that_is_left_in_whatever_order(lake, order):
    for number, record in enumerate(order, start=1):
        land(lake, record, number=number)
    land(lake, an_account("300", merged=["200"], industry="Tin"), number=5)
    assert told(lake, "title", "account", "industry") == {
        "crm:ada": ("CTO", "300", "Tin"),
        "crm:bob": (None, "300", "Tin"),
    }


def test_a_merge_wakes_the_leads_of_the_lost_account_alone_and_once(lake):
    land(lake, ADA, BOB, ACME, OTHER, number=1)
    left = an_account("200", merged=["100"], industry="Wood", listed=True)
    landed = land(lake, left, number=2, committed=1)
    assert landed.leads == {"crm:ada": None}
    assert landed.counts == {"accounts merged": 1, "accounts unchanged": 1, "leads": 1}
    assert told(lake, "account", "industry", "staff", "listed")["crm:ada"] == ("200", "Wood", None, True)
    again = land(lake, left, ADA, number=3, committed=2)
    assert again.leads == {}


def test_an_account_that_says_others_were_merged_into_it_is_there_whatever_was_said_before(lake):
    land(lake, ADA, an_account("200", merged=["100"]), number=1)
    land(lake, an_account("100", merged=["200"], industry="Tin"), number=2)
    assert told(lake, "title", "account", "industry") == {"crm:ada": ("CTO", "100", "Tin")}
