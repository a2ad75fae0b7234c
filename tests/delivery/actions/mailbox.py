"""A mail server on loopback that takes mail, and refuses or breaks off where a test tells it to."""

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Mailbox:
    """Takes mail; a step named in `answers` is answered so, `cut` before or `late` after its effect."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.answers: dict[str, str] = {}

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        envelope.mail_from = address
        return self._answer(server, "MAIL") or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        refused = self._answer(server, f"RCPT {address}") or self._answer(server, "RCPT")
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.answers.get("DATA") != "cut" and not self.answers.get("DATA", "").startswith(("4", "5")):
            self.taken.append(envelope.content)
        return self._answer(server, "DATA") or "250 OK"

    def _answer(self, server: SMTP, step: str) -> str | None:
        answer = self.answers.get(step)
        if answer in ("cut", "late"):
            server.transport.abort()
        return answer

    def read(self) -> EmailMessage:
        [content] = self.taken
        return message_from_bytes(content, policy=policy.default)


class Serving:
    """A mail server on loopback for one test."""

    def __init__(self, mailbox: Mailbox, **options) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._controller = Controller(mailbox, hostname="127.0.0.1", port=self.port, **options)

    def __enter__(self) -> int:
        self._controller.start()
        return self.port

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
