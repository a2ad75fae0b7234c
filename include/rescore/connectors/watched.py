"""Connections that the call under way in their thread dials, and cuts when its time is up."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from rescore.connectors.addresses import AllowedHosts
from rescore.connectors.dialing import Resolve, dial

CONNECT_SECONDS = 10.0


class Call:
    """The request under way in this thread: who may be asked, and when its connection is cut.

    The cut wakes the thread wherever it hangs: in a handshake, in the headers or in the body.
    """

    _of_thread = threading.local()

    def __init__(self, seconds: float, allowed: AllowedHosts, resolve: Resolve) -> None:
        self.passed = False
        self.connection: HTTPConnection | None = None
        self._allowed = allowed
        self._resolve = resolve
        self._ends = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Call:
        Call._of_thread.under_way = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        del Call._of_thread.under_way

    @classmethod
    def under_way(cls) -> Call:
        """The one of this thread."""
        call: Call = cls._of_thread.under_way
        return call

    def dial(self, scheme: str, connection: HTTPConnection) -> socket.socket:
        """A new socket for a connection; fails as urllib3 expects it to."""
        left = min(CONNECT_SECONDS, self._ends - time.monotonic())
        try:
            return dial(
                scheme,
                connection.host,
                connection.port,
                allowed=self._allowed,
                resolve=self._resolve,
                seconds=left,
                options=connection.socket_options or (),
            )
        except socket.gaierror as error:
            raise NameResolutionError(connection.host, connection, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "not connected in time") from error
        except OSError as error:
            raise NewConnectionError(connection, "not connected") from error

    def _cut(self) -> None:
        self.passed = True
        sock = getattr(self.connection, "sock", None)
        if sock is not None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS: the reader wakes with an end
            except OSError:
                return  # already gone


class _WatchedHTTP(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        Call.under_way().connection = self
        super().request(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        return Call.under_way().dial("http", self)


class _WatchedHTTPS(HTTPSConnection):
    def connect(self) -> None:
        Call.under_way().connection = self  # before the handshake, which may dribble too
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        Call.under_way().connection = self
        super().request(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        return Call.under_way().dial("https", self)


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class WatchedAdapter(HTTPAdapter):
    """An adapter of `requests` that makes such connections; usable within a `Call` only."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See `HTTPAdapter`."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}
