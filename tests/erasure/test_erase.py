"""Erasing a person: every copy goes, a tombstone stays, and nothing brings them back."""

from __future__ import annotations

import json
import unicodedata
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from rescore.erased import Person
from rescore.errors import Fenced, InputUnreadable, TerminalError
from rescore.lake.records import ActivityRecord, LeadRecord, Page, SetAside, Unclaimed
from rescore.ledger import tables
from rescore.ledger.people import barred, erasures, tombstones
from rescore.ledger.scores import streams
from rescore.ledger.status import status as read_status
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.erase import ask_to_erase, erase, resume
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.score import score
from rescore.plan.make import find_plan
from tests.erasure.conftest import ADA, ADA_OLD, ADDRESS, NAMES, PERSON, tell_of_everybody
from tests.erasure.copies import found_in_files, found_in_rows


@pytest.fixture
def home(job):
    return job.ws.reports_dir.parent


def erased(job, **who):
    return erase(job.ws, **(PERSON | who), by="test", at=job.now)


def test_before_the_erasure_the_person_is_in_all_these_places(job, home):
    """So that the other tests look for something."""
    places = found_in_files(home, NAMES)
    for folder in ("lake/activities", "lake/leads", "lake/aliases", "lake/set_aside", "lake/unclaimed"):
        assert any(place.startswith(folder) and place.endswith(".parquet") for place in places), folder
        assert any(place.startswith(f"{folder}/_delta_log") for place in places), folder
    for folder in ("lake/runs", "reports"):
        assert any(place.startswith(folder) for place in places), folder
    assert set(found_in_rows(job.ws.ledger, NAMES)) >= {
        "score", "delta", "stage_score", "sync", "arming", "crossing", "delivery", "dirty", "override"
    }  # fmt: skip


def test_no_copy_is_left_anywhere(job, home):
    counts = erased(job)
    assert found_in_rows(job.ws.ledger, NAMES) == []
    assert found_in_files(home, NAMES) == []
    assert counts["erased"] == 1


def test_everybody_else_stays_as_they_were(job, home):
    others = {lead: score for lead, score in job.scores().items() if not lead.startswith("lead-ada")}
    erased(job)
    assert job.scores() == others
    job.visit("eve")
    job.run()
    assert job.scores()["eve"] == others["eve"] + 10
    assert job.ws.lake.waiting() == 1


def test_the_crm_telling_it_all_again_resurrects_nobody(job, home):
    erased(job)
    tell_of_everybody(job)
    job.crm.put_lead(ADA, {"job_title": "Director of Sales", "mail": ADDRESS}, merged=[ADA_OLD])
    job.visit(ADA, number=9)
    counts = job.extract()
    assert counts["erased"] == 16  # two records, two rows set aside, an address that waits, and visits
    job.finish(job.start(everybody=True))
    assert found_in_rows(job.ws.ledger, NAMES) == []
    assert found_in_files(home, NAMES) == []
    assert "hubspot:bob" in found_scores(job)


def test_a_new_record_with_a_known_address_is_the_same_person(job):
    erased(job)
    job.crm.put_lead("ada-again", {"job_title": "Director of Sales"}, addresses=[ADDRESS.upper()])
    job.visit("ada-again", number=6)
    job.run()
    assert "hubspot:ada-again" not in found_scores(job)
    job.crm.put_lead("ada-again", {"job_title": "Director of Sales"})  # told without the address
    job.run()
    assert "hubspot:ada-again" not in found_scores(job)


SPELT = [
    ("josé@person.example", unicodedata.normalize("NFD", "JOSÉ@person.example")),
    ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ("ada@xn--bcher-kva.example", unicodedata.normalize("NFD", "Ada@BÜCHER.example")),
]


@pytest.mark.parametrize(("said", "comes"), SPELT, ids=["an accent", "a domain", "a domain the other way"])
def test_an_address_is_the_same_in_every_spelling(job, home, said, comes):
    job.crm.put_activity(Unclaimed(comes, ActivityRecord("open-3", "", "email_open", job.now)))
    job.crm.put_unreadable("leads", SetAside("lead", "x9", "bad", f"{{'mail': '{comes}'}}"))
    job.run()
    assert found_in_files(home, [comes])
    assert erased(job, addresses=[said])["unclaimed"] == 1
    assert found_in_files(home, [comes, said]) == []
    job.crm.put_lead("ada-again", {"job_title": "Director of Sales"}, addresses=[comes])
    job.crm.put_unreadable("leads", SetAside("lead", "x8", "bad", f"{{'mail': '{comes}'}}"))
    job.run()
    assert "hubspot:ada-again" not in found_scores(job)
    assert found_in_files(home, [comes, said]) == []


