"""One call to HubSpot: paced, awaited, and answered with JSON or with an error that says what to do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rescore.connectors.hubspot.limits import Limits
from rescore.connectors.hubspot.words import code, media_type, names
from rescore.connectors.own_pace import OwnPace
from rescore.connectors.pace import Pace
from rescore.connectors.session import Answer, NoAnswer, Session
from rescore.errors import (
    CrmLacksScope,
    CrmRateLimited,
    CrmRejectedCredentials,
    CrmUnavailable,
)

JsonObject = dict[str, Any]
CONNECTION = "`rescore_hubspot`"
DEFAULT_WAITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}
LIMIT, LIMITS = "RATE_LIMIT", "RATE_LIMITS"
MOST_A_DAY = 10**9
"""Nor a larger quota."""


class Refused(Exception):
    """HubSpot understood the call and said no: a 4xx other than 401, 403 and 429."""

    def __init__(self, what: str, status: int, body: JsonObject) -> None:
        self.status = status
        self.body = body
        super().__init__(f"HubSpot refused {what} ({status}, {code(body.get('category'), 'no category')})")


class Client:
    """Calls below one base URL with one token."""

    def __init__(
        self,
        base_url: str,
        token: str,
        limits: Limits,
        *,
        verify: bool | str = True,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limits = limits
        self.clock = clock
        self._base_url = base_url.rstrip("/")
        self._session = Session(
            seconds=limits.seconds,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            verify=verify,
        )
        self.pace = pace or OwnPace(limits.rates, clock=clock, sleep=sleep)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> JsonObject:
        """Read; see `call` for the errors."""
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any) -> JsonObject:
        """Send JSON; see `call` for the errors."""
        return self.call("POST", path, body=body)

    def write(self, path: str, body: Any) -> JsonObject:
        """Send JSON that makes or changes something; see `call` for the errors."""
        return self.call("POST", path, body=body, writes=True)

    def make(self, path: str, body: Any) -> JsonObject:
        """Send JSON that makes something, and would make it twice; see `call` for the errors."""
        return self.call("POST", path, body=body, writes=True, once=True)

    def search(self, path: str, body: Any) -> JsonObject:
        """Search, at the slower pace that searches have of their own."""
        return self.call("POST", path, body=body, allowances=("calls", "searches"))

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        allowances: Sequence[str] = ("calls",),
        writes: bool = False,
        once: bool = False,
    ) -> JsonObject:
        """One call, after waiting out what must be waited out; one that `writes` belongs to no stream.

        One that may be heard only `once` is not made again where a success speaks of a limit.

        Raises:
            Refused: A 4xx that its caller knows more about.
            CrmRejectedCredentials: 401 or 403.
            CrmRateLimited: 429, or a body that says so, and the wait is too long or was asked for too often;
                or our own pace says so.
            CrmUnavailable: No answer, 3xx, 5xx, or one that is not a JSON object.
        """
        what = f"{method} {path}"
        for waited in range(self.limits.waits + 1):
            self.pace.wait(*allowances)
            try:
                answer = self._session.send(method, self._base_url + path, params=params, json=body)
            except NoAnswer as error:
                raise CrmUnavailable(f"HubSpot did not answer {what}: {error}", sent=error.sent) from error
            self._note_usage(answer)
            said = _json(answer)
            if answer.status != 429 and not _says_limit(said):
                return _content(what, answer, said, writes=writes)
            if once and answer.status < 300:
                raise CrmUnavailable(
                    f"HubSpot answered {what} with a success ({answer.status}) and with a limit"
                )
            wait, policy = _asked_wait(answer, said)
            if wait > self.limits.longest_wait or waited == self.limits.waits:
                break
            self.pace.pause(wait)
        asked = "; come back" if answer.retry_after() is None else " and asks to come back"
        raise CrmRateLimited(f"HubSpot limits {what} ({policy}){asked} in {wait:g} seconds", retry_after=wait)

    def _note_usage(self, answer: Answer) -> None:
        """What HubSpot says of the day, in most of its answers."""
        try:
            ceiling = int(answer.headers["x-hubspot-ratelimit-daily"])
            left = int(answer.headers["x-hubspot-ratelimit-daily-remaining"])
        except (KeyError, ValueError):
            return
        if 0 <= left <= ceiling <= MOST_A_DAY:
            self.pace.seen(ceiling - left, ceiling)


def _says_limit(body: JsonObject | None) -> bool:
    """Whether an answer of whatever status is about a limit: some say so in the body alone."""
    if body is None or body.get("status") != "error":
        return False
    return body.get("errorType") == LIMIT or code(body.get("category"), "") in (LIMIT, LIMITS)


def _asked_wait(answer: Answer, body: JsonObject | None) -> tuple[float, str]:
    """(seconds, name of the limit) of a 429, which may say either, both or nothing."""
    policy = code((body or {}).get("policyName"), "no policy named")
    wish = answer.retry_after()
    return DEFAULT_WAITS.get(policy, 10.0) if wish is None else wish, policy


def _content(what: str, answer: Answer, body: JsonObject | None, *, writes: bool) -> JsonObject:
    if answer.status == 401:
        raise CrmRejectedCredentials(
            f"HubSpot refused the token (401): put a valid private app token into the password of the "
            f"Airflow Connection {CONNECTION}"
        )
    if answer.status == 403:
        instead = "" if writes else ", or take this stream out of the mapping"
        raise CrmLacksScope(
            f"HubSpot does not let this token do {what} (403): give the private app behind the Airflow "
            f"Connection {CONNECTION} {_scopes(body)}{instead}"
        )
    if answer.status >= 500 or answer.status == 408:
        raise CrmUnavailable(
            f"HubSpot could not answer {what} ({answer.status}); the next run tries again",
            retry_after=answer.retry_after(),
        )
    if 300 <= answer.status < 400:
        raise CrmUnavailable(
            f"HubSpot answered {what} with a redirect ({answer.status}); check the host of the Airflow "
            f"Connection {CONNECTION}",
            sent=False,
        )
    if body is None:
        kind = media_type(answer.headers.get("content-type"))
        raise CrmUnavailable(
            f"the answer to {what} is not JSON ({answer.status}, {kind}, {len(answer.body)} bytes); check "
            f"the host of the Airflow Connection {CONNECTION}",
            sent=answer.status < 300,
        )
    if answer.status >= 400:
        raise Refused(what, answer.status, body)
    return body


def _json(answer: Answer) -> JsonObject | None:
    try:
        body = json.loads(answer.body or b"{}")
    except (ValueError, RecursionError):  # the latter where somebody nests it a thousand deep
        return None
    return body if isinstance(body, dict) else None


def _scopes(body: JsonObject | None) -> str:
    """The scopes that a 403 names, as HubSpot spells them."""
    named: set[str] = set()
    errors = (body or {}).get("errors")
    for error in errors if isinstance(errors, list) else []:
        context = error.get("context") if isinstance(error, dict) else None
        for key in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
            named.update(names(context.get(key)) if isinstance(context, dict) else [])
    if not named:
        return "the scope that this call needs"
    return "the scope " + " and ".join(f"`{scope}`" for scope in sorted(named))
