"""What the demo and the story rest on: ports, processes, verdicts."""

import json
import socket
import sys
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import psutil
import pytest

from demo.airflow_api import AirflowApi
from demo.checks import DoesNotHold, eventually, holds
from demo.places import CannotStart, Places
from demo.processes import Process
from demo.rule_edits import change_points


@pytest.fixture
def places(tmp_path):
    return Places(home=tmp_path, airflow_port=18_301, crm_port=18_302, rules_dir=tmp_path)


def test_a_taken_port_is_one_sentence_with_the_way_out(places):
    with socket.socket() as taken, socket.socket() as free:
        for each in (taken, free):
            each.bind(("127.0.0.1", 0))
        taken.listen()
        port, free_port = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        with pytest.raises(CannotStart) as told:
            replace(places, airflow_port=free_port, crm_port=port).require_free_ports()
    assert f"port {port}" in str(told.value)
    assert "CRM_PORT=" in str(told.value)
    assert "\n" not in str(told.value)


def test_every_address_is_the_loopback(places):
    environment = places.environment()
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    for name, value in environment.items():
        if name.startswith("AIRFLOW_CONN_"):
            assert json.loads(value)["host"].startswith("http://127.0.0.1:")


def test_secrets_are_new_every_time(tmp_path):
    first, second = (Places(tmp_path, 1, 2, tmp_path) for _ in range(2))
    assert {first.password, first.crm_token, first.webhook_secret}.isdisjoint(
        {second.password, second.crm_token, second.webhook_secret}
    )


def test_a_stopped_process_takes_its_children_with_it(tmp_path):
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    process = Process(tmp_path, "family")
    process.start([sys.executable, "-c", f"import subprocess, sys, time; {child}; time.sleep(60)"], {})
    deadline = time.monotonic() + 60
    while len(process.members()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    family = process.members()
    assert len(family) == 2

    assert process.stop()

    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)
    assert not process.is_alive()
    assert not process.stop()


def test_a_pid_that_became_somebody_elses_is_left_alone(tmp_path):
    somebody = psutil.Process()
    (tmp_path / "old.pid").write_text(f"{somebody.pid} {somebody.create_time() - 1000}")
    assert not Process(tmp_path, "old").stop()
    assert somebody.is_running()


def test_a_sentence_that_does_not_hold_says_what_was_seen():
    with pytest.raises(DoesNotHold, match=r"all green \(seen: red\)"):
        holds("all green", False, "red")


def test_waiting_ends_with_the_sentence_that_stayed_false():
    with pytest.raises(DoesNotHold, match="the sun rises"):
        eventually("the sun rises", lambda: False, seconds=0.1, every=0.01)


def test_an_edit_changes_the_points_of_one_rule_only(tmp_path):
    rules = "rules:\n  - id: a\n    label: A\n    points: 3\n  - id: b\n    points: 5\n"
    file = tmp_path / "card.yaml"
    file.write_text(rules)
    change_points(file, by=4, rule="b")
    assert file.read_text() == rules.replace("5", "9")


class LockedOnce(BaseHTTPRequestHandler):
    """Takes note of a run, answers that its database was locked, and from then on that it knows the run."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body["dag_run_id"])
        self.send_response(500 if len(self.asked) == 1 else 409)
        self.end_headers()

    def log_message(self, *_) -> None:
        """Nobody reads it."""


def test_a_run_that_airflow_may_have_taken_is_asked_for_again_by_the_same_name(places):
    with HTTPServer(("127.0.0.1", 0), LockedOnce) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        run_id = AirflowApi(replace(places, airflow_port=server.server_port)).trigger("score_leads")
        server.shutdown()
    assert LockedOnce.asked == [run_id, run_id]
