"""`python -m sandbox_crm`: starts, says where it listens, and says one sentence when it cannot."""

import socket
import subprocess
import sys
import time

import requests


def command(port: int, *more: str) -> list[str]:
    return [sys.executable, "-m", "sandbox_crm", "--port", str(port), "--token", "t", "--leads", "60", *more]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_serves_the_world_it_was_asked_for(tmp_path):
    port = free_port()
    with subprocess.Popen(
        command(port, "--cache", str(tmp_path)), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            lines = [server.stdout.readline() for _ in range(3)]
            assert "60 leads" in lines[-1]
            assert lines[-1].strip().endswith(f"http://127.0.0.1:{port}/")
            status = wait_for(f"http://127.0.0.1:{port}/sandbox/status")
            assert sum(status["rows"]["contacts"].values()) == 60
            assert status["faults"] is None
            refused = requests.post(
                f"http://127.0.0.1:{port}/sandbox/faults", json={"faults": []}, timeout=10
            )
            assert refused.status_code == 404, "faults are off unless asked for"
        finally:
            server.terminate()
    assert list(tmp_path.iterdir()), "the world is kept"


def wait_for(url: str) -> dict:
    """Its first answer; a minute is for a machine that is busy."""
    for _ in range(1200):
        try:
            return requests.get(url, timeout=30).json()
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer")


def test_a_taken_port_gives_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(command(port), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"sandbox CRM: port {port} on 127.0.0.1 cannot be used (Address already in use); "
        "choose another with --port"
    ]
