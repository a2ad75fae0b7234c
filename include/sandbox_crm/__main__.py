"""Starts the sandbox CRM: `python -m sandbox_crm --token ...`."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from sandbox_crm.app import create_app
from sandbox_crm.sandbox import Limits
from sandbox_crm.serving import port_problem, serve
from sandbox_crm.testing import WEBHOOK_SECRET
from sandbox_crm.world import SEED, build_world


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; 1 when the port is taken."""
    asked = _parser().parse_args(arguments)
    if problem := port_problem(asked.host, asked.port):
        print(f"sandbox CRM: {problem}", file=sys.stderr)
        return 1
    world = build_world(
        ends_at=datetime.now(UTC),
        leads=asked.leads,
        seed=asked.seed,
        hold_back_days=asked.hold_back_days,
        awkward=asked.awkward,
        cache=asked.cache,
        progress=lambda line: print(f"sandbox CRM: {line}", flush=True),
    )
    app = create_app(
        world,
        token=asked.token,
        webhook_secret=asked.webhook_secret,
        limits=Limits(asked.calls_per_ten_seconds, asked.searches_per_second, asked.calls_per_day),
        latency=asked.latency_ms / 1000,
        search_lag=asked.search_lag_seconds,
        faults=asked.faults,
    )
    print(
        f"sandbox CRM: {len(world.script.contacts):,} leads at http://{asked.host}:{asked.port}/", flush=True
    )
    serve(app, asked.host, asked.port)
    return 0


def _parser() -> argparse.ArgumentParser:
    vendor = Limits()
    parser = argparse.ArgumentParser(
        prog="sandbox_crm", description="A small CRM server that behaves like HubSpot."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8090)
    add("--token", required=True, help="the private app token calls must bear")
    add("--webhook-secret", default=WEBHOOK_SECRET, help="Standard Webhooks secret of /sandbox/hooks/...")
    add("--leads", type=int, default=5000)
    add("--seed", type=int, default=SEED)
    add("--hold-back-days", type=int, default=3, help="last days that appear only when released")
    add("--awkward", action="store_true", help="plant rows that connectors stumble over")
    add("--cache", type=Path, help="folder to keep the generated world in")
    add("--latency-ms", type=int, default=20)
    add("--search-lag-seconds", type=float, default=0.0, help="until a search sees what was written")
    add("--calls-per-ten-seconds", type=int, default=vendor.per_ten_seconds)
    add("--searches-per-second", type=int, default=vendor.search_per_second)
    add("--calls-per-day", type=int, default=vendor.per_day)
    add("--faults", action="store_true", help="let POST /sandbox/faults script failures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
