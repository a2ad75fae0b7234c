"""`rescore erase` and `rescore object`: whom, how, and nothing said that names them."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rescore.lake.lake import Lake
from rescore.lake.records import LeadRecord, Page

PROJECT = Path(__file__).parents[2]
RESCORE = Path(sys.executable).parent / "rescore"
ADA = "hubspot:lead-ada-7741"


@pytest.fixture
def rescore(tmp_path):
    def run(*arguments, stdin=""):
        environment = {"PATH": os.environ["PATH"], "RESCORE_HOME": str(tmp_path)}
        return subprocess.run(
            [RESCORE, *arguments],
            cwd=PROJECT,
            env=environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )

    assert run("setup", "ledger").returncode == 0
    return run


@pytest.fixture
def known(tmp_path):
    """Ada is in the lake."""
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    page = Page(leads=[LeadRecord("lead-ada-7741", {})])
    Lake(str(tmp_path / "lake"), buckets=1).land("hubspot", page, stream="leads", number=1, known_at=now)


def test_a_request_is_registered_under_an_id_and_carried_out_later(rescore, known):
    asked = rescore("erase", ADA, "--email", "ada@person.example", "--request")
    assert asked.returncode == 0
    assert "request " in asked.stdout
    assert ADA not in asked.stdout
    assert "ada@" not in asked.stdout
    done = rescore("erase")
    assert (done.returncode, done.stdout) == (0, "erased: 1\nleads: 1\n")
    assert rescore("erase").stdout == "nothing is waiting to be erased\n"


def test_keys_and_addresses_can_come_on_stdin(rescore, known, tmp_path):
    done = rescore("erase", "-", "--yes", stdin=f"{ADA}\nada@person.example\n")
    assert done.returncode == 0
    assert "ada" not in done.stdout + done.stderr
    assert rescore("erase", ADA, "--email", "ada@person.example", "--lift").stdout.startswith("2 tombstones")
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"ada-7741" in file.read_bytes()]


def test_nobody_is_let_back_in_who_was_not_kept_out(rescore, known):
    done = rescore("erase", ADA, "--lift")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "nobody of these was erased or is barred, so there is nothing to lift\n"
    rescore("erase", ADA, "--yes")
    done = rescore("erase", ADA, "hubspot:1043", "--lift")
    assert (done.returncode, done.stdout.split(";")[0]) == (0, "1 tombstone lifted")
    assert done.stderr == "1 of the 2 that were given had none\n"


@pytest.mark.parametrize(
    ("stdin", "sentence"),
    [
        (f"{ADA}\n\nada person example\n", "line 3 of stdin is neither a lead's key"),
        (f"{ADA}\nhubspot:\n", "line 2 of stdin is neither a lead's key"),
        ("caf\udce9@person.example\n", "line 1 of stdin is not UTF-8 text"),
        ("\n", "nothing came on stdin"),
    ],
    ids=["no address", "no record id", "another encoding", "nothing"],
)
def test_a_line_that_names_nobody_is_told_by_its_number_alone(rescore, stdin, sentence):
    done = rescore("erase", "-", "--yes", stdin=stdin)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert sentence in done.stderr
    assert "person" not in done.stderr


def test_a_mark_of_byte_order_is_no_part_of_a_key(rescore, known):
    assert rescore("erase", "-", "--yes", stdin=f"\ufeff{ADA}\n").returncode == 0
    assert rescore("erase", ADA, "--lift").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    ["x:1 --lift --request", "x:1 --lift --yes", "--lift", "--request", "-", "- x:1 --yes"],
)
def test_what_contradicts_itself_is_wrong_usage_and_nothing_happens(rescore, arguments):
    done = rescore("erase", *arguments.split())
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["hubspot:9999999"], "nobody is known here by the 1 keys that were given"),
        (["--email", "nobody@person.example"], "nobody is known here by the 1 addresses that were given"),
        ([ADA, "hubspot:9999999"], "nobody is known here by 1 of the 2 keys that were given"),
    ],
    ids=["a key", "an address", "one key of two"],
)
def test_that_somebody_is_known_to_nobody_is_asked_said_and_an_error(rescore, known, given, told):
    asked = rescore("erase", *given, stdin="n\n")
    assert told in asked.stdout
    done = rescore("erase", *given, "--yes")
    assert (done.returncode, "erased: 1" in done.stdout) == (1, ADA in given)
    assert done.stderr.splitlines()[-1].startswith(f"{told}; whoever comes by it is kept out from now on")
    assert rescore("erase", *given, "--lift").returncode == 0


def test_a_source_that_nobody_has_is_refused(rescore):
    for how in ("--yes", "--request"):
        done = rescore("erase", "hubspt:100005", how)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("no mapping is called `hubspt`, so nobody has such a key; there is ")
    assert rescore("erase").stdout == "nothing is waiting to be erased\n"


def test_without_a_yes_nothing_is_erased(rescore):
    assert rescore("erase", ADA, stdin="n\n").returncode == 1
    assert rescore("erase").stdout == "nothing is waiting to be erased\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["erase", "1042", "--yes"], "as in hubspot:1042|hubspot:1042"),
        (["erase", "--email", "nobody", "--yes"], "as in ada@example.com"),
        (["erase", ADA, "--email", "Ada <ada@person.example>", "--yes"], "as in ada@example.com"),
        (["object", "hubspot:1042"], "does not know this lead"),
    ],
    ids=["no key", "no address", "a name before it", "nobody known"],
)
def test_what_does_not_hold_is_one_sentence(rescore, arguments, sentence):
    done = rescore(*arguments)
    assert done.returncode == 1
    assert any(words in done.stderr for words in sentence.split("|"))
    assert len(done.stderr.splitlines()) == 1
