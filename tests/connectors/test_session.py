"""HTTP: every request ends in time, with an answer or with one sentence."""

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rescore.connectors.session import Answer, NoAnswer, Session
from rescore.errors import SettingsIncomplete
from tests.connectors.pretend_server import Asked, PretendServer, Reply
from tests.support.certificates import self_signed

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def always(reply: Reply):
    return lambda asked: reply


@pytest.fixture
def server() -> Iterator[PretendServer]:
    with PretendServer(always(Reply())) as server:
        yield server


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        pytest.param(HEAD + b"Content-Length: 400\r\n\r\n" + b"x" * 400, True, id="the body drips"),
        pytest.param(HEAD + b"X-Long: " + b"x" * 400, True, id="the headers drip"),
        pytest.param(HEAD + b"\r\n" + b"x" * 400, True, id="a body without length drips"),
    ],
)
def test_the_deadline_counts_the_whole_answer_not_each_read(server, raw, sent):
    server.answer = always(Reply(raw=raw, drip=0.05))
    with pytest.raises(NoAnswer, match=r"did not answer within 0\.4 seconds") as caught:
        Session(seconds=0.4).send("GET", server.url)  # each answer is complete after 20 seconds
    assert caught.value.sent is sent


def test_a_session_is_good_again_after_a_deadline(server):
    session = Session(seconds=2)
    server.answer = always(Reply(raw=HEAD + b"X: " + b"x" * 100, drip=0.05))
    with pytest.raises(NoAnswer):
        session.send("GET", server.url)
    server.answer = always(Reply(body={"fine": True}))
    assert session.send("GET", server.url).body == b'{"fine": true}'


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(HEAD + b"Content-Length: 10\r\n\r\n[1,", id="less than promised"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="not HTTP"),
        pytest.param(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[1]", id="two lengths"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="broken chunks"),
        pytest.param(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", id="broken gzip"),
    ],
)
def test_an_incomplete_answer_is_no_answer_and_its_effect_is_unknown(server, raw):
    server.answer = always(Reply(raw=raw))
    with pytest.raises(NoAnswer, match="broke the connection") as caught:
        Session(seconds=30).send("POST", server.url, json={})
    assert caught.value.sent


def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut_off(server):
    bomb = gzip.compress(b"0" * 3_000_000)
    server.answer = always(Reply(body=bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(NoAnswer, match="more than 1000000 bytes"):
        Session(seconds=30, largest=1_000_000).send("GET", server.url)


def test_nothing_listening_is_one_sentence_that_names_the_host():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NoAnswer, match=f"nothing listens at 127.0.0.1:{port}") as caught:
        Session(seconds=30).send("GET", f"http://user:secret@127.0.0.1:{port}/")
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


def test_an_unknown_host_is_one_sentence():
    with pytest.raises(NoAnswer, match=r"there is no host crm\.invalid") as caught:
        Session(seconds=30).send("GET", "http://crm.invalid/")
    assert not caught.value.sent


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "nonsense"])
def test_what_is_no_web_address_is_one_sentence(url):
    with pytest.raises(NoAnswer, match="is not a web address"):
        Session(seconds=30).send("GET", url)


def test_a_redirect_is_an_answer_and_nobody_follows_it(server):
    server.answer = always(Reply(status=307, headers={"Location": server.url + "/elsewhere"}))
    answer = Session(seconds=30).send("POST", server.url, body=b"signed")
    assert answer.status == 307
    assert len(server.asked) == 1


@pytest.mark.parametrize("place", [b"http://[", b"\xff\xfe", b"//\xe2\x80\x93:x"])
def test_a_redirect_to_what_is_no_address_is_an_answer_like_any_other(server, place):
    server.answer = always(
        Reply(raw=b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\nContent-Length: 0\r\n\r\n")
    )
    assert Session(seconds=30).send("POST", server.url).status == 302


@pytest.mark.parametrize("secret", ["pat\u2013eu1", "pät-eu1", "pat-eu1\n", "pat-eu1\r\nX-More: 1", "\ud800"])
def test_a_header_that_cannot_be_one_is_one_sentence_without_its_text_and_nothing_is_sent(server, secret):
    for ours in [{"headers": {"Authorization": f"Bearer {secret}"}}, {}]:
        with pytest.raises(SettingsIncomplete, match=r"the header `\w+` .* correct the secret") as caught:
            Session(seconds=30, **ours).send("GET", server.url, headers={"Signature": secret})
        assert secret not in str(caught.value)
    assert server.asked == []


def test_proxies_and_netrc_of_the_environment_do_not_count(server, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password leaked\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert Session(seconds=30).send("GET", server.url).status == 200
    assert "authorization" not in server.asked[0].headers


def test_a_failed_post_is_not_sent_again(server):
    def cut(asked: Asked) -> Reply:
        return Reply(raw=b"")

    server.answer = cut
    with pytest.raises(NoAnswer):
        Session(seconds=30).send("POST", server.url, json={})
    assert len(server.asked) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_url(certificate) -> Iterator[str]:
    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = HTTPServer(("127.0.0.1", 0), Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_nobody_vouches_for_is_one_sentence(tls_url):
    with pytest.raises(NoAnswer, match="TLS that can be trusted") as caught:
        Session(seconds=30).send("GET", tls_url)
    assert not caught.value.sent


def test_a_bundle_makes_it_trusted(tls_url, certificate):
    assert Session(seconds=30, verify=str(certificate)).send("GET", tls_url).status == 204


def test_a_plain_server_behind_https_is_one_sentence(server):
    with pytest.raises(NoAnswer):
        Session(seconds=30).send("GET", server.url.replace("http:", "https:"))


def test_a_handshake_that_never_comes_ends_with_the_deadline():
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(NoAnswer, match=r"in time|within"),
    ):
        Session(seconds=0.4).send("GET", f"https://127.0.0.1:{silent.getsockname()[1]}/")


NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5),
        ("172800", 172_800),
        ("Mon, 23 Nov 2026 07:28:00 GMT", 1_680),
        ("Mon, 23 Nov 2026 06:28:00 GMT", 0),
        ("Mon Nov 23 07:28:00 2026", 1_680),
        ("-5", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("Mon, 99 Nov 2026 07:28:00 GMT", None),
        (None, None),
    ],
)
def test_a_pause_is_asked_for_in_seconds_or_until_a_date(header, seconds):
    headers = {} if header is None else {"retry-after": header}
    assert Answer(503, headers, b"").retry_after(NOW) == seconds
