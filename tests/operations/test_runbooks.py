"""Every state in which something can stand still: a person sees it, and the runbook's way out ends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rescore.cli.main import main
from rescore.ledger import tables
from rescore.ledger.status import LEAD_STATES
from tests.conftest import BOTH
from tests.operations.cases import Case
from tests.operations.cases_of_deciding import OF_DECIDING
from tests.operations.cases_of_sending import OF_SENDING
from tests.operations.place import Place, copied, install, live
from tests.operations.runbook import Row, commands, is_said, rows, sections
from tests.support import databases
from tests.support.main_job import RULES

CASES: dict[str, Case] = {**OF_SENDING, **OF_DECIDING}
ROWS = {row.name: row for row in rows()}
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def in_two_days(place: Place) -> str:
    """A day of the week on which the deployment does not live yet."""
    return WEEK[(place.now.weekday() + 2) % 7]


WEBHOOK = "    do: [{webhook: {connection: sales_alerts}}]\n"
BASES: dict[str, Callable[[Place], str]] = {
    "lived": lambda place: RULES,
    "installed": lambda place: RULES,
    "expiring": lambda place: f"{RULES}    deliver: {{expires: 1h}}\n",
    "closed today": lambda place: f"{RULES}    deliver: {{timezone: UTC, days: [{in_two_days(place)}]}}\n",
    "by e-mail": lambda place: RULES.replace(
        WEBHOOK,
        "    do: [{email: {connection: office, to: [sales@example.com], subject: Hot, text: '{score}'}}]\n",
    ),
}


@pytest.fixture(scope="module", params=BOTH)
def bases(request, tmp_path_factory) -> Iterator[Callable[[str], Place]]:
    """Deployments to begin with, each made once on either database."""
    made: dict[str, Place] = {}

    def base(name: str) -> Place:
        if name not in made:
            home = tmp_path_factory.mktemp("base") / "home"
            on_server = request.param == "postgresql"
            place = install(home, databases.created() if on_server else f"sqlite:///{home / 'ledger.db'}")
            place.write_rules(BASES[name](place))
            if name != "installed":
                live(place)
            made[name] = place
        return made[name]

    yield base
    for place in made.values():
        place.end()


@pytest.fixture
def place_of(bases, tmp_path, monkeypatch) -> Iterator[Callable[[Case], Place]]:
    """A deployment of the test's own, which commands find in their environment."""
    made: list[Place] = []

    def place_of(case: Case) -> Place:
        made.append(copied(bases(case.base), tmp_path / "home"))
        for name, value in {**made[0].environment, "COLUMNS": "250", "USER": "rita"}.items():
            monkeypatch.setenv(name, value)
        return made[0]

    yield place_of
    for place in made:
        place.end()


@pytest.fixture
def rescore(capsys) -> Callable[..., str]:
    """What a command says on both streams; it has to succeed unless told otherwise."""

    def rescore(*arguments: str, fine: bool = True) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        assert not fine or not ended.value.code, f"rescore {' '.join(arguments)}: {said.err}"
        return said.out + said.err

    return rescore


def ways_out() -> Iterator[object]:
    for name, row in ROWS.items():
        case = CASES.get(name)
        for number, way in enumerate(row.ways, start=1):
            if case is None or (way.startswith("nothing") and case.alone is None and "`" not in way):
                continue
            told = name if number == 1 else f"{name}, another way ({number})"
            yield pytest.param(row, case, way, id=told)


def names_of(place: Place, case: Case, rescore: Callable[..., str]) -> dict[str, str]:
    found = re.match(r"[0-9a-f-]{36}", rescore("deliveries", "--limit", "1", fine=False))
    known = {"SCORECARD": "b2b_saas", "VERSION": "2", "LEAD": "hubspot:bob", "ID": found[0] if found else ""}
    return {**known, **place.saved, **dict(case.names)}


@pytest.mark.parametrize(("row", "case", "way"), list(ways_out()))
def test_it_is_seen_and_the_way_out_ends_it(row: Row, case: Case, way: str, place_of, rescore):
    place = place_of(case)
    case.arrange(place)
    words = case.words or row.words
    said = rescore(case.look, fine=False)
    assert [word for word in words if not is_said(word, said)] == []
    names = names_of(place, case, rescore)
    for arguments in commands(row.why, names):
        rescore(*arguments)

    if way.startswith("nothing") and "`" not in way:
        case.alone(place)
    else:
        case.mend(place)
        given = list(commands(way, names))
        for arguments in given:
            rescore(*arguments)
        if not given:
            case.by_hand(place)
        case.after(place)

    said = rescore(case.look)
    if case.over is not None:
        assert case.over(place, said)
    else:
        assert [word for word in words if is_said(word, said)] == []


def test_every_row_is_tried_and_leads_to_a_section():
    assert set(CASES) == set(ROWS)
    assert {row.section for row in ROWS.values()} <= sections()
    for name, case in CASES.items():
        assert set(case.words) <= set(ROWS[name].words), name


