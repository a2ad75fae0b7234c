"""Control 14: a PostgreSQL role with rows alone runs everything but `rescore setup ledger`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url, text

from rescore.errors import SettingsIncomplete
from rescore.ledger import status, tables
from rescore.ledger.migrate import migrate, require_current
from rescore.ledger.transaction import Ledger
from rescore.pipeline.erase import erase
from rescore.pipeline.reconcile import read_back, rescue
from rescore.pipeline.rules_change import rollback
from rescore.pipeline.shadow_report import shadow_report
from rescore.pipeline.verify import verify_scores
from tests.erasure.conftest import PERSON, live, open_job
from tests.support import databases
from tests.support.airflow_home import PROJECT
from tests.support.main_job import RULES, Job

pytestmark = pytest.mark.postgres


def documented_grants() -> str:
    """The SQL that SECURITY.md tells an administrator to run."""
    (block,) = re.findall(r"```sql\n(.*?)```", (PROJECT / "SECURITY.md").read_text(), re.DOTALL)
    return block


@pytest.fixture
def limited() -> Iterator[Ledger]:
    """A ledger that was set up by its owner, through a role with the documented rights alone."""
    role = f"rescore_run_{uuid.uuid4().hex[:8]}"
    with databases.new_database() as url:
        owner = Ledger(url)
        migrate(owner)
        owner.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(documented_grants().replace("rescore_run", role))
        ledger = Ledger(make_url(url).set(username=role).render_as_string(hide_password=False))
        yield ledger
        ledger.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")


@pytest.fixture
def job(limited, tmp_path) -> Job:
    return open_job(limited, tmp_path / "home")


def test_a_whole_life_needs_no_more_than_rows(job, limited):
    require_current(limited)
    live(job)
    mapping = job.ws.mappings()["hubspot"]
    rescue(limited, now=job.now)
    read_back(limited, job.crm, mapping=mapping, now=job.now, everybody=True)
    verify_scores(job.ws, sample=10, at=job.now, seed=1)
    shadow_report(job.ws, "b2b_saas", at=job.now)
    job.write_rules(RULES.replace("points: 20", "points: 21"))
    job.run()
    rollback(job.ws, "b2b_saas", at=job.now, by="ute")
    assert erase(job.ws, **PERSON, by="ute", at=job.now)["erased"] == 1
    with limited.reading() as connection:
        status.status(connection, job.now)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("CREATE TABLE mine (a int)", id="make a table"),
        pytest.param("DROP TABLE score", id="drop one"),
        pytest.param("ALTER TABLE score ADD COLUMN mine text", id="change one"),
        pytest.param("TRUNCATE delivery", id="empty one at once"),
        pytest.param("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", id="make a function"),
        pytest.param("COPY score TO PROGRAM 'cat'", id="start a program"),
        pytest.param("UPDATE alembic_version SET version_num = '9999'", id="forge the revision"),
    ],
)
def test_more_than_rows_is_refused_in_a_sentence(limited, statement):
    with (
        pytest.raises(SettingsIncomplete, match="does not let this user do that"),
        limited.transaction() as connection,
    ):
        connection.execute(text(statement))


def test_every_table_is_among_those_granted(limited):
    with limited.reading() as connection:
        for table in tables.metadata.sorted_tables:
            connection.execute(table.select().limit(1))
