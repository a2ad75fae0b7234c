"""A sandbox CRM on a free loopback port, for tests and scripts."""

import threading
from types import TracebackType
from typing import Any, Self

import uvicorn

from sandbox_crm.app import create_app
from sandbox_crm.faults import CuttableProtocol
from sandbox_crm.sandbox import UNLIMITED, Limits, Sandbox
from sandbox_crm.world import World

TOKEN = "pat-sandbox-0000"  # noqa: S105 - opens nothing but this sandbox
WEBHOOK_SECRET = "whsec_c2FuZGJveC1jcm0tc2VjcmV0LTAwMDAwMA=="  # noqa: S105


class SandboxServer:
    """Serves a world over a real socket from a thread, for as long as the `with` block lasts.

    Without limits unless some are given, without latency, and with faults that can be scripted.
    """

    def __init__(
        self,
        world: World,
        *,
        limits: Limits = UNLIMITED,
        token: str = TOKEN,
        webhook_secret: str = WEBHOOK_SECRET,
        latency: float = 0.0,
    ) -> None:
        self.token, self.webhook_secret = token, webhook_secret
        self.app = create_app(
            world, token=token, webhook_secret=webhook_secret, limits=limits, latency=latency, faults=True
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app, host="127.0.0.1", port=0, log_level="warning", http=CuttableProtocol, lifespan="off"
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def sandbox(self) -> Sandbox:
        """The server's state, to look at."""
        state: Any = self.app.state
        found: Sandbox = state.sandbox
        return found

    @property
    def url(self) -> str:
        """Where it listens."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox CRM did not start; its reason is in the log above")
            self._thread.join(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
