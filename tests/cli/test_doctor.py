"""What a CRM offers, and whether everything that its mapping needs works: on the sandbox CRM."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from sqlalchemy import create_engine
from typer.testing import CliRunner

from rescore.cli.main import app
from rescore.connectors.catalog import read_mapping
from rescore.connectors.checkup import checks
from rescore.connectors.hubspot import HubSpot
from rescore.connectors.memory import MemoryCrm
from rescore.errors import ConnectionLeadsElsewhere
from rescore.ledger.migrate import migrate
from rescore.ledger.outbox import destinations
from rescore.ledger.transaction import Ledger
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world

MAPPING = Path(__file__).parents[2] / "include" / "mappings" / "hubspot.yaml"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return build_world(ends_at=NOW, leads=40, cache=tmp_path_factory.mktemp("world"))


@pytest.fixture
def server(world, tmp_path, monkeypatch):
    """A sandbox CRM whose properties are made, and a deployment that knows its address."""
    (tmp_path / "mappings").mkdir()
    shutil.copy(MAPPING, tmp_path / "mappings")
    with SandboxServer(world) as server:
        server.sandbox.clock = lambda: NOW
        host = server.url.removeprefix("http://")
        monkeypatch.setenv("AIRFLOW_CONN_RESCORE_HUBSPOT", f"http://:{server.token}@{host}")
        monkeypatch.setenv("RESCORE_HOME", str(tmp_path))
        monkeypatch.setenv("RESCORE_MAPPINGS_DIR", str(tmp_path / "mappings"))
        HubSpot(server.url, server.token, read_mapping(MAPPING)).setup()
        yield server


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


def remap(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "mappings" / "hubspot.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def lines(output: str, word: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith(word)]


def test_describe_lists_fields_with_types_and_labels_beside_their_use(server):
    code, output = run("describe", "hubspot")
    assert code == 0
    assert re.search(r"jobtitle +string +Job Title +<- leads.attributes.job_title", output)
    assert re.search(r"rescore_score +number .*<- scores.b2b_saas.score", output)
    assert "Demo request" in output
    assert re.search(r"createdate +datetime, read only +Create Date", output)


def test_doctor_finds_nothing_wrong_with_a_deployment_that_is_right(server):
    code, output = run("doctor", "hubspot", "--try-writing")
    assert lines(output, "problem") == []
    assert code == 0
    assert "ok       the account: portal 24680135" in output
    assert re.search(r"ok       loading `contacts`: \d+ records, 2 calls", output)
    assert (
        "ok       writing: an update of a record that does not exist was taken, and told as `gone`" in output
    )
    assert re.search(r"the first load: \d+ calls and what nobody counts: 0\.0 hours at our pace", output)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("property: jobtitle", "property: jobtitel", "did you mean `jobtitle`?", id="misspelt"),
        pytest.param(
            "property: country, type: text",
            "property: hs_email_optout, type: number",
            "it holds a bool, and is read as a number; correct the `type`",
            id="type",
        ),
        pytest.param("score: rescore_score", "score: hs_object_id", "nobody can write it", id="read only"),
        pytest.param(
            "band: rescore_band", "band: level_of_interest", "`rescore setup` makes it", id="not made"
        ),
        pytest.param(
            "band: rescore_band",
            "band: rescore_scor",
            "`rescore setup` makes it, or says how, or correct the mapping: did you mean `rescore_score`?",
            id="not made, and like another one",
        ),
        pytest.param(
            "rules_version: rescore_rules_version",
            "rules_version: level",
            "`rescore setup` makes it",
            id="number",
        ),
        pytest.param(
            "modified: lastmodifieddate",
            "modified: lastmodified",
            "did you mean `lastmodifieddate`?",
            id="modified",
        ),
        pytest.param(
            "  delivery: rescore_delivery",
            "  delivery: delivered_by",
            "there is none; `rescore setup` makes it",
            id="of tasks",
        ),
    ],
)
def test_a_field_that_does_not_fit_is_told_with_the_way_out(server, tmp_path, old, new, said):
    remap(tmp_path, old, new)
    code, output = run("doctor", "hubspot")
    assert code == 1
    [line] = lines(output, "problem")
    assert said in line


def test_where_the_ids_of_other_sources_records_should_be_is_looked_at(server, tmp_path):
    other = tmp_path / "mappings" / "hubspot_eu.yaml"
    other.write_text(MAPPING.read_text().replace("mapping: hubspot", "mapping: hubspot_eu", 1))
    remap(tmp_path, "leads:", "leads:\n  same_person: {records: {hubspot_eu: [euid]}}")
    [line] = lines(run("doctor", "hubspot")[1], "problem")
    assert "`euid` (leads.same_person.records.hubspot_eu): there is none; correct the mapping" in line


def test_a_refused_token_is_one_problem_and_ends_the_rest(server, monkeypatch):
    host = server.url.removeprefix("http://")
    monkeypatch.setenv("AIRFLOW_CONN_RESCORE_HUBSPOT", f"http://:wrong@{host}")
    code, output = run("doctor", "hubspot")
    assert code == 1
    assert len(output.splitlines()) == 1
    assert "problem  the account: HubSpot refused the token (401)" in output


def test_a_token_with_a_long_dash_is_one_problem_and_is_not_shown(server, monkeypatch):
    host = server.url.removeprefix("http://")
    monkeypatch.setenv("AIRFLOW_CONN_RESCORE_HUBSPOT", f"http://:pat%E2%80%93eu1@{host}")
    code, said = run("doctor", "hubspot")
    assert code == 1
    assert "`rescore_hubspot` has characters that no token has" in " ".join(said.split())
    assert "\u2013" not in said


def test_a_missing_connection_is_one_problem(server, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_RESCORE_HUBSPOT")
    code, output = run("doctor", "hubspot")
    assert (code, len(output.splitlines())) == (1, 1)
    assert "set AIRFLOW_CONN_RESCORE_HUBSPOT" in output


def test_a_stream_that_may_not_be_read_is_a_problem_of_its_own(server):
    refused = {"path": "/email/", "method": "GET", "status": 403, "body": {"category": "MISSING_SCOPES"}}
    requests.post(f"{server.url}/sandbox/faults", json={"faults": [refused]}, timeout=30).raise_for_status()
    code, output = run("doctor", "hubspot")
    [line] = lines(output, "problem")
    assert code == 1, output
    assert line.startswith("problem  reading `email_events`: HubSpot does not let this token do GET /email/")


def test_a_limit_is_told_once_and_ends_the_rest(server):
    limited = {"path": "/crm/", "count": 1000, "status": 429, "body": {}, "headers": {"Retry-After": "3600"}}
    requests.post(f"{server.url}/sandbox/faults", json={"faults": [limited]}, timeout=30).raise_for_status()
    code, said = run("doctor", "hubspot")
    account, limit = said.splitlines()
    assert (code, account.split()[0], limit.split()[0]) == (1, "ok", "problem")
    assert "asks to come back in 3600 seconds" in limit


def test_another_account_than_before_is_a_problem_and_can_be_accepted(server, tmp_path):
    assert run("doctor", "hubspot")[0] == 0
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    assert run("doctor", "hubspot")[0] == 0
    with ledger.transaction() as connection:
        assert destinations.all_of_them(connection) == {}, "looking is no use of it yet"
        destinations.require(connection, "hubspot", "portal 11112222")
    code, output = run("doctor", "hubspot")
    elsewhere = (
        "the Connection of `hubspot` led to portal 11112222 and leads to portal 24680135 now: nothing is "
        "read or written; set it right, or accept the change with `rescore connections accept hubspot`"
    )
    assert (code, output) == (1, f"problem  the account: {elsewhere}\n")
    with pytest.raises(ConnectionLeadsElsewhere, match="led to portal 11112222"):
        CliRunner().invoke(app, ("setup", "hubspot"), catch_exceptions=False)
    assert run("connections", "accept", "hubspot")[0] == 0
    assert run("doctor", "hubspot")[0] == 0
    assert run("setup", "hubspot")[0] == 0
    ledger.close()


def test_nothing_of_anybody_is_shown(server):
    people = server.sandbox.store.rows("SELECT properties FROM objects WHERE type = 'contacts'")
    shown = run("describe", "hubspot")[1] + run("doctor", "hubspot")[1]
    assert people
    for address in re.findall(r"[\w.]+@[\w.]+", " ".join(row["properties"] for row in people)):
        assert address not in shown


def test_a_source_that_tells_little_is_checked_by_reading_it():
    """What every connector gets for nothing: its account, and a page of each stream."""

    class Quiet:
        name, streams = "quiet", ("leads",)

        def __init__(self) -> None:
            self.pages = MemoryCrm().pages

    found = list(checks(Quiet(), read_mapping(MAPPING), until=NOW))
    assert [(check.what, check.ok) for check in found] == [
        ("reading `leads`", True),
        ("the first load", None),
    ]


def test_the_memory_crm_tells_what_it_has():
    crm = MemoryCrm("hubspot")
    crm.put_lead("ada", {"job_title": "CTO"})
    said = [f"{check.what}: {check.says}" for check in checks(crm, read_mapping(MAPPING), until=NOW)]
    assert "loading `leads`: 1 records" in said


def test_a_database_is_described_and_checked_by_its_tables_and_their_columns(tmp_path, monkeypatch):
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "w.yaml").write_text(
        "mapping: w\nconnector: sql\n"
        "leads: {table: people, id: id, cursor: at, attributes: {title: {property: titel, type: text}}}\n"
    )
    database = create_engine(f"sqlite:///{tmp_path / 'w.db'}")
    with database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (id INTEGER, at TEXT, title TEXT)")
        connection.exec_driver_sql("INSERT INTO people VALUES (1, '2026-11-01', 'ask 0301234')")
    monkeypatch.setenv("AIRFLOW_CONN_RESCORE_W", f'{{"conn_type": "sqlite", "host": "{tmp_path}/w.db"}}')
    monkeypatch.setenv("RESCORE_HOME", str(tmp_path))
    monkeypatch.setenv("RESCORE_MAPPINGS_DIR", str(tmp_path / "mappings"))
    code, described = run("describe", "w")
    assert code == 0
    assert "people columns: 3, of which 2 are used" in described
    assert re.search(r"at +text +<- leads.cursor", described)
    assert re.search(r"titel +is not there: leads.attributes.title", described)
    code, output = run("doctor", "w")
    assert code == 1
    assert "ok       tables and views: 1 used, of 1" in output
    assert "(leads.attributes.title): there is none; did you mean `title`?" in output
    assert "0301234" not in described + output


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("contacts/search", "contact/search", id="of contacts"),
        pytest.param("/marketing/v3/forms", "/marketing/v3/formulas", id="of forms"),
    ],
)
def test_a_path_that_the_crm_does_not_know_is_a_problem_of_what_needs_it(server, tmp_path, old, new):
    remap(tmp_path, old, new)
    code, output = run("doctor", "hubspot")
    assert code == 1
    assert {line.split()[0] for line in output.splitlines()} == {"ok", "problem", "unknown"}
    assert all("in the mapping" in line for line in lines(output, "problem"))
