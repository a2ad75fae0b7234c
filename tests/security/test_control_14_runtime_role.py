"""Control 14: a PostgreSQL role with rows alone runs everything but `rescore setup ledger`."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from ruamel.yaml import YAML
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


COMPOSE = YAML(typ="safe", pure=True).load((PROJECT / "docker-compose.yaml").read_text())


def by_the_book(url: str, role: str) -> None:
    """As SECURITY.md tells an administrator to do it: first the tables, then the rights."""
    made = Ledger(url)
    migrate(made)
    made.close()
    (grants,) = re.findall(r"```sql\n(.*?)```", (PROJECT / "SECURITY.md").read_text(), re.DOTALL)
    administer(url, grants.replace("rescore_run", role))


def by_compose(url: str, role: str) -> None:
    """As docker-compose.yaml does it: first the roles, then the tables, made by their owner."""
    script = COMPOSE["configs"]["create_ledger"]["content"]
    _, _, inside = script.partition("\\connect rescore\n")
    owner, database = f"{role}_owner", make_url(url).database
    sql = re.sub(
        r"\brescore(_run)?\b", lambda name: role if name[1] else owner, inside.partition("\nSQL\n")[0]
    )
    administer(url, f"CREATE ROLE {owner} LOGIN; CREATE ROLE {role} LOGIN")
    administer(url, f"ALTER DATABASE {database} OWNER TO {owner}; {sql}")
    made = Ledger(as_role(url, owner))
    migrate(made)
    made.close()


def administer(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements)


def as_role(url: str, role: str) -> str:
    return make_url(url).set(username=role).render_as_string(hide_password=False)


@pytest.fixture(params=[by_the_book, by_compose], ids=["by SECURITY.md", "by docker-compose.yaml"])
def limited(request) -> Iterator[Ledger]:
    """A ledger that was set up by its owner, through a role with the documented rights alone."""
    role = f"rescore_run_{uuid.uuid4().hex[:8]}"
    with databases.new_database() as url:
        request.param(url, role)
        ledger = Ledger(as_role(url, role))
        yield ledger
        ledger.close()
        for each in (role, f"{role}_owner"):
            with contextlib.suppress(psycopg.errors.UndefinedObject):
                administer(
                    url, f"REASSIGN OWNED BY {each} TO CURRENT_USER; DROP OWNED BY {each}; DROP ROLE {each}"
                )


@pytest.fixture
def job(limited, tmp_path) -> Job:
    return open_job(limited, tmp_path / "home")


@pytest.mark.parametrize("limited", [by_the_book], ids=["by SECURITY.md"], indirect=True)
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
    counts = erase(job.ws, **PERSON, by="ute", at=job.now)
    assert (counts["erased"], counts["tables left to autovacuum"]) == (1, len(tables.metadata.tables))
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
