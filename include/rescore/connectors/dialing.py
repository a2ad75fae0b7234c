"""From a host's name to a socket, in time: the address that was checked is the one that is connected to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, Queue

from rescore.connectors.addresses import AllowedHosts
from rescore.errors import SettingsIncomplete

Resolve = Callable[[str, int], Sequence[str]]
"""The numeric addresses of a host, best first; raises OSError when there are none."""

SocketOptions = Sequence[tuple[int, int, int | bytes]]


def resolve(host: str, port: int) -> list[str]:
    """As this machine's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def dial(
    scheme: str,
    host: str,
    port: int,
    *,
    allowed: AllowedHosts,
    resolve: Resolve,
    seconds: float,
    options: SocketOptions = (),
) -> socket.socket:
    """A connected socket, `seconds` after now at the latest.

    The name is resolved once, and every address it has must be allowed: one that leads inwards beside one
    that does not is how a name is rebound.

    Raises:
        SettingsIncomplete: The host, or one of its addresses, is not allowed; nothing was sent.
        OSError: It cannot be found or reached; TimeoutError when that took too long.
    """
    if problem := allowed.host_problem(scheme, host, port):
        raise SettingsIncomplete(problem)
    ends = time.monotonic() + seconds
    addresses = _resolved(resolve, host, port, seconds)
    for address in addresses:
        if problem := allowed.address_problem(address):
            raise SettingsIncomplete(f"{host} must not be asked: {problem}")
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for address in addresses:
        try:
            return _connected(address, port, ends - time.monotonic(), options)
        except OSError as error:
            failure = error
    raise failure


def _connected(address: str, port: int, seconds: float, options: SocketOptions) -> socket.socket:
    if seconds <= 0:
        raise TimeoutError
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.settimeout(seconds)
        sock.connect((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _resolved(resolve: Resolve, host: str, port: int, seconds: float) -> Sequence[str]:
    """A resolver cannot be interrupted, only left behind."""
    answers: Queue[Sequence[str] | OSError] = Queue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port))
        except OSError as error:
            answers.put(error)
        except UnicodeError:  # a label that is empty or too long
            answers.put(socket.gaierror(socket.EAI_NONAME, "no name"))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer
