"""One call to Tryton: let in by a session, paced, and answered with a result or a telling error."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from rescore.connectors.pace import Pace
from rescore.connectors.session import Answer, NoAnswer, Session
from rescore.connectors.tryton.limits import Limits
from rescore.connectors.tryton.values import decoded
from rescore.errors import (
    CrmLacksScope,
    CrmRateLimited,
    CrmRejectedCredentials,
    CrmUnavailable,
    SettingsIncomplete,
)

Row = dict[str, Any]
LOGIN = "common.db.login"
DEFAULT_WAIT = 60.0
ABOUT_RECORDS = {"UserError", "UserWarning"}
"""What Tryton calls a refusal of its own, told from a failure of its code; other words may quote a lead."""


class Fault(CrmUnavailable):
    """Tryton understood the call and said no, or failed in it: nothing of it had an effect.

    What it says in words stays out of the text; who knows more about the call says more.

    `refused` tells a rule of Tryton's (what is asked is not allowed or not valid) from a failure; `overtaken`
    that the record was changed since the version that the call names; `asks` that a login needs more than a
    password.
    """

    def __init__(self, method: str, kind: str) -> None:
        self.refused = kind in ABOUT_RECORDS
        self.overtaken = kind == "ConcurrencyException"
        self.asks = kind == "LoginException"
        said = f"refused {method} ({kind})" if self.refused else f"failed in {method}"
        super().__init__(f"Tryton {said}; its own log says why", sent=False)


class Client:
    """Calls to one database as one user.

    `uid` is that user's number once the first call was made. `sleep` waits so many seconds.
    """

    def __init__(
        self,
        base_url: str,
        database: str,
        login: str,
        password: str,
        limits: Limits,
        *,
        connection: str,
        verify: bool | str = True,
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.clock = clock
        self.uid = 0
        self.pace = pace
        self._url = f"{base_url.rstrip('/')}/{quote(database, safe='')}/rpc/"
        self._database = database
        self._login = login
        self._password = password
        self._connection = connection
        self._authorization: str | None = None
        self._sleep = sleep
        self._session = Session(seconds=limits.seconds, verify=verify)

    def call(self, method: str, *params: Any, context: Row | None = None) -> Any:
        """The result of a method of a model, such as `model.party.party.read`.

        Raises:
            Fault: Tryton says no, and its caller knows more about why.
            CrmRejectedCredentials: The user or the password is wrong.
            CrmLacksScope: The user may not call this.
            CrmRateLimited: 429, and the wait is too long or was asked for too often; or our own pace says so.
            CrmUnavailable: No answer, 3xx, 5xx, or one that is not Tryton's JSON.
            SettingsIncomplete: The server has no such database.
        """
        for _ in range(2):
            if self._authorization is None:
                self._let_in()
            answer = self._send(
                method, [*params, context or {}], {"Authorization": self._authorization or ""}
            )
            if answer.status != 401:
                return self._result(method, answer)
            self._authorization = None  # a session ends after a while; the password tells what is true
        raise self._refused_login()

    def _let_in(self) -> None:
        answer = self._send(LOGIN, [self._login, {"password": self._password}], {})
        if answer.status == 401:
            raise self._refused_login()
        try:
            result = self._result(LOGIN, answer)
            uid = int(result[0])
            session = f"{self._login}:{uid}:{result[1]}".encode()
        except Fault as fault:
            raise self._refused_login() if fault.asks else fault from None
        except (TypeError, ValueError, IndexError):
            raise CrmUnavailable("Tryton's answer to the login is none; check the host", sent=False) from None
        self.uid, self._authorization = uid, f"Session {b64encode(session).decode()}"

    def _refused_login(self) -> CrmRejectedCredentials:
        return CrmRejectedCredentials(
            f"Tryton refused the user or the password (401): put those of a user of `{self._database}` into "
            f"login and password of the Airflow Connection `{self._connection}`"
        )

    def _send(self, method: str, params: list[Any], headers: dict[str, str]) -> Answer:
        body = {"id": 1, "method": method, "params": params}
        for waited in range(self.limits.waits + 1):
            if self.pace:
                self.pace.wait("calls")
            try:
                answer = self._session.send("POST", self._url, json=body, headers=headers)
            except NoAnswer as error:
                raise CrmUnavailable(f"Tryton did not answer {method}: {error}", sent=error.sent) from error
            if answer.status != 429:
                return answer
            wait = _asked_wait(answer)
            if wait > self.limits.longest_wait or waited == self.limits.waits:
                break
            self._sleep(wait)
        asked = "; come back" if answer.retry_after() is None else " and asks to come back"
        raise CrmRateLimited(f"Tryton limits {method} (429){asked} in {wait:g} seconds", retry_after=wait)

    def _result(self, method: str, answer: Answer) -> Any:
        where = f"check the host of the Airflow Connection `{self._connection}`"
        if answer.status == 404:
            raise SettingsIncomplete(
                f"there is no Tryton database `{self._database}` (404); name one under `database` in the "
                f"extra of the Airflow Connection `{self._connection}`, and {where}"
            )
        if answer.status == 403:
            raise CrmLacksScope(
                f"Tryton does not offer {method} to others (403); install the module of docs/tryton.md, or "
                "take this stream out of the mapping"
            )
        if 300 <= answer.status < 400:
            raise CrmUnavailable(
                f"Tryton answered {method} with a redirect ({answer.status}); {where}", sent=False
            )
        if answer.status >= 400:
            raise CrmUnavailable(
                f"Tryton could not answer {method} ({answer.status}); the next run tries again",
                sent=answer.status >= 500,
                retry_after=answer.retry_after(),
            )
        try:
            body = json.loads(answer.body, object_hook=decoded)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict) or not {"result", "error"} & body.keys():
            raise CrmUnavailable(
                f"the answer to {method} is not Tryton's JSON ({answer.status}, {len(answer.body)} bytes); "
                f"{where}"
            )
        if "error" in body:
            named = body["error"]
            raise Fault(method, str(named[0]) if isinstance(named, list) and named else "")
        return body["result"]


def _asked_wait(answer: Answer) -> float:
    wish = answer.retry_after()
    return DEFAULT_WAIT if wish is None else wish
