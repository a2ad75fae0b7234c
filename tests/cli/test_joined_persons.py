"""One person in several CRMs, asked about by somebody who knows one of the records only."""

import json

import pytest

from rescore.cli.main import main
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from tests.pipeline.two_crms import TwoCrms

ADA, ADA_THERE = "hubspot:ada", "salesforce:003A"
KEPT = f"{ADA_THERE} counts as {ADA}, under which the score is kept\n"


@pytest.fixture
def job(tmp_path):
    """Two CRMs over a deployment of its own."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    yield TwoCrms.below(tmp_path, ledger)
    ledger.close()


@pytest.fixture
def rescore(tmp_path, monkeypatch, capsys):
    """A command in this deployment: (exit code, what it printed, what it complained)."""
    monkeypatch.setenv("RESCORE_HOME", str(tmp_path))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def join(job):
    job.crm.put_lead("ada", {"job_title": "Clerk"}, same_as=[ADA_THERE])
    job.sales.put_lead("003A", {"job_title": "Director"})
    job.view(ADA_THERE)


def test_the_score_of_a_person_is_explained_by_any_of_their_records(job, rescore):
    join(job)
    job.run()
    code, told, note = rescore("explain", ADA_THERE)
    assert (code, note) == (0, KEPT)
    assert told == rescore("explain", ADA)[1]
    assert told.startswith("hubspot:ada: score ")
    code, told, note = rescore("explain", ADA_THERE, "--json")
    assert (code, note, json.loads(told)[0]["lead"]) == (0, KEPT, ADA)


def test_a_record_that_is_merged_away_is_explained_by_the_one_that_is_left(job, rescore):
    job.crm.put_lead("ada", {"job_title": "Clerk"})
    job.run()
    job.crm.put_lead("bob", {}, merged=["ada"])
    job.run()
    assert rescore("explain", ADA)[2] == f"{ADA} counts as hubspot:bob, under which the score is kept\n"


def test_a_record_is_explained_by_itself_as_of_a_time_when_it_was_alone(job, rescore):
    job.crm.put_lead("ada", {"job_title": "Clerk"})
    job.sales.put_lead("003A", {"job_title": "Director"})
    job.run()
    alone = job.now.isoformat()
    join(job)
    job.run()
    code, told, note = rescore("explain", ADA_THERE, "--known-as-of", alone)
    assert (code, note, told.partition(":")[0]) == (0, "", "salesforce")
    code, told, note = rescore("explain", ADA_THERE, "--as-of", job.now.isoformat())
    assert (code, note, told.partition(" ")[0]) == (0, KEPT, f"{ADA}:")


def test_a_person_who_is_not_scored_yet_is_said_to_be_so(job, rescore):
    job.crm.put_lead("bob", {})
    job.run()
    join(job)
    job.extract()
    assert rescore("explain", ADA_THERE) == (
        1,
        "",
        f"{ADA_THERE} counts as {ADA}, and of that lead no score is kept yet: the next run scores it\n",
    )


def test_an_ambiguous_record_is_told_with_whom_and_why(job, rescore):
    job.crm.put_lead("ada", {}, addresses=["a@x.org"])
    job.crm.put_lead("adb", {}, addresses=["a@x.org"])
    job.sales.put_lead("003A", {}, addresses=["a@x.org"])
    job.crm.put_lead("eve", {}, same_as=["salesforce:003E"])
    job.crm.put_lead("evi", {}, same_as=["salesforce:003E"])
    job.extract()
    code, told, _ = rescore("persons")
    assert code == 0
    assert told.splitlines() == [
        f"{ADA} may be one person with hubspot:adb and {ADA_THERE} (the same e-mail address), but hubspot "
        "has more than one of them",
        f"hubspot:adb may be one person with {ADA} and {ADA_THERE} (the same e-mail address), but hubspot "
        "has more than one of them",
        "hubspot:eve may be one person with hubspot:evi and salesforce:003E (the same id), but hubspot has "
        "more than one of them",
        "hubspot:evi may be one person with hubspot:eve and salesforce:003E (the same id), but hubspot has "
        "more than one of them",
        f"{ADA_THERE} may be one person with {ADA} and hubspot:adb (the same e-mail address), but hubspot "
        "has more than one of them",
        "5 records may each be one person with several others",
    ]
    assert "a@x.org" not in told


def test_of_many_others_only_some_are_named(job, rescore):
    for number in range(9):
        job.crm.put_lead(f"a{number}", {}, addresses=["info@x.org"])
    job.sales.put_lead("003A", {}, addresses=["info@x.org"])
    job.extract()
    assert "hubspot:a6 and 3 more (the same e-mail address)" in rescore("persons", "--limit", "1")[1]