def test_domains_that_only_look_alike_are_two(job):
    erased(job, addresses=["ada@strasse.example"])
    job.crm.put_lead("another", {"job_title": "Director of Sales"}, addresses=["ada@straße.example"])
    job.run()
    assert "hubspot:another" in found_scores(job)


MERGED = {"merged": [ADA]}
SAME_ADDRESS = {"addresses": [ADDRESS.upper()]}


def state_of_eve(job) -> str:
    """The one state that is counted but for bob's."""
    with job.ws.ledger.reading() as connection:
        [card] = read_status(connection, job.now).scorecards
    states = {state: count for state, count in card.leads.items() if count and state != "settled"}
    assert sum(states.values()) <= 1
    return next(iter(states), "settled")


@pytest.mark.parametrize("said", [MERGED, SAME_ADDRESS], ids=["merged", "the same address"])
def test_a_living_record_that_is_said_to_be_one_with_the_erased_is_barred_until_a_person_decides(job, said):
    erased(job)
    job.run()
    before = job.scores()["eve"]
    job.crm.put_lead("eve", {"job_title": "Director"}, **said)
    job.visit("eve", number=3)
    assert job.extract()["leads barred"] == 1
    job.run()
    assert job.scores()["eve"] == before
    assert state_of_eve(job) == "barred"
    with job.ws.ledger.transaction() as connection:
        assert barred.listed(connection, limit=9) == ["hubspot:eve"]
        assert barred.let_in(connection, ["hubspot:eve", "hubspot:bob"], at=job.now, by="ute") == 1
    job.visit("eve")
    job.run()
    assert job.scores()["eve"] == before + 40
    assert state_of_eve(job) == "settled"
    job.crm.put_lead("eve", {"job_title": "Developer"}, **said)
    job.run()
    assert job.scores()["eve"] == before + 20
    assert found_in_rows(job.ws.ledger, NAMES) == []
    erase(job.ws, ["hubspot:eve"], by="test", at=job.now)
    assert found_in_rows(job.ws.ledger, ["eve"]) == []


def test_a_barred_record_that_the_crm_deletes_is_deleted(job):
    erased(job)
    job.crm.put_lead("eve", {"job_title": "Director"}, **MERGED)
    job.run()
    job.crm.delete("eve")
    job.run()
    assert job.scores()["eve"] is None
    assert state_of_eve(job) == "deleted"


@pytest.mark.parametrize(
    "who",
    [{"leads": ["hubspot:nobody"]}, {"leads": [], "addresses": ["nobody@person.example"]}],
    ids=["an unknown record", "an unknown address"],
)
def test_who_is_known_to_nobody_is_kept_out_and_not_counted_as_erased(job, who):
    assert erase(job.ws, **who, by="test", at=job.now) == {"kept out, known to nobody here": 1}
    job.crm.put_lead("nobody", {"job_title": "Director"}, addresses=["nobody@person.example"])
    job.run()
    assert "hubspot:nobody" not in found_scores(job)


@pytest.mark.parametrize("address", [ADDRESS, "who@others.example"], ids=["set aside too", "it waits"])
def test_whoever_is_known_by_an_address_alone_is_erased(job, address):
    assert erase(job.ws, [], addresses=[address], by="test", at=job.now)["erased"] == 1


def test_a_key_of_a_source_that_nobody_has_is_refused_and_leaves_no_tombstone(job):
    with pytest.raises(InputUnreadable, match="no mapping is called `hubspt`"):
        erase(job.ws, ["hubspt:100005"], by="test", at=job.now)
    with job.ws.ledger.reading() as connection:
        assert not tombstones.read(connection)


def test_a_lifted_tombstone_lets_them_come_back(job):
    erased(job)
    with job.ws.ledger.transaction() as connection:
        them = Person.of(PERSON["leads"], PERSON["addresses"])
        assert tombstones.lift(connection, them, at=job.now) == 2
    job.crm.put_lead(ADA, {"job_title": "Director of Sales"}, addresses=[ADDRESS])
    job.run()
    assert f"hubspot:{ADA}" in found_scores(job)


def test_what_they_set_off_when_they_are_back_comes_under_ids_that_no_receiver_knows(job):
    before = ids_of(job, "hubspot:bob")
    assert before
    for _ in range(2):
        erase(job.ws, ["hubspot:bob"], by="test", at=job.now)
        with job.ws.ledger.transaction() as connection:
            assert tombstones.lift(connection, Person.of(["hubspot:bob"]), at=job.now) == 1
        job.crm.put_lead("bob", {"job_title": "Developer"})
        job.run()
        job.visit("bob", number=7)
        job.run()
        again = ids_of(job, "hubspot:bob")
        assert again
        assert again.isdisjoint(before)
        before |= again


