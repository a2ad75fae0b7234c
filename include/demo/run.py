"""`make demo`: Airflow on this machine scores a sandbox CRM's leads, twice, and tells what happened."""

from __future__ import annotations

import os
import sys
import time

from demo import pictures
from demo.evidence import Evidence
from demo.places import PROJECT, CannotStart, Places
from demo.standalone import RUN_WITHIN, Standalone
from demo.talk import console, step
from rescore.cli.pictures import bars

LEADS = 5_000
HOLD_BACK_DAYS = 3
EXPLAIN = ".venv/bin/rescore explain"


def places() -> Places:
    """The demo's own: ports from the environment, the project's own rules."""
    return Places(
        home=PROJECT / ".rescore" / "demo",
        airflow_port=port("AIRFLOW_PORT", 8080),
        crm_port=port("CRM_PORT", 8090),
        rules_dir=PROJECT / "include" / "rules",
    )


def port(name: str, default: int) -> int:
    """A port from the environment.

    Raises:
        CannotStart: It is no port.
    """
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise CannotStart(f"{name}={text} is no port; choose a number from 1024 to 65535")
    return int(text)


def demo() -> None:
    """Bring everything up, run `score_leads` twice, say what happened, and leave it running."""
    started = time.monotonic()
    world = Standalone(places())
    with step("Starting Airflow and a sandbox CRM") as say:
        world.start(leads=LEADS, hold_back_days=HOLD_BACK_DAYS, say=say)
    evidence = Evidence(world)
    with step(f"First load, by schedule: {LEADS:,} leads and their history") as say:
        _green(world, world.first_scheduled_run(say=say))
    first = evidence.counts()
    with step(f"The world goes on: {HOLD_BACK_DAYS} days of activity appear in the CRM"):
        world.crm("POST", "/sandbox/release")
    with step("Second run, by hand: what changed") as say:
        run_id = world.api.trigger("score_leads")
        _green(world, world.api.wait("score_leads", run_id, seconds=RUN_WITHIN, say=say))
    second = evidence.since(first)

    console.print()
    console.print(f"[bold]{second['leads scored']:,} leads scored[/], bands of b2b_saas:")
    console.print(bars(evidence.bands("b2b_saas")))
    console.print()
    console.print(pictures.table(["", "first load", "second run"], first, second))
    console.print()
    console.print(
        pictures.facts(
            {
                "Airflow": f"{world.places.airflow_url}  admin / {world.places.password}",
                "CRM": f"{world.places.crm_url}  leads with their scores, and the calls sales received",
                "try": "change the points of meeting_held in include/rules/b2b_saas.yaml, and watch",
                "look": f"RESCORE_HOME={_relative(world.places)} .venv/bin/rescore status",
                "why": f"RESCORE_HOME={_relative(world.places)} {EXPLAIN} {evidence.top_lead()}",
                "stop": "make stop",
            }
        )
    )
    console.print(f"\n[dim]{time.monotonic() - started:.0f} seconds in all.[/]")


def _relative(where: Places) -> str:
    return str((where.home / "rescore").relative_to(PROJECT))


def _green(world: Standalone, state: str) -> None:
    if state != "success":
        run_id = world.api.runs("score_leads")[0]["dag_run_id"]
        tasks = ", ".join(f"{task} {state}" for task, state in world.api.tasks("score_leads", run_id).items())
        raise CannotStart(f"score_leads failed ({tasks}); look at {world.places.airflow_url}")


def main() -> None:
    """Run the demo; one clear sentence when it cannot."""
    try:
        demo()
    except CannotStart as problem:
        console.print(f"[red]✗[/] {problem}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("\ninterrupted; `make stop` ends what was started")
        sys.exit(130)


if __name__ == "__main__":
    main()
