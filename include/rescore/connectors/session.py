"""The one way this project speaks HTTP: a hard deadline, no redirects, no retries, no environment."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError

CONNECT_SECONDS = 10.0
CHUNK = 64 * 1024


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


class Session:
    """Requests to one or more hosts, each bounded in time and size as a whole.

    Args:
        seconds: From the first byte sent to the last byte read; the usual timeout of `requests` counts
            every read anew, so a server that dribbles would hold a task for hours.
        largest: Bytes of the longest answer, after decompression.
        headers: Sent with every request.
        verify: False for no check of certificates, or the path of a CA bundle.
    """

    def __init__(
        self,
        *,
        seconds: float = 30.0,
        largest: int = 32 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
    ) -> None:
        self._seconds = seconds
        self._largest = largest
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies, no .netrc: the Connection says where to go
        self._session.verify = verify
        self._session.headers.update({"User-Agent": "rescore", **(headers or {})})
        adapter = _WatchedAdapter(max_retries=Retry(0, read=False))
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
        """
        host = urlsplit(url).netloc.rpartition("@")[2]
        with _Deadline(self._seconds) as deadline:
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
            except (requests.RequestException, OSError) as error:
                if deadline.passed:
                    raise NoAnswer(
                        f"{host} did not answer within {self._seconds:g} seconds", sent=True
                    ) from error
                raise _no_answer(error, host) from error
            if deadline.passed:  # a body without a length looks complete when the connection is cut
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
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | ValueError):
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


class _Deadline:
    """Cuts the connection this thread is using when the time is up, wherever the thread hangs in it."""

    _of_thread = threading.local()

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self.connection: HTTPConnection | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        _Deadline._of_thread.current = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        del _Deadline._of_thread.current

    def _cut(self) -> None:
        self.passed = True
        sock = getattr(self.connection, "sock", None)
        if sock is not None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS: the reader wakes with an end
            except OSError:
                return  # already gone

    @classmethod
    def watch(cls, connection: HTTPConnection) -> None:
        """Tell the request under way in this thread which connection it uses."""
        current = getattr(cls._of_thread, "current", None)
        if current is not None:
            current.connection = connection


class _WatchedHTTP(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _Deadline.watch(self)
        super().request(*args, **kwargs)


class _WatchedHTTPS(HTTPSConnection):
    def connect(self) -> None:
        _Deadline.watch(self)  # before the handshake, which may dribble too
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        _Deadline.watch(self)
        super().request(*args, **kwargs)


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _WatchedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}
