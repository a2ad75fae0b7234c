"""A gateway on loopback before a Tryton server: it passes calls on, or does to them what a test says."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.connectors.pretend_server import Asked, PretendServer, Reply

PassOn = Callable[[], Reply]
Play = Callable[[PassOn], Reply]
OF_A_CONNECTION = {"connection", "transfer-encoding", "content-length", "keep-alive", "host"}

LOST = Reply(raw=b"")
"""The connection ends without an answer."""


def answer_lost(pass_on: PassOn) -> Reply:
    """The call has its effect, its answer never arrives."""
    pass_on()
    return LOST


def call_lost(pass_on: PassOn) -> Reply:
    """The call never arrives."""
    return LOST


class Gateway(PretendServer):
    """`plays` are what happens to the next calls whose method ends so, one each; `always` to all of them."""

    def __init__(self, crm: str) -> None:
        super().__init__(self._arrived)
        self._crm = urlsplit(crm).netloc
        self.plays: list[tuple[str, Play]] = []
        self.always: Play | None = None

    def methods(self) -> list[str]:
        """What was called, in order."""
        return [str(asked.json["method"]) for asked in self.asked]

    def _arrived(self, asked: Asked) -> Reply:
        def pass_on() -> Reply:
            return self._pass_on(asked)

        if self.always:
            return self.always(pass_on)
        method = asked.json["method"]
        for number, (ending, play) in enumerate(self.plays):
            if method.endswith(ending):
                del self.plays[number]
                return play(pass_on)
        return pass_on()

    def _pass_on(self, asked: Asked) -> Reply:
        crm = http.client.HTTPConnection(self._crm, timeout=60)
        sent = {name: value for name, value in asked.headers.items() if name not in OF_A_CONNECTION}
        try:
            crm.request(asked.method, asked.path, body=asked.body, headers=sent)
            answer = crm.getresponse()
            headers = {k: v for k, v in answer.headers.items() if k.lower() not in OF_A_CONNECTION}
            return Reply(answer.status, answer.read(), headers)
        finally:
            crm.close()
