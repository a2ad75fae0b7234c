"""Starts the sandbox organisation: `python -m sandbox_salesforce`."""

import argparse
import json
import sys
from datetime import UTC, datetime

from sandbox_crm.serving import port_problem, serve
from sandbox_salesforce.app import create_app
from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.world import fill

FEWEST = 10


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; 1 when the port is taken."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.leads < FEWEST or asked.contacts < FEWEST:
        parser.error(f"a world needs {FEWEST} leads and {FEWEST} contacts: some of them become others")
    if problem := port_problem(asked.host, asked.port):
        print(f"sandbox Salesforce: {problem}", file=sys.stderr)
        return 1
    org = Organisation(daily=asked.calls_per_day)
    fill(org, ends_at=datetime.now(UTC), leads=asked.leads, contacts=asked.contacts)
    url = f"http://{asked.host}:{asked.port}"
    print(f"sandbox Salesforce: {asked.leads} leads and {asked.contacts} contacts at {url}", flush=True)
    print(f"export AIRFLOW_CONN_RESCORE_SALESFORCE='{json.dumps(_connection(org, url))}'", flush=True)
    serve(create_app(org), asked.host, asked.port)
    return 0


def _connection(org: Organisation, url: str) -> dict[str, object]:
    """The Airflow Connection of a client app that may do everything here."""
    key, secret = org.account.consumer_key, org.account.consumer_secret
    extra = {"consumer_key": key, "consumer_secret": secret, "domain": "sandbox.my"}
    return {"conn_type": "salesforce", "host": url, "extra": extra}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sandbox_salesforce", description="A small server that behaves like a Salesforce organisation."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8091)
    add("--leads", type=int, default=300)
    add("--contacts", type=int, default=120)
    add("--calls-per-day", type=int, default=100_000)
    return parser


if __name__ == "__main__":
    sys.exit(main())
