"""Where one demo or story lives on this machine: its folders, ports, secrets and environment."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
CRM_LIMITS = {"calls": 2000, "searches": 50}
"""Ten times the vendor's, on both sides: a first load at the real pace takes two and a half minutes."""


class CannotStart(Exception):
    """Something on this machine is in the way; the text is one sentence with the way out."""


@dataclass(frozen=True)
class Places:
    """Everything that two runs on one machine must not share."""

    home: Path
    airflow_port: int
    crm_port: int
    rules_dir: Path
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    crm_token: str = field(default_factory=lambda: f"pat-sandbox-{secrets.token_hex(8)}")
    webhook_secret: str = field(default_factory=lambda: f"whsec_{secrets.token_hex(24)}")
    more: Mapping[str, str] = field(default_factory=dict)  # of the environment, and what is different in it

    @property
    def airflow_url(self) -> str:
        """Airflow's web address."""
        return f"http://{LOOPBACK}:{self.airflow_port}"

    @property
    def crm_url(self) -> str:
        """The sandbox CRM's web address."""
        return f"http://{LOOPBACK}:{self.crm_port}"

    @property
    def world_cache(self) -> Path:
        """Shared by all runs: making the world takes a while and gives the same one every time."""
        return PROJECT / ".rescore" / "world"

    def environment(self) -> dict[str, str]:
        """The environment of every process: Airflow's settings, Rescore's, and the Connections."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "RESCORE"))
        }
        http = {"conn_type": "http", "host": self.crm_url}
        hook = f"{self.crm_url}/sandbox/hooks"
        connections = {
            "RESCORE_HUBSPOT": {**http, "password": self.crm_token, "extra": CRM_LIMITS},
            "SALES_ALERTS": self._endpoint(f"{hook}/sales_alerts"),
            "RE_ENGAGEMENT": self._endpoint(f"{hook}/re_engagement"),
        }
        return {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": os.pathsep.join([str(PROJECT / "include"), str(PROJECT / "plugins")]),
            "AIRFLOW_HOME": str(self.home / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": str(self.airflow_port),
            "AIRFLOW__API__BASE_URL": self.airflow_url,
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "RESCORE_HOME": str(self.home / "rescore"),
            "RESCORE_ALLOWED_HOSTS": self.crm_url,
            "RESCORE_PROJECT": str(PROJECT),
            "RESCORE_RULES_DIR": str(self.rules_dir),
            **{f"AIRFLOW_CONN_{name}": json.dumps(fields) for name, fields in connections.items()},
            **self.more,
        }

    def _endpoint(self, url: str) -> dict[str, object]:
        return {
            "conn_type": "http",
            "host": url,
            "password": self.webhook_secret,
            "extra": {"rescore_webhook": True},
        }

    def require_free_ports(self) -> None:
        """Refuse to start beside somebody else's server.

        Raises:
            CannotStart: A port is taken.
        """
        for port, what, setting in (
            (self.airflow_port, "Airflow", "AIRFLOW_PORT"),
            (self.crm_port, "the sandbox CRM", "CRM_PORT"),
        ):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((LOOPBACK, port))
                except OSError:
                    raise CannotStart(
                        f"port {port}, which {what} needs, is taken; free it, run `make stop` if an "
                        f"earlier demo holds it, or choose another: make demo {setting}={port + 100}"
                    ) from None