NEVER_STUCK = "nothing waits: it is over, or it is at rest until something new happens"
VOCABULARY: dict[str, dict[str, str]] = {
    "rules_version.status": {
        "draft": "rules that nobody has judged",
        "rejected": "rejected rules",
        "held": "held rules",
        "discarded": "the file and the rules in force differ",
        "active": NEVER_STUCK,
        "retired": NEVER_STUCK,
        "shadow": NEVER_STUCK,
    },
    "activation.wakes": {
        "scoring": "a rescore is owed",
        "thresholds": "a rescore is owed",
        "wording": NEVER_STUCK,
    },
    "hold.what": {"rules": "held rules", "stage": "a held run", "automation": "held automations"},
    "hold.state": {
        "open": "held rules",
        "released": "an answer that is not carried out",
        "silenced": "an answer that is not carried out",
        "discarded": "paused after a discarded run",
        "expired": "paused after a discarded run",
        "superseded": NEVER_STUCK,
    },
    "run.kind": {
        "incremental": "a run without an end",
        "initial": "the history is loading",
        "daily": "a run without an end",
        "rescore": "a rescore is owed",
        "thresholds": "a rescore is owed",
    },
    "run.state": {
        "scoring": "a run without an end",
        "staged": "a run without an end",
        "held": "a held run",
        "promoting": "a run without an end",
        "promoted": NEVER_STUCK,
        "discarded": "paused after a discarded run",
        "superseded": NEVER_STUCK,
    },
    "sync.state": {
        "due": "a deferred score",
        "settled": NEVER_STUCK,
        "parked": "a parked score",
        "shadow": "a rehearsal",
        "small": "a small change",
        "overridden": "a person's score",
        "deleted": "a lead that the CRM did not find",
        "elsewhere": NEVER_STUCK,
    },
    "record.state": {
        "live": NEVER_STUCK,
        "deleted": NEVER_STUCK,
        "ambiguous": "a person who cannot be told",
    },
    "arming.state": {"armed": NEVER_STUCK, "fired": NEVER_STUCK, "held": "held automations"},
    "crossing.outcome": {
        "fired": NEVER_STUCK,
        "suppressed": "suppressed crossings",
        "held": "held automations",
    },
    "delivery.state": {
        "due": "a delivery that is tried again",
        "delivered": NEVER_STUCK,
        "parked": "a parked delivery",
        "expired": "an expired delivery",
        "cancelled": NEVER_STUCK,
        "discarded": NEVER_STUCK,
    },
    "budget.allowance": {
        "calls": NEVER_STUCK,
        "searches": NEVER_STUCK,
        "day": "a quota that is spent",
    },
    "override.state": {"open": "a person's score", "ended": NEVER_STUCK},
    "erasure.state": {
        "asked": "an erasure that is asked for",
        "begun": "an erasure that was interrupted",
        "swept": "an erasure that was interrupted",
        "done": NEVER_STUCK,
    },
}
"""Every word that a column of the ledger may hold, and the row of the runbook that tells of it."""

LEADS = {
    "barred": "a barred lead",
    "dirty": "new facts",
    "parked": "a parked score",
    "overridden": "a person's score",
    "deferred": "a deferred score",
    "due": "a score in the hands of a dead worker",
    "shadow": "a rehearsal",
    "small": "a small change",
    "deleted": "a lead that the CRM did not find",
    "elsewhere": NEVER_STUCK,
    "outside": NEVER_STUCK,
    "untargeted": "a scorecard that no CRM shows",
    "settled": NEVER_STUCK,
}

WORD = r"[a-z]+(?: \([^)]*\))?"
LIST = re.compile(rf"# ({WORD}(?: · {WORD})+)")


def vocabularies() -> dict[str, set[str]]:
    """`table.column` -> its words, as a comment of `tables/` lists them, beside the column or above it."""
    found: dict[str, set[str]] = {}
    table, above = "", ""
    files = sorted(Path(tables.__file__).parent.glob("*.py"))
    for line in "".join(file.read_text() for file in files).splitlines():
        if opened := re.match(r"(\w+) = Table\(", line):
            table = opened[1]
        column = re.search(r'Column\("(\w+)"', line)
        comment = line if "#" in line else above
        if column and (listed := LIST.search(comment)):
            bare = re.sub(r" \([^)]*\)", "", listed[1])
            found[f"{table}.{column[1]}"] = set(bare.split(" · "))
        above = line if line.strip().startswith("#") else ""
    return found


CLASSES_OF_DATA = {"delivery.kind"}
"""What a thing is, not how it stands."""


def test_every_state_of_the_ledger_is_in_the_runbook_or_at_rest():
    listed = {name: words for name, words in vocabularies().items() if name not in CLASSES_OF_DATA}
    assert {name: set(states) for name, states in VOCABULARY.items()} == listed
    assert set(LEADS) == set(LEAD_STATES)
    told = {row for states in (*VOCABULARY.values(), LEADS) for row in states.values()}
    assert told - {NEVER_STUCK} <= set(ROWS)
