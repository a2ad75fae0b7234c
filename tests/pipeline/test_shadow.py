"""Shadow versions: scored beside the one in force, compared, and nothing else."""

import csv

import pytest
from sqlalchemy import select, update

from rescore.errors import InputUnreadable, ScorecardInvalid
from rescore.ledger import tables
from rescore.pipeline.shadow import start_shadow, start_shadow_file, stop_shadow
from rescore.pipeline.shadow_report import Move, shadow_report
from tests.pipeline.lives import RULES, Life

OTHER = RULES.replace("points: 30", "points: 60").encode()
UNTRUE = b"examples: [{name: nobody, as_of: 2026-11-01, activities: [], expect: {score: 77}}]\n"


@pytest.fixture
def life(job):
    life = Life(job.ws)
    for number, lead in enumerate(["ada", "bob", "cleo"]):
        life.crm.put_lead(lead, {"job_title": "Director", "old_score": number, "won": number == 2})
    life.does("cleo", "form", kind="form_submit", hours=1)
    life.run()
    return life


def begin(life, body=OTHER, **how):
    return start_shadow_file(life.ws, "b2b_saas", body=body, name="other.yaml", at=life.now, by="test", **how)


def report(life, **how):
    return shadow_report(life.ws, "b2b_saas", at=life.now, **how)


def everybody(life):
    life.now = life.now.replace(minute=life.now.minute + 1)
    return life.finish(life.start(everybody=True))


def test_a_shadow_is_compared_with_the_version_in_force(life):
    assert begin(life) == 2
    everybody(life)

    found = report(life, field="old_score", converted="won")

    assert (found.leads, found.same_band, found.same_score, found.runs) == (3, 3, 2, 1)
    assert Move("A", "A", 1) in found.moves
    assert found.correlation == pytest.approx(1)
    assert found.field_correlation == {
        "in force": pytest.approx(0.866, abs=0.001),
        "shadow": pytest.approx(0.866, abs=0.001),
    }
    assert [(rate.version, rate.band, rate.leads, rate.converted) for rate in found.rates] == [
        ("in force", "A", 1, 1),
        ("in force", "B", 2, 0),
        ("shadow", "A", 1, 1),
        ("shadow", "B", 2, 0),
    ]
    with found.file.open() as file:
        assert list(csv.reader(file))[1:] == [["hubspot:cleo", "50", "A", "80", "A"]]
    assert "hubspot:" not in "\n".join(found.lines())


def test_it_writes_and_fires_nothing(life):
    before = life.deltas()
    begin(life)
    everybody(life)
    assert life.deltas() == before


def test_later_runs_replace_what_they_score_again(life):
    begin(life)
    everybody(life)
    life.does("ada", "form of ada", kind="form_submit", minutes=-1)
    life.run()
    found = report(life)
    assert (found.runs, found.leads, found.same_score) == (2, 3, 1)
    everybody(life)
    assert report(life).runs == 1


def test_a_shadow_that_fails_harms_nobody(life):
    version = begin(life)
    with life.ws.ledger.transaction() as connection:
        broken = tables.rules_version.c.seq == version
        connection.execute(update(tables.rules_version).where(broken).values(body=b"not: [a card"))
    life.does("ada", "form of ada", kind="form_submit", minutes=-1)

    life.run()

    assert life.scores()["ada"] == 50
    found = report(life)
    assert (found.runs, found.failed) == (0, 1)
    with life.ws.ledger.reading() as connection:
        assert connection.scalars(select(tables.shadow_run.c.failure)).all() == ["ScorecardInvalid"]


def test_a_shadow_never_becomes_the_rules_in_force(life):
    begin(life)
    life.run()
    with life.ws.ledger.reading() as connection:
        assert connection.scalars(select(tables.activation.c.version_seq)).all() == [1]


def test_stopping_drops_what_was_compared(life):
    begin(life)
    everybody(life)
    assert stop_shadow(life.ws, "b2b_saas") == 2
    with pytest.raises(InputUnreadable, match="has no shadow version"):
        report(life)
    with life.ws.ledger.reading() as connection:
        assert connection.execute(select(tables.shadow_run)).all() == []


@pytest.mark.parametrize(
    ("body", "error", "sentence"),
    [
        pytest.param(
            OTHER.replace(b"b2b_saas", b"other"), InputUnreadable, "is the scorecard `other`", id="other card"
        ),
        pytest.param(RULES.encode(), InputUnreadable, "version 1 of `b2b_saas` is in force", id="in force"),
        pytest.param(b"scorecard: [", ScorecardInvalid, "other.yaml:1:", id="broken file"),
        pytest.param(
            OTHER + UNTRUE,
            ScorecardInvalid,
            "other.yaml:25:1: example `nobody`",
            id="an example does not hold",
        ),
    ],
)
def test_what_cannot_be_a_shadow_is_said(life, body, error, sentence):
    with pytest.raises(error) as problem:
        begin(life, body)
    assert sentence in str(problem.value)


def test_an_unknown_version_or_attribute_is_said(life):
    with pytest.raises(InputUnreadable, match="no version 9"):
        start_shadow(life.ws, "b2b_saas", version=9, at=life.now, by="test")
    begin(life)
    with pytest.raises(InputUnreadable, match="no lead has an attribute 'old_scor'; did you mean old_score"):
        report(life, field="old_scor")
    with pytest.raises(InputUnreadable, match=r"no lead has an attribute 'lead'$"):
        report(life, field="lead")
