"""Faults a test scripts in advance: wrong or slow answers, and connections cut before or after the effect."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

Passing = Callable[[Scope, Receive, Send], Awaitable[None]]


class Fault(BaseModel):
    """What to do to the next calls to a path.

    Attributes:
        path: The beginning of the paths it applies to.
        method: Only calls of this method.
        skip: Calls to let through first.
        count: Calls it applies to.
        delay: Seconds to wait first.
        late: Seconds to keep the answer back, when the call has had its effect.
        status: Answer this instead of working; None works as usual.
        body: The answer's body, when there is a status.
        headers: The answer's headers, when there is a status.
        cut: Close the connection without an answer, before the call has its effect or after it.
    """

    path: str = "/"
    method: str | None = None
    skip: int = Field(0, ge=0)
    count: int = Field(1, ge=1)
    delay: float = Field(0, ge=0, le=600)
    late: float = Field(0, ge=0, le=600)
    status: int | None = Field(None, ge=200, le=599)
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    cut: Literal["before", "after"] | None = None


class Faults:
    """The faults still to come, and how many have been played."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.played = 0

    def next_for(self, method: str, path: str) -> Fault | None:
        """The fault that applies to this call, counted down; the first one set goes first."""
        for fault in self.waiting:
            if path.startswith(fault.path) and fault.method in (None, method):
                if fault.skip:
                    fault.skip -= 1
                    return None
                fault.count -= 1
                if not fault.count:
                    self.waiting.remove(fault)
                self.played += 1
                return fault
        return None

    async def play(self, fault: Fault, let_pass: Passing, scope: Scope, receive: Receive, send: Send) -> None:
        """Do to this call what the fault says."""
        await asyncio.sleep(fault.delay)
        if fault.cut == "after":
            await let_pass(scope, receive, _swallow)
        if fault.cut:
            await _cut(scope, receive)
        elif fault.status:
            await _answer(fault, send)
        else:
            await let_pass(scope, receive, _late(send, fault.late))


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP protocol that remembers connections, so that one can be cut without an answer."""

    by_caller: Final[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection under the caller's address."""
        self.by_caller[transport.get_extra_info("peername")[:2]] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.by_caller.pop(self.transport.get_extra_info("peername")[:2], None)
        super().connection_lost(exc)


async def _cut(scope: Scope, receive: Receive) -> None:
    if connection := CuttableProtocol.by_caller.get(tuple(scope["client"])):  # the caller may have gone first
        connection.abort()
    while (await receive())["type"] != "http.disconnect":
        pass  # what is left of the body


def _late(send: Send, seconds: float) -> Send:
    """Sends what it is given, so many seconds after the answer was ready."""

    async def send_late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return send_late


async def _swallow(_: Message) -> None:
    """Takes an answer and sends it nowhere."""


async def _answer(fault: Fault, send: Send) -> None:
    body = fault.body if isinstance(fault.body, str) else json.dumps(fault.body or {})
    headers = {"content-type": "application/json;charset=utf-8"} | fault.headers
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": fault.status, "headers": raw})
    await send({"type": "http.response.body", "body": body.encode()})
