"""Tryton keeps every promise of a connector, shown on a live server that no one here wrote."""

from collections.abc import Iterator

import pytest

from rescore.connectors.tryton import Limits, Tryton
from tests.connectors.contract import VendorContract
from tests.connectors.pretend_server import Reply
from tests.support.tryton.gateway import Gateway, call_lost
from tests.support.tryton.rig import connection_to, tryton_mapping
from tests.support.tryton.server import TrytonServer

pytestmark = pytest.mark.xdist_group("tryton")

SMALL = Limits(calls=10**6, page=60, overlap=60, waits=1)


class TrytonRig:
    score, text = "rescore_score", "rescore_band"

    def __init__(self, server: TrytonServer, gateway: Gateway) -> None:
        self._server = server
        self._gateway = gateway
        self.connector = Tryton(connection_to(gateway.url), tryton_mapping(), SMALL)
        self.dates = {
            str(number): made
            for number, made in server.rows("SELECT id, create_date FROM sale_opportunity ORDER BY id")
        }
        self.leads = list(self.dates)

    def shown(self, lead_id: str, name: str) -> str | None:
        [(value,)] = self._server.rows(f"SELECT {name} FROM sale_opportunity WHERE id = ?", int(lead_id))
        return None if value is None else str(value)

    def people(self) -> int:
        [(count,)] = self._server.rows("SELECT count(*) FROM sale_opportunity")
        return count

    def edit_by_hand(self, lead_id: str, name: str, value: str) -> None:
        self._server.as_user("sales").call("model.sale.opportunity.write", [int(lead_id)], {name: int(value)})

    def limit_rate(self, seconds: float) -> None:
        limited = Reply(429, b"", {"Retry-After": str(seconds)})
        self._gateway.plays.append(("", lambda pass_on: limited))

    def go_down(self) -> None:
        self._gateway.plays.append(("", call_lost))

    def lock_out(self) -> None:
        self._gateway.always = lambda pass_on: Reply(401, b"")


@pytest.fixture
def rig(tryton: TrytonServer) -> Iterator[TrytonRig]:
    with Gateway(tryton.url) as gateway:
        yield TrytonRig(tryton, gateway)


class TestTryton(VendorContract):
    pass
