"""Commands about shadow versions: scored beside the one in force, compared with it, and with the CRM."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from rescore.cli.given import LARGEST, read_bytes, user
from rescore.errors import CommandMiswritten
from rescore.pipeline import shadow as shadows
from rescore.pipeline.shadow_report import shadow_report
from rescore.rules.lists import read_lists
from rescore.rules.on_disk import printable
from rescore.settings import Settings
from rescore.workspace import Workspace

shadow = typer.Typer(
    help="Score a version beside the one in force.", no_args_is_help=True, add_completion=False
)

Card = Annotated[str, typer.Argument(metavar="SCORECARD")]


def _workspace() -> Workspace:
    return Workspace.open(Settings.from_environment(os.environ))


@shadow.command()
def start(
    scorecard: Card,
    file: Annotated[
        Path | None, typer.Option(help="A rules file, registered as it is now.", readable=False)
    ] = None,
    version: Annotated[
        int, typer.Option(min=0, max=LARGEST, help="A version that is registered already.")
    ] = 0,
) -> None:
    """Let a version score every run from the next one on; it writes nothing and fires nothing."""
    if (file is None) == (not version):
        raise CommandMiswritten("say which version is the shadow: either --file FILE or --version N")
    now, by, ws = datetime.now(UTC), user(), _workspace()
    if file is None:
        shadows.start_shadow(ws, scorecard, version=version, at=now, by=by)
    else:
        body = read_bytes(file)
        lists = read_lists(body, file.parent)
        version = shadows.start_shadow_file(
            ws, scorecard, body=body, name=printable(file.name), at=now, by=by, lists=lists
        )
    print(f"version {version} of {scorecard} scores beside the one in force from the next run on")


@shadow.command()
def stop(scorecard: Card) -> None:
    """Stop comparing, and drop what was compared."""
    version = shadows.stop_shadow(_workspace(), scorecard)
    print(f"version {version} of {scorecard} no longer scores beside the one in force")


@shadow.command()
def report(
    scorecard: Card,
    field: Annotated[str, typer.Option(help="An attribute with another score to compare with.")] = "",
    converted: Annotated[str, typer.Option(help="An attribute that says who converted.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """How far the two agree: bands, ranks, moves; who differs most goes to a file."""
    found = shadow_report(
        _workspace(), scorecard, at=datetime.now(UTC), field=field or None, converted=converted or None
    )
    if as_json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        print(*found.lines(), sep="\n")
