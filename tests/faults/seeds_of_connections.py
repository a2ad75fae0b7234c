"""Bugs below all operations: in how HTTP is spoken, and the ledger's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from rescore.connectors.session import Session, _NoRedirects
from rescore.ledger.transaction import Ledger
from tests.faults.breaking import Bug, instead, replaced
from tests.faults.hunts import at_database, at_network
from tests.faults.seed import Seed


@contextmanager
def redirects_followed() -> Iterator[None]:
    real = requests.Session.request

    def request(self: requests.Session, *args: Any, allow_redirects: bool, **how: Any) -> Any:
        return real(self, *args, allow_redirects=True, **how)

    looked_for = instead(_NoRedirects, "get_redirect_target", requests.Session.get_redirect_target)
    with instead(requests.Session, "request", request), looked_for:
        yield


def sessions(change: Any) -> Bug:
    """Every session is made otherwise."""

    @contextmanager
    def bug() -> Iterator[None]:
        real = Session.__init__

        def begins(self: Session, **how: Any) -> None:
            real(self, **how)
            change(self)

        with instead(Session, "__init__", begins):
            yield

    return bug


SEEDS = (
    Seed(
        "redirects are followed",
        redirects_followed,
        at_network("webhook: 307"),
        "is unready and should be transient",
    ),
    Seed(
        "certificates are not checked",
        sessions(lambda session: setattr(session._session, "verify", False)),
        at_network("webhook: a certificate that nobody vouches for"),
        "is ok and should be transient",
    ),
    Seed(
        "answers may be of any size",
        sessions(lambda session: setattr(session, "_largest", 10**12)),
        at_network("webhook: an answer beyond all bounds"),
        "is ok and should be unknown",
    ),
    Seed(
        "the database's errors are told as they come",
        replaced(Ledger, "_in_plain_words", lambda self, error, *, lost: None),
        at_database("sqlite, gate: locked"),
        "OperationalError",
    ),
)
