"""Over real sockets: no spelling, no redirect and no change of a name's address leads a request inwards."""

import socket
import threading
from collections.abc import Iterator

import pytest

from rescore.connectors.addresses import AllowedHosts
from rescore.connectors.session import NoAnswer, Session
from rescore.errors import SettingsIncomplete
from tests.connectors.pretend_server import PretendServer, Reply

ANY_HOST = AllowedHosts.read("http://*:* https://*:*")
"""A deployment that trusts every name: then the addresses alone hold the line."""


@pytest.fixture
def inside() -> Iterator[PretendServer]:
    """A server on the loopback that nobody should reach."""
    with PretendServer(lambda asked: Reply(body={"secret": True})) as server:
        yield server


class Names:
    """A resolver whose answers are given, one after the other; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "2130706433",
        "017700000001",
        "0",
        "0.0.0.0",
        "127.0.0.1.",
        "localhost",
        "LocalHost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "user@127.0.0.1",
        "good.example.com@127.0.0.1",
        "127.0.0.1#@good.example.com",
        "127.0.0.1\\@good.example.com",
        "%31%32%37.0.0.1",
    ],
)
def test_no_spelling_of_the_loopback_gets_through(inside, host):
    port = inside.url.rpartition(":")[2]
    named = host.replace("#", f":{port}/#").replace("\\", f":{port}\\")
    url = f"http://{named}" + ("" if named != host else f":{port}/")
    with pytest.raises((SettingsIncomplete, NoAnswer)) as refused:
        Session(seconds=5, allowed=ANY_HOST).send("GET", url)
    assert inside.asked == []
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["93.184.216.34", "127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["224.0.0.1"],
    ],
    ids=["inside", "inside, six", "inside beside a public one", "NAT64", "6to4", "multicast"],
)
def test_a_name_that_leads_inwards_is_refused_before_anything_is_sent(inside, addresses):
    url = f"http://api.example.com:{inside.url.rpartition(':')[2]}/"
    with pytest.raises(SettingsIncomplete, match=r"api\.example\.com must not be asked"):
        Session(seconds=5, allowed=ANY_HOST, resolve=Names(addresses)).send("GET", url)
    assert inside.asked == []


def test_what_was_checked_is_what_is_connected_to(inside):
    """The name means 127.0.0.2 when it is looked up, and 127.0.0.1 ever after."""
    port = int(inside.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.2", port)) as outside:
        outside.settimeout(5)
        names = Names(["127.0.0.2"], ["127.0.0.1"])
        allowed = AllowedHosts.read("http://*:* 127.0.0.2/32")
        session = Session(seconds=0.5, allowed=allowed, resolve=names)
        with pytest.raises(NoAnswer, match="did not answer"):
            session.send("GET", f"http://api.example.com:{port}/first")
        reached, _ = outside.accept()
        assert reached.recv(100).startswith(b"GET /first")
        reached.close()
        assert names.asked == ["api.example.com"]  # once: nobody looks again between check and connect
        with pytest.raises(SettingsIncomplete, match="must not be asked"):
            session.send("GET", f"http://api.example.com:{port}/second")
    assert inside.asked == []


def test_a_redirect_inwards_is_an_answer_and_is_not_followed(inside):
    with PretendServer(lambda asked: Reply(307, headers={"Location": inside.url})) as outside:
        assert Session(seconds=5).send("POST", outside.url, body=b"signed").status == 307
    assert inside.asked == []


def test_a_host_that_is_not_allowed_is_not_even_looked_up():
    names = Names(["93.184.216.34"])
    session = Session(seconds=5, allowed=AllowedHosts.read("api.example.com"), resolve=names)
    with pytest.raises(SettingsIncomplete, match=r"does not allow https://hooks\.example\.net; .* add it"):
        session.send("POST", "https://hooks.example.net/in", body=b"{}")
    assert names.asked == []


def test_a_resolver_that_hangs_is_left_behind():
    hang = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        hang.wait(30)
        return []

    session = Session(seconds=0.3, allowed=ANY_HOST, resolve=resolve)
    with pytest.raises(NoAnswer) as caught:
        session.send("GET", "http://api.example.com/")
    hang.set()
    assert not caught.value.sent


def test_the_next_address_is_tried_when_the_first_does_not_answer(inside):
    names = Names(["127.0.0.9", "127.0.0.1"])  # nobody listens at the first
    session = Session(seconds=5, allowed=AllowedHosts.read("http://*:* 127.0.0.0/8"), resolve=names)
    assert session.send("GET", inside.url.replace("127.0.0.1", "api.example.com")).status == 200
    assert inside.asked[0].headers["host"].startswith("api.example.com")
