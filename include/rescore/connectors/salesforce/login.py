"""From an Airflow Connection of type `salesforce` to a session: every way in that simple-salesforce knows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError

import jwt
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from rescore.connectors.connection import Connection
from rescore.connectors.salesforce.riding import RidingSession
from rescore.connectors.salesforce.words import code, problems
from rescore.connectors.session import Answer
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable, SettingsIncomplete

NEWEST = "64.0"
"""The last version of the API that lets a password in by SOAP; everything we use is older."""

SHARED_DOMAINS = ("login", "test")
VERSION = re.compile(r"[0-9]{2,3}\.0")
DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,200}")
LATER = {"SERVER_UNAVAILABLE", "server_error", "temporarily_unavailable"}
TOO_OFTEN = {"LOGIN_RATE_EXCEEDED", "REQUEST_LIMIT_EXCEEDED"}
LIMITED = 900.0
"""Seconds to stay away where Salesforce names none."""

NO_CODE = {"None", "INVALID AUTH", "UNKNOWN_EXCEPTION_CODE"}
"""What the library says of an answer that has none."""

OAUTH_CODE = re.compile(r"[a-z_]{3,40}")
FIELDS = {  # what Airflow's Connection type calls them, and what simple-salesforce does
    "security_token": "security_token",
    "organization_id": "organizationId",
    "client_id": "client_id",
    "instance_url": "instance_url",
    "consumer_key": "consumer_key",
    "consumer_secret": "consumer_secret",
    "private_key": "privatekey",
    "private_key_file_path": "privatekey_file",
}


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are there; never printed."""

    connection_id: str
    version: str
    given: dict[str, str] = field(repr=False)

    @classmethod
    def from_connection(cls, connection: Connection) -> Login:
        """From user name, password and the extra, under the names of Airflow's own Connection type.

        Raises:
            SettingsIncomplete: What is there opens no door.
        """
        extra = connection.extra
        given = {theirs: str(extra[ours]) for ours, theirs in FIELDS.items() if extra.get(ours)}
        given |= {"username": connection.login} if connection.login else {}
        given |= {"password": connection.password} if connection.password else {}
        given["domain"] = _domain(connection, extra.get("domain"))
        if "instance_url" in given:
            given["instance_url"] = _domain(connection, given["instance_url"])
        if "privatekey" in given or "privatekey_file" in given:
            given.pop("consumer_secret", None)  # the library would take it for a password's
        version = str(extra.get("version") or NEWEST).removeprefix("v")
        if not VERSION.fullmatch(version):
            raise SettingsIncomplete(
                f"`version` in the extra of the Connection `{connection.id}` is no version of the API; "
                f"write {NEWEST}"
            )
        _check(connection, given)
        return cls(connection.id, version, given)

    def __call__(self, session: RidingSession) -> tuple[str, str]:
        """(session id, host of the organisation).

        Raises:
            CrmRejectedCredentials: Salesforce does not let us in.
            CrmRateLimited: We came too often.
            CrmUnavailable: There was no answer, or none that is one.
            SettingsIncomplete: The private key cannot be used.
        """
        said: dict[str, Any] = dict(self.given)
        session.last = None
        try:
            token, instance = SalesforceLogin(**said, sf_version=self.version, session=session)
        except SalesforceAuthenticationFailed as error:
            raise self._refused(error, session) from None  # its text quotes the answer
        except (OSError, jwt.exceptions.PyJWTError, ValueError) as error:
            if session.last is None:
                raise SettingsIncomplete(
                    f"the private key of the Connection `{self.connection_id}` cannot be read; it has to "
                    "be an RSA key in PEM"
                ) from error
            raise self._no_login(session) from error
        except (AttributeError, TypeError, KeyError, RecursionError, ExpatError) as error:
            raise self._no_login(session) from error
        if not token or not instance:
            raise self._no_login(session)
        return token, instance

    def _refused(self, error: SalesforceAuthenticationFailed, session: RidingSession) -> Exception:
        said = str(error.code).rpartition(":")[2]
        if said in TOO_OFTEN:
            return _too_often(said, session.last)
        known = code(said) != "no code" or OAUTH_CODE.fullmatch(said)
        if said in LATER or said in NO_CODE or not known:
            return self._no_login(session, said)
        return CrmRejectedCredentials(
            f"Salesforce does not let the Airflow Connection `{self.connection_id}` log in ({said}): check "
            "its user name, password and security token, or its consumer key and what goes with it, and "
            "`domain` (`test` for a sandbox)"
        )

    def _no_login(self, session: RidingSession, said: str = "") -> Exception:
        """What the answer to a login means that says neither yes nor no."""
        answer = session.last
        status = answer.status if answer else 0
        listed = _codes(answer)
        if status == 429 or listed & TOO_OFTEN:
            return _too_often(next(iter(sorted(listed & TOO_OFTEN)), "429"), answer)
        if status >= 500 or status == 408 or {said, *listed} & LATER:
            return CrmUnavailable(
                f"Salesforce could not answer the login ({status}); the next run tries again",
                sent=False,
                retry_after=answer.retry_after() if answer else None,
            )
        return CrmUnavailable(
            f"the answer to the login is none of Salesforce's ({status or 'no answer'}); check `domain` and "
            f"the host of the Airflow Connection `{self.connection_id}`",
            sent=False,
        )


def _too_often(said: str, answer: Answer | None) -> CrmRateLimited:
    wait = answer.retry_after() if answer else None
    wait = LIMITED if wait is None else wait
    return CrmRateLimited(
        f"Salesforce limits logins ({said}); come back in {wait:g} seconds", retry_after=wait
    )


def _codes(answer: Answer | None) -> set[str]:
    """The codes that an answer lists as those of the API do, where a login has another form."""
    try:
        return {problem.code for problem in problems(json.loads(answer.body if answer else b"[]"))}
    except (ValueError, RecursionError):
        return set()


def _domain(connection: Connection, value: object) -> str:
    """`acme.my` of `https://acme.my.salesforce.com/`, as the library wants it; `login` by default."""
    text = str(value or "login").removeprefix("https://").removeprefix("http://").rstrip("/")
    text = text.removesuffix(".salesforce.com")
    if not DOMAIN.fullmatch(text):
        raise SettingsIncomplete(
            f"`domain` in the extra of the Connection `{connection.id}` is none of Salesforce's; write "
            "`login`, `test` or your own such as acme.my"
        )
    return text


def _check(connection: Connection, given: dict[str, str]) -> None:
    has = given.keys()
    if "password" in has and has & {"privatekey", "privatekey_file"}:
        raise SettingsIncomplete(
            f"the Connection `{connection.id}` has a password and a private key, and Salesforce takes one of "
            "them; empty the other"
        )
    by_password = {"username", "password"} <= has
    by_key = {"username", "consumer_key"} <= has and bool(has & {"privatekey", "privatekey_file"})
    by_secret = {"consumer_key", "consumer_secret"} <= has and given["domain"] not in SHARED_DOMAINS
    if not (by_password or by_key or by_secret):
        raise SettingsIncomplete(
            f"the Connection `{connection.id}` says too little to log in to Salesforce; give it user name, "
            "password and `security_token`, or user name, `consumer_key` and `private_key`, or "
            "`consumer_key`, `consumer_secret` and your own `domain`"
        )
