"""An e-mail to colleagues, over a real SMTP conversation: at most once, in plain text, to nobody outside."""

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from rescore.delivery.actions.email import EmailSender
from rescore.delivery.actions.mail_server import MailServer
from rescore.errors import SettingsIncomplete
from rescore.messages import House
from rescore.outcome import Outcome
from rescore.rules.actions import Email
from tests.delivery.actions.claims import ID, NOW, a_claim
from tests.delivery.actions.mailbox import Mailbox, Serving
from tests.support.certificates import self_signed

HOUSE = House(internal_domains=frozenset({"example.com"}))
PASSWORD = "notforanyone"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def port(mailbox) -> Iterator[int]:
    with Serving(mailbox) as port:
        yield port


class Dripping:
    """Sends its greeting byte by byte, so that no single read ever takes long; `sent` counts the bytes."""

    def __init__(self) -> None:
        self.sent = 0
        self._stopping = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._drip, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        return self._listening.getsockname()[1]

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._listening.close()

    def _drip(self) -> None:
        caller, _ = self._listening.accept()
        with caller:
            while not self._stopping.wait(0.02):
                try:
                    self.sent += caller.send(b"2")
                except OSError:
                    return


def server_at(port: int, **fields) -> MailServer:
    return MailServer("127.0.0.1", port, "rescore@example.com", **{"tls": "none"} | fields)


def an_email(**fields) -> Email:
    said = {"to": ("sales@example.com",), "subject": "{label}", "text": "{label}: {score} points"}
    return Email("office_mail", **said | fields)


def send(
    server: MailServer,
    action: Email | None = None,
    *,
    uncertain: bool = False,
    seconds: float = 30.0,
    **places,
) -> Outcome:
    claim = a_claim(action or an_email(), uncertain=uncertain, **{"label": "MQL", "score": "120"} | places)
    return EmailSender(lambda connection: server, HOUSE, seconds=seconds).send(claim, now=NOW)


def test_the_mail_arrives_as_plain_text_under_the_id_of_its_delivery(port, mailbox):
    assert send(server_at(port), label="Größe 🚀") == Outcome("ok")
    mail = mailbox.read()
    assert (mail["From"], mail["To"]) == ("rescore@example.com", "sales@example.com")
    assert (mail["Subject"], mail.get_content_type()) == ("Größe 🚀", "text/plain")
    assert mail.get_content().strip() == "Größe 🚀: 120 points"
    assert mail["Message-ID"] == f"<{ID}@example.com>"
    assert datetime.strptime(mail["Date"], "%a, %d %b %Y %H:%M:%S %z").astimezone(UTC) == NOW
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_text_with_lines_of_dots_and_markup_arrives_as_it_is(port, mailbox):
    text = "..\n.\nQUIT\n<script>alert(1)</script>\n" + "x" * 2000
    send(server_at(port), an_email(text=text))
    assert mailbox.read().get_content().splitlines() == text.splitlines()


@pytest.mark.parametrize(
    "subject", ["hot\r\nBcc: all@example.com", "hot\nX: y", "hot\r", "a\x00b", "a\u2028b", "a\x85b", "a\tb"]
)
def test_a_subject_that_could_forge_headers_is_refused(port, mailbox, subject):
    outcome = send(server_at(port), label=subject)
    assert (outcome.kind, mailbox.taken) == ("record", [])
    assert "hot" not in outcome.reason


@pytest.mark.parametrize(
    "to",
    [
        pytest.param(("lead@elsewhere.example",), id="another domain"),
        pytest.param(("sales@example.com", "lead@elsewhere.example"), id="one of two"),
        pytest.param(("sales@sub.example.com",), id="below ours"),
        pytest.param(("sales@example.com.elsewhere.example",), id="ours as a prefix"),
        pytest.param(("lead%elsewhere.example@example.com",), id="percent hack"),
        pytest.param(("elsewhere.example!lead@example.com",), id="bang path"),
        pytest.param(("sales@example.com, lead@elsewhere.example",), id="two in one"),
        pytest.param(("sales@example.com\r\nRCPT TO:<lead@elsewhere.example>",), id="a command in it"),
        pytest.param(("Sales <lead@elsewhere.example> sales@example.com",), id="with a name"),
        pytest.param(('"lead@elsewhere.example"@example.com',), id="quoted"),
        pytest.param((), id="nobody"),
    ],
)
def test_nobody_outside_is_written_to_whatever_the_rules_once_said(port, mailbox, to):
    outcome = send(server_at(port), an_email(to=to))
    assert (outcome.kind, mailbox.taken) == ("record", [])
    assert "elsewhere" not in outcome.reason


def test_what_may_have_gone_out_is_not_sent_again(port, mailbox):
    outcome = send(server_at(port), uncertain=True)
    assert (outcome.kind, mailbox.taken) == ("unknown", [])


