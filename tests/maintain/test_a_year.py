"""More than a year of runs: the policy names what is left of it, and every promise holds.

The ledger's rows are put there as that time would leave them, one of each kind an hour; scores, facts and
landings are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from rescore.ledger import tables
from rescore.ledger.rules import activations
from rescore.ledger.transaction import Ledger
from rescore.pipeline.belief import belief, committed_belief
from rescore.pipeline.maintain import maintain
from rescore.pipeline.verify import verify_scores
from tests.maintain.aging import age, bytes_in, files_in
from tests.maintain.conftest import open_workspace
from tests.maintain.rows import row
from tests.pipeline.lives import RULES, Life

DAYS, RUNS_A_DAY = 450, 24
DAY, HOUR, QUARTER = timedelta(days=1), timedelta(hours=1), timedelta(minutes=15)
OF_A_RUN = (tables.run, tables.delta, tables.crossing, tables.delivery, tables.attempt, tables.extract)
WINDOWS = {
    tables.run: 90,
    tables.delta: 400,
    tables.crossing: 400,
    tables.delivery: 400,
    tables.attempt: 90,
    tables.extract: 90,
}
LANDINGS = 40
OWN = 2 * LANDINGS + 50
"""Rows of the real runs and extracts."""
LONG = 60 * DAY
"""Files have the age of the machine, which may be ahead of the time of this life."""
LEADS = ("ada", "bob", "cleo")


@pytest.fixture(scope="module")
def life(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The last day of that time, with all that came before."""
    home = tmp_path_factory.mktemp("years")
    (home / "ledger.db").write_bytes(migrated_file.read_bytes())
    life = Life(open_workspace(Ledger(f"sqlite:///{home / 'ledger.db'}"), home))
    for lead in LEADS:
        life.crm.put_lead(lead, {"job_title": "Director"})
    life.run()
    life.ws.lake.fold_in()
    for number in range(LANDINGS):
        life.does(LEADS[number % 3], f"view {number % 30}", hours=number % 48)
        life.now += QUARTER
        life.extract()
        if number % 10 == 9:
            life.ws.lake.fold_in()
    life.rules = RULES.replace("points: 20", "points: 21")
    life.run()
    age(home / "lake", LONG)
    _pile_up(life.ws.ledger, life.now - DAYS * DAY, DAYS * RUNS_A_DAY)
    yield life
    life.ws.ledger.close()


def _pile_up(ledger: Ledger, since, count: int, *, first: int = 0) -> None:
    """What so many runs leave in the ledger, each a row of every kind."""
    moments = [(number, since + number * HOUR) for number in range(first, first + count)]
    shared = [row(table) for table in OF_A_RUN]

    def of_a_run(n, at):
        key, lead = f"old-{n}/b2b_saas", f"hubspot:{n % 5000}"
        yield {"run_key": key, "scorecard": "b2b_saas", "state": "promoted", "as_of": at, "finished_at": at}
        yield {"scorecard": "b2b_saas", "lead": lead, "ver": n, "run_key": key, "as_of": at}
        yield {"scorecard": "b2b_saas", "automation": "mql", "lead": lead, "n": n, "as_of": at} | {
            "outcome": "fired"
        }
        yield {"delivery_id": str(n), "lead": lead, "n": n, "state": "delivered"} | {
            "created_at": at,
            "settled_at": at,
            "body": b"{}" * 200,
        }
        yield {"delivery_id": str(n), "started_at": at, "outcome": "ok"}
        yield {"source": "hubspot", "stream": "gone", "until": at}

    rows = zip(*(of_a_run(n, at) for n, at in moments), strict=True)
    with ledger.transaction() as connection:
        for table, common, given in zip(OF_A_RUN, shared, rows, strict=True):
            connection.execute(insert(table), [common | each for each in given])


def sizes(life) -> dict[str, int]:
    with life.ws.ledger.reading() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in OF_A_RUN
        }


def told(life):
    """What explain says of everybody: the committed score, and that of a moment after a few landings."""
    with life.ws.ledger.reading() as connection:
        [active] = activations.in_force(connection)
    moment = life.now - 10 * QUARTER
    return [
        (lead, str(told.explanation), told.version, told.changes)
        for lead in (f"hubspot:{name}" for name in LEADS)
        for told in (
            committed_belief(life.ws, active, lead),
            belief(life.ws, active, lead, as_of=moment, known_as_of=moment, version=1),
        )
    ]


def test_what_more_than_a_year_left_becomes_what_the_policy_keeps_and_promises_hold(life):
    home = life.ws.reports_dir.parent
    before = {"rows": sizes(life), "ledger": bytes_in_ledger(home), "lake": len(files_in(home / "lake"))}
    lake_bytes = bytes_in(home / "lake")
    said = told(life)

    counts = maintain(life.ws, at=life.now)
    age(home / "lake", LONG)
    maintain(life.ws, at=life.now)  # three nights on: the log is cut at the checkpoint of this one

    after = sizes(life)
    for table, days in WINDOWS.items():
        assert before["rows"][table.name] >= DAYS * RUNS_A_DAY
        assert after[table.name] <= days * RUNS_A_DAY + OWN, table.name
    assert counts["ledger compacted"] == 1
    assert bytes_in_ledger(home) < 0.7 * before["ledger"]
    assert len(files_in(home / "lake")) < 0.3 * before["lake"]
    assert bytes_in(home / "lake") < 0.5 * lake_bytes
    with life.ws.ledger.reading() as connection:
        full = text("SELECT count(*) FROM delivery WHERE length(body) > 0")
        assert connection.scalar(full) <= 30 * RUNS_A_DAY + 1
    assert told(life) == said
    verified = verify_scores(life.ws, sample=100, at=life.now, seed=1)
    assert (verified.checked["b2b_saas"], verified.holds, verified.unchecked) == (3, True, {})


def test_every_further_day_comes_and_goes_and_leaves_things_as_large_as_they_were(life):
    maintain(life.ws, at=life.now)
    home = life.ws.reports_dir.parent
    rows, ledger = sizes(life), bytes_in_ledger(home)
    for day in (1, 2, 3):
        first = (DAYS + day - 1) * RUNS_A_DAY
        _pile_up(life.ws.ledger, life.now - DAYS * DAY, RUNS_A_DAY, first=first)
        maintain(life.ws, at=life.now + day * DAY)
    for name, count in sizes(life).items():
        assert abs(count - rows[name]) <= 2 * RUNS_A_DAY, name
    assert bytes_in_ledger(home) < 1.25 * ledger  # free pages are used again, a quarter of them at most stays


def test_after_it_all_the_next_run_works(life):
    maintain(life.ws, at=life.now)
    life.does("ada", "a demo", kind="form_submit", minutes=1)
    assert life.run()["changed"] >= 1


def bytes_in_ledger(home: Path) -> int:
    return sum(path.stat().st_size for path in home.glob("ledger.db*"))
