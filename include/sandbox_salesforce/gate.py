"""What stands before the API: the session, the calls of 24 hours, and scripted faults."""

from __future__ import annotations

import json
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox_crm.faults import Faults
from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.vendor import Refusal

DATA: Final = "/services/data/"
LONGEST_ADDRESS: Final = 16_384


class Gate:
    """ASGI middleware; only what is below `/services/data/` needs a session and counts as a call."""

    def __init__(self, app: ASGIApp, *, organisation: Organisation, faults: Faults) -> None:
        self.app, self.organisation, self.faults = app, organisation, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the call through, or answer in its place."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if fault := self.faults.next_for(scope["method"], scope["path"]):
            await self.faults.play(fault, self._pass, scope, receive, send)
            return
        await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        org = self.organisation
        if not scope["path"].startswith(DATA):
            await self.app(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        if said.removeprefix("Bearer ") not in org.sessions:
            await _answer(send, Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid"))
            return
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
            await _answer(send, Refusal(414, "URI_TOO_LONG", "the address is too long"))
            return
        if org.used >= org.daily:
            await _answer(send, Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
            return
        org.used += 1
        org.calls[f"{scope['method']} {scope['path']}"] += 1
        usage = f"api-usage={org.used}/{org.daily}".encode()

        async def send_with_usage(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"Sforce-Limit-Info", usage)]
            await send(message)

        await self.app(scope, receive, send_with_usage)


async def _answer(send: Send, refusal: Refusal) -> None:
    headers = [(b"content-type", b"application/json;charset=UTF-8")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(refusal.body).encode()})
