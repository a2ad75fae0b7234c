"""The `rescore` command: right answers on stdout, one clear sentence on stderr, and no traceback."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rescore.cli.main import COMMANDS, Commands
from rescore.lake.lake import Lake
from tests.lake.builders import a_lead, an_activity, land

PROJECT = Path(__file__).parents[2]
RESCORE = Path(sys.executable).parent / "rescore"
RULES = """\
scorecard: tiny
timezone: UTC
dimensions: {engagement: {floor: 0}}
rules:
  - {id: view, dimension: engagement, activity: page_view, points: 2.5, decay: {half_life: 7d}}
bands: {A: 5, B: 0}
"""


def rescore(*arguments, cwd=PROJECT, **environment):
    return subprocess.run(
        [RESCORE, *map(str, arguments)],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def export(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "leads.csv").write_text("lead_id,job_title\na,CEO\nb,\n")
    (tmp_path / "activities.csv").write_text(
        "activity_id,lead_id,type,occurred_at,asset,channel,value\n"
        "1,a,page_view,2026-11-01T10:00:00Z,/pricing,web,\n"
        "2,a,page_view,2026-10-25T10:00:00Z,/,web,\n"
        "3,b,page_view,2026-11-09T10:00:00Z,/,web,\n"
    )
    return tmp_path


def commands_of(command):
    """A command, or the commands of a group."""
    return getattr(command, "commands", {"": command}).values()


def score(export, **changed):
    options = {
        "--rules": export / "rules.yaml",
        "--leads": export / "leads.csv",
        "--activities": export / "activities.csv",
        "--as-of": "2026-11-01",
        "--out": export / "out.csv",
    } | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    return rescore("score", *(part for pair in options.items() for part in pair))


def test_score_writes_whole_points_a_band_and_each_rule_to_three_places(export):
    done = score(export)

    assert (done.returncode, done.stderr) == (0, "")
    with (export / "out.csv").open() as file:
        assert list(csv.reader(file)) == [
            ["lead_id", "score", "band", "engagement", "view"],
            ["a", "4", "B", "4", "3.750"],
            ["b", "0", "B", "0", "0.000"],
        ]


def test_score_writes_parquet_when_the_name_says_so(export):
    import pyarrow.parquet as pq

    assert score(export, out=export / "out.parquet").returncode == 0
    assert pq.read_table(export / "out.parquet").to_pylist()[0]["score"] == 4


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param({"as_of": "yesterday"}, "'yesterday' is no date or time", id="no date"),
        pytest.param({"leads": "/nowhere.csv"}, "/nowhere.csv", id="missing file"),
        pytest.param({"activities": "/dev/null"}, "/dev/null is no regular file", id="a device"),
        pytest.param({"rules": "/nowhere.yaml"}, "/nowhere.yaml: cannot be read", id="missing rules"),
        pytest.param({"out": "/tmp/out.xlsx"}, "end the name in .csv or .parquet", id="unknown format"),
    ],
)
def test_a_problem_with_what_was_given_is_one_sentence_and_exit_1(export, changed, sentence):
    done = score(export, **changed)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_check_lists_every_problem_of_every_file_as_file_line_col_message(export):
    (export / "bad.yaml").write_text(RULES.replace("points: 2.5", "pionts: 2.5").replace("UTC", "Mars/Base"))

    done = rescore("check", export / "rules.yaml", export / "bad.yaml")

    assert done.returncode == 1
    assert "tiny: 1 rules" in done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith(f"{export}/bad.yaml:") for line in lines)
    assert [line.split(":")[1] for line in lines] == sorted(line.split(":")[1] for line in lines)


CONTRADICTS = RULES.replace("page_view,", "page_view, where: {value: {above: 2, below: 1}},")


def test_a_warning_is_told_and_counts_only_when_strict(export):
    (export / "odd.yaml").write_text(CONTRADICTS)

    done = rescore("check", export / "odd.yaml")
    strict = rescore("check", "--strict", export / "odd.yaml")

    assert (done.returncode, strict.returncode) == (0, 1)
    assert done.stderr == strict.stderr
    assert done.stderr.startswith(f"{export}/odd.yaml:5:")
    assert "warning: rule `view` can never match: value above 2 and value below 1" in done.stderr
    assert "tiny: 1 rules" in done.stdout


def test_names_are_looked_up_in_the_lake_if_there_is_one(export):
    lake = Lake(str(export / "lake"))
    land(lake, a_lead("1", job_title="CEO"), an_activity("a", "1", type="page_visit"), number=1)

    done = rescore("check", export / "rules.yaml", RESCORE_HOME=str(export))

    assert done.returncode == 0
    assert "which no activity in the lake is; did you mean `page_visit`?" in done.stderr


def test_diff_says_what_an_edit_does_and_whom_it_wakes(export):
    (export / "new.yaml").write_text(RULES.replace("2.5", "4").replace("A: 5", "A: 6"))

    done = rescore("diff", export / "rules.yaml", export / "new.yaml")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "scoring: everybody is scored again",
        "  view 2.5 → 4 points",
        "thresholds: bands and crossings are derived again from the scores there are",
        "  band A begins at 5 → 6",
    ]


def test_diff_compares_two_states_of_one_scorecard_only(export):
    (export / "other.yaml").write_text(RULES.replace("tiny", "other"))

    assert rescore("diff", export / "rules.yaml", export / "rules.yaml").stdout.startswith(
        "nothing that means"
    )
    done = rescore("diff", export / "rules.yaml", export / "other.yaml")
    assert done.returncode == 1
    assert "two scorecards" in done.stderr


def test_no_file_is_judged_by_the_command_line_itself():
    """It would answer one that may not be read with how the command is used, and exit 2."""
    checked = [
        f"{command} {parameter.name}"
        for command in COMMANDS
        for part in commands_of(Commands().get_command(None, command))
        for parameter in part.params
        if "Path" in str((asked := parameter.type_descriptor).annotation) and asked.parameter_info.readable
    ]
    assert checked == []


def test_what_is_set_aside_is_told_with_its_file_and_its_row(export):
    with (export / "leads.csv").open("a") as file:
        file.write("a,again\n,nobody\nc\n")

    done = score(export)

    assert (done.returncode, done.stdout.split()[0]) == (0, "2")
    assert done.stderr.splitlines() == [
        f"set aside: lead without id, 1 row of {export}/leads.csv (row 5)",
        f"set aside: lead repeated, 1 row of {export}/leads.csv (row 4)",
        f"set aside: row malformed, 1 row of {export}/leads.csv (row 6)",
    ]


def test_a_file_of_which_nothing_can_be_used_is_a_problem(export):
    (export / "leads.csv").write_text("lead_id,job_title\na\nb\n")

    done = score(export)

    assert done.returncode == 1
    assert done.stderr == (
        f"No row of {export}/leads.csv can be used: "
        f"row malformed, 2 rows of {export}/leads.csv (rows 2 and 3).\n"
    )
    assert not (export / "out.csv").exists()


def test_cells_that_a_spreadsheet_would_run_are_made_texts_and_counted(export):
    (export / "leads.csv").write_text("lead_id\n=1+1\n-5\na\n")

    done = score(export)
    as_parquet = score(export, out=export / "out.parquet")

    assert "2 cells of" in done.stderr
    assert "got a ' before them, or a spreadsheet would run them as formulas" in done.stderr
    assert [line.split(",")[0] for line in (export / "out.csv").read_text().splitlines()[1:]] == [
        "'-5",
        "'=1+1",
        "a",
    ]
    assert "got a '" not in as_parquet.stderr


def test_columns_that_no_rule_can_read_are_told(export):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"lead_id": ["a"], "tags": [["x"]]}), export / "leads.parquet")

    done = score(export, leads=export / "leads.parquet")

    assert done.returncode == 0
    assert f"column tags of {export}/leads.parquet holds lists, which no rule can read" in done.stderr


def test_an_input_is_never_overwritten(export):
    before = (export / "leads.csv").read_bytes()

    done = score(export, out=export / "leads.csv")

    assert done.returncode == 1
    assert "would be overwritten" in done.stderr
    assert (export / "leads.csv").read_bytes() == before


def test_a_field_that_no_row_has_is_told(export):
    with_where = "activity: page_view, where: {asset_name: {contains: x}},"
    (export / "rules.yaml").write_text(RULES.replace("activity: page_view,", with_where))

    done = score(export)

    assert done.returncode == 0
    assert "activities: asset_name" in done.stderr


@pytest.mark.parametrize("name", ["x[1].csv", "x*.csv", "x?.csv"])
def test_a_file_is_the_one_that_is_named_and_no_other_that_looks_like_it(export, name):
    (export / "leads.csv").rename(export / name)
    (export / "x1.csv").write_text("lead_id\nsomebody_else\n")

    done = score(export, leads=export / name)

    assert done.returncode == 0, done.stderr
    assert "somebody_else" not in (export / "out.csv").read_text()


def test_a_column_of_activities_that_the_file_does_not_have_is_told(export):
    with_where = "activity: page_view, where: {asset: {contains: x}},"
    (export / "rules.yaml").write_text(RULES.replace("activity: page_view,", with_where))
    activities = export / "activities.csv"
    activities.write_text(activities.read_text().replace("asset", "url"))

    assert "activities: asset: the rules ask for it, and no row has it" in score(export).stderr


def test_check_goes_on_after_a_file_it_cannot_read(export):
    (export / "bad.yaml").write_text(RULES.replace("UTC", "Mars/Base"))

    done = rescore("check", export / "nothing.yaml", export / "bad.yaml", export / "rules.yaml")

    assert done.returncode == 1
    assert "nothing.yaml: cannot be read" in done.stderr
    assert "Mars/Base" in done.stderr
    assert "tiny: 1 rules" in done.stdout


def test_check_does_not_read_a_file_without_end():
    done = rescore("check", "/dev/zero")
    assert (done.returncode, done.stderr) == (
        1,
        "/dev/zero:1:1: the file has more than 262,144 bytes; split it\n",
    )


def test_an_output_that_is_full_is_one_sentence(export):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [RESCORE, "check", export / "rules.yaml"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "the output: No space left on device\n")


def test_wrong_usage_is_exit_2(export):
    assert rescore("score", "--rules", export / "rules.yaml").returncode == 2
    assert rescore("scoer").returncode == 2


@pytest.mark.parametrize(
    "command",
    [
        b"explain hubspot:jos\xe9",
        b"object hubspot:jos\xe9",
        b"erase hubspot:ada --email jos\xe9@x.example --yes",
        b"updates retry hubspot:jos\xe9",
        b"deliveries retry jos\xe9",
        b"deliveries discard x --reason jos\xe9",
        b"overrides end hubspot:jos\xe9",
        b"connections close jos\xe9",
        b"review jos\xe9 --discard",
        b"rollback b2b_saas --by jos\xe9",
        b"check jos\xe9.yaml",
    ],
    ids=lambda command: command.split(b"jos")[0].decode().strip(),
)
def test_a_word_that_is_no_text_is_told_by_its_place_alone(tmp_path, command):
    assert rescore("setup", "ledger", RESCORE_HOME=str(tmp_path)).returncode == 0
    words = command.split()
    place = next(place for place, word in enumerate(words, start=1) if b"\xe9" in word)
    done = rescore(*map(os.fsdecode, words), RESCORE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert f"word {place} after `rescore` is not UTF-8 text" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "deliveries --limit",
        "updates --limit",
        "persons --limit",
        "explain hubspot:1 --version",
        "shadow start b2b_saas --version",
        "rollback b2b_saas --to",
    ],
)
def test_a_number_that_no_database_keeps_is_wrong_usage(tmp_path, command):
    assert rescore("setup", "ledger", RESCORE_HOME=str(tmp_path)).returncode == 0
    done = rescore(*command.split(), "99999999999999999999", RESCORE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Invalid value for" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_user_whose_name_is_no_text_can_decide_all_the_same(tmp_path):
    home = {"RESCORE_HOME": str(tmp_path), "USER": os.fsdecode(b"ren\xe9"), "LOGNAME": ""}
    assert rescore("setup", "ledger", **home).returncode == 0
    done = rescore("erase", "hubspot:1042", "--request", **home)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stdout.startswith("registered")


def test_a_ledger_that_was_never_set_up_says_how_to(tmp_path):
    done = rescore("status", RESCORE_HOME=str(tmp_path))

    assert done.returncode == 1
    assert "rescore setup ledger" in done.stderr
    assert "Traceback" not in done.stderr


def test_looking_at_a_deployment_waits_for_no_engine():
    heavy = {"alembic", "deltalake", "duckdb", "pandas", "pyarrow", "requests", "sqlglot"}
    loaded = "import sys, rescore.cli.main, rescore.cli.operate; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())


def test_help_lists_every_command_by_its_name():
    lines = [line.strip("│ ").split(maxsplit=1) for line in rescore("--help").stdout.splitlines()]
    assert set(COMMANDS) <= {words[0] for words in lines if len(words) == 2}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_is_for(command):
    done = rescore(*command.split(), "--help")
    assert done.returncode == 0
    assert f"Usage: rescore {command}" in done.stdout
    assert "completion" not in done.stdout


@pytest.mark.parametrize("url", ["sqlite:///{}/new/ledger.db", ""], ids=["where the URL says", "at home"])
def test_a_ledger_that_is_made_says_where_and_that_it_is_new(tmp_path, url):
    given = {"RESCORE_HOME": str(tmp_path / "new"), "RESCORE_LEDGER_URL": url.format(tmp_path)}
    assert [rescore("setup", "ledger", **given).stdout for _ in range(2)] == [
        f"ledger {tmp_path}/new/ledger.db: new, tables at revision 0001\n",
        f"ledger {tmp_path}/new/ledger.db: already current\n",
    ]


@pytest.mark.parametrize("command", ["status", "holds", "verify", "deliveries", "explain hubspot:1"])
def test_a_database_that_nobody_answers_for_is_one_sentence(tmp_path, command):
    url = "postgresql://rita:secret@127.0.0.1:1/ledger"
    done = rescore(*command.split(), RESCORE_HOME=str(tmp_path), RESCORE_LEDGER_URL=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "the ledger 127.0.0.1/ledger cannot be reached; is its PostgreSQL server running?\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is empty; if it held a ledger"), ("a shopping list", "is no ledger, or it is damaged")],
    ids=["no byte", "no database"],
)
def test_a_file_that_is_no_ledger_says_so(tmp_path, content, said):
    (tmp_path / "ledger.db").write_text(content)
    done = rescore("status", RESCORE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert said in done.stderr


def test_a_deployment_without_scores_has_nothing_to_verify(tmp_path):
    rescore("setup", "ledger", RESCORE_HOME=str(tmp_path))
    done = rescore("verify", RESCORE_HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "no scores are stored yet, so there is nothing to compute again\n"


def test_a_new_deployment_can_be_looked_at(tmp_path):
    assert rescore("setup", "ledger", RESCORE_HOME=str(tmp_path)).returncode == 0

    done = rescore("status", RESCORE_HOME=str(tmp_path))

    assert done.returncode == 0
    assert "No scorecard is in force yet" in done.stdout


def test_explaining_a_lead_nobody_scored_says_so(tmp_path):
    rescore("setup", "ledger", RESCORE_HOME=str(tmp_path))

    done = rescore("explain", "hubspot:1", RESCORE_HOME=str(tmp_path))

    assert done.returncode == 1
    assert "no score is kept for lead 'hubspot:1'" in done.stderr


def test_setting_up_what_is_not_there_names_what_is(tmp_path):
    done = rescore("setup", "hubspott", RESCORE_HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (
        1,
        "no mapping is called `hubspott`; did you mean `hubspot`?\n",
    )
