"""Workers die around a call, on both databases: one task, one e-mail, and what nobody knows is asked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from rescore.connectors.memory import MemoryCrm
from rescore.delivery.actions.crm_task import SETTLING, CrmTaskSender
from rescore.delivery.actions.email import EmailSender
from rescore.delivery.actions.mail_server import MailServer
from rescore.delivery.automations import LEASE, run_automations
from rescore.delivery.sender import Sender
from rescore.errors import CrmUnavailable
from rescore.ledger import tables
from rescore.ledger.outbox import breakers, dead_letters
from rescore.ledger.outbox.breakers import FAILURES_IN_A_ROW
from rescore.ledger.outbox.dead_letters import Chosen
from rescore.messages import House
from rescore.outcome import Outcome
from rescore.rules.actions import Action, CrmTask, Email
from tests.delivery.actions.claims import a_mapping
from tests.delivery.actions.mailbox import Mailbox, Serving
from tests.ledger.world import MQL, World, a_card

HOUSE = House(internal_domains=frozenset({"example.com"}))
CALL = CrmTask("crm", "Call: {score} points", due=2)
MAIL = Email("office_mail", ("sales@example.com",), "{label}", "{lead_id} has {score} points")


class Dying:
    """Does its call, and is gone before anybody hears of it."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def send(self, claim, *, now):
        self._sender.send(claim, now=now)
        raise KeyboardInterrupt


@pytest.fixture
def crm() -> MemoryCrm:
    crm = MemoryCrm("crm")
    crm.put_lead("1", {})
    return crm


@pytest.fixture
def tasks(crm) -> Sender:
    return CrmTaskSender(lambda name: crm, lambda name: a_mapping())


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail(mailbox) -> Iterator[Sender]:
    with Serving(mailbox) as port:
        server = MailServer("127.0.0.1", port, "rescore@example.com", tls="none")
        yield EmailSender(lambda connection: server, HOUSE)


def crossed(ledger, action: Action) -> World:
    world = World(ledger, card=a_card(replace(MQL, actions=(action,))))
    world.first_load(**{"crm:1": 10})
    world.score(**{"crm:1": 120})
    return world


def run(world: World, sender: Sender, after: timedelta = timedelta(0)) -> dict[str, int]:
    world.now += after
    kinds = ("crm_task", "email")
    return dict(run_automations(world.ledger, dict.fromkeys(kinds, sender), now=world.tick(), worker="w"))


def die(world: World, sender: Sender) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(world, Dying(sender))


def test_a_worker_that_dies_after_making_a_task_leaves_one_task(ledger, crm, tasks):
    world = crossed(ledger, CALL)
    die(world, tasks)
    assert run(world, tasks) == {}, "its lease is not over"
    assert run(world, tasks, LEASE) == {"delivered": 1}
    assert [made.asked.title for made in crm.tasks.made] == ["Call: 120 points"]
    assert world.rows(tables.delivery, "state", "remote_id") == [("delivered", "1")]


def test_a_task_without_an_answer_is_looked_for_minutes_later(ledger, crm, tasks):
    world = crossed(ledger, CALL)
    crm.tasks.lost_answers = 1
    assert run(world, tasks) == {"deferred": 1}
    assert run(world, tasks, timedelta(seconds=SETTLING / 2)) == {}
    assert run(world, tasks, timedelta(seconds=SETTLING / 2)) == {"delivered": 1}
    assert len(crm.tasks.made) == 1


def test_a_crm_that_is_down_for_days_parks_no_task(ledger, crm, tasks):
    world = crossed(ledger, CALL)
    crm.failures = [CrmUnavailable("the CRM did not answer", sent=False) for _ in range(500)]
    for _ in range(4 * 24 * 3):
        assert "parked" not in run(world, tasks, timedelta(minutes=15))
    [(state, tries)] = world.rows(tables.delivery, "state", "tries")
    assert (state, tries) == ("due", FAILURES_IN_A_ROW - 1)
    assert len(crm.failures) < 500 - 3 * 24
    crm.failures = []
    assert run(world, tasks, timedelta(hours=1)) == {"delivered": 1}


def test_a_task_that_may_be_there_is_looked_for_no_sooner_while_its_crm_is_left_alone(ledger, crm, tasks):
    world = crossed(ledger, CALL)
    with ledger.transaction() as connection:
        for _ in range(FAILURES_IN_A_ROW - 1):
            breakers.note(connection, "crm", Outcome("transient"), world.now)
    crm.tasks.lost_answers = 1
    assert run(world, tasks) == {"deferred": 1}
    assert world.rows(tables.delivery, "tries") == [(0,)]
    with ledger.transaction() as connection:
        assert breakers.close(connection, "crm", "ada")
    assert run(world, tasks, timedelta(seconds=SETTLING / 2)) == {}
    assert run(world, tasks, timedelta(seconds=SETTLING / 2)) == {"delivered": 1}
    assert len(crm.tasks.made) == 1


def test_a_mail_server_that_is_down_for_days_ends_in_the_dead_letters(ledger, mailbox, mail):
    world = crossed(ledger, MAIL)
    mailbox.answers = {"MAIL": "cut"}
    for _ in range(4 * 24 * 2):
        run(world, mail, timedelta(minutes=15))
    assert world.rows(tables.delivery, "state", "tries") == [("parked", 7)]


def test_the_note_about_what_was_left_alone_stays_with_the_delivery(ledger, crm, tasks):
    world = crossed(ledger, CALL)
    run(world, tasks)
    world.score(**{"crm:1": 10})
    world.score(**{"crm:1": 130})
    assert run(world, tasks) == {"delivered": 1}
    notes = {reason for (reason,) in world.rows(tables.delivery, "reason")}
    assert notes == {None, "left as it is: the lead has an open task of this automation"}


def test_an_email_whose_worker_died_is_parked_and_goes_out_again_only_by_a_persons_word(
    ledger, mailbox, mail
):
    world = crossed(ledger, MAIL)
    die(world, mail)
    assert run(world, mail, LEASE) == {"parked": 1}
    assert len(mailbox.taken) == 1
    assert world.rows(tables.delivery, "state", "failure") == [("parked", "unknown")]
    assert run(world, mail, timedelta(days=3)) == {}

    with ledger.transaction() as connection:
        dead_letters.retry(connection, Chosen(), at=world.tick(), by="ada")
    assert run(world, mail) == {"delivered": 1}
    assert len(mailbox.taken) == 2


@pytest.mark.parametrize("answer", ["cut", "late"])
def test_an_email_without_an_answer_is_parked_at_once(ledger, mailbox, mail, answer):
    world = crossed(ledger, MAIL)
    mailbox.answers = {"DATA": answer}
    assert run(world, mail) == {"parked": 1}
    mailbox.answers = {}
    assert run(world, mail, timedelta(days=3)) == {}
    assert len(mailbox.taken) == (answer == "late")


def test_an_email_that_was_certainly_refused_for_now_is_tried_again(ledger, mailbox, mail):
    world = crossed(ledger, MAIL)
    mailbox.answers = {"RCPT": "450 greylisted"}
    assert run(world, mail) == {"deferred": 1}
    mailbox.answers = {}
    assert run(world, mail, timedelta(hours=1)) == {"delivered": 1}
    assert len(mailbox.taken) == 1
