"""A sandbox organisation on a free loopback port, for tests and scripts."""

from __future__ import annotations

import threading
from typing import Any, Self

import uvicorn

from sandbox_crm.faults import CuttableProtocol, Fault, Faults
from sandbox_salesforce.app import create_app
from sandbox_salesforce.organisation import Organisation


class SalesforceServer:
    """Serves an organisation over a real socket from a thread, for as long as the `with` block lasts."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.app = create_app(organisation)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app, host="127.0.0.1", port=0, log_level="warning", http=CuttableProtocol, lifespan="off"
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def fault(self, **what: Any) -> None:
        """Script a fault; see `sandbox_crm.faults.Fault`."""
        faults: Faults = self.app.state.faults
        faults.waiting.append(Fault(**what))

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox organisation did not start; its reason is in the log above")
            self._thread.join(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
