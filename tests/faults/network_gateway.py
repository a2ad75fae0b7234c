"""A gateway on loopback before a CRM: it passes calls on, or does to them what a fault says."""

from __future__ import annotations

import http.client
import json
import select
import socket
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from tests.support.certificates import self_signed

SECRET = "whsec_ZmF1bHRzLWZhdWx0cy1mYXVsdHMtZmF1bHRz"
SLACK, HOOK = "/slack", "/hook"
OF_A_CONNECTION = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclass(frozen=True)
class Answer:
    """What the CRM said."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def saying(self, body: Any) -> Answer:
        """The same with another body."""
        return replace(self, body=body if isinstance(body, bytes) else json.dumps(body).encode())


class Call:
    """One call that has arrived: a fault may let it have its effect, and answer whatever it likes."""

    def __init__(self, gateway: Gateway, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self._gateway, self._handler = gateway, handler
        self.method, self.path, self.body = handler.command, handler.path, body

    def effect(self, body: Any = None) -> Answer:
        """Pass it on, perhaps with another body; what the CRM answers."""
        sent = self.body if body is None else json.dumps(body).encode()
        return self._gateway.pass_on(self, sent, self._handler.headers)

    def answer(self, answer: Answer) -> None:
        """Answer as a well-behaved server."""
        handler = self._handler
        handler.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            if name.lower() not in OF_A_CONNECTION:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)

    def raw(self, content: bytes) -> None:
        """Bytes as they are."""
        self._handler.wfile.write(content)

    def close(self) -> None:
        """Nothing more on this connection."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        sock = self._handler.connection
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()
        for part in (self._handler.rfile, self._handler.wfile, sock):
            part.close()

    def until_left(self, every: float | None = None, tick: Callable[[], None] = lambda: None) -> None:
        """Keep the caller waiting until it hangs up; `tick` does something every so many seconds."""
        sock = self._handler.connection
        while not self._gateway.stopping.is_set():
            ready, _, _ = select.select([sock], [], [], every or 0.05)
            if ready:
                return
            tick()
        self.close()


Play = Callable[[Call], None]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Callers that hang up early are what all this is about."""


class Gateway:
    """Passes calls on to a CRM but for those that `fault` plays with; has a chat and a webhook of its own.

    `fault` gets the calls for which `hits` is true. `played` counts them, `calls` all there were. `posts` are
    the chat's messages, `hooks` the webhook's bodies by id.
    """

    def __init__(self, crm: str, certificate: Path) -> None:
        self._crm = urlsplit(crm).netloc
        self.fault: Play | None = None
        self.hits: Callable[[Call], bool] = lambda call: True
        self.played = self.calls = 0
        self.posts: list[bytes] = []
        self.hooks: dict[str, list[bytes]] = defaultdict(list)
        self.stopping = threading.Event()
        self._under_way = 0
        self._changed = threading.Condition()
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self._tls = _Handshakes(certificate)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def untrusted(self) -> str:
        """Host and port of a server whose certificate nobody vouches for."""
        return f"127.0.0.1:{self._tls.port}"

    def __enter__(self) -> Gateway:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._tls.close()

    def quiet(self) -> None:
        """Return when no call is under way: also those that nobody waits for have had their effect."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0, timeout=10)

    def pass_on(self, call: Call, body: bytes, headers: Any) -> Answer:
        """The effect."""
        if call.path == SLACK:
            self.posts.append(body)
            return Answer(200, b"ok")
        if call.path == HOOK:
            return self._take(body, headers)
        crm = http.client.HTTPConnection(self._crm, timeout=30)
        sent = {name: value for name, value in headers.items() if name.lower() not in OF_A_CONNECTION}
        try:
            crm.request(
                call.method, call.path, body=body or None, headers=sent | {"Accept-Encoding": "identity"}
            )
            answer = crm.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.headers))
        finally:
            crm.close()

    def _take(self, body: bytes, headers: Any) -> Answer:
        """As a receiver of Standard Webhooks does, whatever the hour is in the world of the trial."""
        id_, moment = headers["webhook-id"], datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        if Webhook(SECRET).sign(id_, moment, body.decode()) != headers["webhook-signature"]:
            return Answer(401, b"{}")
        self.hooks[id_].append(body)
        return Answer(200, b"{}")

    def arrived(self, call: Call) -> None:
        """Play with it or pass it on."""
        with self._counted():
            if self.fault is not None and self.hits(call):
                self.played += 1
                self.fault(call)
            else:
                call.answer(call.effect())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self.calls += 1
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                gateway.arrived(Call(gateway, self, body))

            do_GET = do_POST = do_PATCH = _any  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class _Handshakes:
    """Offers TLS with a certificate that nobody vouches for; whoever takes it is told that all is well."""

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(5)
                try:
                    with self._context.wrap_socket(caller, server_side=True) as trusted:
                        trusted.recv(65536)
                        trusted.sendall(WELL)
                except OSError:
                    continue


@contextmanager
def gateway(crm: str, folder: Path) -> Iterator[Gateway]:
    """One in front of a CRM's address, for as long as the block lasts."""
    with Gateway(crm, self_signed(folder)) as serving:
        yield serving
