"""One conversation with a mail server, in steps, so that it is known whether the message may have left."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

from rescore.outcome import Kind, Outcome

ACCEPTED = (250, 251)
LOGGED_IN = 235
REFUSALS = range(400, 600)
Tls = Literal["implicit", "starttls", "none"]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out, and the address it comes from; TLS at once, by STARTTLS, or not at all."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Tls = "implicit"
    verify: bool = True


class _Refused(Exception):
    """The server said no to one step; for good it is `kind`, for now it is transient."""

    def __init__(self, step: str, code: int, kind: Kind) -> None:
        self.kind: Kind = kind if code >= 500 else "transient"
        super().__init__(f"refused {step} ({code})")


def plain_message(
    sender: str, to: Sequence[str], subject: str, text: str, *, message_id: str, now: datetime
) -> EmailMessage:
    """Plain text, marked as nobody's own words; `message_id` is the same over every attempt."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{message_id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def hand_over(
    message: EmailMessage, to: Sequence[str], server: MailServer, *, seconds: float, name: str
) -> Outcome:
    """Give a message to a mail server; `name` is what the Connection is called in reasons.

    Until the message itself is on its way nothing has happened, whatever fails. From then on only the
    server's answer tells: without one the outcome is `unknown`. A recipient refused for good does not keep
    the mail from the others; one refused for now (greylisting) puts it off for all.
    """
    who, sent = f"the mail server behind connection `{name}`", False
    try:
        content = message.as_bytes(policy=SMTP)
        with _conversation(server, seconds) as smtp:
            _must(smtp.mail(server.sender), "the sender", "unready")
            refused = _name_recipients(smtp, to)
            sent = True
            answer = smtp.data(content)
            if answer[0] not in REFUSALS and answer[0] not in ACCEPTED:
                return Outcome("unknown", f"{who} answered the message with what is no answer to it")
            _must(answer, "the message", "record")
    except _Refused as refusal:
        return Outcome(refusal.kind, f"{who} {refusal}")
    except smtplib.SMTPDataError as error:  # refused before it was given the message
        return Outcome(_Refused("", error.smtp_code, "record").kind, f"{who} refused it ({error.smtp_code})")
    except smtplib.SMTPAuthenticationError as error:
        kind = _Refused("", error.smtp_code, "auth").kind
        return Outcome(kind, f"{who} refused user or password ({error.smtp_code})")
    except smtplib.SMTPNotSupportedError:
        missing = "no STARTTLS, or no way to log in with this user and password"
        return Outcome("unready", f"{who} offers {missing}; correct the Connection")
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or "handshake failed"
        return Outcome("unknown" if sent else "unready", f"{who} offers no TLS that can be trusted ({why})")
    except UnicodeError:  # its text holds what could not be sent
        wrong = f"the host, the user, the password or an address of connection `{name}`"
        return Outcome("unready", f"{wrong} has characters that no mail server takes; write it anew")
    except (smtplib.SMTPException, OSError) as error:
        # their texts hold addresses, which are personal data
        return Outcome("unknown" if sent else "transient", f"{who} broke off ({type(error).__name__})")
    return Outcome("ok", f"refused for {refused} of {len(to)} recipients" if refused else None)


@contextmanager
def _conversation(server: MailServer, seconds: float) -> Iterator[smtplib.SMTP]:
    """Connected, encrypted and logged in; cut when its time is up, wherever it hangs."""
    us = server.sender.rpartition("@")[2]
    smtp = (
        smtplib.SMTP_SSL(local_hostname=us, timeout=seconds, context=_context(server))
        if server.tls == "implicit"
        else smtplib.SMTP(local_hostname=us, timeout=seconds)
    )
    smtp._host = server.host  # type: ignore[attr-defined]  # whom the certificate must name: connect() forgets it
    timer = threading.Timer(seconds, _cut, [smtp])
    timer.daemon = True
    timer.start()
    try:
        _must(smtp.connect(server.host, server.port), "the connection", "transient", (220,))
        if server.tls == "starttls":
            smtp.starttls(context=_context(server))
        smtp.ehlo_or_helo_if_needed()
        if server.user:
            _log_in(smtp, server)
        yield smtp
    finally:
        timer.cancel()
        smtp.close()


def _log_in(smtp: smtplib.SMTP, server: MailServer) -> None:
    """`smtplib` knows ASCII alone; beyond it only PLAIN says how a password is written (RFC 4616)."""
    if (server.user + server.password).isascii():
        smtp.login(server.user, server.password)
        return
    if "PLAIN" not in smtp.esmtp_features.get("auth", "").upper().split():
        raise smtplib.SMTPNotSupportedError
    plain = b64encode(f"\0{server.user}\0{server.password}".encode()).decode()
    code, answer = smtp.docmd("AUTH", f"PLAIN {plain}")
    if code != LOGGED_IN:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _name_recipients(smtp: smtplib.SMTP, to: Sequence[str]) -> int:
    """How many of them the server refused for good."""
    answers = [smtp.rcpt(address) for address in to]
    refused = [answer for answer in answers if answer[0] not in ACCEPTED]
    for answer in refused:
        if answer[0] < 500 or len(refused) == len(to):
            _must(answer, "a recipient", "record")
    return len(refused)


def _must(answer: tuple[int, bytes], step: str, kind: Kind, codes: Sequence[int] = ACCEPTED) -> None:
    if answer[0] not in codes:
        raise _Refused(step, answer[0], kind)


def _cut(smtp: smtplib.SMTP) -> None:
    if smtp.sock is not None:
        try:
            socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)  # below TLS: the reader wakes with an end
        except OSError:
            return  # already gone


def _context(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not server.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
