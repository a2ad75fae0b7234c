"""`rescore plan` over files: a comment for a pull request, without a server."""

import json
import stat

import pytest

from rescore.cli.main import main
from tests.support.main_job import RULES

LEADS = "lead_id,job_title,industry\nada,Director of Sales,Machinery\nbob,Developer,Retail\ncy,Developer,\n"
VISITS = "lead_id,type,asset,occurred_at\n" + "".join(
    f"{lead},page_view,/pricing,2026-10-{day}T09:00:00Z\n"
    for lead, days in {"ada": [1, 12, 13, 14], "bob": [20, 21, 22], "cy": []}.items()
    for day in map("{:02}".format, days)
)


@pytest.fixture
def files(tmp_path):
    """The arguments of a plan that doubles what the pricing page is worth."""
    given = {
        "old.yaml": RULES,
        "new.yaml": RULES.replace("points: 10", "points: 20"),
        "leads.csv": LEADS,
        "visits.csv": VISITS,
    }
    for name, text in given.items():
        (tmp_path / name).write_text(text)
    over = ["--against", "old.yaml", "--leads", "leads.csv", "--activities", "visits.csv"]
    paths = [str(tmp_path / word) if "." in word else word for word in ["new.yaml", *over]]
    return ["plan", *paths, "--as-of", "2026-10-31"]


def test_text_says_what_the_edit_does(files, capsys):
    main_without_exit(files)
    told = capsys.readouterr().out
    assert "1 lead changes band" in told
    assert "pricing_page 10 → 20 points" in told
    assert "2 of 3 leads change: 2 up, 0 down, 1 to another band" in told
    assert "by industry" not in told


def test_text_tells_the_split_that_was_asked_for(files, capsys):
    main_without_exit([*files, "--split", "industry"])
    told = capsys.readouterr().out
    assert "by industry" in told
    assert all(value in told for value in ("Machinery", "Retail", "no value"))


def test_json_holds_everything_and_names_leads(files, capsys):
    main_without_exit([*files, "--format", "json", "--split", "industry"])
    plan = json.loads(capsys.readouterr().out)
    assert [example["lead"] for example in plan["examples"]["up"]] == ["ada", "bob"]
    assert {group["value"]: group["leads"] for group in plan["split"]["groups"]} == {
        "Machinery": 1,
        "Retail": 1,
        "no value": 1,
    }
    assert plan["targets"] == []
    assert [week["new"] for week in plan["automations"][0]["weeks"]] == [0, 0, 0, 0, 0, 1, 1, 0]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_what_is_said_on_a_pull_request_names_nobody(files, capsys, form):
    main_without_exit([*files, "--format", form])
    told = capsys.readouterr().out
    assert not any(name in told for name in ("ada", "bob", "Director"))


def test_a_page_goes_to_a_file(files, capsys, tmp_path):
    main_without_exit([*files, "--format", "html", "--out", str(tmp_path / "plan.html")])
    assert (tmp_path / "plan.html").read_text().startswith("<!doctype html>")
    assert stat.S_IMODE((tmp_path / "plan.html").stat().st_mode) == 0o600, "it names leads"


def test_text_goes_to_a_file_too(files, tmp_path):
    main_without_exit([*files, "--out", str(tmp_path / "plan.txt")])
    assert "pricing_page 10 → 20 points" in (tmp_path / "plan.txt").read_text()


@pytest.mark.parametrize("given", ["new.yaml", "old.yaml", "leads.csv", "visits.csv"])
def test_what_a_plan_is_made_of_is_never_overwritten(files, capsys, tmp_path, given):
    before = (tmp_path / given).read_bytes()
    with pytest.raises(SystemExit) as left:
        main([*files, "--format", "html", "--out", str(tmp_path / given)])
    assert left.value.code == 1
    assert "would be overwritten" in capsys.readouterr().err
    assert (tmp_path / given).read_bytes() == before


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        pytest.param("--leads", "a plan over files needs all of", id="no leads"),
        pytest.param("--activities", "a plan over files needs all of", id="no activities"),
    ],
)
def test_half_of_the_files_is_refused(files, capsys, missing, said):
    place = files.index(missing)
    with pytest.raises(SystemExit) as left:
        main([*files[:place], *files[place + 2 :]])
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_no_project_is_needed_and_its_limits_count_where_there_is_one(files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main_without_exit(files)
    assert "A person has to look at this first" not in capsys.readouterr().out
    (tmp_path / "policy.yaml").write_text("band_moves: {leads: 0, share: 0%}\n")
    monkeypatch.setenv("RESCORE_POLICY_FILE", str(tmp_path / "policy.yaml"))
    main_without_exit(files)
    assert "1 of 3 banded leads change band" in capsys.readouterr().out


def test_a_split_where_leads_have_no_attributes_is_one_sentence(files, tmp_path, capsys):
    (tmp_path / "leads.csv").write_text("lead_id\nada\n")
    with pytest.raises(SystemExit) as left:
        main([*files, "--split", "nope"])
    assert left.value.code == 1
    assert "no lead has an attribute `nope`; leads have none at all" in capsys.readouterr().err


def main_without_exit(arguments):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 0
