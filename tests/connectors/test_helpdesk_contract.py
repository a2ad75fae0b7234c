"""The smallest connector keeps every promise of a source, and docs/connectors.md shows its code."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from rescore.errors import CrmRateLimited, CrmUnavailable
from tests.connectors.contract import UNTIL, SourceContract, read
from tests.connectors.helpdesk import SYSTEM
from tests.connectors.helpdesk.connector import Helpdesk
from tests.connectors.pretend_server import Asked, PretendServer, Reply

DOCS = Path(__file__).parents[2] / "docs" / "connectors.md"
MAPPING = {
    "mapping": "desk",
    "connector": "helpdesk",
    "mode": "live",
    "leads": {"attributes": {"plan": {"property": "plan", "type": "text"}}},
    "customers": "/customers",
    "tickets": {"path": "/tickets", "type": "ticket_opened", "fields": {"priority": "priority"}},
}
PAGE = 40


class Desk:
    """A help desk that behaves: two feeds whose tokens are positions."""

    def __init__(self) -> None:
        self.token, self.trouble = "good", None
        opened = [(UNTIL - timedelta(days=number)).isoformat() for number in range(1, 101)]
        self.rows = {
            "/customers": [
                {"id": n, "email": f"c{n}@example.com", "plan": "pro" if n % 2 else None} for n in range(260)
            ],
            "/tickets": [
                {"id": n, "customer": n % 7, "opened_at": at, "priority": "high"}
                for n, at in enumerate([*opened, "soon"])
            ],
        }

    def answer(self, asked: Asked) -> Reply:
        if asked.headers["authorization"] != f"Bearer {self.token}":
            return Reply(401)
        if self.trouble:
            return self.trouble
        start = int(asked.query.get("after") or 0)
        rows = self.rows[asked.path][start : start + PAGE]
        end = start + len(rows)
        return Reply(body={"rows": rows, "next": str(end), "more": end < len(self.rows[asked.path])})


class DeskRig:
    def __init__(self, server: PretendServer, desk: Desk) -> None:
        self.desk = desk
        self.leads = [str(number) for number in range(260)]
        self.connector = Helpdesk(server.url, "good", SYSTEM.mapping.model_validate(MAPPING))

    def lock_out(self) -> None:
        self.desk.token = "another"


@pytest.fixture
def rig():
    desk = Desk()
    with PretendServer(desk.answer) as server:
        yield DeskRig(server, desk)


class TestHelpdesk(SourceContract):
    pass


def test_what_it_reads_are_leads_and_activities(rig):
    [*_, last] = read(rig.connector, "tickets")
    ticket = last.activities[-1]
    assert (ticket.lead_id, ticket.type, ticket.fields) == ("1", "ticket_opened", {"priority": "high"})
    assert [(one.record_id, one.reason) for one in last.set_aside] == [("ticket:100", "time_unreadable")]
    assert read(rig.connector, "customers")[0].leads[1].attributes == {"plan": "pro"}


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (Reply(429, headers={"Retry-After": "7"}), CrmRateLimited, "in 7 seconds"),
        (Reply(503), CrmUnavailable, "could not answer GET /customers (503)"),
        (Reply(200, b"<html>"), CrmUnavailable, "not JSON"),
    ],
    ids=["limit", "down", "HTML"],
)
def test_what_goes_wrong_is_one_sentence(rig, reply, error, said):
    rig.desk.trouble = reply
    with pytest.raises(error) as caught:
        read(rig.connector, "customers")
    assert said in str(caught.value)


def test_the_page_shows_the_code_that_is_tested():
    here = Path(__file__).parent
    tested = [path.read_text() for path in [*sorted((here / "helpdesk").glob("*.py")), Path(__file__)]]
    blocks = re.findall(r"^```python\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 4
    for block in blocks:
        assert any(block in text for text in tested), block
