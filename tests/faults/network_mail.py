"""A mail server on loopback that misbehaves at any step of a conversation, and what has to be made of it."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rescore.delivery.actions.email import EmailSender
from rescore.delivery.actions.mail_server import MailServer, Tls
from rescore.delivery.sender import Sender
from rescore.messages import House
from rescore.outcome import Kind
from rescore.rules.actions import Email
from tests.faults.network_deliveries import DeliveryTrial
from tests.faults.network_desk import Desk

DOMAIN = "house.example"
STEPS = ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "message")
"""In their order; only after the last one has anything happened."""

ANSWERS = {"greeting": b"220 here", "EHLO": b"250 here", "DATA": b"354 go on"}


class Conversation(socketserver.StreamRequestHandler):
    """One, in which a step may go as the fault says."""

    server: MailDesk

    def handle(self) -> None:
        self.step("greeting")
        while line := self.rfile.readline(2000):
            verb = line[:4].strip().decode("ascii", "replace").upper()
            if verb == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.step({"HELO": "EHLO"}.get(verb, verb))
            if verb == "DATA" and self.open_for_data:
                content = b""
                while not content.endswith(b"\r\n.\r\n") and (more := self.rfile.readline()):
                    content += more
                if content.endswith(b"\r\n.\r\n"):
                    self.step("message", content)

    def step(self, name: str, message: bytes | None = None) -> None:
        """Answer as planned, or as it should be."""
        fault = self.server.fault
        self.open_for_data = name == "DATA" and (fault is None or fault.step != "DATA")
        if message is not None and (fault is None or fault.step != "message" or fault.takes):
            self.server.taken.append(message)
        if fault is not None and fault.step == name:
            self.server.played += 1
            fault.how(self)
        else:
            self.wfile.write(ANSWERS.get(name, b"250 fine") + b"\r\n")

    def until_left(self, tick: Callable[[], None] = lambda: None) -> None:
        """Until the other side hangs up."""
        self.request.settimeout(0.02)
        while not self.server.stopping.is_set():
            try:
                if not self.request.recv(1, socket.MSG_PEEK):
                    return
            except TimeoutError:
                tick()
            except OSError:
                return


class MailDesk(socketserver.ThreadingTCPServer):
    """The server; `taken` are the messages it is responsible for."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.taken: list[bytes] = []
        self.fault: MailFault | None = None
        self.played = 0
        self.stopping = threading.Event()

    @property
    def port(self) -> int:
        """On 127.0.0.1."""
        port: int = self.server_address[1]
        return port

    def handle_error(self, *_: object) -> None:
        """Callers that hang up."""


@contextmanager
def mail_desk() -> Iterator[MailDesk]:
    """One for as long as the block lasts."""
    with MailDesk() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class MailFault:
    """`how` a step goes wrong; the server may have taken the message all the same (`takes`)."""

    name: str
    kind: Kind
    step: str = ""
    how: Callable[[Conversation], None] = lambda conversation: None
    takes: bool = False
    slow: bool = False
    port: Callable[[MailDesk, Desk], int] = lambda mail, desk: mail.port
    host: str = "127.0.0.1"
    tls: Tls = "none"


def says(text: bytes) -> Callable[[Conversation], None]:
    """Answer so."""
    return lambda conversation: conversation.wfile.write(text + b"\r\n") and None


def closes(conversation: Conversation) -> None:
    """No answer, and no connection."""
    conversation.request.shutdown(socket.SHUT_RDWR)


def resets(conversation: Conversation) -> None:
    """The same, rudely."""
    conversation.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for part in (conversation.rfile, conversation.wfile, conversation.request):
        part.close()


def stalls(conversation: Conversation) -> None:
    """No answer for as long as anybody waits."""
    conversation.until_left()


def drips(conversation: Conversation) -> None:
    """A line that never ends, byte by byte."""
    conversation.until_left(lambda: conversation.wfile.write(b"2"))


HOW: dict[str, tuple[Callable[[Conversation], None], bool]] = {
    "closed": (closes, False),
    "reset": (resets, False),
    "no answer": (stalls, True),
    "an answer that dribbles": (drips, True),
    "no SMTP": (says(b"HTTP/1.1 400 Bad Request"), False),
    "a line without end": (says(b"250 " + b"x" * 20_000), False),
}
TOLD_APART = {"no SMTP", "an answer that dribbles"}
"""At `DATA`; otherwise silence there counts as silence after the message: smtplib sends both in one step."""

REFUSED: dict[str, Kind] = {
    "greeting": "transient",
    "EHLO": "transient",
    "MAIL": "unready",
    "RCPT": "record",
    "DATA": "record",
    "message": "record",
}
"""What a refusal for good is about: the sender is ours to correct, a recipient or a text this mail's own."""


def _faults() -> Iterator[MailFault]:
    yield MailFault("no such host", "transient", host="no-such-host.invalid")
    yield MailFault("nothing listens", "transient", port=lambda mail, desk: 1)
    yield MailFault("no TLS where it is expected", "unready", tls="implicit")
    yield MailFault(
        "a certificate that nobody vouches for",
        "unready",
        port=lambda mail, desk: int(desk.gateway.untrusted.rpartition(":")[2]),
        tls="implicit",
    )
    yield MailFault("no STARTTLS", "unready", tls="starttls")
    for step in STEPS:
        for name, (how, slow) in HOW.items():
            after = step == "message" or (step == "DATA" and name not in TOLD_APART)
            lost: Kind = "unknown" if after else "transient"
            yield MailFault(f"{step}: {name}", lost, step, how, slow=slow, takes=step == "message")
        yield MailFault(f"{step}: refused for now", "transient", step, says(b"421 try again later"))
        yield MailFault(f"{step}: refused for good", REFUSED[step], step, says(b"554 never"))
    yield MailFault("message: no answer, and not taken", "unknown", "message", stalls, slow=True)
    yield MailFault(
        "message: an answer of another step", "unknown", "message", says(b"354 go on"), takes=True
    )


MAIL_FAULTS = list(_faults())


class MailTrial(DeliveryTrial):
    """An e-mail is due."""

    def __init__(self, desk: Desk, mail: MailDesk) -> None:
        email = Email("office_mail", (f"sales@{DOMAIN}",), "{lead_id} crossed", "{score} points")
        super().__init__(desk, "mail", email)
        mail.taken.clear()
        self._mail = mail
        self.fault: MailFault | None = None

    def sender(self, url: str, seconds: float) -> Sender:
        server = MailServer("127.0.0.1", self._mail.port, f"rescore@{DOMAIN}", tls="none")
        if (fault := self.fault) is not None:
            port = fault.port(self._mail, self.desk)
            server = MailServer(fault.host, port, f"rescore@{DOMAIN}", tls=fault.tls)
        return EmailSender(lambda name: server, House(internal_domains=frozenset({DOMAIN})), seconds=seconds)

    def effects(self) -> int:
        return len(self._mail.taken)
