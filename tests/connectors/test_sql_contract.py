"""A database keeps every promise of a source, on SQLite and on PostgreSQL."""

from datetime import timedelta

import pytest

from tests.conftest import BOTH
from tests.connectors.contract import UNTIL, SourceContract
from tests.connectors.warehouse import Warehouse, warehouse


class WarehouseRig:
    def __init__(self, found: Warehouse) -> None:
        self.connector = found.source(turn=40)
        self.leads = [str(number) for number in range(300)]
        self.lock_out = found.lock_out
        days = [(UNTIL - timedelta(days=1 + number // 7)).isoformat(" ") for number in range(300)]
        found.fill(
            "people",
            [(lead, day, False, "CTO", 5, False, None) for lead, day in zip(self.leads, days, strict=True)],
        )
        found.fill("people", [("no cursor", None, False, "CTO", 5, False, None)])
        found.fill(
            "views",
            [(n, self.leads[n % 90], days[n], days[n], "/pricing", n, "spring") for n in range(300)],
        )


@pytest.fixture(params=BOTH)
def rig(request, tmp_path):
    with warehouse(request.param, tmp_path) as found:
        yield WarehouseRig(found)


class TestSql(SourceContract):
    pass
