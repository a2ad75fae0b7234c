"""One call to Salesforce through simple-salesforce: answered, or an error that says what to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from rescore.connectors.pace import Pace
from rescore.connectors.salesforce.limits import Limits
from rescore.connectors.salesforce.login import Login
from rescore.connectors.salesforce.riding import LIMITS, RidingSession
from rescore.connectors.salesforce.words import Problem, problems
from rescore.connectors.session import NoAnswer, Session
from rescore.errors import CrmLacksScope, CrmRateLimited, CrmRejectedCredentials, CrmUnavailable, CursorStuck

JsonObject = dict[str, Any]
T = TypeVar("T")

UNASSIGNED = {"Sforce-Auto-Assign": "FALSE"}
EXPIRED = "INVALID_SESSION_ID"
LIMIT = "REQUEST_LIMIT_EXCEEDED"
LATER = {"SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "UNABLE_TO_LOCK_ROW", "API_CURRENTLY_DISABLED"}
DAY_SPENT, TOO_MANY_AT_ONCE = 900.0, 60.0
"""Seconds to stay away: Salesforce says that a limit is reached and not for how long."""
CHANGED = 412
"""A condition of the call does not hold; there is nothing more to say."""


class Refused(Exception):
    """Salesforce understood the call and said no, for reasons that its caller knows more about."""

    def __init__(self, what: str, status: int, found: Sequence[Problem]) -> None:
        self.status = status
        self.problems = list(found)
        self.codes = {problem.code for problem in found}
        told = ", ".join(sorted({problem.told() for problem in found})) or "no code"
        super().__init__(f"Salesforce refused {what} ({status}, {told})")


class Client:
    """Calls to one organisation under one login, which is renewed once when it has run out."""

    def __init__(
        self,
        login: Login,
        limits: Limits,
        pace: Pace,
        *,
        origin: str | None = None,
        verify: bool | str = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limits = limits
        self.pace = pace
        self.clock = clock
        self.sleep = sleep
        self._login = login
        self._session = RidingSession(Session(seconds=limits.seconds, verify=verify), pace, origin)
        self._org: Salesforce | None = None

    def query(self, soql: str, *, deleted: bool = False) -> JsonObject:
        """The first page of a query; with `deleted` also what is in the recycle bin or archived."""
        size = {"Sforce-Query-Options": f"batchSize={self.limits.page}"}
        return self._object("a query", lambda org: org.query(soql, include_deleted=deleted, headers=size))

    def more(self, next_records: str) -> JsonObject:
        """The page behind one that said `nextRecordsUrl`.

        Raises:
            CursorStuck: That is no path of this organisation.
        """
        if not next_records.startswith("/services/"):
            raise CursorStuck("Salesforce named a next page that is none of its own; nobody can read on")
        return self._object(
            "the next page of a query", lambda org: org.query_more(next_records, identifier_is_url=True)
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> JsonObject:
        """Read what is at a path below the version."""
        return self._object(f"GET {path or '/'}", lambda org: org.restful(path, params=dict(params or {})))

    def send(self, method: str, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Any:
        """Send JSON; None comes back where Salesforce has nothing to say.

        A change by API hands a lead to whom the assignment rules say, unless it is told not to.
        """
        said = {**UNASSIGNED, **(headers or {})}
        return self.call(
            f"{method} {path}",
            lambda org: org.restful(path, method=method, json=body, headers=said),
        )

    def header(self, name: str) -> str | None:
        """One of the last answer's headers, by its name in lower case."""
        return self._session.last.headers.get(name) if self._session.last else None

    def call(self, what: str, ask: Callable[[Salesforce], T]) -> T:
        """One call of the library's.

        Raises:
            Refused: A 4xx that its caller knows more about.
            CrmRejectedCredentials: The login is refused, also after it was renewed.
            CrmLacksScope: Its user may not do this.
            CrmRateLimited: A limit is reached, or our own pace says so.
            CrmUnavailable: No answer, 3xx, 5xx, or one that is not Salesforce's.
        """
        renewed = False
        while True:
            try:
                answer = ask(self._organisation())
                if codes := _later(answer):
                    raise self._as_error(what, 200, codes)
                return answer
            except SalesforceError as error:
                found = problems(error.content)
                if error.status == 401 and not renewed and EXPIRED in {one.code for one in found}:
                    self._org, renewed = None, True
                    continue
                raise self._as_error(what, error.status, found) from None  # its text quotes the answer
            except NoAnswer as error:
                raise CrmUnavailable(f"Salesforce did not answer {what}: {error}", sent=error.sent) from error
            except (ValueError, RecursionError) as error:  # the latter where somebody nests a thousand deep
                raise self._not_json(what) from error

    def _object(self, what: str, ask: Callable[[Salesforce], Any]) -> JsonObject:
        answer = self.call(what, ask)
        if not isinstance(answer, dict):
            raise self._not_json(what)
        return answer

    def _organisation(self) -> Salesforce:
        """The library's client, given a session of our own making: so it never renews one by itself."""
        if self._org is None:
            token, instance = self._login(self._session)
            self._org = Salesforce(
                session_id=token, instance=instance, version=self._login.version, session=self._session
            )
        return self._org

    def _as_error(self, what: str, status: int, found: Sequence[Problem]) -> Exception:
        codes = {problem.code for problem in found}
        if LIMIT in codes or status == 429:
            wait = self._wait()
            return CrmRateLimited(
                f"Salesforce limits calls ({LIMIT}); come back in {wait:g} seconds", retry_after=wait
            )
        if status >= 500 or status == 408 or codes & LATER:
            return CrmUnavailable(
                f"Salesforce could not answer {what} ({status}); the next run tries again",
                retry_after=self._wish(),
            )
        if status < 400:
            return CrmUnavailable(
                f"Salesforce answered {what} with a redirect ({status}); check `domain` and the host of the "
                f"Airflow Connection `{self._login.connection_id}`",
                sent=False,
            )
        if not found and status != CHANGED:
            return self._not_json(what)
        if status == 401:
            return CrmRejectedCredentials(
                f"Salesforce no longer takes the login of the Airflow Connection "
                f"`{self._login.connection_id}` ({', '.join(sorted(codes))}): see that its user is "
                "active and may use the API"
            )
        if status == 403:
            return CrmLacksScope(
                f"Salesforce does not let the user of the Airflow Connection `{self._login.connection_id}` "
                f"do {what} ({', '.join(sorted(codes))}): give the user a permission set with API access and "
                "these objects"
            )
        return Refused(what, status, found)

    def _not_json(self, what: str) -> CrmUnavailable:
        last = self._session.last
        told = f"{last.status}, {len(last.body)} bytes" if last else "nothing"
        return CrmUnavailable(
            f"the answer to {what} is none of Salesforce's ({told}); check `domain` and the host of the "
            f"Airflow Connection `{self._login.connection_id}`",
            sent=last is None or last.status < 300,
        )

    def _wait(self) -> float:
        """What was asked for; else by what ran out: the calls of 24 hours, or those at the same time."""
        wish = self._wish()
        if wish is not None:
            return wish
        usage = Salesforce.parse_api_usage(self.header(LIMITS) or "").get("api-usage")
        return TOO_MANY_AT_ONCE if usage and usage.used < usage.total else DAY_SPENT

    def _wish(self) -> float | None:
        return self._session.last.retry_after() if self._session.last else None


def _later(answer: Any) -> list[Problem]:
    """What an answer with a status of success lists instead of a result: a limit, or that it is not ready."""
    found = problems(answer)
    return found if found and all(one.code == LIMIT or one.code in LATER for one in found) else []
