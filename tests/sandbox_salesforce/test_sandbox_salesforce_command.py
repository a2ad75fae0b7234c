"""`python -m sandbox_salesforce`: says where it listens and how to come in, or why it cannot."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.catalog import open_source
from rescore.connectors.connection import connection_from_environment
from tests.connectors.salesforce_rig import MAPPING


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sandbox_salesforce", *arguments]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def told(port: int) -> Iterator[list[str]]:
    """What it prints; it serves meanwhile."""
    asked = command("--port", str(port), "--leads", "30", "--contacts", "12")
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            lines = [server.stdout.readline().strip() for _ in range(2)]
            wait_for(f"http://127.0.0.1:{port}/sandbox/status")
            yield lines
        finally:
            server.terminate()


def wait_for(url: str) -> None:
    """A minute is for a machine that is busy."""
    for _ in range(1200):
        try:
            requests.get(url, timeout=30).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{url} did not answer")


def test_whoever_pastes_the_connection_comes_in_and_sees_what_is_written(told: list[str], port: int):
    url = f"http://127.0.0.1:{port}"
    assert told[0] == f"sandbox Salesforce: 30 leads and 12 contacts at {url}"
    variable, _, value = told[1].removeprefix("export ").partition("=")
    pasted = connection_from_environment("rescore_salesforce", {variable: value.strip("'")})
    crm = open_source(pasted, MAPPING)
    crm.check()
    assert people(url) == ["0 of 32 show a score"]
    fields = {"Rescore_Score__c": 47, "Rescore_Reasons__c": "Was called +40"}
    lead = "00QSB000000000B2AQ"
    assert [result.kind for result in crm.write([ScoreUpdate(lead, fields)])] == ["ok"]
    [who, last] = people(url)
    assert who.split() == [lead, "Office", "manager", "47", "Was", "called", "+40"]
    assert last == "1 of 32 show a score"
    before = status(url)
    requests.post(f"{url}/sandbox/call/{lead}?times=3", timeout=30).raise_for_status()
    assert status(url)["rows"]["Task"] == before["rows"]["Task"] + 3
    assert requests.post(f"{url}/sandbox/call/nobody", timeout=30).status_code == 404
    assert (before["records_written"], before["tasks_made"]) == (1, [])


def people(url: str) -> list[str]:
    return requests.get(f"{url}/sandbox/people", timeout=30).text.splitlines()


def status(url: str) -> dict:
    return requests.get(f"{url}/sandbox/status", timeout=30).json()


def test_a_taken_port_gives_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        asked = command("--port", str(port))
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"sandbox Salesforce: port {port} on 127.0.0.1 cannot be used (Address already in use); "
        "choose another with --port"
    ]


def test_a_world_needs_some_people():
    asked = command("--leads", "3")
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2
    assert "a world needs 10 leads and 10 contacts: some of them become others" in done.stderr
