"""A session of `requests` for simple-salesforce that rides on ours: in time, to allowed hosts, paced."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.structures import CaseInsensitiveDict
from simple_salesforce.api import Salesforce

from rescore.connectors.pace import Pace
from rescore.connectors.session import Answer, Session

LIMITS = "sforce-limit-info"
MOST_A_DAY = 10**9
"""No larger quota is believed."""


class RidingSession(requests.Session):
    """Every request of the library becomes one of `session`, so that none has rules of its own.

    Args:
        session: Ours.
        pace: Waits before each request, and hears what Salesforce says of the day.
        origin: Where to send everything instead of the vendor's addresses, such as `http://sandbox:8091`.
    """

    def __init__(self, session: Session, pace: Pace, origin: str | None = None) -> None:
        super().__init__()
        self.trust_env = False
        self.last: Answer | None = None
        self._session = session
        self._pace = pace
        self._origin = urlsplit(origin) if origin else None

    def request(  # type: ignore[override]  # the library uses no more of it
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        json: Any = None,
        **_: Any,
    ) -> requests.Response:
        """See `requests.Session.request`; proxies and timeouts of the caller do not count.

        Raises:
            NoAnswer: There was no usable answer.
            CrmRateLimited: Our own pace says so.
            SettingsIncomplete: The deployment does not allow the host.
        """
        asked = requests.Request(
            method, self._placed(url), params=params, data=data, headers=headers, json=json
        )
        ready = self.prepare_request(asked)
        body = ready.body.encode() if isinstance(ready.body, str) else ready.body
        self._pace.wait("calls")
        self.last = None
        self.last = answer = self._session.send(
            str(ready.method), str(ready.url), body=body or None, headers=_own(ready.headers)
        )
        self._note_usage(answer)
        return _as_response(answer, ready)

    def _placed(self, url: str) -> str:
        if self._origin is None:
            return url
        parts = urlsplit(url)
        return urlunsplit(parts._replace(scheme=self._origin.scheme, netloc=self._origin.netloc))

    def _note_usage(self, answer: Answer) -> None:
        usage = Salesforce.parse_api_usage(answer.headers.get(LIMITS, "")).get("api-usage")
        if usage and usage.used >= 0 and 0 < usage.total <= MOST_A_DAY:
            self._pace.seen(usage.used, usage.total)


def _own(headers: CaseInsensitiveDict[str]) -> dict[str, str]:
    """Without what our session says itself."""
    return {name: value for name, value in headers.items() if name.lower() != "user-agent"}


def _as_response(answer: Answer, asked: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = io.BytesIO(answer.body)
    response.request = asked
    response.url = str(asked.url)
    response.encoding = "utf-8"  # what Salesforce writes, whatever a gateway calls it
    return response
