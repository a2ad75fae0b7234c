"""Where a server is and how to be let in: what an Airflow Connection says, without Airflow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from rescore.errors import SettingsIncomplete
from rescore.text import is_whole

TOKEN = re.compile(r"[\x21-\x7e]*")
"""What may stand in a header; a dash that a text editor made longer may not."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One Airflow Connection, field by field; `password` and `extra` are never printed.

    `kind` is its type, such as `http` or `postgres`. An `extra` that no connector asks for is ignored.
    """

    id: str
    host: str = ""
    password: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    kind: str = ""
    login: str = ""
    port: int | None = None
    schema: str = ""

    def __post_init__(self) -> None:
        """Refuse half a character, which an environment and JSON can hold and no server can be told.

        Raises:
            SettingsIncomplete: Names the field.
        """
        for name in ("host", "login", "password", "schema"):
            if not is_whole(getattr(self, name)):
                raise SettingsIncomplete(
                    f"the {name} of the Airflow Connection `{self.id}` is not readable as text; write it anew"
                )

    @property
    def token(self) -> str:
        """The password, where it is a token that travels in a header.

        Raises:
            SettingsIncomplete: It cannot be one.
        """
        if not TOKEN.fullmatch(self.password):
            raise SettingsIncomplete(
                f"the token in the password of the Airflow Connection `{self.id}` has characters that no "
                "token has, such as a space or a long dash; paste it again"
            )
        return self.password

    @property
    def url(self) -> str:
        """Its web address, the path as written; `schema` (https by default) counts unless it has its own.

        Raises:
            SettingsIncomplete: There is no host, or what there is cannot be one.
        """
        if not self.host:
            raise SettingsIncomplete(f"the Connection `{self.id}` has no host; write its address into it")
        address = self.host if "://" in self.host else f"{self.schema or 'https'}://{self.host}"
        try:
            parts = urlsplit(address)
            port = parts.port or self.port
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsIncomplete(
                f"the host of the Connection `{self.id}` is no web address; write one such as https://api.hubapi.com"
            )
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        url = f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path}"
        return url + (f"?{parts.query}" if parts.query else "")


def connection_from_environment(conn_id: str, environment: Mapping[str, str]) -> Connection:
    """Read `AIRFLOW_CONN_<ID>` in either of the forms that Airflow reads: JSON or URI.

    Raises:
        SettingsIncomplete: The variable is missing or in neither form.
    """
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    text = environment.get(variable, "").strip()
    if not text:
        raise SettingsIncomplete(
            f"set {variable}: the Connection as JSON, or as a URI such as https://:<token>@api.hubapi.com "
            "for a CRM, or postgres://<login>:<password>@db.example.com/<database> for tables"
        )
    try:
        parts = _from_json(text) if text.startswith("{") else _from_uri(text)
        return Connection(conn_id, **parts)
    except (ValueError, TypeError, AttributeError):
        pass  # the text holds a token: neither it nor an error that quotes it may be shown
    raise SettingsIncomplete(f"{variable} is neither a Connection's JSON nor its URI; write it anew")


def _from_json(text: str) -> dict[str, Any]:
    fields = json.loads(text)
    extra = fields.get("extra") or {}
    return {
        "host": fields.get("host") or "",
        "password": fields.get("password") or "",
        "port": int(fields["port"]) if fields.get("port") else None,
        "schema": fields.get("schema") or "",
        "extra": dict(json.loads(extra) if isinstance(extra, str) else extra),
        "kind": fields.get("conn_type") or "",
        "login": fields.get("login") or "",
    }


def _from_uri(text: str) -> dict[str, Any]:
    """Airflow's URI: `type://login:password@host:port/schema?extra`, every part percent-encoded."""
    parts = urlsplit(text)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    extra = json.loads(query.pop("__extra__", "null")) or query
    host = unquote(parts.netloc.rpartition("@")[2].rpartition(":")[0] if parts.port else parts.hostname or "")
    scheme = parts.scheme if parts.scheme in ("http", "https") else ""
    return {
        "host": host,
        "password": unquote(parts.password or ""),
        "port": parts.port,
        "schema": unquote(parts.path.removeprefix("/")) or scheme,
        "extra": extra,
        "kind": parts.scheme,
        "login": unquote(parts.username or ""),
    }
