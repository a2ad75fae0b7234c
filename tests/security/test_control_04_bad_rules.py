"""Controls 4 and 5: whatever a rules file says, the last good version stays in force."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from rescore.lake.lake import Lake
from rescore.ledger import tables
from rescore.ledger.rules import activations
from rescore.ledger.transaction import Ledger
from rescore.pipeline.rules import adopt_rules
from rescore.rules.load import check_scorecard
from rescore.workspace import Workspace
from tests.rules.bad_files import BAD_FILES
from tests.rules.bad_files.writing import FINE, HEAD
from tests.rules.test_load import BIG
from tests.rules.test_strict_yaml import HOSTILE
from tests.support.main_job import MAPPINGS, MORNING

GOOD = f"{HEAD}rules:\n{FINE}".encode()
FILE = "test.yaml"

CASES = {bad.name: bad.text.replace("¶", "").encode() for bad in BAD_FILES}
CASES |= {name: f"{HEAD}rules:\n{FINE}{BIG[name]}".encode() for name in ("unknown keys", "one long zone")}
CASES |= {name: HOSTILE[name] for name in ("brackets", "a billion laughs", "random bytes")}
CASES |= {
    "nothing at all": b"",
    "a program": b"\x7fELF\x02\x01\x01",
    "a page": b"<!doctype html><title>Sign in</title>",
    "half of a good file": GOOD[: len(GOOD) // 2],
    "a conflict nobody has resolved": b"<<<<<<< HEAD\n" + GOOD + b"=======\n>>>>>>> theirs\n",
    "an include": b"scorecard: !include /etc/passwd\n",
    "a template": b"scorecard: {{ var.value.secret }}\n",
    "an object": b"!!python/object/apply:os.system ['id']\n",
    "a merge": b"a: &a {b: 1}\nscorecard: {<<: *a}\n",
}

LINE = re.compile(rf"{re.escape(FILE)}:\d+:\d+: [^\n]+; [^\n]+")


@pytest.fixture(scope="module")
def ws(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory):
    """A deployment with one good version in force."""
    home = tmp_path_factory.mktemp("bad_rules")
    ledger = Ledger(f"sqlite:///{shutil.copy(migrated_file, home / 'ledger.db')}")
    (home / "rules").mkdir()
    policy = MAPPINGS.with_name("policy.yaml")
    ws = Workspace(ledger, Lake(str(home / "lake")), home / "rules", MAPPINGS, home / "reports", policy)
    (ws.rules_dir / FILE).write_bytes(GOOD)
    [news] = adopt_rules(ws, at=MORNING, by="test")
    assert news.what == "activated"
    yield ws
    ledger.close()


def in_force(ws: Workspace) -> bytes:
    version = tables.rules_version
    with ws.ledger.reading() as connection:
        seq = activations.active(connection, "test").version_seq
        return connection.scalar(
            select(version.c.body).where(version.c.scorecard == "test", version.c.seq == seq)
        )


def test_there_are_at_least_280_of_them():
    assert len(set(CASES.values())) >= 280


@pytest.mark.parametrize("body", [pytest.param(body, id=name[:80]) for name, body in CASES.items()])
def test_a_bad_file_is_refused_line_by_line_and_the_last_good_one_stays_in_force(ws, body):
    (ws.rules_dir / FILE).write_bytes(body)
    started = time.process_time()
    [news] = adopt_rules(ws, at=MORNING, by="test")
    spent = time.process_time() - started

    assert news.what == "rejected"
    assert news.problems
    assert [line for line in news.problems if not LINE.fullmatch(line)] == []
    assert in_force(ws) == GOOD
    assert adopt_rules(ws, at=MORNING, by="test") == [], "it is remembered and not looked at again"
    assert spent < 5, "meant to be below one second; five on a busy machine"


def test_the_good_file_is_good():
    """So that each of the others is refused for what is wrong with it."""
    card, problems = check_scorecard(GOOD)
    assert card is not None
    assert problems == []
