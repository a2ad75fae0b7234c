"""What automations send, from the terminal: list it, send it again, give it up, replay it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rescore.lake.lake import Lake
from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from rescore.outcome import Outcome
from rescore.workspace import Workspace
from tests.support.main_job import MAPPINGS, Job

RESCORE = Path(sys.executable).parent / "rescore"


class Refusing:
    """A receiver that takes nothing."""

    def send(self, claim, *, now) -> Outcome:
        return Outcome("record", "no such thing here")


@pytest.fixture
def job(tmp_path):
    """Bob is hot, and the receiver refused to hear of it."""
    (tmp_path / "rules").mkdir()
    policy = tmp_path / "policy.yaml"
    policy.write_text("internal_domains: [example.com]\n")
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    lake = Lake(str(tmp_path / "lake"))
    job = Job(Workspace(ledger, lake, tmp_path / "rules", MAPPINGS, tmp_path / "reports", policy))
    job.write_rules()
    job.crm.put_lead("bob", {})
    job.run()
    job.receiver = Refusing()
    job.visit("bob", number=6)
    job.run()
    yield job
    ledger.close()


def rescore(job, *arguments):
    home = job.ws.policy_file.parent
    return subprocess.run(
        [RESCORE, *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "RESCORE_HOME": str(home),
            "RESCORE_RULES_DIR": str(job.ws.rules_dir),
            "RESCORE_MAPPINGS_DIR": str(MAPPINGS),
            "RESCORE_POLICY_FILE": str(job.ws.policy_file),
            "USER": "rita",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def states(job):
    with job.ws.ledger.reading() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                tables.delivery.select().with_only_columns(tables.delivery.c.state, tables.delivery.c.reason)
            )
        ]


def test_a_parked_delivery_is_listed_sent_again_and_given_up(job):
    shown = rescore(job, "deliveries", "--state", "parked").stdout
    assert "parked  b2b_saas.mql  webhook sales_alerts" in shown
    assert "no such thing here" in shown
    assert "bob" not in shown
    assert (
        rescore(job, "deliveries", "retry", "--state", "parked", "--dry-run").stdout == "would be: again 1\n"
    )
    assert states(job) == [("parked", "no such thing here")]
    assert rescore(job, "deliveries", "retry", shown.split()[0]).stdout == "again 1\n"
    assert states(job) == [("due", "sent again by rita")]
    gone = rescore(job, "deliveries", "discard", "--automation", "mql", "--reason", "a test lead")
    assert gone.stdout == "discarded 1\n"
    assert states(job) == [("discarded", "discarded by rita: a test lead")]


def test_an_id_that_does_not_exist_stops_everything_and_all_of_them_are_named(job):
    known = rescore(job, "deliveries").stdout.split()[0]
    for verb in (["retry"], ["discard", "--reason", "x"]):
        done = rescore(job, "deliveries", *verb, "nope", known, "17")
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "there is no delivery nope, 17\n")
    assert states(job) == [("parked", "no such thing here")]


def test_an_id_whose_state_does_not_allow_it_is_told_with_its_state(job):
    known = rescore(job, "deliveries").stdout.split()[0]
    rescore(job, "deliveries", "discard", known, "--reason", "a test lead")
    done = rescore(job, "deliveries", "discard", known, "--reason", "once more")
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "nothing to do; left alone: already discarded 1\n",
        f"{known}: discarded; it is not sent any more\n",
    )


def test_a_list_without_anything_in_it_says_why(job):
    assert rescore(job, "deliveries", "--state", "expired").stdout == "there is no such delivery\n"
    with job.ws.ledger.transaction() as connection:
        connection.execute(tables.attempt.delete())
        connection.execute(tables.delivery.delete())
    assert rescore(job, "deliveries").stdout == "there are no deliveries yet\n"


AUTUMN = ["--from", "2026-11-01", "--to", "2026-11-02"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["retry"], "name deliveries by their ids, or choose them", id="nothing chosen"),
        pytest.param(
            ["replay", "--automation", "mql", "--from", "2026-11-02", "--to", "2026-11-01"],
            "--from is not before --to; swap them",
            id="the wrong way round",
        ),
        pytest.param(
            ["replay", "--automation", "mql", "--from", "2026-11-30", "--to", "2026-11-30"],
            "--to is the moment before which it ends, so nothing lies between; write --to 2026-12-01",
            id="one day",
        ),
        pytest.param(
            ["replay", "--automation", "mql", "--from", "9999-12-31", "--to", "9999-12-31"],
            "nothing lies between; write an earlier --from",
            id="the last of all days",
        ),
        pytest.param(["retry", "x", "--state", "parked"], "; not both", id="ids and options"),
        pytest.param(["discard", "x", "--reason", " "], "--reason says nothing", id="no reason"),
        pytest.param(["--state", "parked", "retry", "x"], "options before `retry`", id="options too early"),
        pytest.param(
            ["replay", *AUTUMN, "--automation", "mql", "--suppressed", "--state", "parked"],
            "what was suppressed has none",
            id="the state of what is not there",
        ),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(job, arguments, said):
    result = rescore(job, "deliveries", *arguments)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert said in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--automation", "mqll"], "there is no automation `mqll`; there is mql\n"),
        (["--scorecard", "b2c"], "no scorecard `b2c` has automations; there is b2b_saas\n"),
        (["--scorecard", "b2b_saas", "--automation", "x"], "there is no automation `x`; there is mql\n"),
    ],
    ids=["an automation", "a scorecard", "an automation of a scorecard"],
)
@pytest.mark.parametrize("verb", [["retry"], ["discard", "--reason", "gone"]], ids=["retry", "discard"])
def test_a_name_that_chooses_nothing_is_refused_with_those_there_are(job, verb, options, said):
    result = rescore(job, "deliveries", *verb, *options)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", said)


def test_an_automation_that_nobody_has_is_not_replayed(job):
    result = rescore(job, "deliveries", "replay", *AUTUMN, "--automation", "mqll")
    assert result.returncode == 1
    assert "no scorecard in force has an automation `mqll`" in result.stderr


def test_a_replay_says_beforehand_what_it_would_do(job):
    arguments = ["--automation", "mql", "--from", "2026-01-01", "--to", "2099-01-01"]
    assert rescore(job, "deliveries", "replay", *arguments, "--dry-run").stdout == "would be: again 1\n"
    assert rescore(job, "deliveries", "replay", *arguments).stdout == "again 1\n"
    assert states(job) == [("due", "replayed by rita")]
    assert rescore(job, "deliveries", "replay", *arguments, "--suppressed").stdout == "nothing to do\n"


MAIL = "do: [{email: {connection: m, to: [sales@%s], subject: Hot, text: '{score}'}}]"


def test_mail_to_somebody_outside_is_refused_where_rules_are_checked_and_where_they_are_adopted(job):
    path = job.ws.rules_dir / "b2b_saas.yaml"
    before = path.read_text()
    path.write_text(before.replace("do: [{webhook: {connection: sales_alerts}}]", MAIL % "elsewhere.com"))
    checked = rescore(job, "check", str(path))
    assert checked.returncode == 1
    assert "`sales@elsewhere.com` is not internal" in checked.stderr
    [news] = job.adopt()
    assert news.what == "rejected"
    assert "`sales@elsewhere.com` is not internal" in news.problems[0]
    path.write_text(before.replace("do: [{webhook: {connection: sales_alerts}}]", MAIL % "example.com"))
    assert rescore(job, "check", str(path)).returncode == 0
    [news] = job.adopt()
    assert news.what != "rejected"
