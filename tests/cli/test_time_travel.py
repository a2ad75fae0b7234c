"""`rescore explain`, `verify` and `shadow` over a deployment: text, JSON, and one sentence for trouble."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rescore.lake.lake import Lake
from rescore.ledger.migrate import migrate
from rescore.ledger.rules import activations, registry
from rescore.ledger.transaction import Ledger
from rescore.rules.load import load_scorecard
from rescore.workspace import Workspace
from tests.cli.test_commands import PROJECT, rescore
from tests.pipeline.lives import RULES, Life

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Ada's score is 36, and an hour later 66."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    include = PROJECT / "include"
    lake = Lake(str(tmp_path / "lake"))
    life = Life(
        Workspace(
            ledger,
            lake,
            include / "rules",
            include / "mappings",
            tmp_path / "reports",
            include / "policy.yaml",
        )
    )
    life.crm.put_lead("ada", {"job_title": "Director"})
    life.does("ada", "first", hours=1)
    life.run()
    life.does("ada", "form", kind="form_submit", minutes=-5)
    life.run(minutes=60)
    ledger.close()
    return tmp_path


def test_a_score_is_explained_with_its_last_changes_and_their_causes(home):
    done = rescore("explain", "hubspot:ada", RESCORE_HOME=str(home))
    assert (done.returncode, done.stderr) == (0, "")
    assert "score 66, band A" in done.stdout
    assert "36 to 66 (B to A): activity +30 (version 1)" in done.stdout
    assert "none to 36 (no band to B): first score, attributes +20, activity +16" in done.stdout


def test_a_score_as_believed_then_comes_as_json_too(home):
    then = ("--known-as-of", "2026-11-02T09:30Z", "--json")
    [told] = json.loads(rescore("explain", "hubspot:ada", *then, RESCORE_HOME=str(home)).stdout)
    assert (told["score"], told["version"], told["known_as_of"]) == (36, 1, "2026-11-02T09:30:00+00:00")
    assert [change["causes"] for change in told["changes"]] == [{"attribute": 20, "activity": 16}]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(("--as-of", "soon"), "--as-of 'soon' is no date or time", id="no date"),
        pytest.param(("--version", "9"), "has no version 9; it has 1", id="unknown version"),
        pytest.param(("--known-as-of", "2026-10-01"), "were in force on 2026-10-01", id="too early"),
    ],
)
def test_what_cannot_be_told_is_one_sentence_and_exit_1(home, options, sentence):
    done = rescore("explain", "hubspot:ada", *options, RESCORE_HOME=str(home))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert sentence in done.stderr


@pytest.mark.parametrize("option", ["--as-of", "--known-as-of"])
def test_an_option_that_says_nothing_is_told_before_a_lead_that_nobody_knows(home, option):
    done = rescore("explain", "hubspot:nobody", option, "foo", RESCORE_HOME=str(home))
    assert (done.returncode, done.stderr.startswith(f"{option} 'foo' is no date or time")) == (1, True)


def test_one_version_is_the_shadow(home):
    for said in ((), ("--version", "1", "--file", "x.yaml")):
        done = rescore("shadow", "start", "b2b_saas", *said, RESCORE_HOME=str(home))
        assert (done.returncode, done.stderr.startswith("say which version is the shadow")) == (2, True)


def test_a_scorecard_without_the_version_asked_for_says_so_and_the_others_are_told(home):
    ledger = Ledger(f"sqlite:///{home / 'ledger.db'}")
    with ledger.transaction() as connection:
        for points in (1, 2):
            body = RULES.replace("b2b_saas", "second").replace("points: 30", f"points: {points}").encode()
            card = load_scorecard(body, name="second.yaml")
            seq = registry.register(connection, card=card, body=body, path="second.yaml", at=NOW, by="test")
            activations.activate(connection, card=card, version_seq=seq, at=NOW, by="test")
    ledger.close()

    done = rescore(
        "explain", "hubspot:ada", "--version", "2", "--as-of", "2026-11-02", RESCORE_HOME=str(home)
    )

    assert (done.returncode, done.stderr) == (0, "scorecard `b2b_saas` has no version 2; it has 1\n")
    assert "(second, as of 2026-11-02" in done.stdout


def test_stored_scores_are_verified(home):
    done = rescore("verify", RESCORE_HOME=str(home))
    assert (done.returncode, done.stdout) == (0, "checked b2b_saas: 1\n")


def test_a_shadow_is_started_reported_and_stopped(home):
    (home / "other.yaml").write_text(RULES.replace("points: 30", "points: 60"))
    for arguments, told in [
        (("start", "b2b_saas", "--file", home / "other.yaml"), "version 2 of b2b_saas scores beside"),
        (("report", "b2b_saas"), "0 runs compared; 0 leads"),
        (("stop", "b2b_saas"), "version 2 of b2b_saas no longer scores"),
    ]:
        done = rescore("shadow", *arguments, RESCORE_HOME=str(home))
        assert (done.returncode, done.stderr) == (0, "")
        assert told in done.stdout
