"""The one way this project speaks HTTP: to allowed hosts, in time, without redirects, retries or proxies."""

from __future__ import annotations

import math
import os
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3 import Retry
from urllib3.exceptions import NameResolutionError

from rescore.connectors.addresses import AllowedHosts
from rescore.connectors.dialing import Resolve, resolve
from rescore.connectors.watched import CONNECT_SECONDS, Call, WatchedAdapter
from rescore.errors import SettingsIncomplete

CHUNK = 64 * 1024

HEADER = re.compile(r"[\x20-\x7e\t]*")
"""What a header may say; others go over the wire as each library likes, or end in an error that quotes it."""


NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    UnicodeEncodeError,
)


class NoAnswer(Exception):
    """No usable answer came; the text says why in one sentence and names the host only.

    `sent` tells whether the request may have reached the other side: then its effect is unknown.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        self.sent = sent
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer of whatever status; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def retry_after(self, now: datetime | None = None) -> float | None:
        """The seconds that `Retry-After` asks for, by their number or until a date; None where it does not.

        `now` is the present by the caller's clock; by default by this machine's.
        """
        text = self.headers.get("retry-after", "").strip()
        try:
            wait = float(text)
        except ValueError:
            return _until(text, now or datetime.now(UTC))
        return wait if math.isfinite(wait) and wait >= 0 else None


def _until(date: str, now: datetime) -> float | None:
    """Whole seconds until a date as HTTP writes it, none when it has passed; None when it is no date."""
    try:
        found = parsedate_to_datetime(date)
        until = found if found.tzinfo else found.replace(tzinfo=UTC)  # the older form names no zone
        return float(max(0, math.ceil((until - now).total_seconds())))
    except (ValueError, OverflowError):
        return None


class _NoRedirects(requests.Session):
    """Does not even read where a redirect leads: what stands there may be no address at all."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """See `requests.Session`."""
        return None


class Session:
    """Requests to one or more hosts, each bounded in time and size as a whole.

    Args:
        seconds: From the first byte sent to the last byte read; the usual timeout of `requests` counts
            every read anew, so a server that dribbles would hold a task for hours.
        largest: Bytes of the longest answer, after decompression.
        headers: Sent with every request.
        verify: False for no check of certificates, or the path of a CA bundle.
        allowed: Who may be asked; by default what the deployment's `RESCORE_ALLOWED_HOSTS` names, so that
            no caller can forget it.
        resolve: Finds the addresses of a host.

    Raises:
        SettingsIncomplete: `RESCORE_ALLOWED_HOSTS` cannot be read.
    """

    def __init__(
        self,
        *,
        seconds: float = 30.0,
        largest: int = 32 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
        allowed: AllowedHosts | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self._allowed = allowed or AllowedHosts.from_environment(os.environ)
        self._resolve = resolve
        self._seconds = seconds
        self._largest = largest
        self._session = _NoRedirects()
        self._session.trust_env = False  # no proxies, no .netrc: the Connection says where to go
        self._session.verify = verify
        self._session.headers.update({"User-Agent": "rescore", **(headers or {})})
        adapter = WatchedAdapter(max_retries=Retry(0, read=False))
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, one answer, whatever its status; a redirect is an answer like any other.

        Raises:
            NoAnswer: There was none, or none that could be read to its end in time.
            SettingsIncomplete: The deployment does not allow this host, or a header cannot be one; nothing
                was sent.
        """
        host = urlsplit(url).netloc.rpartition("@")[2]
        for name, value in {**self._session.headers, **(headers or {})}.items():
            if not HEADER.fullmatch(str(value)):
                raise SettingsIncomplete(
                    f"the header `{name}` for {host} would have characters that no header has; correct the "
                    "secret in the Connection"
                )
        with Call(self._seconds, self._allowed, self._resolve) as call:
            try:
                response = self._session.request(
                    method,
                    url,
                    params=params,
                    json=json,
                    data=body,
                    headers=headers,
                    stream=True,
                    allow_redirects=False,
                    # the deadline speaks first; this ends what it cannot cut
                    timeout=(min(CONNECT_SECONDS, self._seconds), 2 * self._seconds),
                )
                with response:
                    content = self._read(response, host)
            except (requests.RequestException, OSError, UnicodeEncodeError) as error:
                if call.passed:
                    sent = not isinstance(error, requests.ConnectTimeout)
                    raise NoAnswer(
                        f"{host} did not answer within {self._seconds:g} seconds", sent=sent
                    ) from error
                raise _no_answer(error, host) from error
            if call.passed:  # a body without a length looks complete when the connection is cut
                raise NoAnswer(f"{host} did not answer within {self._seconds:g} seconds", sent=True)
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, names, content)

    def _read(self, response: requests.Response, host: str) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(CHUNK):
            content += chunk
            if len(content) > self._largest:
                raise NoAnswer(f"{host} answered with more than {self._largest} bytes", sent=True)
        return bytes(content)


def _no_answer(error: Exception, host: str) -> NoAnswer:
    """One sentence for a failed request, from what is at the bottom of it."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, NameResolutionError | socket.gaierror):
            return NoAnswer(f"there is no host {host}; check the host of the Connection", sent=False)
        if isinstance(cause, ssl.SSLError):
            why = getattr(cause, "verify_message", "") or cause.reason or "handshake failed"
            return NoAnswer(f"{host} does not offer TLS that can be trusted ({why})", sent=False)
        if isinstance(cause, ConnectionRefusedError):
            return NoAnswer(f"nothing listens at {host} (connection refused)", sent=False)
    if isinstance(error, requests.ConnectTimeout):
        return NoAnswer(f"{host} could not be reached in time", sent=False)
    if isinstance(error, requests.Timeout):
        return NoAnswer(f"{host} did not answer in time", sent=True)
    if isinstance(error, NO_ADDRESS):
        return NoAnswer(f"the address of {host or 'the Connection'} is not a web address", sent=False)
    return NoAnswer(f"{host} broke the connection before its answer was complete", sent=True)


def _causes(error: BaseException | None) -> Any:
    """An exception and everything it was made of: `requests` and `urllib3` wrap by args, reason and cause."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
