"""What stands before the API: the token, the rate limits, the latency, and scripted faults."""

import asyncio
import json
import re
import uuid
from collections import deque
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox_crm.faults import Faults
from sandbox_crm.sandbox import Sandbox

API: Final = ("/crm/", "/events/", "/email/", "/marketing/", "/form-integrations/", "/account-info/")
HOOKS: Final = "/sandbox/hooks/"
VARIABLE_PART: Final = re.compile(r"/(\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")
TEN_SECONDS: Final = 10.0


class Window:
    """Counts calls in a rolling span of seconds."""

    def __init__(self, allowed: int, seconds: float) -> None:
        self.allowed, self.seconds = allowed, seconds
        self.taken: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until one more call fits; 0 when it fits now."""
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        return 0.0 if len(self.taken) < self.allowed else self.taken[0] + self.seconds - now

    def take(self, now: float) -> int:
        """Count a call; how many are left."""
        self.taken.append(now)
        return self.allowed - len(self.taken)


class Gate:
    """ASGI middleware for every call under the vendor's paths; the sandbox's own pages pass.

    Webhooks are received without a token or a limit, and have faults too.
    """

    def __init__(self, app: ASGIApp, *, sandbox: Sandbox, latency: float, faults: Faults | None) -> None:
        self.app, self.sandbox, self.latency, self.faults = app, sandbox, latency, faults
        limits = sandbox.limits
        self.general = Window(limits.per_ten_seconds, TEN_SECONDS)
        self.searches = Window(limits.search_per_second, 1.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the call through, or answer in its place."""
        if scope["type"] != "http" or not scope["path"].startswith((*API, HOOKS)):
            await self.app(scope, receive, send)
            return
        let_pass = self.app if scope["path"].startswith(HOOKS) else self._pass
        if self.faults and (fault := self.faults.next_for(scope["method"], scope["path"])):
            await self.faults.play(fault, let_pass, scope, receive, send)
            return
        await let_pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        if problem := _token_problem(scope, self.sandbox.token):
            self.sandbox.refused[401] += 1
            await answer(send, 401, _error(problem, category="INVALID_AUTHENTICATION"))
            return
        searching = scope["path"].endswith("/search")
        if refused := self._limited(searching):
            self.sandbox.refused[429] += 1
            await answer(send, 429, *refused)
            return
        now = self._seconds()
        left = self.general.take(now)
        if searching:
            self.searches.take(now)
        self.sandbox.calls[endpoint(scope)] += 1
        headers = {} if searching else self._headers(left)  # the vendor's search answers carry none

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_raw(headers)]
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _limited(self, searching: bool) -> tuple[dict[str, Any], dict[str, str]] | None:
        """The body and headers of a 429, when a limit is reached."""
        now, limits = self._seconds(), self.sandbox.limits
        waits = {"TEN_SECONDLY_ROLLING": self.general.wait(now)}
        if searching:
            waits["SECONDLY"] = self.searches.wait(now)
        if self.sandbox.calls.total() >= limits.per_day:
            waits["DAILY"] = 3600.0
        policy, wait = max(waits.items(), key=lambda item: item[1])
        if not wait:
            return None
        body = _error(
            f"You have reached your {policy.lower()} limit.", errorType="RATE_LIMIT", policyName=policy
        )
        retry_after = {"Retry-After": str(max(1, round(wait + 0.5)))}
        return body, retry_after if policy == "SECONDLY" else self._headers(0) | retry_after

    def _seconds(self) -> float:
        return self.sandbox.now() / 1000

    def _headers(self, left: int) -> dict[str, str]:
        limits = self.sandbox.limits
        return {
            "X-HubSpot-RateLimit-Max": str(limits.per_ten_seconds),
            "X-HubSpot-RateLimit-Remaining": str(max(0, left)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Daily": str(limits.per_day),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, limits.per_day - self.sandbox.calls.total())),
        }


async def answer(
    send: Send, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    """Send a small JSON answer from below the routes."""
    raw = [(b"content-type", b"application/json;charset=utf-8"), *_raw(headers or {})]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def endpoint(scope: Scope) -> str:
    """Method and path, with ids folded, so that calls can be counted by endpoint."""
    return f"{scope['method']} {VARIABLE_PART.sub('/{id}', scope['path'])}"


def _token_problem(scope: Scope, token: str) -> str | None:
    sent = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    if not sent:
        return (
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can "
            "find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
        )
    return None if sent == f"Bearer {token}" else "The access token is unknown or was revoked."


def _error(message: str, **more: str) -> dict[str, Any]:
    return {"status": "error", "message": message, "correlationId": str(uuid.uuid4())} | more


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
