"""`rescore quarantine`: what is in it, the single ones to a file, and a lead that is a person after all."""

from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from rescore.cli.main import main
from rescore.lake.lake import Lake
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from rescore.workspace import Workspace
from tests.cli.test_commands import PROJECT
from tests.pipeline.lives import RULES, Life

QUARANTINE = """
quarantine:
  - id: bursts
    label: Everything at once
    activity: page_view
    burst: {count: 3, within: 10s}
  - id: robots
    activity: page_view
    where: {agent: {contains: bot}}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Ada looked at three pages within four seconds."""
    folder = tmp_path_factory.mktemp("home")
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
    migrate(ledger)
    include, lake = PROJECT / "include", Lake(str(folder / "lake"))
    places = (include / "rules", include / "mappings", folder / "reports", include / "policy.yaml")
    life = Life(Workspace(ledger, lake, *places), rules=RULES + QUARANTINE)
    life.crm.put_lead("ada", {"job_title": "Director"})
    for second in (0, 2, 4):
        life.visit("ada", at=life.now + timedelta(seconds=second))
    life.run()
    ledger.close()
    return folder


@pytest.fixture
def rescore(home, monkeypatch, capsys):
    """A command in this deployment: (exit code, what it printed, what it complained)."""
    monkeypatch.setenv("RESCORE_HOME", str(home))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def test_each_entry_is_listed_with_what_it_keeps_out(rescore):
    assert rescore("quarantine") == (
        0,
        "b2b_saas bursts: 3 activities of 1 leads, the newest of 2026-11-02 09:00 UTC  Everything at once\n"
        "b2b_saas robots: nothing  Robots\n",
        "",
    )
    assert rescore("quarantine", "--scorecard", "other")[2].startswith("no scorecard `other` is in force")


def test_the_single_ones_go_to_a_file_and_never_to_the_terminal(rescore, tmp_path):
    code, told, _ = rescore("quarantine", "--out", str(tmp_path / "held.parquet"))
    assert (code, told.splitlines()[-1]) == (0, f"3 lines into {tmp_path / 'held.parquet'}")
    assert "hubspot:ada" not in told
    rows = pq.read_table(tmp_path / "held.parquet").to_pylist()
    assert {(row["scorecard"], row["entry"], row["lead"]) for row in rows} == {
        ("b2b_saas", "bursts", "hubspot:ada")
    }
    assert [row["activity_id"] for row in rows] == ["view-1", "view-2", "view-3"]
    rescore("quarantine", "--out", str(tmp_path / "held.csv"))
    assert (tmp_path / "held.csv").read_text().startswith("scorecard,entry,lead,type,occurred_at,source")
    assert rescore("quarantine", "--out", "held.xlsx")[0] == 1


def test_an_explanation_names_the_command_that_releases(rescore):
    told = rescore("explain", "hubspot:ada")[1]
    assert "3 page_view in quarantine, the latest 2026-11-02 09:00 UTC: Everything at once" in told
    assert "rescore quarantine release hubspot:ada" in told


def test_a_lead_is_released_again_and_again_and_taken_back(rescore):
    scored = "the next run of score_leads scores it anew\n"
    assert rescore("quarantine", "release", "hubspot:ada") == (
        0,
        f"leads: 1\nreleases noted: 1\n{scored}",
        "",
    )
    again = rescore("quarantine", "release", "hubspot:ada")
    assert again == (0, f"leads unchanged: 1\nreleases noted: 1\n{scored}", "")
    told = rescore("quarantine")[1]
    assert "bursts: nothing" in told
    assert told.endswith("1 released by a person: nothing takes what they do\n")
    taken_back = rescore("quarantine", "release", "hubspot:ada", "--withdraw")
    assert taken_back == (0, f"leads: 1\nreleases withdrawn: 1\n{scored}", "")
    assert "bursts: 3 activities" in rescore("quarantine")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(["release", "hubspot:nobody"], 1, "the lake does not know this lead", id="a stranger"),
        pytest.param(
            ["--scorecard", "x", "release", "hubspot:ada"], 2, "options before `release`", id="lost option"
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(rescore, arguments, code, sentence):
    found = rescore("quarantine", *arguments)
    assert (found[0], found[2].startswith(sentence)) == (code, True)
