"""`make story`: what the project promises, line by line on a real Airflow; non-zero when one is false."""

from __future__ import annotations

import shutil
import sys

from demo import faults, first_load, held_change, midnight, oulad, rule_edits
from demo.checks import DoesNotHold
from demo.evidence import Evidence
from demo.places import PROJECT, CannotStart, Places
from demo.run import HOLD_BACK_DAYS, LEADS, port
from demo.standalone import Standalone
from demo.talk import console, step

LINES = (
    ("1  Scores in the CRM are accounted for; nothing is written twice", first_load.tell),
    ("2  An edited rule, a comment, a broken file", rule_edits.tell),
    ("3  Killed at the worst moment", faults.tell),
    ("4  A rules change that nobody has to fear", held_change.tell),
    ("   ... at the worst hour", midnight.tell),
)


def places() -> Places:
    """The story's own ports and folders, and a copy of the rules that it may edit."""
    rules = PROJECT / ".rescore" / "story-rules"
    shutil.rmtree(rules, ignore_errors=True)
    shutil.copytree(PROJECT / "include" / "rules", rules)
    return Places(
        home=PROJECT / ".rescore" / "story",
        airflow_port=port("AIRFLOW_PORT", 8081),
        crm_port=port("CRM_PORT", 8091),
        rules_dir=rules,
    )


def story() -> None:
    """Bring a world up, tell every line, take it down.

    Raises:
        DoesNotHold: A line is false.
        CannotStart: The world did not come up.
    """
    world = Standalone(places())
    try:
        with step("Starting Airflow and a sandbox CRM") as say:
            world.start(leads=LEADS, hold_back_days=HOLD_BACK_DAYS, say=say)
        for title, tell in LINES:
            console.print(f"\n[bold]{title}[/]")
            tell(world, Evidence(world))
    finally:
        world.stop()
    console.print("\n[bold]5  Real behaviour, real outcomes[/]")
    oulad.tell()


def main() -> None:
    """Tell the story; exit 1 at the first line that does not hold."""
    try:
        story()
    except (DoesNotHold, CannotStart) as problem:
        console.print(f"    [red]✗[/] {problem}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    console.print("\n[green]Every line holds.[/] The rest: `make test`, `make check`, `make bench`.")


if __name__ == "__main__":
    main()
