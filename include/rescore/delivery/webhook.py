"""One signed POST to the address behind a Connection: Standard Webhooks 1.0."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from standardwebhooks import Webhook

from rescore.connectors.session import Answer, NoAnswer, Session
from rescore.errors import ConfigurationError
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.outcome import Outcome

GONE = 410
UNAUTHORIZED = 401

KEY_BYTES = range(24, 65)
"""How long a secret is by Standard Webhooks: a shorter one can be guessed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a Connection points, and the secrets that sign what is sent there.

    `secret` is `whsec_` and the base64 of 24 to 64 bytes; while it rotates, several separated by spaces, all
    of which sign.
    """

    url: str = field(repr=False)
    secret: str = field(repr=False)


class WebhookSender:
    """Sends frozen bodies to endpoints found by Connection id.

    Args:
        endpoints: Raises KeyError, or a ConfigurationError that says more, for a Connection that is
            missing or has not opted in.
        session: Bounds every attempt in time; its deadline must be shorter than a delivery's lease.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint], session: Session | None = None) -> None:
        self._endpoints = endpoints
        self._session = session or Session(seconds=20, largest=1024 * 1024)

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        """Post the body; the id stays the same over retries, time and signature are of this attempt."""
        connection = claim.connection
        try:
            endpoint = self._endpoints[connection]
            headers = _signed(endpoint.secret, claim.delivery_id, claim.body, now)
        except KeyError:
            reason = f"connection `{connection}` is missing or does not allow Rescore to send to it"
            return Outcome("unready", reason)
        except ConfigurationError as error:
            return Outcome("unready", str(error))
        except ValueError:
            reason = f"connection `{connection}` has no secret that can sign"
            return Outcome("unready", f"{reason}; one is `whsec_` and the base64 of 24 to 64 random bytes")
        headers["Content-Type"] = "application/json"
        try:
            answer = self._session.send("POST", endpoint.url, body=claim.body, headers=headers)
        except NoAnswer as error:
            return Outcome("unknown" if error.sent else "transient", str(error))
        except ConfigurationError as error:  # the deployment does not allow this host
            return Outcome("unready", str(error))
        return _outcome(answer, connection, now)


def _signed(secrets: str, delivery_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks; ValueError when a secret is none."""
    moment = now.astimezone(UTC)
    signatures = [
        Webhook(_key(secret)).sign(msg_id=delivery_id, timestamp=moment, data=body.decode())
        for secret in secrets.split() or [""]
    ]
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    """Read strictly: what is no base64 would otherwise sign with whatever is left of it."""
    text = secret.removeprefix("whsec_")
    key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if len(key) not in KEY_BYTES:
        raise ValueError("a secret of a length that Standard Webhooks does not allow")
    return key


def _outcome(answer: Answer, connection: str, now: datetime) -> Outcome:
    """Only 2xx is success; a redirect is not followed, because body and signature were for this address."""
    if 200 <= answer.status < 300:
        return Outcome("ok")
    if answer.status == GONE:
        return Outcome("gone", f"the receiver behind connection `{connection}` is gone for good (410)")
    if answer.status == UNAUTHORIZED:
        reason = f"the receiver behind connection `{connection}` refuses our signature (401)"
        return Outcome("auth", f"{reason}; correct the secret")
    reason = f"the receiver behind connection `{connection}` answered {answer.status}"
    if 300 <= answer.status < 400:
        reason += "; redirects are not followed, so correct the address"
    return Outcome("transient", reason, answer.retry_after(now))