def test_a_run_that_has_scored_them_before_stages_nobody(job):
    job.visit(ADA, number=2)
    job.extract()
    keys = job.start()
    for key in keys:
        score(job.ws, key)
    results = {key: job.ws.lake.read_results(key) for key in keys}
    erased(job)
    for key in keys:  # as if it had held its results in memory
        pq.write_table(results[key], job.ws.lake.results_path(key))
        stage_deltas(job.ws, key)
        promote_or_hold(job.ws, key, at=job.now)
    assert f"hubspot:{ADA}" not in found_scores(job)
    assert found_in_rows(job.ws.ledger, NAMES) == []


def test_a_landing_that_is_under_way_is_shut_out(job):
    with job.ws.ledger.transaction() as connection:
        lease = streams.take_fence(connection, "hubspot", "leads")
    erased(job)
    page = Page(leads=[LeadRecord(ADA, {"job_title": "Director of Sales"})])
    with pytest.raises(Fenced):
        job.ws.lake.land("hubspot", page, stream="leads", number=lease.landing, known_at=job.now)


def test_a_request_names_nobody_and_is_carried_out_by_its_id(job, home):
    request = ask_to_erase(job.ws, **PERSON, by="ute", at=job.now)
    assert not any(name in request for name in NAMES)
    assert f"hubspot:{ADA}" in found_scores(job)
    assert resume(job.ws, at=job.now, erasure_id=request)["erased"] == 1
    assert found_in_files(home, NAMES) == []
    assert resume(job.ws, at=job.now, erasure_id=request) == {}
    with job.ws.ledger.reading() as connection:
        done = erasures.find(connection, request)
    assert (done.state, done.asked_by, done.person.leads) == ("done", "ute", frozenset())


def test_one_that_cannot_be_carried_out_holds_up_no_other(job):
    """No request can name half a character; in the ledger it may stand all the same."""
    with job.ws.ledger.transaction() as connection:
        stuck = erasures.ask(connection, Person.of(["hubspot:\udce9"]), at=job.now, by="ute")
    other = ask_to_erase(job.ws, ["hubspot:eve"], by="ute", at=job.now + timedelta(minutes=1))
    for _ in range(2):
        with pytest.raises(TerminalError, match=f"erasure {stuck} could not be carried out \\(UnicodeEncode"):
            resume(job.ws, at=job.now)
    with job.ws.ledger.reading() as connection:
        assert [erasures.find(connection, each).state for each in (stuck, other)] == ["asked", "done"]
    assert found_in_rows(job.ws.ledger, ["eve"]) == []


def test_a_plan_can_be_read_and_applied_without_them(job):
    [folder] = [path.parent for path in job.ws.reports_dir.rglob("plan.json")]
    before = find_plan(job.ws, folder.name)
    erased(job)
    plan = find_plan(job.ws, folder.name)
    assert plan.leads == before.leads
    assert ADA not in str(plan)
    assert plan.examples != before.examples


def test_lists_in_reports_lose_the_line_and_keep_the_others(job):
    erased(job)
    verify = job.ws.reports_dir / "verify"
    assert (verify / "overtaken.txt").read_text() == "hubspot:bob\n"
    assert json.loads((verify / "2026.json").read_text()) == [{"lead": "hubspot:bob"}]


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ({"leads": ["1042"], "addresses": []}, "as in hubspot:1042|hubspot:1042"),
        ({"leads": ["hubspot:\udce9"], "addresses": []}, "as in hubspot:1042|hubspot:1042"),
        ({"leads": ["hubspot:1042\0"], "addresses": []}, "as in hubspot:1042|hubspot:1042"),
        ({"leads": [], "addresses": ["nobody"]}, "as in ada@example.com"),
        ({"addresses": [ADDRESS, f"Ada Lovelace <{ADDRESS}>"]}, "as in ada@example.com"),
        ({"leads": [], "addresses": []}, "say whom"),
    ],
    ids=["no key", "half a character", "a NUL", "no address", "a name before it", "nobody"],
)
def test_what_cannot_be_a_person_is_refused_in_a_sentence_and_nothing_is_begun(job, who, sentence):
    with pytest.raises(InputUnreadable, match=sentence):
        erased(job, **who)
    assert resume(job.ws, at=job.now) == {}


def ids_of(job, lead) -> set[str]:
    delivery = tables.delivery
    with job.ws.ledger.reading() as connection:
        return set(connection.scalars(select(delivery.c.delivery_id).where(delivery.c.lead == lead)))


def found_scores(job) -> set[str]:
    with job.ws.ledger.reading() as connection:
        return set(connection.scalars(select(tables.score.c.lead)))