@pytest.mark.parametrize(
    ("step", "answer", "kind"),
    [
        ("MAIL", "550 not you", "unready"),
        ("MAIL", "451 later", "transient"),
        ("MAIL", "cut", "transient"),
        ("RCPT", "550 nobody", "record"),
        ("RCPT", "450 greylisted", "transient"),
        ("RCPT", "cut", "transient"),
        ("DATA", "554 spam", "record"),
        ("DATA", "452 full", "transient"),
        ("DATA", "354 go on", "unknown"),
        ("DATA", "200 hm", "unknown"),
        ("DATA", "cut", "unknown"),
        ("DATA", "late", "unknown"),
    ],
)
def test_only_a_message_without_an_answer_to_it_is_unknown(port, mailbox, step, answer, kind):
    mailbox.answers = {step: answer}
    outcome = send(server_at(port))
    assert outcome.kind == kind
    assert "sales@example.com" not in outcome.reason
    assert len(mailbox.taken) == (step == "DATA" and answer in ("late", "354 go on", "200 hm"))


def test_a_recipient_refused_for_good_does_not_keep_it_from_the_others(port, mailbox):
    mailbox.answers = {"RCPT left@example.com": "550 left the company"}
    outcome = send(server_at(port), an_email(to=("left@example.com", "sales@example.com")))
    assert outcome == Outcome("ok", "refused for 1 of 2 recipients")
    assert len(mailbox.taken) == 1


def test_a_recipient_refused_for_now_puts_it_off_for_all(port, mailbox):
    mailbox.answers = {"RCPT slow@example.com": "450 greylisted"}
    outcome = send(server_at(port), an_email(to=("slow@example.com", "sales@example.com")))
    assert (outcome.kind, mailbox.taken) == ("transient", [])


def test_nobody_listening_is_no_mystery():
    assert send(server_at(9)).kind == "transient"


def test_a_server_that_never_answers_is_left_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = send(server_at(silent.getsockname()[1]), seconds=0.3)
    assert outcome.kind == "transient"


def test_a_server_that_drips_its_answer_is_left_in_time():
    dripping = Dripping()
    with dripping as port:
        assert send(server_at(port), seconds=0.5).kind == "transient"
    assert dripping.sent < 4000, "the longest line that smtplib takes is twice as long"


def test_a_connection_that_is_not_ready_sends_nothing():
    def server_of(connection):
        raise SettingsIncomplete(f"the Connection `{connection}` does not allow Rescore to send to it")

    outcome = EmailSender(server_of, HOUSE).send(a_claim(an_email()), now=NOW)
    assert outcome.kind == "unready"


def test_a_sender_address_that_is_none_is_told_before_anything_is_sent(port, mailbox):
    outcome = send(MailServer("127.0.0.1", port, "Rescore <a@example.com>", tls="none"))
    assert (outcome.kind, mailbox.taken) == ("unready", [])


def test_user_and_password_that_are_refused(mailbox):
    def nobody(server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with Serving(mailbox, authenticator=nobody, auth_require_tls=False) as port:
        outcome = send(server_at(port, user="rescore", password=PASSWORD))
    assert outcome.kind == "auth"
    assert PASSWORD not in outcome.reason + repr(server_at(port, user="rescore", password=PASSWORD))


def welcome(known: list[LoginPassword]):
    """An authenticator that lets everybody in and keeps what they said."""

    def let_in(server, session, envelope, mechanism, data) -> AuthResult:
        known.append(data)
        return AuthResult(success=True)

    return let_in


@pytest.mark.parametrize(
    ("user", "password"), [("rescore", "pässwort–1"), ("böt", "geheim"), ("bot", "geheim")]
)
def test_user_and_password_may_have_any_letters(mailbox, user, password):
    known: list[LoginPassword] = []
    with Serving(mailbox, authenticator=welcome(known), auth_require_tls=False) as port:
        assert send(server_at(port, user=user, password=password)) == Outcome("ok")
    assert [(said.login, said.password) for said in known] == [(user.encode(), password.encode())]
    assert len(mailbox.taken) == 1


def test_a_server_that_has_no_way_to_take_such_letters_gets_no_mail_and_no_password(mailbox):
    known: list[LoginPassword] = []
    options = {"auth_require_tls": False, "auth_exclude_mechanism": ["PLAIN"]}
    with Serving(mailbox, authenticator=welcome(known), **options) as port:
        outcome = send(server_at(port, user="rescore", password="pässwort"))
    assert (outcome.kind, known, mailbox.taken) == ("unready", [], [])
    assert "no way to log in with this user and password" in outcome.reason
    assert "pässwort" not in outcome.reason


@pytest.mark.parametrize(
    "fields",
    [{"user": "rescore", "password": "\ud800"}, {"host": "ü" * 70 + ".example"}],
    ids=["password", "host"],
)
def test_what_no_mail_server_takes_is_told_without_being_shown(mailbox, fields):
    with Serving(mailbox, authenticator=welcome([]), auth_require_tls=False) as port:
        outcome = send(replace(server_at(port), **fields))
    assert (outcome.kind, mailbox.taken) == ("unready", [])
    assert "of connection `office_mail` has characters" in outcome.reason


def test_a_server_without_the_encryption_asked_for_gets_no_mail(port, mailbox):
    assert send(server_at(port, tls="starttls")).kind == "unready"
    assert mailbox.taken == []


@pytest.mark.parametrize(
    ("verify", "kind"), [(True, "unready"), (False, "ok")], ids=["checked", "not checked"]
)
def test_a_certificate_nobody_vouches_for(mailbox, tmp_path, verify, kind):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    with Serving(mailbox, tls_context=context) as port:
        assert send(server_at(port, tls="starttls", verify=verify)).kind == kind
    assert len(mailbox.taken) == (kind == "ok")
