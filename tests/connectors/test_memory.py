"""The CRM in memory keeps every promise of a connector, so that other tests may use it."""

from datetime import UTC, datetime

import pytest

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.memory import MemoryCrm
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable
from rescore.lake.records import ActivityRecord, SetAside
from tests.connectors.contract import ConnectorContract


class MemoryRig:
    score, text = "score", "band"

    def __init__(self) -> None:
        self.connector = MemoryCrm(page_size=40)
        self.leads = [str(number) for number in range(250)]
        for lead in self.leads:
            self.connector.put_lead(lead, {"country": "Norway"})
            at = datetime(2026, 11, 1, tzinfo=UTC)
            self.connector.put_activity(ActivityRecord(f"a{lead}", lead, "page_view", at, asset="/pricing"))
        self.connector.put_unreadable("activities", SetAside("activity", "x", "time_missing", "{}"))

    def shown(self, lead_id: str, name: str) -> str | None:
        value = self.connector.shown[lead_id].get(name)
        return None if value is None else str(value)

    def people(self) -> int:
        return len(self.connector.shown)

    def edit_by_hand(self, lead_id: str, name: str, value: str) -> None:
        self.connector.edit(lead_id, name, value, at=datetime(2026, 11, 2, tzinfo=UTC), by="user 7")

    def limit_rate(self, seconds: float) -> None:
        self.connector.failures.append(CrmRateLimited("come back later", retry_after=seconds))

    def go_down(self) -> None:
        self.connector.failures.append(CrmUnavailable("nobody there"))

    def lock_out(self) -> None:
        self.connector.failures.append(CrmRejectedCredentials("wrong token"))


@pytest.fixture
def rig() -> MemoryRig:
    return MemoryRig()


class TestMemory(ConnectorContract):
    pass


def test_a_refused_record_is_refused_with_the_reason_and_others_are_written():
    crm = MemoryRig().connector
    crm.refuse("3", "the owner locked it")
    results = crm.write([ScoreUpdate("3", {"score": 1}), ScoreUpdate("4", {"score": 1})])
    assert [(result.kind, result.reason) for result in results] == [
        ("record", "the owner locked it"),
        ("ok", None),
    ]


def test_a_merged_lead_is_no_longer_there_to_be_written():
    crm = MemoryRig().connector
    crm.put_lead("1", {}, merged=["2"])
    assert crm.write([ScoreUpdate("2", {"score": 1})])[0].kind == "gone"
